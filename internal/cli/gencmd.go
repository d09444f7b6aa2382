package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/pace"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/script"
	"github.com/neurodata/ndpush/internal/voxel"
)

type gencmdOptions struct {
	ingestOptions
	format    string
	out       string
	processes int // 0: as many as what follows says, or 1
	totalMem  int64
	target    time.Duration
	rate      int64 // bytes a second that a process carries
	timeLimit time.Duration
	atOnce    int
	image     string
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
		Short: "Write the job that ingests a stack with several processes",
		Long: `Gencmd takes the flags of the ingest and writes a job for an engine that you have:
a shell, PowerShell, GNU parallel, Slurm, LSF, Kubernetes or AWS Batch. First one
command creates the resources, then each process posts its share of the slices,
and when all are done they are verified and summed up. Shares are cut where BOSS's
stored cubes are, so no two processes touch the same.

How many processes there are say --workers, or --target-duration with --rate, or
--total-mem. The estimate is in the first file, as comments: the memory is the most
that each process takes, and --max-mem makes it take less.

Slurm, LSF, Kubernetes and AWS Batch need several files: --out names a directory
for them, and the file to run or submit is named.

` + exitHelp,
		Example: `  ndpush gencmd --workers 4 --base-path em --base-filename 'em_<p:4>' --extension tif \
      --collection lab --experiment fly --channel em --datatype uint8 --voxel-size 4:4:40 \
      --x-extent 0:1100 --y-extent 0:1060 --z-extent 0:64 > push.sh
  ndpush gencmd --job fly.ini --format slurm --target-duration 12h --out cluster`,
		Args: cobra.NoArgs,
		RunE: a.run(func(ctx context.Context) error { return a.runGencmd(ctx, o) }),
	}
	flags := cmd.Flags()
	o.ingestOptions.bind(flags, postsFlag)
	o.bindJobFile(cmd, map[string]string{processesFlag: postsFlag})
	a.completeNames(cmd, &o.jobFlags, &o.boss)
	o.format = "shell"
	o.value("format", "engine", strings.Join(script.Formats(), ", ")+" (default shell)", parseOneOf(&o.format, script.Formats()...))
	o.integer(&o.processes, processesFlag, 1, "processes that share the work")
	o.value("total-mem", "size", "as many processes as fit into this much memory together", parseBytes(&o.totalMem))
	flags.DurationVar(&o.target, "target-duration", 0, "as many processes as it takes to be done in this time, like 12h")
	o.rate = 100e6
	o.value("rate", "rate", "what one process carries a second, for the estimates, before compression; ndpush check measures it (default 100MB/s)", parseSpeed(&o.rate))
	flags.DurationVar(&o.timeLimit, "time-limit", 0, "the most that a share may take (default three times the estimate and an hour)")
	o.integer(&o.atOnce, "at-once", 0, "how many shares run at one time; 0 is all")
	flags.StringVar(&o.image, "image", "", "container image with ndpush, for Kubernetes and AWS Batch")
	flags.StringVar(&o.out, "out", "", "directory to write the files to (default: one file goes to standard output)")
	return cmd
}

func (a *app) runGencmd(ctx context.Context, o *gencmdOptions) error {
	o.spec.Create = true // the job's first command does
	jobs, err := o.jobs(ctx, &a.retries)
	if err = errors.Join(o.check(), err); err != nil {
		return err
	}
	for _, w := range o.warnings() {
		a.warn("%s", w)
	}
	work, err := a.work(ctx, o, jobs)
	if err != nil {
		return err
	}
	files, err := script.Write(o.format, work)
	if err != nil {
		return usage(err)
	}
	if o.out == "" && len(files) > 1 {
		return usage(fmt.Errorf("--format %s makes %d files: name a directory for them with --out", o.format, len(files)))
	}
	if o.out == "" {
		_, err := fmt.Fprint(a.Stdout, files[0].Text)
		return err
	}
	return a.writeFiles(o.out, files)
}

// parseSpeed reads a rate, as --bwlimit has it, that is not without limit.
func parseSpeed(bytes *int64) func(string) error {
	return func(text string) error {
		r, err := pace.ParseRate(text)
		if err == nil && r == 0 {
			err = errors.New("want bytes a second like 100MB/s")
		}
		*bytes = int64(r)
		return err
	}
}

