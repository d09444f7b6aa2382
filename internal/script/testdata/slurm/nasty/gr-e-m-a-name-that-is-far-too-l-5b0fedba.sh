#!/bin/sh
# first
# rm -rf /
# #SBATCH --x
# ---[31m
#
# Submits to Slurm what creates the resources, then 1 share, then what shows and
# verifies them:
#
#   sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh
#	all shares; of each, only what is left to do
#   sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh failed
#	only those that did not end with status 0
#   sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh 3,7-9
#	only these
#   squeue --me -r
#	what is going on
#
# gr-e-m-a-name-that-is-far-too-l-5b0fedba.slurm has what each says, and its status: 3 is finished but for what is
# missing. A share that BOSS does not take now waits for 15 minutes and is queued
# again, up to 96 times.
set -e
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
mkdir -p gr-e-m-a-name-that-is-far-too-l-5b0fedba.slurm

limit=$(scontrol show config | sed -n 's/^MaxArraySize *= *//p')
if [ "${limit:-1}" -lt 1 ]; then
	echo "1 shares are more than this cluster's MaxArraySize $limit: make fewer" >&2
	exit 2
fi
if [ -s gr-e-m-a-name-that-is-far-too-l-5b0fedba.slurm/job ] && squeue -h -j "$(cat gr-e-m-a-name-that-is-far-too-l-5b0fedba.slurm/job)" 2>/dev/null | grep -q .; then
	echo "job $(cat gr-e-m-a-name-that-is-far-too-l-5b0fedba.slurm/job) has not ended: see squeue --me, or scancel it" >&2
	exit 1
fi

# failed lists the shares that did not end with status 0.
failed() {
	list=
	share=0
	while [ "$share" -le 0 ]; do
		code=
		[ ! -s gr-e-m-a-name-that-is-far-too-l-5b0fedba.slurm/share-$share.status ] || read -r code <gr-e-m-a-name-that-is-far-too-l-5b0fedba.slurm/share-$share.status
		[ "$code" = 0 ] || list=$list,$share
		share=$((share + 1))
	done
	echo "${list#,}"
}

case ${1-} in
'')
	shares=0-0
	rm -f gr-e-m-a-name-that-is-far-too-l-5b0fedba.slurm/share-*.status
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

order=
create=$(sbatch --parsable "$here/gr-e-m-a-name-that-is-far-too-l-5b0fedba-create.sbatch")
order=--dependency=afterok:${create%%;*}
job=$(sbatch --parsable $order --kill-on-invalid-dep=yes --array="$shares" "$here/gr-e-m-a-name-that-is-far-too-l-5b0fedba-shares.sbatch")
job=${job%%;*}
echo "$job" >gr-e-m-a-name-that-is-far-too-l-5b0fedba.slurm/job
after=$(sbatch --parsable --dependency="afterany:$job" "$here/gr-e-m-a-name-that-is-far-too-l-5b0fedba-after.sbatch")
echo "submitted as job $job; job ${after%%;*} follows: see gr-e-m-a-name-that-is-far-too-l-5b0fedba.slurm/after.out"
