#!/bin/sh
{{comment "#" .Notes -}}
#
# For Kubernetes from 1.29 on. Once, before the first run:
#
#   1. Build the image and push it to where the cluster pulls from; Dockerfile says how.
{{- if not .Work.Image}}
#      Put its name for EDIT-IMAGE into the files {{.Job}}-*.yaml.
{{- end}}
#   2. Give the cluster the access to BOSS, from a file that nobody else reads:
#        kubectl create secret generic {{.Job}}-boss --from-file=neurodata.cfg
#      and, if the shares need variables such as AWS_ACCESS_KEY_ID:
#        kubectl create secret generic {{.Job}}-env --from-env-file=FILE
#   3. Make a volume of the images and for journals and logs, ReadWriteMany if there
#      are several nodes, and put the name of its claim for ndpush-data into the
#      files. It is mounted at {{.Mount}}, where the commands run, as user {{.User}}:
#      also to be edited, if the images belong to another.
#
# Then, with any options of kubectl, such as -n NAMESPACE:
#
#   sh {{.Job}}.sh
#
# It can be stopped and run again at any time: it goes on where the jobs are. To
# run again what failed, remove the jobs first; what is done is not done twice:
#
#   kubectl delete --ignore-not-found{{if .Create}} -f {{.Job}}-create.yaml{{end}} -f {{.Job}}-shares.yaml{{if .Status}} -f {{.Job}}-status.yaml{{end}}{{if .Verify}} -f {{.Job}}-verify.yaml{{end}}
#
# Status 3, finished but for what is missing, counts as failed for Kubernetes.
{{- if .HasAfter}} To
# go on to what follows nevertheless: AFTER=always sh {{.Job}}.sh
{{- end}}
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit

{{if not .Work.Image}}if grep -n 'image: "EDIT-IMAGE"' "$here/{{.Job}}"-*.yaml; then
	echo "edit these lines first" >&2
	exit 2
fi
{{end -}}

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
{{- if .Create}}

kubectl "$@" apply -f "$here/{{.Job}}-create.yaml" || exit
await {{.Job}}-create "$@" || {
	kubectl "$@" logs job/{{.Job}}-create
	exit 1
}
{{- end}}

kubectl "$@" apply -f "$here/{{.Job}}-shares.yaml" || exit
await {{.Job}}-shares "$@" || {
	echo "shares that failed, counted from 0: $(kubectl "$@" get job {{.Job}}-shares -o 'jsonpath={.status.failedIndexes}')"
	echo "the statuses that their processes ended with, by share:"
	kubectl "$@" get pods -l batch.kubernetes.io/job-name={{.Job}}-shares -o 'jsonpath={range .items[*]}{.metadata.annotations.batch\.kubernetes\.io/job-completion-index}{"\t"}{.status.containerStatuses[0].state.terminated.exitCode}{"\n"}{end}' |
		sort -n | awk '$2 != 0'
	[ "$AFTER" = always ] || exit 1
}
{{- if .Status}}

kubectl "$@" apply -f "$here/{{.Job}}-status.yaml" || exit
await {{.Job}}-status "$@"
kubectl "$@" logs job/{{.Job}}-status
{{- end}}
{{- if .Verify}}

kubectl "$@" apply -f "$here/{{.Job}}-verify.yaml" || exit
await {{.Job}}-verify "$@"
code=$?
kubectl "$@" logs job/{{.Job}}-verify
exit "$code"
{{- end}}
