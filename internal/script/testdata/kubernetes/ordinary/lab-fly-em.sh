#!/bin/sh
# lab/fly/em: 0:30000, 0:30000, 0:48 in BOSS coordinates
# memory: at most 1.0 GB per process, 2.0 GB in total
#
# For Kubernetes from 1.29 on. Once, before the first run:
#
#   1. Build the image and push it to where the cluster pulls from; Dockerfile says how.
#   2. Give the cluster the access to BOSS, from a file that nobody else reads:
#        kubectl create secret generic lab-fly-em-boss --from-file=neurodata.cfg
#      and, if the shares need variables such as AWS_ACCESS_KEY_ID:
#        kubectl create secret generic lab-fly-em-env --from-env-file=FILE
#   3. Make a volume of the images and for journals and logs, ReadWriteMany if there
#      are several nodes, and put the name of its claim for ndpush-data into the
#      files. It is mounted at /data/em, where the commands run, as user 1000:
#      also to be edited, if the images belong to another.
#
# Then, with any options of kubectl, such as -n NAMESPACE:
#
#   sh lab-fly-em.sh
#
# It can be stopped and run again at any time: it goes on where the jobs are. To
# run again what failed, remove the jobs first; what is done is not done twice:
#
#   kubectl delete --ignore-not-found -f lab-fly-em-create.yaml -f lab-fly-em-shares.yaml -f lab-fly-em-status.yaml -f lab-fly-em-verify.yaml
#
# Status 3, finished but for what is missing, counts as failed for Kubernetes. To
# go on to what follows nevertheless: AFTER=always sh lab-fly-em.sh
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit

# await waits until a job is over. Its status is 1 if the job failed.
await() {
	name=$1
	shift
	while :; do
		conditions=$(kubectl "$@" get job "$name" -o 'jsonpath={.status.conditions[?(@.status=="True")].type}') || exit
		case " $conditions " in
		*" Complete "*) return 0 ;;
		*" Failed "*) return 1 ;;
		esac
		sleep "${POLL:-10}"
	done
}

kubectl "$@" apply -f "$here/lab-fly-em-create.yaml" || exit
await lab-fly-em-create "$@" || {
	kubectl "$@" logs job/lab-fly-em-create
	exit 1
}

kubectl "$@" apply -f "$here/lab-fly-em-shares.yaml" || exit
await lab-fly-em-shares "$@" || {
	echo "shares that failed, counted from 0: $(kubectl "$@" get job lab-fly-em-shares -o 'jsonpath={.status.failedIndexes}')"
	echo "the statuses that their processes ended with, by share:"
	kubectl "$@" get pods -l batch.kubernetes.io/job-name=lab-fly-em-shares -o 'jsonpath={range .items[*]}{.metadata.annotations.batch\.kubernetes\.io/job-completion-index}{"\t"}{.status.containerStatuses[0].state.terminated.exitCode}{"\n"}{end}' |
		sort -n | awk '$2 != 0'
	[ "$AFTER" = always ] || exit 1
}

kubectl "$@" apply -f "$here/lab-fly-em-status.yaml" || exit
await lab-fly-em-status "$@"
kubectl "$@" logs job/lab-fly-em-status

kubectl "$@" apply -f "$here/lab-fly-em-verify.yaml" || exit
await lab-fly-em-verify "$@"
code=$?
kubectl "$@" logs job/lab-fly-em-verify
exit "$code"
