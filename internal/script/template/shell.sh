#!/bin/sh
{{comment "#" .Notes -}}
#
# Runs {{.Count}} side by side: sh {{.Job}}.sh
# Stopped by Ctrl-C or kill, each share ends what is in flight. To go on, or after
# trouble, run it again: what is done is not done twice.
# It ends with the worst status: 3 is finished but for what is missing, 5 is not
# now, run it again later.
{{- if .Dir}}

cd {{sh .Dir}} || exit 1
{{- end}}
{{- if .Create}}

{{command .Create}} || exit
{{- end}}

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

{{range .Numbers -}}
[ "$stopped" ] || { {{command ($.One .)}} & pids="$pids $!"; }
{{end}}
for pid in $pids; do
	await "$pid"
done
shares=${failed:-$stopped}
{{- if .Status}}

{{command .Status}} &
pids=$!
await "$pids"
{{- end}}
{{- if .Verify}}

if [ "$shares" ]; then
	echo "not verified: a share ended with status $shares; run this again" >&2
else
	{{command .Verify}} &
	pids=$!
	await "$pids"
fi
{{- end}}
[ "${stopped:-0}" -le "$worst" ] || worst=$stopped
exit "$worst"
