package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/provision"
	"github.com/neurodata/ndpush/internal/verify"
	"github.com/neurodata/ndpush/internal/voxel"
)

// sampled is how many slices a verification by sample reads back.
const sampled = 3

type verifyOptions struct {
	jobFlags
	boss    bossFlags
	sample  int
	against string
	logDir  string
	report  string
	merge   bool
	args    []string
}

func (a *app) newVerifyCmd() *cobra.Command {
	o := new(verifyOptions)
	cmd := &cobra.Command{
		Use:   "verify [JOURNAL…] [flags]",
		Short: "Compare what BOSS holds with what was posted, or with the images",
		Long: `Verify reads back what was posted and compares. It writes nothing in BOSS.

Without flags that say where images are it compares with the journal of the
ingest, which has a sum of each cuboid: JOURNAL is the directory
ingest_journal_COLLECTION_EXPERIMENT_CHANNEL; without it, it is that of --collection,
--experiment and --channel, or the only one in --log-dir. Each cuboid matches,
differs, is missing (never posted, or BOSS holds only zeros where voxels were) or
could not be compared. --z-range and --shard are shares of the work, and --report
writes the verdicts to a file, as JSON, one to a line. "ndpush verify --merge FILE…"
puts reports together, and says what no report is about.

With --base-path and so on, or --against source, it reads the images again and
compares voxel by voxel. It takes the flags of the ingest.

` + exitHelp,
		Example: `  # what the journal says was posted
  ndpush verify ingest_journal_lab_fly_em --report em.report
  ndpush verify --merge em.report
  # the images
  ndpush verify --base-path em --base-filename 'em_<p:4>' --extension tif \
      --collection lab --experiment fly --channel em --datatype uint8 \
      --x-extent 0:1100 --y-extent 0:1060 --z-extent 0:20`,
		Args: cobra.ArbitraryArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.args = args
		return a.run(func(ctx context.Context) error { return a.runVerify(ctx, o) })(cmd, args)
	}
	o.bind(cmd.Flags())
	o.bindJobFile(cmd, nil)
	a.completeNames(cmd, &o.jobFlags, &o.boss)
	return cmd
}

func (o *verifyOptions) bind(flags *pflag.FlagSet) {
	o.jobFlags.bind(flags)
	o.boss.bind(flags, &o.problems, "workers")
	o.integer(&o.sample, "sample", 0, "compare this many random slices with the images only; 0 is all")
	o.value("against", "what", "compare with the journal or the source (default the source if flags say where it is, else the journal)",
		parseOneOf(&o.against, againstJournal, againstSource))
	flags.StringVar(&o.logDir, "log-dir", ".", "directory of the journal")
	flags.StringVar(&o.report, "report", "", "write the verdict on each cuboid to this file, as JSON lines")
	flags.BoolVar(&o.merge, "merge", false, "sum up the reports that are given as arguments, and compare nothing")
}

// What is compared with.
const (
	againstJournal = "journal"
	againstSource  = "source"
)

// runVerify does what the flags ask for, of three.
func (a *app) runVerify(ctx context.Context, o *verifyOptions) error {
	if err := o.judge(); err != nil {
		return usage(err)
	}
	switch {
	case o.merge:
		return a.mergeReports(o.args)
	case o.against == againstJournal:
		return a.verifyJournals(ctx, o)
	}
	return a.verifySource(ctx, o)
}

// judge decides what to compare with, and says what does not go with that.
func (o *verifyOptions) judge() error {
	if o.against == "" {
		o.against = againstJournal
		if o.flags.Changed("sample") || o.tellsSource() {
			o.against = againstSource
		}
	}
	var p problems
	switch {
	case o.merge:
		for _, name := range []string{"against", "sample", "report"} {
			if o.flags.Changed(name) {
				p.add("--%s does not go with --merge", name)
			}
		}
		if len(o.args) == 0 {
			p.add("--merge needs the reports as arguments")
		}
	case o.against == againstSource:
		if len(o.args) > 0 {
			p.add("%s: a journal is not needed to compare with the source: leave it away, or add --against journal", o.args[0])
		}
		if o.report != "" {
			p.add("--report is of comparisons with the journal: add --against journal")
		}
	default:
		p = append(p, o.problems...)
		if o.sample > 0 {
			p.add("--sample is of comparisons with the source: add --against source")
		}
		if len(o.args) > 1 && o.report != "" {
			p.add("--report is of one channel: %d journals are given", len(o.args))
		}
	}
	return errors.Join(p...)
}

// tellsSource reports whether a flag says where images are.
func (o *verifyOptions) tellsSource() (tells bool) {
	o.flags.Visit(func(f *pflag.Flag) {
		switch of, _, _ := strings.Cut(f.Name, "-"); of {
		case "datasource", "base", "extension", "s3", "aws", "render":
			tells = true
		}
	})
	return tells
}

