#!/bin/sh
# first
# rm -rf /
# #SBATCH --x
# ---[31m
#
# Runs 1 share by GNU parallel, 1 at one time: sh gr-e-m-a-name-that-is-far-too-l-5b0fedba.sh
# gr-e-m-a-name-that-is-far-too-l-5b0fedba.joblog says how each ended. To go on, or after trouble, run it again:
# only shares that failed or have not run are run, and of those only what is left.
# To run all shares again, remove gr-e-m-a-name-that-is-far-too-l-5b0fedba.joblog.
# It ends with the worst status: 3 is finished but for what is missing, 5 is not
# now, run it again later.

case $0 in
*/*) self=$0 ;;
*) self=./$0 ;;
esac

# parallel calls this script for each share.
if [ "$1" = share ]; then
	exec ndpush ingest '' ' ' 'a b' ''\''' '"' 'it'\''s "so"' '$HOME' '$(id)' '$$(X)' '`id`' 'a
b' '
' '	' '\' 'a\' '\\"' 'a\ b\' -n -- '*' '?[a]' '~' '#x' '!x' '{}' '{#}' 'a;b&c|d>e<f' '=x' a=b %s %PATH% 'größe µ 脳 🧠' '‘curly’ ‚quotes‛' '“x”' ' ' '﻿' '' '[0m' null yes 012 ': ' '- x' @x '&a' Ref::x ''\'''\'''\''' --% K/1 EOF --shard "$2/1"
fi

parallel --version 2>/dev/null | grep -q '^GNU parallel' || {
	echo "GNU parallel is not here" >&2
	exit 1
}

ndpush ingest '' ' ' 'a b' ''\''' '"' 'it'\''s "so"' '$HOME' '$(id)' '$$(X)' '`id`' 'a
b' '
' '	' '\' 'a\' '\\"' 'a\ b\' -n -- '*' '?[a]' '~' '#x' '!x' '{}' '{#}' 'a;b&c|d>e<f' '=x' a=b %s %PATH% 'größe µ 脳 🧠' '‘curly’ ‚quotes‛' '“x”' ' ' '﻿' '' '[0m' null yes 012 ': ' '- x' @x '&a' Ref::x ''\'''\'''\''' --% K/1 EOF || exit

# Ctrl-C reaches parallel without help, which ends the shares. The first TERM keeps
# it from starting more, the second ends them. Each gets a minute to end what is in
# flight.
stopped=
pid=
trap 'stopped=130' INT HUP
trap 'stopped=130; [ -z "$pid" ] || { kill "$pid"; sleep 1; kill "$pid"; } 2>/dev/null' TERM

seq 1 | parallel -q --jobs 1 --joblog gr-e-m-a-name-that-is-far-too-l-5b0fedba.joblog --resume-failed --halt never \
	--termseq TERM,60000,KILL,25 --line-buffer --tag \
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
	END { for (k = 1; k <= 1; k++) print k in code ? code[k] : 130 }' gr-e-m-a-name-that-is-far-too-l-5b0fedba.joblog | sort -nu)
worst=${stopped:-0}
failed=$stopped
for code in ${shares:-130}; do
	[ "$code" -le "$worst" ] || worst=$code
	case $code in
	0 | 3) ;; # what is missing does not keep the rest from being compared
	*) failed=$code ;;
	esac
done

ndpush ingest '' ' ' 'a b' ''\''' '"' 'it'\''s "so"' '$HOME' '$(id)' '$$(X)' '`id`' 'a
b' '
' '	' '\' 'a\' '\\"' 'a\ b\' -n -- '*' '?[a]' '~' '#x' '!x' '{}' '{#}' 'a;b&c|d>e<f' '=x' a=b %s %PATH% 'größe µ 脳 🧠' '‘curly’ ‚quotes‛' '“x”' ' ' '﻿' '' '[0m' null yes 012 ': ' '- x' @x '&a' Ref::x ''\'''\'''\''' --% K/1 EOF
code=$?
[ "$code" -le "$worst" ] || worst=$code

if [ "$failed" ]; then
	echo "not verified: a share ended with status $failed; run this again" >&2
else
	ndpush ingest '' ' ' 'a b' ''\''' '"' 'it'\''s "so"' '$HOME' '$(id)' '$$(X)' '`id`' 'a
b' '
' '	' '\' 'a\' '\\"' 'a\ b\' -n -- '*' '?[a]' '~' '#x' '!x' '{}' '{#}' 'a;b&c|d>e<f' '=x' a=b %s %PATH% 'größe µ 脳 🧠' '‘curly’ ‚quotes‛' '“x”' ' ' '﻿' '' '[0m' null yes 012 ': ' '- x' @x '&a' Ref::x ''\'''\'''\''' --% K/1 EOF
	code=$?
	[ "$code" -le "$worst" ] || worst=$code
fi
exit "$worst"
