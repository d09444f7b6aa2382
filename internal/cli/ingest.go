package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/joblog"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/provision"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/local"
	"github.com/neurodata/ndpush/internal/voxel"
)

type ingestOptions struct {
	jobFlags
	boss   bossFlags
	create bool
	verify string
	logDir string
}

// bind binds the flags; workers is the name of the one that says how many
// cuboids are on their way.
func (o *ingestOptions) bind(flags *pflag.FlagSet, workers string) {
	o.jobFlags.bind(flags)
	flags.BoolVar(&o.create, "create-resources", false, "create what is missing in BOSS, and end: nothing is posted")
	o.boss.bind(flags, &o.problems, workers)
	o.verify = "sample"
	flags.Var(&value{name: "verify", kind: "how", text: o.verify, parse: parseOneOf(&o.verify, "none", "sample", "full"), problems: &o.problems},
		"verify", "what is read back and compared at the end: none, sample (three slices) or full")
	flags.StringVar(&o.logDir, "log-dir", ".", "directory of the log file")
}

const ingestExample = `  # once: create collection, coordinate frame, experiment and channel
  ndpush ingest --base-path em --base-filename 'em_<p:4>' --extension tif \
      --collection lab --experiment fly --channel em --datatype uint8 --voxel-size 4:4:40 \
      --x-extent 0:1100 --y-extent 0:1060 --z-extent 0:20 --create-resources
  # then: post
  ndpush ingest --base-path em --base-filename 'em_<p:4>' --extension tif \
      --collection lab --experiment fly --channel em --datatype uint8 \
      --x-extent 0:1100 --y-extent 0:1060 --z-extent 0:20`

func (a *app) newIngestCmd() *cobra.Command {
	o := new(ingestOptions)
	cmd := &cobra.Command{
		Use:   "ingest [flags]",
		Short: "Push a stack of images into BOSS",
		Long: `Ingest reads a stack of images, cuts it into cuboids and posts them to BOSS.

With --create-resources it creates what BOSS lacks, and ends. Without, it
compares what BOSS has with what the flags say and, if they agree, posts.
Ranges are half-open: 0:1000 is 0 to 999. Flags may also be spelled as the
Python tool did: --x_extent 0 1000.

` + exitHelp,
		Example: ingestExample,
		Args:    cobra.NoArgs,
		RunE:    a.run(func(ctx context.Context) error { return a.runIngest(ctx, o) }),
	}
	o.bind(cmd.Flags(), "workers")
	return cmd
}

func (a *app) runIngest(ctx context.Context, o *ingestOptions) error {
	o.spec.Create = o.create
	return a.eachChannel(ctx, &o.jobFlags, &o.boss, func(j *job.Job, client *boss.Client) (outcome, error) {
		return a.logged(ctx, o, j, client)
	})
}

// eachChannel judges the flags, finds BOSS, and does the work of one channel
// after the other. An error ends it; slices and cuboids that are missing do not.
func (a *app) eachChannel(ctx context.Context, f *jobFlags, b *bossFlags, do func(*job.Job, *boss.Client) (outcome, error)) error {
	jobs, err := f.jobs()
	if err != nil {
		return err
	}
	for _, w := range f.warnings() {
		a.warn("%s", w)
	}
	client, err := a.client(ctx, b, jobs[0].Collection)
	if err != nil {
		return err
	}
	defer client.Close()
	var all outcome
	for _, j := range jobs {
		out, err := do(j, client)
		if err != nil {
			return err
		}
		all.add(out)
	}
	return all.err()
}

// warn tells a person of a worry that stops nothing.
func (a *app) warn(format string, args ...any) {
	fmt.Fprintf(a.Stderr, "ndpush: warning: "+format+"\n", args...)
}

// logged is one channel's part of an ingest, with its log file around it.
func (a *app) logged(ctx context.Context, o *ingestOptions, j *job.Job, client *boss.Client) (outcome, error) {
	log, err := joblog.Open(o.logDir, j.Collection, j.Experiment, j.Channel, a.Now)
	if err != nil {
		return outcome{}, err
	}
	defer log.Close()
	if err := log.Line("ndpush %s: %s %s", version(), o.task(), describe(o.flags)); err != nil {
		return outcome{}, err
	}
	out, err := a.ingestChannel(ctx, o, j, client, log)
	if err != nil {
		// Whether or not the log takes it, the caller prints it.
		return out, errors.Join(err, unlessSame(err, log.Line("Error: %v", err)))
	}
	return out, nil
}

// unlessSame drops the error of a log that had failed before.
func unlessSame(first, second error) error {
	if second == nil || errors.Is(first, second) || strings.Contains(first.Error(), second.Error()) {
		return nil
	}
	return second
}

func (o *ingestOptions) task() string {
	if o.create {
		return "create resources"
	}
	return "ingest"
}