// verifySource compares with the images.
func (a *app) verifySource(ctx context.Context, o *verifyOptions) error {
	jobs, client, err := a.begin(ctx, &o.jobFlags, &o.boss)
	if err != nil || jobs == nil {
		return err
	}
	defer client.Close()
	var all outcome
	for _, j := range jobs {
		out, err := a.verifyChannel(ctx, o, j, client)
		if err != nil {
			return err
		}
		all.add(out)
	}
	return all.err()
}

func (a *app) verifyChannel(ctx context.Context, o *verifyOptions, j *job.Job, client *boss.Client) (out outcome, err error) {
	in, err := o.input(ctx, j)
	if err != nil {
		return out, err
	}
	r := road(j, in.plan(j, j.Data(), o.boss.workers, o.sample == 0), in)
	r.Plan.Slice, err = r.Survey(ctx, nil)
	if err != nil {
		return out, o.explainSource(ctx, err, in, j)
	}
	if _, err := provision.Check(ctx, client, j); err != nil {
		return out, explainMissing(ctx, client, j, err)
	}
	ch, err := client.Channel(j.Collection, j.Experiment, j.Channel, j.Res, j.ChannelType())
	if err != nil {
		return out, err
	}
	defer limitMemory(r.Plan)()
	if o.sample > 0 {
		err = a.compareSlices(ctx, r, ch, o.sample, &out)
	} else {
		err = a.compareAll(ctx, r, ch, &out)
	}
	if err != nil {
		return out, err
	}
	trouble := &trouble{w: a.Stderr, latest: &a.retries.latest}
	for _, z := range slices.Sorted(maps.Keys(out.lost)) {
		trouble.Missing(z, out.lost[z])
	}
	out.Missing = int64(len(out.lost))
	_, err = fmt.Fprintln(a.Stdout, out.verdict(j))
	return out, err
}

// compare reads back what was posted along r: how is none, sample or full.
func (a *app) compare(ctx context.Context, how string, r *ingest.Road, ch *boss.Channel, out *outcome) error {
	switch how {
	case "sample":
		return a.compareSlices(ctx, r, ch, sampled, out)
	case "full":
		return a.compareAll(ctx, r, ch, out)
	}
	return nil
}

// compareAll compares every cuboid of r that is not to be skipped.
func (a *app) compareAll(ctx context.Context, r *ingest.Road, ch *boss.Channel, out *outcome) error {
	cuboids, bytes := r.Left()
	what := "all slices"
	switch {
	case r.Skip != nil && cuboids == 0:
		return nil // nothing was posted again
	case r.Skip != nil:
		what = "what was posted again"
	}
	counter := progress.NewCounter(r.Plan.Channel, cuboids, bytes)
	display := progress.Start(a.Stderr, counter, a.Progress)
	rep, err := compareAlong(ctx, []*ingest.Road{r}, ch, []listener{counter}, out.failed)
	display.Stop()
	return a.compared(what, rep, err, out)
}

// compareSlices compares n random slices of r.
func (a *app) compareSlices(ctx context.Context, r *ingest.Road, ch *boss.Channel, n int, out *outcome) error {
	p := r.Plan
	var roads []*ingest.Road
	var names []string
	for _, z := range verify.Sample(p.Data.Z(), n, a.Rand) {
		one := *r
		one.Plan = p.Of(p.Data.WithZ(voxel.Range{Min: z, Max: z + 1}))
		roads = append(roads, &one)
		names = append(names, fmt.Sprint(z))
	}
	rep, err := compareAlong(ctx, roads, ch, nil, out.failed)
	return a.compared("z "+strings.Join(names, ", "), rep, err, out)
}

// compareAlong walks roads and compares, but for cuboids that were not posted.
func compareAlong(ctx context.Context, roads []*ingest.Road, ch *boss.Channel, also []listener, except []voxel.Box) (*verify.Report, error) {
	rep := new(verify.Report)
	for _, r := range roads {
		debug.FreeOSMemory() // what the road before took, as this one takes as much
		r.All = true
		r.Sink = &verify.Sink{From: ch, Except: except}
		r.Recorder = &recorders{listeners: append([]listener{rep}, also...)}
		if err := r.Run(ctx); err != nil {
			return rep, fmt.Errorf("verify: %w", err)
		}
	}
	return rep, nil
}

// compared tells a person what a comparison found, and puts it into out.
func (a *app) compared(what string, rep *verify.Report, err error, out *outcome) error {
	for _, err := range slices.Concat(firstOf(rep.Differences, told), firstOf(rep.Errors, told)) {
		a.warn("%v", err)
	}
	if err == nil {
		out.compared(what, rep)
	}
	return err
}
