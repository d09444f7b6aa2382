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

# A share that has to go gets a minute to end what is in flight.
seq {{.Shares}} | parallel -q --jobs {{.Parallel}} --joblog {{.Job}}.joblog --resume-failed --halt never \
	{{if .Memory}}--memfree {{.MiB}}M {{end}}--termseq TERM,60000,KILL,25 --line-buffer --tag \
	sh "$self" share {}
stopped=$?

# The last line of a share in the log counts. A share without one did not end.
shares=$(awk -F '\t' 'NR > 1 { code[$1] = $8 ? 128 + $8 : $7 }
	END { for (k = 1; k <= {{.Shares}}; k++) { c = k in code ? code[k] : 130; if (c > worst) worst = c }; print worst + 0 }' {{.Job}}.joblog)
[ "$stopped" -le 101 ] || [ "$shares" -ge 130 ] || shares=130 # parallel itself was stopped
worst=$shares
{{- if .Status}}

{{command .Status}}
code=$?
[ "$code" -le "$worst" ] || worst=$code
{{- end}}
{{- if .Verify}}

# What is missing does not keep the rest from being compared.
case $shares in
0 | 3)
	{{command .Verify}}
	code=$?
	[ "$code" -le "$worst" ] || worst=$code
	;;
*)
	echo "not verified: a share ended with status $shares; run this again" >&2
	;;
esac
{{- end}}
exit "$worst"