// check judges the flags that only gencmd has, and those that only ingest makes sense of.
func (o *gencmdOptions) check() error {
	var p problems
	for _, name := range []string{"shard", "shards"} {
		if o.flags.Changed(name) {
			p.add("--%s: gencmd gives each process its share; --%s says how many there are", name, processesFlag)
		}
	}
	ways := 0
	for _, name := range []string{processesFlag, "total-mem", "target-duration"} {
		if o.flags.Changed(name) {
			ways++
		}
	}
	if ways > 1 {
		p.add("--%s, --total-mem and --target-duration exclude each other", processesFlag)
	}
	if o.target < 0 || o.timeLimit < 0 {
		p.add("--target-duration and --time-limit cannot be below 0")
	}
	return usage(errors.Join(p...))
}

// work is the job that the flags ask for. All jobs differ in their channel only.
func (a *app) work(ctx context.Context, o *gencmdOptions, jobs []*job.Job) (w script.Work, err error) {
	e, err := a.estimate(ctx, o, jobs)
	if err != nil {
		return w, err
	}
	command := o.command("ingest")
	w = script.Work{
		Name:   jobs[0].Path(),
		Create: append(command[:len(command):len(command)], "--create-resources"),
		Share:  append(command[:len(command):len(command)], fmt.Sprintf("--shards=%d", len(e.shares))),
		Shares: len(e.shares), AtOnce: o.atOnce,
		Memory: e.memory, CPUs: cpus, Time: o.timeLimit, VerifyTime: 3*e.whole + time.Hour,
		Image: o.image, Notes: e.notes(),
	}
	if w.Time == 0 {
		w.Time = 3*e.share + time.Hour
	}
	w.Verify, w.Status = o.after("verify", jobs), o.after("status", jobs)
	return w, nil
}

// cpus are those of a process: one decodes and compresses, another sends.
const cpus = 2

// after is a command that looks at the journals of all channels.
func (o *gencmdOptions) after(command string, jobs []*job.Job) []string {
	words := []string{"ndpush", command}
	if command == "verify" {
		for _, name := range []string{"boss-config-file", "insecure-http"} {
			if f := o.flags.Lookup(name); f.Changed {
				words = append(words, "--"+name+"="+f.Value.String())
			}
		}
	}
	for _, j := range jobs {
		words = append(words, journal.Dir(o.logDir, j.Collection, j.Experiment, j.Channel))
	}
	return words
}

// command is the ingest that the flags ask for, without what differs from share
// to share, as words.
func (o *gencmdOptions) command(name string) []string {
	words := []string{"ndpush", name}
	if o.file != "" {
		words = append(words, "--job="+o.file)
	}
	o.flags.Visit(func(f *pflag.Flag) {
		switch {
		case o.fromFile[f.Name] || f.Name == "job":
		case f.Name == postsFlag:
			words = append(words, "--workers="+f.Value.String())
		case o.ofIngest[f.Name] && f.Name != "create-resources":
			words = append(words, "--"+f.Name+"="+f.Value.String())
		}
	})
	return words
}

// writeFiles writes a job to dir, and says which file to run.
func (a *app) writeFiles(dir string, files []script.File) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		if err := os.WriteFile(path, []byte(f.Text), fs.FileMode(f.Mode)); err != nil {
			return err
		}
		if err := os.Chmod(path, fs.FileMode(f.Mode)); err != nil { // it may have been there
			return err
		}
	}
	_, err := fmt.Fprintf(a.Stdout, "%s\n", filepath.Join(dir, files[0].Name))
	return err
}

// An estimate is what a job will take.
type estimate struct {
	job      *job.Job
	channels int
	shares   []voxel.Range
	asked    int // processes; 0: it was for us to say
	memory   int64
	how      string // the memory is known
	limit    int64  // of the memory; 0: none
	cuboids  int64
	read     int64 // bytes of all channels, as voxels
	send     int64
	rate     int64
	share    time.Duration // the longest share takes
	whole    time.Duration // one process takes for all
}

