#!/bin/sh
# first
# rm -rf /
# #SBATCH --x
# ---[31m
#
# For Kubernetes from 1.29 on. Once, before the first run:
#
#   1. Build the image and push it to where the cluster pulls from; Dockerfile says how.
#      Put its name for EDIT-IMAGE into the files gr-e-m-a-name-that-is-far-too-l-5b0fedba-*.yaml.
#   2. Give the cluster the access to BOSS, from a file that nobody else reads:
#        kubectl create secret generic gr-e-m-a-name-that-is-far-too-l-5b0fedba-boss --from-file=neurodata.cfg
#      and, if the shares need variables such as AWS_ACCESS_KEY_ID:
#        kubectl create secret generic gr-e-m-a-name-that-is-far-too-l-5b0fedba-env --from-env-file=FILE
#   3. Make a volume of the images and for journals and logs, ReadWriteMany if there
#      are several nodes, and put the name of its claim for ndpush-data into the
#      files. It is mounted at /data, where the commands run, as user 1000:
#      also to be edited, if the images belong to another.
#
# Then, with any options of kubectl, such as -n NAMESPACE:
#
#   sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh
#
# It can be stopped and run again at any time: it goes on where the jobs are. To
# run again what failed, remove the jobs first; what is done is not done twice:
#
#   kubectl delete --ignore-not-found -f gr-e-m-a-name-that-is-far-too-l-5b0fedba-create.yaml -f gr-e-m-a-name-that-is-far-too-l-5b0fedba-shares.yaml -f gr-e-m-a-name-that-is-far-too-l-5b0fedba-status.yaml -f gr-e-m-a-name-that-is-far-too-l-5b0fedba-verify.yaml
#
# Status 3, finished but for what is missing, counts as failed for Kubernetes. To
# go on to what follows nevertheless: AFTER=always sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit

if grep -n 'image: "EDIT-IMAGE"' "$here/gr-e-m-a-name-that-is-far-too-l-5b0fedba"-*.yaml; then
	echo "edit these lines first" >&2
	exit 2
fi
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

kubectl "$@" apply -f "$here/gr-e-m-a-name-that-is-far-too-l-5b0fedba-create.yaml" || exit
await gr-e-m-a-name-that-is-far-too-l-5b0fedba-create "$@" || {
	kubectl "$@" logs job/gr-e-m-a-name-that-is-far-too-l-5b0fedba-create
	exit 1
}

kubectl "$@" apply -f "$here/gr-e-m-a-name-that-is-far-too-l-5b0fedba-shares.yaml" || exit
await gr-e-m-a-name-that-is-far-too-l-5b0fedba-shares "$@" || {
	echo "shares that failed, counted from 0: $(kubectl "$@" get job gr-e-m-a-name-that-is-far-too-l-5b0fedba-shares -o 'jsonpath={.status.failedIndexes}')"
	echo "the statuses that their processes ended with, by share:"
	kubectl "$@" get pods -l batch.kubernetes.io/job-name=gr-e-m-a-name-that-is-far-too-l-5b0fedba-shares -o 'jsonpath={range .items[*]}{.metadata.annotations.batch\.kubernetes\.io/job-completion-index}{"\t"}{.status.containerStatuses[0].state.terminated.exitCode}{"\n"}{end}' |
		sort -n | awk '$2 != 0'
	[ "$AFTER" = always ] || exit 1
}

kubectl "$@" apply -f "$here/gr-e-m-a-name-that-is-far-too-l-5b0fedba-status.yaml" || exit
await gr-e-m-a-name-that-is-far-too-l-5b0fedba-status "$@"
kubectl "$@" logs job/gr-e-m-a-name-that-is-far-too-l-5b0fedba-status

kubectl "$@" apply -f "$here/gr-e-m-a-name-that-is-far-too-l-5b0fedba-verify.yaml" || exit
await gr-e-m-a-name-that-is-far-too-l-5b0fedba-verify "$@"
code=$?
kubectl "$@" logs job/gr-e-m-a-name-that-is-far-too-l-5b0fedba-verify
exit "$code"
