#!/bin/sh
# lab/fly/em: 0:30000, 0:30000, 0:48 in BOSS coordinates
# memory: at most 1.0 GB per process, 2.0 GB in total
#
# Once, before the first run:
#
#   1. Build the image and push it to where AWS Batch pulls from; Dockerfile says how.
#   2. Put the token into Secrets Manager, from a file that nobody else reads:
#        aws secretsmanager create-secret --name lab-fly-em-boss --secret-string file://token
#   3. Make a file system (EFS) for journals and logs, and the images unless they are
#      in S3. It is mounted at /data/em, where the commands run, as user 1000.
#   4. Edit lab-fly-em-definition.json: what begins with EDIT-, and the BOSS if it is
#      another. The execution role may read the secret; the job role may read the
#      images in S3, and can be left out if they are elsewhere.
#
# Then:
#
#   sh lab-fly-em.sh QUEUE
#	all shares; of each, only what is left to do
#   sh lab-fly-em.sh QUEUE failed ARRAYJOB
#	only those that failed in that run
#   sh lab-fly-em.sh QUEUE after
#	what follows the shares
#
# A share that is interrupted, or that BOSS does not take now, is tried again, 10
# times in all. AWS Batch does so at once: if BOSS refuses for hours, run this
# again later. Status 3, finished but for what is missing, counts as failed, and
# what depends on a failed share is never run: then do so with "after".
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit
queue=$1
case $#:$2 in
1: | 3:failed | 2:after) ;;
*)
	echo "usage: sh lab-fly-em.sh QUEUE [failed ARRAYJOB | after]" >&2
	exit 2
	;;
esac

if grep -n EDIT- "$here/lab-fly-em-definition.json"; then
	echo "edit these lines first" >&2
	exit 2
fi

# submit submits the job of a file, with more options, and prints its number.
submit() {
	file=$1
	shift
	aws batch submit-job --job-queue "$queue" --cli-input-json "file://$here/$file" --query jobId --output text "$@"
}

# after submits what follows the shares.
after() {
	submit lab-fly-em-status.json "$@" || return
	submit lab-fly-em-verify.json "$@" || return
}

if [ "$2" = failed ]; then
	echo "shares that failed, counted from 0, with their status and why:"
	aws batch list-jobs --array-job-id "$3" --job-status FAILED --output text \
		--query 'jobSummaryList[].[arrayProperties.index,container.exitCode,statusReason]' || exit
	failed=$(aws batch list-jobs --array-job-id "$3" --job-status FAILED --output text \
		--query 'jobSummaryList[].[arrayProperties.index]') || exit
	for index in $failed; do
		one=$(sed "/\"--shard\",\$/{n;s|\"K/3\"|\"$((index + 1))/3\"|;}" "$here/lab-fly-em-share.json") || exit
		aws batch submit-job --job-queue "$queue" --cli-input-json "$one" --query jobId --output text || exit
	done
	exit
fi

aws batch register-job-definition --cli-input-json "file://$here/lab-fly-em-definition.json" --query jobDefinitionArn --output text || exit
if [ "$2" = after ]; then
	after
	exit
fi
create=$(submit lab-fly-em-create.json) || exit
shares=$(submit lab-fly-em-shares.json --depends-on "jobId=$create") || exit
echo "submitted 3 shares as $shares"
after --depends-on "jobId=$shares"
