#!/bin/sh
{{comment "#" .Notes -}}
#
# Submits to Slurm {{if .Create}}what creates the resources, then {{end}}{{.Count}}{{if .HasAfter}}, then what shows and
# verifies them{{end}}:
#
#   sh {{.Job}}.sh
#	all shares; of each, only what is left to do
#   sh {{.Job}}.sh failed
#	only those that did not end with status 0
#   sh {{.Job}}.sh 3,7-9
#	only these
#   squeue --me -r
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

limit=$(scontrol show config | sed -n 's/^MaxArraySize *= *//p')
if [ "${limit:-{{.Shares}}}" -lt {{.Shares}} ]; then
	echo "{{.Shares}} shares are more than this cluster's MaxArraySize $limit: make fewer" >&2
	exit 2
fi
if [ -s {{.State}}/job ] && squeue -h -j "$(cat {{.State}}/job)" 2>/dev/null | grep -q .; then
	echo "job $(cat {{.State}}/job) has not ended: see squeue --me, or scancel it" >&2
	exit 1
fi

{{template "failed" .}}

order=
{{- if .Create}}
create=$(sbatch --parsable "$here/{{.Job}}-create.sbatch")
order=--dependency=afterok:${create%%;*}
{{- end}}
job=$(sbatch --parsable $order --kill-on-invalid-dep=yes --array="$shares{{.Throttle}}" "$here/{{.Job}}-shares.sbatch")
job=${job%%;*}
echo "$job" >{{.State}}/job
{{- if .HasAfter}}
after=$(sbatch --parsable --dependency="afterany:$job" "$here/{{.Job}}-after.sbatch")
echo "submitted as job $job; job ${after%%;*} follows: see {{.State}}/after.out"
{{- else}}
echo "submitted as job $job"
{{- end}}
