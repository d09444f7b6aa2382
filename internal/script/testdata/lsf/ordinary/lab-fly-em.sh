#!/bin/sh
# lab/fly/em: 0:30000, 0:30000, 0:48 in BOSS coordinates
# memory: at most 1.0 GB per process, 2.0 GB in total
#
# Submits to LSF what creates the resources, then 3 shares, then what shows and
# verifies them:
#
#   sh lab-fly-em.sh
#	all shares; of each, only what is left to do
#   sh lab-fly-em.sh failed
#	only those that did not end with status 0
#   sh lab-fly-em.sh 3,7-9
#	only these
#   bjobs -A
#	what is going on
#
# lab-fly-em.lsf has what each says, and its status: 3 is finished but for what is
# missing. A share that BOSS does not take now waits for 15 minutes and is queued
# again, up to 96 times.
set -e
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
cd /data/em
mkdir -p lab-fly-em.lsf

limit=$(bparams -a | sed -n 's/.*MAX_JOB_ARRAY_SIZE *= *\([0-9]*\).*/\1/p')
if [ "${limit:-3}" -lt 3 ]; then
	echo "3 shares are more than this cluster's MAX_JOB_ARRAY_SIZE $limit: make fewer" >&2
	exit 2
fi
if [ -s lab-fly-em.lsf/job ] && bjobs "$(cat lab-fly-em.lsf/job)" 2>/dev/null | grep -Eq ' (PEND|PROV|RUN|WAIT|PSUSP|USUSP|SSUSP) '; then
	echo "job $(cat lab-fly-em.lsf/job) has not ended: see bjobs -A, or bkill it" >&2
	exit 1
fi

# failed lists the shares that did not end with status 0.
failed() {
	list=
	share=1
	while [ "$share" -le 3 ]; do
		code=
		[ ! -s lab-fly-em.lsf/share-$share.status ] || read -r code <lab-fly-em.lsf/share-$share.status
		[ "$code" = 0 ] || list=$list,$share
		share=$((share + 1))
	done
	echo "${list#,}"
}

case ${1-} in
'')
	shares=1-3
	rm -f lab-fly-em.lsf/share-*.status
	;;
failed)
	shares=$(failed)
	[ "$shares" ] || {
		echo "all shares ended with status 0"
		exit 0
	}
	;;
*[!0-9,-]*)
	echo "usage: sh lab-fly-em.sh [failed | SHARES]" >&2
	exit 2
	;;
*) shares=$1 ;;
esac
rm -f lab-fly-em.lsf/share-*.tries

# submit submits the script at its standard input, and prints the number of its job.
submit() {
	number=$(bsub "$@" | sed -n 's/^Job <\([0-9]*\)>.*/\1/p')
	[ "$number" ] && echo "$number"
}

# With -ti, what waits for a job that failed is ended rather than kept for good.
create=$(submit <"$here/lab-fly-em-create.bsub")
job=$(submit -J "lab-fly-em[$shares]%2" -w "done($create)" -ti <"$here/lab-fly-em-shares.bsub")
echo "$job" >lab-fly-em.lsf/job
after=$(submit -w "ended($job)" <"$here/lab-fly-em-after.bsub")
echo "submitted as job $job; job $after follows: see lab-fly-em.lsf/after.out"
