package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

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
	boss   bossFlags
	sample int
}

func (a *app) newVerifyCmd() *cobra.Command {
	o := new(verifyOptions)
	cmd := &cobra.Command{
		Use:   "verify [flags]",
		Short: "Compare what BOSS holds with the images",
		Long: `Verify reads the images again and compares them with what BOSS holds, voxel by
voxel. It takes the flags of the ingest. It writes nothing, in BOSS or here.

` + exitHelp,
		Example: `  ndpush verify --base-path em --base-filename 'em_<p:4>' --extension tif \
      --collection lab --experiment fly --channel em --datatype uint8 \
      --x-extent 0:1100 --y-extent 0:1060 --z-extent 0:20`,
		Args: cobra.NoArgs,
		RunE: a.run(func(ctx context.Context) error { return a.runVerify(ctx, o) }),
	}
	flags := cmd.Flags()
	o.jobFlags.bind(flags)
	o.boss.bind(flags, &o.problems, "workers")
	o.integer(&o.sample, "sample", 0, "compare this many random slices only; 0 is all")
	return cmd
}

func (a *app) runVerify(ctx context.Context, o *verifyOptions) error {
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
	r := road(j, in.plan(j, j.Data(), o.boss.workers, 0, o.sample == 0), in)
	r.Plan.Held, err = r.Survey(ctx, nil)
	if err != nil {
		return out, o.explainSource(err)
	}
	if _, err := provision.Check(ctx, client, j); err != nil {
		return out, explainMissing(err)
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
	trouble := &trouble{w: a.Stderr}
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

// compareAll compares every cuboid of r.
func (a *app) compareAll(ctx context.Context, r *ingest.Road, ch *boss.Channel, out *outcome) error {
	counter := progress.NewCounter(r.Plan.Channel, r.Plan.CountCuboids(), r.Plan.Bytes())
	display := progress.Start(a.Stderr, counter, a.Progress)
	rep, err := compareAlong(ctx, []*ingest.Road{r}, ch, []listener{counter}, out.failed)
	display.Stop()
	return a.compared("all slices", rep, err, out)
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
