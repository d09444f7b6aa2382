#!/bin/sh
# lab/fly/em: 0:30000, 0:30000, 0:48 in BOSS coordinates
# memory: at most 1.0 GB per process, 2.0 GB in total
#
# Submits to Slurm what creates the resources, then 3 shares, then what shows and
# verifies them:
#
#   sh lab-fly-em.sh
#	all shares; of each, only what is left to do
#   sh lab-fly-em.sh failed
#	only those that did not end with status 0
#   sh lab-fly-em.sh 3,7-9
#	only these
#   squeue --me -r
#	what is going on
#
# lab-fly-em.slurm has what each says, and its status: 3 is finished but for what is
# missing. A share that BOSS does not take now waits for 15 minutes and is queued
# again, up to 96 times.
set -e
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
cd /data/em
mkdir -p lab-fly-em.slurm

limit=$(scontrol show config | sed -n 's/^MaxArraySize *= *//p')
if [ "${limit:-3}" -lt 3 ]; then
	echo "3 shares are more than this cluster's MaxArraySize $limit: make fewer" >&2
	exit 2
fi
if [ -s lab-fly-em.slurm/job ] && squeue -h -j "$(cat lab-fly-em.slurm/job)" 2>/dev/null | grep -q .; then
	echo "job $(cat lab-fly-em.slurm/job) has not ended: see squeue --me, or scancel it" >&2
	exit 1
fi

# failed lists the shares that did not end with status 0.
failed() {
	list=
	share=0
	while [ "$share" -le 2 ]; do
		code=
		[ ! -s lab-fly-em.slurm/share-$share.status ] || read -r code <lab-fly-em.slurm/share-$share.status
		[ "$code" = 0 ] || list=$list,$share
		share=$((share + 1))
	done
	echo "${list#,}"
}

case ${1-} in
'')
	shares=0-2
	rm -f lab-fly-em.slurm/share-*.status
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

order=
create=$(sbatch --parsable "$here/lab-fly-em-create.sbatch")
order=--dependency=afterok:${create%%;*}
job=$(sbatch --parsable $order --kill-on-invalid-dep=yes --array="$shares%2" "$here/lab-fly-em-shares.sbatch")
job=${job%%;*}
echo "$job" >lab-fly-em.slurm/job
after=$(sbatch --parsable --dependency="afterany:$job" "$here/lab-fly-em-after.sbatch")
echo "submitted as job $job; job ${after%%;*} follows: see lab-fly-em.slurm/after.out"
