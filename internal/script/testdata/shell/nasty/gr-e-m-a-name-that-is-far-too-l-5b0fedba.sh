#!/bin/sh
# first
# rm -rf /
# #SBATCH --x
# ---[31m
#
# Runs 1 share side by side: sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh
# Stopped by Ctrl-C or kill, each share ends what is in flight. To go on, or after
# trouble, run it again: what is done is not done twice.
# It ends with the worst status: 3 is finished but for what is missing, 5 is not
# now, run it again later.

ndpush ingest '' ' ' 'a b' ''\''' '"' 'it'\''s "so"' '$HOME' '$(id)' '$$(X)' '`id`' 'a
b' '
' '	' '\' 'a\' '\\"' 'a\ b\' -n -- '*' '?[a]' '~' '#x' '!x' '{}' '{#}' 'a;b&c|d>e<f' '=x' a=b %s %PATH% 'größe µ 脳 🧠' '‘curly’ ‚quotes‛' '“x”' ' ' '﻿' '' '[0m' null yes 012 ': ' '- x' @x '&a' Ref::x ''\'''\'''\''' --% K/1 EOF || exit

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

[ "$stopped" ] || { ndpush ingest '' ' ' 'a b' ''\''' '"' 'it'\''s "so"' '$HOME' '$(id)' '$$(X)' '`id`' 'a
b' '
' '	' '\' 'a\' '\\"' 'a\ b\' -n -- '*' '?[a]' '~' '#x' '!x' '{}' '{#}' 'a;b&c|d>e<f' '=x' a=b %s %PATH% 'größe µ 脳 🧠' '‘curly’ ‚quotes‛' '“x”' ' ' '﻿' '' '[0m' null yes 012 ': ' '- x' @x '&a' Ref::x ''\'''\'''\''' --% K/1 EOF --shard 1/1 & pids="$pids $!"; }

for pid in $pids; do
	await "$pid"
done
shares=${failed:-$stopped}

ndpush ingest '' ' ' 'a b' ''\''' '"' 'it'\''s "so"' '$HOME' '$(id)' '$$(X)' '`id`' 'a
b' '
' '	' '\' 'a\' '\\"' 'a\ b\' -n -- '*' '?[a]' '~' '#x' '!x' '{}' '{#}' 'a;b&c|d>e<f' '=x' a=b %s %PATH% 'größe µ 脳 🧠' '‘curly’ ‚quotes‛' '“x”' ' ' '﻿' '' '[0m' null yes 012 ': ' '- x' @x '&a' Ref::x ''\'''\'''\''' --% K/1 EOF &
pids=$!
await "$pids"

if [ "$shares" ]; then
	echo "not verified: a share ended with status $shares; run this again" >&2
else
	ndpush ingest '' ' ' 'a b' ''\''' '"' 'it'\''s "so"' '$HOME' '$(id)' '$$(X)' '`id`' 'a
b' '
' '	' '\' 'a\' '\\"' 'a\ b\' -n -- '*' '?[a]' '~' '#x' '!x' '{}' '{#}' 'a;b&c|d>e<f' '=x' a=b %s %PATH% 'größe µ 脳 🧠' '‘curly’ ‚quotes‛' '“x”' ' ' '﻿' '' '[0m' null yes 012 ': ' '- x' @x '&a' Ref::x ''\'''\'''\''' --% K/1 EOF &
	pids=$!
	await "$pids"
fi
[ "${stopped:-0}" -le "$worst" ] || worst=$stopped
exit "$worst"
