#!/bin/sh
# first
# rm -rf /
# #SBATCH --x
# ---[31m
#
# Submits to LSF what creates the resources, then 1 share, then what shows and
# verifies them:
#
#   sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh
#	all shares; of each, only what is left to do
#   sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh failed
#	only those that did not end with status 0
#   sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh 3,7-9
#	only these
#   bjobs -A
#	what is going on
#
# gr-e-m-a-name-that-is-far-too-l-5b0fedba.lsf has what each says, and its status: 3 is finished but for what is
# missing. A share that BOSS does not take now waits for 15 minutes and is queued
# again, up to 96 times.
set -e
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
mkdir -p gr-e-m-a-name-that-is-far-too-l-5b0fedba.lsf

limit=$(bparams -a | sed -n 's/.*MAX_JOB_ARRAY_SIZE *= *\([0-9]*\).*/\1/p')
if [ "${limit:-1}" -lt 1 ]; then
	echo "1 shares are more than this cluster's MAX_JOB_ARRAY_SIZE $limit: make fewer" >&2
	exit 2
fi
if [ -s gr-e-m-a-name-that-is-far-too-l-5b0fedba.lsf/job ] && bjobs "$(cat gr-e-m-a-name-that-is-far-too-l-5b0fedba.lsf/job)" 2>/dev/null | grep -Eq ' (PEND|PROV|RUN|WAIT|PSUSP|USUSP|SSUSP) '; then
	echo "job $(cat gr-e-m-a-name-that-is-far-too-l-5b0fedba.lsf/job) has not ended: see bjobs -A, or bkill it" >&2
	exit 1
fi

# failed lists the shares that did not end with status 0.
failed() {
	list=
	share=1
	while [ "$share" -le 1 ]; do
		code=
		[ ! -s gr-e-m-a-name-that-is-far-too-l-5b0fedba.lsf/share-$share.status ] || read -r code <gr-e-m-a-name-that-is-far-too-l-5b0fedba.lsf/share-$share.status
		[ "$code" = 0 ] || list=$list,$share
		share=$((share + 1))
	done
	echo "${list#,}"
}

case ${1-} in
'')
	shares=1-1
	rm -f gr-e-m-a-name-that-is-far-too-l-5b0fedba.lsf/share-*.status
	;;
failed)
	shares=$(failed)
	[ "$shares" ] || {
		echo "all shares ended with status 0"
		exit 0
	}
	;;
*[!0-9,-]*)
	echo "usage: sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh [failed | SHARES]" >&2
	exit 2
	;;
*) shares=$1 ;;
esac
rm -f gr-e-m-a-name-that-is-far-too-l-5b0fedba.lsf/share-*.tries

# submit submits the script at its standard input, and prints the number of its job.
submit() {
	number=$(bsub "$@" | sed -n 's/^Job <\([0-9]*\)>.*/\1/p')
	[ "$number" ] && echo "$number"
}

# With -ti, what waits for a job that failed is ended rather than kept for good.
create=$(submit <"$here/gr-e-m-a-name-that-is-far-too-l-5b0fedba-create.bsub")
job=$(submit -J "gr-e-m-a-name-that-is-far-too-l-5b0fedba[$shares]" -w "done($create)" -ti <"$here/gr-e-m-a-name-that-is-far-too-l-5b0fedba-shares.bsub")
echo "$job" >gr-e-m-a-name-that-is-far-too-l-5b0fedba.lsf/job
after=$(submit -w "ended($job)" <"$here/gr-e-m-a-name-that-is-far-too-l-5b0fedba-after.bsub")
echo "submitted as job $job; job $after follows: see gr-e-m-a-name-that-is-far-too-l-5b0fedba.lsf/after.out"
