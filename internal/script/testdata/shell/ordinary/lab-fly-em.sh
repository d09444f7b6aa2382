#!/bin/sh
# lab/fly/em: 0:30000, 0:30000, 0:48 in BOSS coordinates
# memory: at most 1.0 GB per process, 2.0 GB in total
#
# Runs 3 shares side by side: sh lab-fly-em.sh
# Stopped by Ctrl-C or kill, each share ends what is in flight. To go on, or after
# trouble, run it again: what is done is not done twice.
# It ends with the worst status: 3 is finished but for what is missing, 5 is not
# now, run it again later.

cd /data/em || exit 1

ndpush ingest --base-path=/data/em '--base-filename=em_<p:4>' --extension=tif --collection=lab --experiment=fly --channel=em --create-resources || exit

# await waits for a process, and keeps the worst status.
worst=0
failed=
await() {
	wait "$1"
	code=$?
	while [ "$code" -gt 128 ] && kill -0 "$1" 2>/dev/null; do # it was the wait that was interrupted
		wait "$1"
		code=$?
	done
	[ "$code" -le "$worst" ] || worst=$code
	case $code in
	0 | 3) ;; # what is missing does not keep the rest from being compared
	*) failed=$code ;;
	esac
}

# Ctrl-C and a closed terminal reach the shares without help, and a second signal
# would end them at once: only TERM is passed on.
pids=
stopped=
stop() {
	stopped=130
	case " $pids " in
	*" $! "*) kill $pids ;;
	*) kill $pids $! ;; # it came just after a start
	esac 2>/dev/null
}
trap 'stopped=130' INT HUP
trap stop TERM

[ "$stopped" ] || { ndpush ingest --base-path=/data/em '--base-filename=em_<p:4>' --extension=tif --collection=lab --experiment=fly --channel=em --shards=3 --shard 1/3 & pids="$pids $!"; }
[ "$stopped" ] || { ndpush ingest --base-path=/data/em '--base-filename=em_<p:4>' --extension=tif --collection=lab --experiment=fly --channel=em --shards=3 --shard 2/3 & pids="$pids $!"; }
[ "$stopped" ] || { ndpush ingest --base-path=/data/em '--base-filename=em_<p:4>' --extension=tif --collection=lab --experiment=fly --channel=em --shards=3 --shard 3/3 & pids="$pids $!"; }

for pid in $pids; do
	await "$pid"
done
shares=${failed:-$stopped}

ndpush status --collection=lab --experiment=fly --channel=em &
pids=$!
await "$pids"

if [ "$shares" ]; then
	echo "not verified: a share ended with status $shares; run this again" >&2
else
	ndpush verify --collection=lab --experiment=fly --channel=em &
	pids=$!
	await "$pids"
fi
[ "${stopped:-0}" -le "$worst" ] || worst=$stopped
exit "$worst"
