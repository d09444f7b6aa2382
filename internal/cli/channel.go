package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/joblog"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/provision"
	"github.com/neurodata/ndpush/internal/slack"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A channelIngest is the ingest of one channel.
type channelIngest struct {
	*app
	options *ingestOptions
	job     *job.Job
	input   input
	client  *boss.Client
	log     *joblog.Log
	slack   *slack.Notifier // nil: nobody is told
	outcome outcome
}

// ingestChannel does one channel's part, with its log file around it.
func (a *app) ingestChannel(ctx context.Context, o *ingestOptions, j *job.Job, client *boss.Client, tell *slack.Client) (outcome, error) {
	in, err := o.input(ctx, j)
	if err != nil {
		return outcome{}, err
	}
	log, err := joblog.Open(o.logDir, j.Collection, j.Experiment, j.Channel, a.Now)
	if err != nil {
		return outcome{}, err
	}
	defer log.Close()
	defer a.retries.to(nil, a.Stderr)
	c := &channelIngest{app: a, options: o, job: j, input: in, client: client, log: log}
	if !o.create {
		c.slack = a.notifier(tell, title(j), log.Path(), log.Line)
	}
	a.retries.to(log, a.Stderr)
	err = log.Line("ndpush %s: %s %s", version(), o.task(), describe(o.flags))
	if err == nil {
		err = c.run(ctx)
	}
	if err != nil {
		log.Line("Error: %v", err) // the caller prints it, whether or not the log takes it
	}
	if !o.create {
		// Also an interrupted run says so; Done has a deadline of its own.
		c.slack.Done(context.WithoutCancel(ctx), c.outcome.forSlack(j, client.URL(), err))
	}
	return c.outcome, err
}

// title tells this run from those of the channel's other shares.
func title(j *job.Job) string {
	if j.ZRange == (voxel.Range{}) {
		return j.Path()
	}
	return fmt.Sprintf("%s z %v", j.Path(), j.ZRange)
}

// run looks at everything that can be looked at before the first byte is
// posted, and posts. Whatever happens after that, what arrived is summed up.
func (c *channelIngest) run(ctx context.Context) error {
	for _, fact := range c.options.facts() {
		if err := c.note(fact); err != nil {
			return err
		}
	}
	j := c.job
	r := road(j, c.input.plan(j, c.looked(), c.options.boss.workers, 0, c.options.verify == "full"), c.input)
	held, err := r.Survey(ctx, nil)
	if err != nil {
		return c.options.explainSource(err)
	}
	if err := c.provide(ctx); err != nil || c.options.create {
		return err
	}
	ch, err := c.client.Channel(j.Collection, j.Experiment, j.Channel, j.Res, j.ChannelType())
	if err != nil {
		return err
	}
	r.Plan.Held = held
	defer limitMemory(r.Plan)()
	fmt.Fprintf(c.Stderr, "%s: %v in BOSS coordinates, %s, %s, memory at most %s\n",
		j.Path(), j.Data(), counted(r.Plan.CountCuboids(), "cuboid"), size(r.Plan.Bytes()), size(r.Plan.Memory().Total()))
	err = c.post(ctx, r, ch)
	if err == nil {
		err = c.compare(ctx, c.options.verify, road(j, r.Plan, c.input), ch, &c.outcome)
	}
	if changed := c.options.changed(); changed != "" {
		err = errors.Join(err, c.note("warning: "+changed))
	}
	if serr := c.summarize(); err == nil {
		err = serr
	}
	return err
}

// note tells a person of something, and the log.
func (c *channelIngest) note(text string) error {
	fmt.Fprintln(c.Stderr, "ndpush: "+text)
	return c.log.Line("%s", text)
}

// looked is the box whose slices are looked at beforehand: all of the run or, where
// nothing is posted, the first slice: a frame of the wrong size cannot be changed.
func (c *channelIngest) looked() voxel.Box {
	box := c.job.Data()
	if c.options.create {
		box.Max.Z = box.Min.Z + 1
	}
	return box
}

// provide creates the resources or compares them with the job.
func (c *channelIngest) provide(ctx context.Context) error {
	look := provision.Check
	if c.options.create {
		look = provision.Create
	}
	found, err := look(ctx, c.client, c.job)
	for _, item := range found.Items {
		if item.Created {
			fmt.Fprintln(c.Stdout, item)
		}
		if err := c.log.Line("%v", item); err != nil {
			return err
		}
	}
	if err == nil && c.options.create {
		fmt.Fprintf(c.Stdout, "%s is ready; the same command without --create-resources posts the images\n", c.job.Path())
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

// post carries everything to BOSS.
func (c *channelIngest) post(ctx context.Context, r *ingest.Road, ch *boss.Channel) error {
	counter := progress.NewCounter(r.Plan.Channel, r.Plan.CountCuboids(), r.Plan.Bytes())
	display := progress.Start(c.Stderr, counter, c.Progress)
	defer display.Stop()
	defer context.AfterFunc(ctx, func() {
		display.Println("ndpush: finishing what is in flight, which takes half a minute at most; a second interrupt stops at once")
	})()
	trouble, front := &trouble{w: display}, new(frontier)
	c.retries.to(c.log, display)
	defer c.retries.to(c.log, c.Stderr)
	r.Sink, r.Recorder = ch, &recorders{listeners: []listener{c.log, counter, trouble, front, c.slack}}
	start := time.Now()
	err := r.Run(ctx)
	c.outcome = outcome{Snapshot: counter.Snapshot(), took: time.Since(start), failed: trouble.failed, retries: c.retries.count()}
	if left := front.left(r.Plan); !left.Empty() {
		c.outcome.resume = c.job.ToSource(c.job.Data().WithZ(left)).Z()
	}
	return err
}

// summarize prints what became of the channel, and logs it.
func (c *channelIngest) summarize() error {
	lines := c.outcome.lines(c.job)
	if link := viewer(c.client.URL(), c.job); link != "" {
		lines = append(lines, link)
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(c.Stdout, line); err != nil {
			return err
		}
		if err := c.log.Line("%s", line); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(c.Stdout, "log: %s\n", c.log.Path())
	return err
}

// road is what posting and comparing walk.
func road(j *job.Job, p plan.Plan, in input) *ingest.Road {
	return &ingest.Road{Plan: p, Origin: j.Origin(), Stack: j.Z, Source: in, Missing: j.Missing, Readers: in.readers}
}

// limitMemory makes the garbage collector keep to the plan, or to less if the
// person says so by GOMEMLIMIT, until restore is called.
func limitMemory(p plan.Plan) (restore func()) {
	before := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before, p.Memory().Total()))
	return func() { debug.SetMemoryLimit(before) }
}
