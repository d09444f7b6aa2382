#!/bin/sh
{{comment "#" .Notes -}}
#
# Submits to LSF {{if .Create}}what creates the resources, then {{end}}{{.Count}}{{if .HasAfter}}, then what shows and
# verifies them{{end}}:
#
#   sh {{.Job}}.sh
#	all shares; of each, only what is left to do
#   sh {{.Job}}.sh failed
#	only those that did not end with status 0
#   sh {{.Job}}.sh 3,7-9
#	only these
#   bjobs -A
#	what is going on
#
# {{.State}} has what each says, and its status: 3 is finished but for what is
# missing. A share that BOSS does not take now waits for {{.PauseMinutes}} minutes and is queued
# again, up to {{.Tries}} times.
set -e
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
{{- if .Dir}}
cd {{sh .Dir}}
{{- end}}
mkdir -p {{.State}}

limit=$(bparams -a | sed -n 's/.*MAX_JOB_ARRAY_SIZE *= *\([0-9]*\).*/\1/p')
if [ "${limit:-{{.Shares}}}" -lt {{.Shares}} ]; then
	echo "{{.Shares}} shares are more than this cluster's MAX_JOB_ARRAY_SIZE $limit: make fewer" >&2
	exit 2
fi
if [ -s {{.State}}/job ] && bjobs "$(cat {{.State}}/job)" 2>/dev/null | grep -Eq ' (PEND|PROV|RUN|WAIT|PSUSP|USUSP|SSUSP) '; then
	echo "job $(cat {{.State}}/job) has not ended: see bjobs -A, or bkill it" >&2
	exit 1
fi

{{template "failed" .}}
rm -f {{.State}}/share-*.tries

# submit submits the script at its standard input, and prints the number of its job.
submit() {
	number=$(bsub "$@" | sed -n 's/^Job <\([0-9]*\)>.*/\1/p')
	[ "$number" ] && echo "$number"
}

# With -ti, what waits for a job that failed is ended rather than kept for good.
{{- if .Create}}
create=$(submit <"$here/{{.Job}}-create.bsub")
job=$(submit -J "{{.Job}}[$shares]{{.Throttle}}" -w "done($create)" -ti <"$here/{{.Job}}-shares.bsub")
{{- else}}
job=$(submit -J "{{.Job}}[$shares]{{.Throttle}}" <"$here/{{.Job}}-shares.bsub")
{{- end}}
echo "$job" >{{.State}}/job
{{- if .HasAfter}}
after=$(submit -w "ended($job)" <"$here/{{.Job}}-after.bsub")
echo "submitted as job $job; job $after follows: see {{.State}}/after.out"
{{- else}}
echo "submitted as job $job"
{{- end}}
