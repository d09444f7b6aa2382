#!/bin/sh
# lab/fly/em: 0:30000, 0:30000, 0:48 in BOSS coordinates
# memory: at most 1.0 GB per process, 2.0 GB in total
#
# Runs 3 shares by GNU parallel, 2 at one time: sh lab-fly-em.sh
# lab-fly-em.joblog says how each ended. To go on, or after trouble, run it again:
# only shares that failed or have not run are run, and of those only what is left.
# To run all shares again, remove lab-fly-em.joblog.
# It ends with the worst status: 3 is finished but for what is missing, 5 is not
# now, run it again later.

self=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)/$(basename -- "$0")
cd /data/em || exit 1

# parallel calls this script for each share.
if [ "$1" = share ]; then
	exec ndpush ingest --base-path=/data/em '--base-filename=em_<p:4>' --extension=tif --collection=lab --experiment=fly --channel=em --shards=3 --shard "$2/3"
fi

parallel --version 2>/dev/null | grep -q '^GNU parallel' || {
	echo "GNU parallel is not here" >&2
	exit 1
}

ndpush ingest --base-path=/data/em '--base-filename=em_<p:4>' --extension=tif --collection=lab --experiment=fly --channel=em --create-resources || exit

# Ctrl-C reaches parallel without help, which ends the shares. The first TERM keeps
# it from starting more, the second ends them. Each gets a minute to end what is in
# flight.
stopped=
pid=
trap 'stopped=130' INT HUP
trap 'stopped=130; [ -z "$pid" ] || { kill "$pid"; sleep 1; kill "$pid"; } 2>/dev/null' TERM

seq 3 | parallel -q --jobs 2 --joblog lab-fly-em.joblog --resume-failed --halt never \
	--memfree 1152M --termseq TERM,60000,KILL,25 --line-buffer --tag \
	sh "$self" share {} &
pid=$!
wait "$pid"
code=$?
while [ "$code" -gt 128 ] && kill -0 "$pid" 2>/dev/null; do # it was the wait that was interrupted
	wait "$pid"
	code=$?
done

# The last line of a share in the log counts. A share without one did not end.
shares=$(awk -F '\t' 'NR > 1 { code[$1] = $8 ? 128 + $8 : $7 }
	END { for (k = 1; k <= 3; k++) print k in code ? code[k] : 130 }' lab-fly-em.joblog | sort -nu)
worst=${stopped:-0}
failed=$stopped
for code in ${shares:-130}; do
	[ "$code" -le "$worst" ] || worst=$code
	case $code in
	0 | 3) ;; # what is missing does not keep the rest from being compared
	*) failed=$code ;;
	esac
done

ndpush status --collection=lab --experiment=fly --channel=em
code=$?
[ "$code" -le "$worst" ] || worst=$code

if [ "$failed" ]; then
	echo "not verified: a share ended with status $failed; run this again" >&2
else
	ndpush verify --collection=lab --experiment=fly --channel=em
	code=$?
	[ "$code" -le "$worst" ] || worst=$code
fi
exit "$worst"
