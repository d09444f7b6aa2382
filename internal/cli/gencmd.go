package cli

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/voxel"
)

type gencmdOptions struct {
	ingestOptions
	processes int
}

// processesFlag says how many processes share the work, as it did in the Python
// tool. What --workers is to ingest, cuboids on their way, has another name here.
const (
	processesFlag = "workers"
	postsFlag     = "ingest-workers"
)

func (a *app) newGencmdCmd() *cobra.Command {
	o := new(gencmdOptions)
	cmd := &cobra.Command{
		Use:   "gencmd [flags]",
		Short: "Print the commands that ingest a stack with several processes",
		Long: `Gencmd takes the flags of the ingest and prints a shell script: the command that
creates the resources, then one ingest for each of --workers processes. They
share the slices exactly, cut where BOSS's stored cubes are. The script ends with
the worst exit status of its commands.

The memory that it says is the most that each process takes.

` + exitHelp,
		Example: `  ndpush gencmd --workers 4 --base-path em --base-filename 'em_<p:4>' --extension tif \
      --collection lab --experiment fly --channel em --datatype uint8 --voxel-size 4:4:40 \
      --x-extent 0:1100 --y-extent 0:1060 --z-extent 0:64 > push.sh`,
		Args: cobra.NoArgs,
		RunE: a.run(func(ctx context.Context) error { return a.runGencmd(ctx, o) }),
	}
	flags := cmd.Flags()
	o.processes = 1
	o.ingestOptions.bind(flags, postsFlag)
	o.integer(&o.processes, processesFlag, 1, "processes that share the work")
	return cmd
}

func (a *app) runGencmd(ctx context.Context, o *gencmdOptions) error {
	o.spec.Create = true // the script's first command does
	jobs, err := o.jobs(ctx, &a.retries)
	if err != nil {
		return err
	}
	for _, w := range o.warnings() {
		a.warn("%s", w)
	}
	return a.script(ctx, a.Stdout, o, jobs)
}

// script prints the shell script. All jobs differ in their channel only.
func (a *app) script(ctx context.Context, w io.Writer, o *gencmdOptions, jobs []*job.Job) error {
	j := jobs[0]
	shares := plan.Split(j.Data().Z(), o.processes)
	command := o.command()
	var b strings.Builder
	fmt.Fprintln(&b, "#!/bin/sh")
	a.estimate(ctx, &b, o, jobs, shares)
	fmt.Fprintf(&b, "\n%s --create-resources || exit\n\n", command)
	fmt.Fprintln(&b, "pids=")
	fmt.Fprintln(&b, "trap 'kill $pids 2>/dev/null' INT TERM HUP # each finishes what is in flight")
	for _, z := range shares {
		source := j.ToSource(j.Data().WithZ(z)).Z()
		fmt.Fprintf(&b, "%s --z-range %v & pids=\"$pids $!\"\n", command, source)
	}
	b.WriteString(`
worst=0
for pid in $pids; do
	wait "$pid"
	code=$?
	while [ "$code" -gt 128 ] && kill -0 "$pid" 2>/dev/null; do # it was the wait that was interrupted
		wait "$pid"
		code=$?
	done
	[ "$code" -gt "$worst" ] && worst=$code
done
exit "$worst"
`)
	_, err := io.WriteString(w, b.String())
	return err
}

// estimate prints what the script will take, as comments of it.
func (a *app) estimate(ctx context.Context, w io.Writer, o *gencmdOptions, jobs []*job.Job, shares []voxel.Range) {
	j := jobs[0]
	in, held, how := o.held(ctx, j)
	var most, total int64
	for _, z := range shares {
		m := in.plan(j, j.Data().WithZ(z), o.boss.workers, held, o.verify == "full").Memory().Total()
		most, total = max(most, m), total+m
	}
	whole := in.plan(j, j.Data(), o.boss.workers, held, false)
	fmt.Fprintf(w, "# %s: %v in BOSS coordinates\n", j.Path(), j.Data())
	if len(jobs) > 1 {
		fmt.Fprintf(w, "# and %s more, one after the other\n", counted(int64(len(jobs)-1), "channel"))
	}
	fmt.Fprintf(w, "# %s, %s of voxels per channel, shared by %s\n", counted(whole.CountCuboids(), "cuboid"), size(whole.Bytes()), processes(len(shares)))
	fmt.Fprintf(w, "# memory: at most %s per process, %s in total (%s)\n", size(most), size(total), how)
	if len(shares) < o.processes {
		fmt.Fprintf(w, "# %d processes were asked for: there are no more pieces to share than %d\n", o.processes, len(shares))
	}
}

// held is what an open slice holds, by looking at the first, and how that is
// known. If it cannot be read here, it is counted as a whole image, which is
// the most that any decoder holds.
func (o *gencmdOptions) held(ctx context.Context, j *job.Job) (in input, held int64, how string) {
	in, err := o.input(ctx, j)
	if err == nil {
		first := j.Data()
		first.Max.Z = first.Min.Z + 1
		if held, err = road(j, in.plan(j, first, 1, 0, false), in).Survey(ctx, nil); err == nil {
			return in, held, fmt.Sprintf("as slice %d is read", j.ToSource(first).Min.Z)
		}
	}
	w, h := j.ImageSize()
	return in, int64(w) * int64(h) * int64(j.Type.Size()), "the slices cannot be read here: counted as whole images"
}

// command is the ingest that the flags ask for, without what differs from share
// to share.
func (o *gencmdOptions) command() string {
	words := []string{"ndpush", "ingest"}
	o.flags.Visit(func(f *pflag.Flag) {
		switch name := f.Name; name {
		case processesFlag, "z-range", "create-resources":
		case postsFlag:
			words = append(words, quote("--workers="+f.Value.String()))
		default:
			words = append(words, quote("--"+name+"="+f.Value.String()))
		}
	})
	return strings.Join(words, " ")
}

func processes(n int) string {
	if n == 1 {
		return "1 process"
	}
	return fmt.Sprintf("%d processes", n)
}

// plain words need no quotes in any shell.
var plain = regexp.MustCompile(`^[a-zA-Z0-9_./:,@%+=-]+$`)

// quote makes one word of s for a POSIX shell.
func quote(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
