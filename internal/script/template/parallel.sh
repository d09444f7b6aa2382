#!/bin/sh
{{comment "#" .Notes -}}
#
# Runs {{.Count}} by GNU parallel, {{.Parallel}} at one time: sh {{.Job}}.sh
# {{.Job}}.joblog says how each ended. To go on, or after trouble, run it again:
# only shares that failed or have not run are run, and of those only what is left.
# To run all shares again, remove {{.Job}}.joblog.
# It ends with the worst status: 3 is finished but for what is missing, 5 is not
# now, run it again later.
{{- if .Dir}}

self=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)/$(basename -- "$0")
cd {{sh .Dir}} || exit 1
{{- else}}

case $0 in
*/*) self=$0 ;;
*) self=./$0 ;;
esac
{{- end}}

# parallel calls this script for each share.
if [ "$1" = share ]; then
	exec {{command .Share}} --shard "$2/{{.Shares}}"
fi

parallel --version 2>/dev/null | grep -q '^GNU parallel' || {
	echo "GNU parallel is not here" >&2
	exit 1
}
{{- if .Create}}

{{command .Create}} || exit
{{- end}}

# Ctrl-C reaches parallel without help, which ends the shares. The first TERM keeps
# it from starting more, the second ends them. Each gets a minute to end what is in
# flight.
stopped=
pid=
trap 'stopped=130' INT HUP
trap 'stopped=130; [ -z "$pid" ] || { kill "$pid"; sleep 1; kill "$pid"; } 2>/dev/null' TERM

seq {{.Shares}} | parallel -q --jobs {{.Parallel}} --joblog {{.Job}}.joblog --resume-failed --halt never \
	{{if .Memory}}--memfree {{.MiB}}M {{end}}--termseq TERM,60000,KILL,25 --line-buffer --tag \
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
	END { for (k = 1; k <= {{.Shares}}; k++) print k in code ? code[k] : 130 }' {{.Job}}.joblog | sort -nu)
worst=${stopped:-0}
failed=$stopped
for code in ${shares:-130}; do
	[ "$code" -le "$worst" ] || worst=$code
	case $code in
	0 | 3) ;; # what is missing does not keep the rest from being compared
	*) failed=$code ;;
	esac
done
{{- if .Status}}

{{command .Status}}
code=$?
[ "$code" -le "$worst" ] || worst=$code
{{- end}}
{{- if .Verify}}

if [ "$failed" ]; then
	echo "not verified: a share ended with status $failed; run this again" >&2
else
	{{command .Verify}}
	code=$?
	[ "$code" -le "$worst" ] || worst=$code
fi
{{- end}}
exit "$worst"
