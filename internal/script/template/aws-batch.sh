#!/bin/sh
{{comment "#" .Notes -}}
#
# Once, before the first run:
#
#   1. Build the image and push it to where AWS Batch pulls from; Dockerfile says how.
#   2. Put the token into Secrets Manager, from a file that nobody else reads:
#        aws secretsmanager create-secret --name {{.Job}}-boss --secret-string file://token
#   3. Make a file system (EFS) for journals and logs, and the images unless they are
#      in S3. It is mounted at {{.Mount}}, where the commands run, as user {{.User}}.
#   4. Edit {{.Job}}-definition.json: what begins with EDIT-, and the BOSS if it is
#      another. The execution role may read the secret; the job role may read the
#      images in S3, and can be left out if they are elsewhere.
#
# Then:
#
#   sh {{.Job}}.sh QUEUE
#	all shares; of each, only what is left to do
#   sh {{.Job}}.sh QUEUE failed ARRAYJOB
#	only those that failed in that run
{{- if .HasAfter}}
#   sh {{.Job}}.sh QUEUE after
#	what follows the shares
{{- end}}
#
# A share that is interrupted, or that BOSS does not take now, is tried again, {{.Attempts}}
# times in all. AWS Batch does so at once: if BOSS refuses for hours, run this
# again later. Status 3, finished but for what is missing, counts as failed
{{- if .HasAfter}}, and
# what depends on a failed share is never run: then do so with "after"
{{- end}}.
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit
queue=$1
case $#:$2 in
1: | 3:failed{{if .HasAfter}} | 2:after{{end}}) ;;
*)
	echo "usage: sh {{.Job}}.sh QUEUE [failed ARRAYJOB{{if .HasAfter}} | after{{end}}]" >&2
	exit 2
	;;
esac

if grep -n EDIT- "$here/{{.Job}}-definition.json"; then
	echo "edit these lines first" >&2
	exit 2
fi

# submit submits the job of a file, with more options, and prints its number.
submit() {
	file=$1
	shift
	aws batch submit-job --job-queue "$queue" --cli-input-json "file://$here/$file" --query jobId --output text "$@"
}
{{- if .HasAfter}}

# after submits what follows the shares.
after() {
{{- if .Status}}
	submit {{.Job}}-status.json "$@" || return
{{- end}}
{{- if .Verify}}
	submit {{.Job}}-verify.json "$@" || return
{{- end}}
}
{{- end}}

if [ "$2" = failed ]; then
	echo "shares that failed, counted from 0, with their status and why:"
	aws batch list-jobs --array-job-id "$3" --job-status FAILED --output text \
		--query 'jobSummaryList[].[arrayProperties.index,container.exitCode,statusReason]' || exit
	failed=$(aws batch list-jobs --array-job-id "$3" --job-status FAILED --output text \
		--query 'jobSummaryList[].[arrayProperties.index]') || exit
	for index in $failed; do
		one=$(sed "/\"--shard\",\$/{n;s|\"K/{{.Shares}}\"|\"$((index + 1))/{{.Shares}}\"|;}" "$here/{{.Job}}-share.json") || exit
		aws batch submit-job --job-queue "$queue" --cli-input-json "$one" --query jobId --output text || exit
	done
	exit
fi

aws batch register-job-definition --cli-input-json "file://$here/{{.Job}}-definition.json" --query jobDefinitionArn --output text || exit
{{- if .HasAfter}}
if [ "$2" = after ]; then
	after
	exit
fi
{{- end}}
{{- if .Create}}
create=$(submit {{.Job}}-create.json) || exit
shares=$(submit {{.Job}}-shares.json --depends-on "jobId=$create") || exit
{{- else}}
shares=$(submit {{.Job}}-shares.json) || exit
{{- end}}
echo "submitted {{.Count}} as $shares"
{{- if .HasAfter}}
after --depends-on "jobId=$shares"
{{- end}}