// describe gives the flags that were set, for the log. None of them is a secret.
func describe(flags *pflag.FlagSet) string {
	var words []string
	flags.Visit(func(f *pflag.Flag) { words = append(words, "--"+f.Name+"="+f.Value.String()) })
	return strings.Join(words, " ")
}

// ingestChannel looks at everything that can be looked at before the first byte
// is posted, and posts.
func (a *app) ingestChannel(ctx context.Context, o *ingestOptions, j *job.Job, client *boss.Client, log *joblog.Log) (outcome, error) {
	src, err := o.source(j)
	if err != nil {
		return outcome{}, err
	}
	held, err := ingest.Survey(ctx, src, o.surveyed(j), j.Missing)
	if err != nil {
		return outcome{}, explainSource(err)
	}
	if err := a.provide(ctx, o, j, client, log); err != nil || o.create {
		return outcome{}, err
	}
	ch, err := client.Channel(j.Collection, j.Experiment, j.Channel, j.Res, j.ChannelType())
	if err != nil {
		return outcome{}, err
	}
	p := plan.New(j.Data(), j.Type, j.ChannelType(), o.boss.workers, held)
	limitMemory(p)
	fmt.Fprintf(a.Stderr, "%s: %v in BOSS coordinates, %d cuboids, %s, memory at most %s\n",
		j.Path(), j.Data(), p.CountCuboids(), size(p.Bytes()), size(p.Memory().Total()))
	out, err := a.post(ctx, road(j, p, src), ch, log)
	if err != nil {
		return out, err
	}
	if err := a.compare(ctx, o.verify, road(j, p, src), ch, &out); err != nil {
		return out, err
	}
	return out, a.summarize(j, client, &out, log)
}

// source gives the slices of j.
func (f *jobFlags) source(j *job.Job) (source.Source, error) {
	pattern, err := f.pattern(j)
	if err != nil {
		return nil, err
	}
	w, h := j.ImageSize()
	return source.NewFiles(local.Dir(pattern.Base()), pattern, source.Shape{Width: w, Height: h, Type: j.Type}), nil
}

// surveyed are the slices to look at beforehand: all of the run or, where
// nothing is posted, the first: a frame of the wrong size cannot be changed.
func (o *ingestOptions) surveyed(j *job.Job) voxel.Range {
	z := j.ToSource(j.Data()).Z()
	if o.create {
		z.Max = z.Min + 1
	}
	return z
}

// explainSource adds to an error about slices what to do.
func explainSource(err error) error {
	var mismatch *source.MismatchError
	if errors.As(err, &mismatch) {
		return withHint(err, "--x-extent and --y-extent give an image's width and height, --datatype its type; nothing is cropped or cast to fit")
	}
	return withHint(err, "--base-path, --base-filename, --extension, --z-step and --z-range say which files are read; --missing zero or previous goes on without a slice")
}

// provide creates the resources or compares them with the job.
func (a *app) provide(ctx context.Context, o *ingestOptions, j *job.Job, client *boss.Client, log *joblog.Log) error {
	look := provision.Check
	if o.create {
		look = provision.Create
	}
	found, err := look(ctx, client, j)
	for _, item := range found.Items {
		if item.Created {
			fmt.Fprintln(a.Stdout, item)
		}
		if err := log.Line("%v", item); err != nil {
			return err
		}
	}
	if err == nil && o.create {
		fmt.Fprintf(a.Stdout, "%s is ready; the same command without --create-resources posts the images\n", j.Path())
	}
	return explainMissing(err)
}

// explainMissing adds to an error about resources what to do.
func explainMissing(err error) error {
	var e *provision.Error
	if errors.As(err, &e) && e.OnlyMissing() {
		return withHint(err, "run the same command with --create-resources first")
	}
	return err
}

// road is what posting and comparing walk.
func road(j *job.Job, p plan.Plan, src source.Source) *ingest.Road {
	return &ingest.Road{Plan: p, Origin: j.Origin(), Stack: j.Z, Source: src, Missing: j.Missing}
}

// limitMemory makes the garbage collector keep to the plan.
func limitMemory(p plan.Plan) { debug.SetMemoryLimit(p.Memory().Total()) }

// post carries everything to BOSS.
func (a *app) post(ctx context.Context, r *ingest.Road, ch *boss.Channel, log *joblog.Log) (outcome, error) {
	counter := progress.NewCounter(r.Plan.Channel, r.Plan.CountCuboids(), r.Plan.Bytes())
	display := progress.Start(a.Stderr, counter, a.Progress)
	defer display.Stop()
	trouble := &trouble{w: display}
	r.Sink, r.Recorder = ch, recorders{log, counter, trouble}
	start := time.Now()
	err := r.Run(ctx)
	return outcome{Snapshot: counter.Snapshot(), took: time.Since(start), failed: trouble.failed}, err
}