// estimate counts what the flags ask for, and how many processes that takes.
func (a *app) estimate(ctx context.Context, o *gencmdOptions, jobs []*job.Job) (e estimate, err error) {
	j := jobs[0]
	in, one, how := o.slice(ctx, j)
	of := func(data voxel.Box) (plan.Plan, error) {
		p := in.plan(j, data, o.boss.workers, o.verify == "full")
		p.Slice = one
		if o.maxMem == 0 {
			return p, nil
		}
		return a.fit(p, &o.jobFlags)
	}
	p, err := of(j.Data())
	if err != nil {
		return e, err
	}
	n := int64(len(jobs))
	e = estimate{job: j, channels: len(jobs), asked: o.processes, how: how, limit: o.maxMem, rate: o.rate,
		cuboids: n * p.CountCuboids(), read: n * p.Data.Voxels() * int64(j.Type.Size()), send: n * p.Bytes()}
	e.whole = e.takes(e.send)
	e.shares = plan.Split(j.Data().Z(), o.count(p, e.whole))
	for _, z := range e.shares {
		q, err := of(j.Data().WithZ(z))
		if err != nil {
			return e, err
		}
		e.memory = max(e.memory, q.Memory().Total())
		e.share = max(e.share, e.takes(n*q.Bytes()))
	}
	return e, nil
}

// count is how many processes there are to be, where one takes that plan and time
// for all.
func (o *gencmdOptions) count(p plan.Plan, whole time.Duration) int {
	switch {
	case o.target > 0:
		return int(max(1, (whole+o.target-1)/o.target))
	case o.totalMem > 0:
		return int(max(1, o.totalMem/p.Memory().Total()))
	}
	return max(1, o.processes)
}

// takes is how long a process needs for so many bytes.
func (e *estimate) takes(bytes int64) time.Duration {
	return time.Duration(float64(bytes) / float64(e.rate) * float64(time.Second)).Round(time.Second)
}

// notes put the estimate into words.
func (e *estimate) notes() []string {
	list := []string{fmt.Sprintf("%s: %v in BOSS coordinates", e.job.Path(), e.job.Data())}
	if e.channels > 1 {
		list = append(list, fmt.Sprintf("and %s more, one after the other", human.Count(e.channels-1, "channel")))
	}
	list = append(list,
		fmt.Sprintf("%s in %s", human.Count(e.cuboids, "cuboid"), human.Count(len(e.shares), "share")),
		fmt.Sprintf("read: %s of voxels; sent: %s before compression", human.Size(e.read), human.Size(e.send)),
		fmt.Sprintf("memory: at most %s per process, %s in total (%s)", human.Size(e.memory), human.Size(e.memory*int64(len(e.shares))), e.how),
		fmt.Sprintf("time: %v per share if each carries %s, %v in one process", e.share, human.Rate(e.rate, time.Second), e.whole))
	list = append(list, "afterwards: ndpush report writes a page about all of it")
	if len(e.shares) < e.asked {
		list = append(list, fmt.Sprintf("%d processes were asked for: there are no more pieces to share than %d", e.asked, len(e.shares)))
	}
	return list
}

// slice is what it takes to read a slice, by looking at the first, and how that is
// known. If it cannot be read here, it is counted as a whole image, which is
// the most that any decoder holds, unless the memory is limited anyway.
func (o *gencmdOptions) slice(ctx context.Context, j *job.Job) (in input, one plan.Slice, how string) {
	in, err := o.input(ctx, j)
	in.readers = 0 // it is another machine that reads
	if err == nil {
		first := j.Data()
		first.Max.Z = first.Min.Z + 1
		if one, err = road(j, in.plan(j, first, 1, false), in).Survey(ctx, nil); err == nil {
			return in, one, fmt.Sprintf("as slice %d is read", j.ToSource(first).Min.Z)
		}
	}
	if o.maxMem > 0 {
		return in, plan.Slice{Step: 1}, "the slices cannot be read here: what decoders hold is not counted, but each process keeps to --max-mem"
	}
	w, h := j.ImageSize()
	return in, plan.Slice{Held: int64(w) * int64(h) * int64(j.Type.Size()), Step: 1}, "the slices cannot be read here: counted as whole images"
}
