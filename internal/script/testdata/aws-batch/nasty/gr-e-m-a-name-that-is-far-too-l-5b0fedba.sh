#!/bin/sh
# first
# rm -rf /
# #SBATCH --x
# ---[31m
#
# Once, before the first run:
#
#   1. Build the image and push it to where AWS Batch pulls from; Dockerfile says how.
#   2. Put the token into Secrets Manager, from a file that nobody else reads:
#        aws secretsmanager create-secret --name gr-e-m-a-name-that-is-far-too-l-5b0fedba-boss --secret-string file://token
#   3. Make a file system (EFS) for journals and logs, and the images unless they are
#      in S3. It is mounted at /data, where the commands run, as user 1000.
#   4. Edit gr-e-m-a-name-that-is-far-too-l-5b0fedba-definition.json: what begins with EDIT-, and the BOSS if it is
#      another. The execution role may read the secret; the job role may read the
#      images in S3, and can be left out if they are elsewhere.
#
# Then:
#
#   sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh QUEUE
#	all shares; of each, only what is left to do
#   sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh QUEUE failed ARRAYJOB
#	only those that failed in that run
#   sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh QUEUE after
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
	echo "usage: sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh QUEUE [failed ARRAYJOB | after]" >&2
	exit 2
	;;
esac

if grep -n EDIT- "$here/gr-e-m-a-name-that-is-far-too-l-5b0fedba-definition.json"; then
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
	submit gr-e-m-a-name-that-is-far-too-l-5b0fedba-status.json "$@" || return
	submit gr-e-m-a-name-that-is-far-too-l-5b0fedba-verify.json "$@" || return
}

if [ "$2" = failed ]; then
	echo "shares that failed, counted from 0, with their status and why:"
	aws batch list-jobs --array-job-id "$3" --job-status FAILED --output text \
		--query 'jobSummaryList[].[arrayProperties.index,container.exitCode,statusReason]' || exit
	failed=$(aws batch list-jobs --array-job-id "$3" --job-status FAILED --output text \
		--query 'jobSummaryList[].[arrayProperties.index]') || exit
	for index in $failed; do
		one=$(sed "/\"--shard\",\$/{n;s|\"K/1\"|\"$((index + 1))/1\"|;}" "$here/gr-e-m-a-name-that-is-far-too-l-5b0fedba-share.json") || exit
		aws batch submit-job --job-queue "$queue" --cli-input-json "$one" --query jobId --output text || exit
	done
	exit
fi

aws batch register-job-definition --cli-input-json "file://$here/gr-e-m-a-name-that-is-far-too-l-5b0fedba-definition.json" --query jobDefinitionArn --output text || exit
if [ "$2" = after ]; then
	after
	exit
fi
create=$(submit gr-e-m-a-name-that-is-far-too-l-5b0fedba-create.json) || exit
shares=$(submit gr-e-m-a-name-that-is-far-too-l-5b0fedba-shares.json --depends-on "jobId=$create") || exit
echo "submitted 1 share as $shares"
after --depends-on "jobId=$shares"
