package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/event"
	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/joblog"
	"github.com/neurodata/ndpush/internal/journal"
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
	client  *boss.Client
	log     *joblog.Log
	slack   *slack.Notifier // nil: nobody is told

	// What prepare finds.
	input   input
	journal *journal.Writer
	before  *journal.State // what was done before
	channel *boss.Channel
	road    *ingest.Road
	held    voxel.Box // a place where the channel held data before the ingest; empty: none was seen

	outcome outcome
}

// newChannelIngest opens the log of j's channel.
func (a *app) newChannelIngest(o *ingestOptions, j *job.Job, client *boss.Client, tell *slack.Client) (*channelIngest, error) {
	log, err := joblog.Open(o.logDir, j.Collection, j.Experiment, j.Channel, o.part, a.Now)
	if err != nil {
		return nil, err
	}
	c := &channelIngest{app: a, options: o, job: j, client: client, log: log}
	if !o.create {
		c.slack = a.notifier(tell, title(j), log.Path(), log.Line)
	}
	if err := log.Line("ndpush %s: %s %s", version(), o.task(), describe(o.flags)); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return c, nil
}

// title tells this run from those of the channel's other shares.
func title(j *job.Job) string {
	if j.ZRange == (voxel.Range{}) {
		return j.Path()
	}
	return fmt.Sprintf("%s z %v", j.Path(), j.ZRange)
}

// do is one part of the ingest. If it fails, that is its end: the log, the
// journal and Slack are told.
func (c *channelIngest) do(ctx context.Context, part func(context.Context) error) error {
	c.retries.to(c.log, c.Stderr)
	defer c.retries.to(nil, c.Stderr)
	c.retries.alert(c.slack)
	defer c.retries.alert(nil)
	err := part(ctx)
	if err != nil {
		c.end(ctx, err)
	}
	return err
}

// end tells all who keep or hear of it how the ingest ended; err may be nil.
func (c *channelIngest) end(ctx context.Context, err error) error {
	if err != nil {
		c.log.Line("Error: %v", err) // the caller prints it, whether or not the log takes it
	}
	if jerr := c.closeJournal(err); err == nil {
		err = jerr
	}
	if !c.options.create {
		// Also an interrupted run says so; Done has a deadline of its own.
		c.slack.Done(context.WithoutCancel(ctx), c.outcome.forSlack(c.job, c.client.URL(), err))
	}
	return err
}

// close lets go of what is open.
func (c *channelIngest) close() {
	c.closeJournal(nil)
	c.log.Close()
}

// prepare looks at everything that can be looked at before the first byte is posted.
func (c *channelIngest) prepare(ctx context.Context) (err error) {
	if c.input, err = c.options.input(ctx, c.job); err != nil {
		return err
	}
	for _, fact := range c.options.facts() {
		if err := c.note(fact); err != nil {
			return err
		}
	}
	c.road = c.newRoad(c.looked())
	if !c.options.create {
		if err := c.openJournal(ctx); err != nil {
			return err
		}
	}
	if c.road.Plan.Slice, err = c.survey(ctx); err != nil {
		return c.options.explainSource(ctx, err, c.input, c.job)
	}
	if c.road.Plan, err = c.fit(c.road.Plan, &c.options.jobFlags); err != nil {
		return err
	}
	if err := c.provide(ctx); err != nil || c.options.create {
		return err
	}
	j := c.job
	c.channel, err = c.client.Channel(j.Collection, j.Experiment, j.Channel, j.Res, j.ChannelType())
	if err == nil && c.untouched() {
		c.held, err = occupied(ctx, c.channel, c.road.Plan)
	}
	return err
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

// newRoad is what posting and comparing walk.
func (c *channelIngest) newRoad(data voxel.Box) *ingest.Road {
	return road(c.job, c.input.plan(c.job, data, c.options.boss.workers, c.options.verify == "full"), c.input)
}

// survey looks at every slice that will be read.
func (c *channelIngest) survey(ctx context.Context) (one plan.Slice, err error) {
	s := progress.NewSurvey(c.Stderr, c.Progress)
	defer s.Stop()
	return c.road.Survey(ctx, s.Looked)
}

// carry posts, compares, and sums up. Whatever happens, what arrived is summed up.
func (c *channelIngest) carry(ctx context.Context) error {
	p := c.road.Plan
	defer limitMemory(p)()
	cuboids, bytes := c.road.Left()
	if c.options.only == nil {
		c.outcome.before = p.CountCuboids() - cuboids
	}
	fmt.Fprintf(c.Stderr, "%s: %v in BOSS coordinates, %s, %s%s, memory at most %s\n",
		c.job.Path(), p.Data, human.Count(p.CountCuboids(), "cuboid"), human.Size(p.Bytes()), c.extent(cuboids), human.Size(p.Memory().Total()))
	c.events.Start(c.job.Path(), event.Start{
		Version: version(), Box: p.Data, Cuboids: cuboids, Bytes: bytes, Before: c.outcome.before, Memory: p.Memory().Total(),
	})
	var err error
	if cuboids > 0 {
		err = c.explainReading(ctx, c.post(ctx, cuboids, bytes))
	}
	if err == nil {
		err = c.compare(ctx, c.options.verify, c.compared(p), c.channel, &c.outcome)
		if o := &c.outcome; o.verified {
			c.events.Verified(c.job.Path(), o.what, o.match, o.differ, o.unsure)
		}
	}
	if changed := c.options.changed(); changed != "" {
		err = errors.Join(err, c.note("warning: "+changed))
	}
	if serr := c.summarize(); err == nil {
		err = serr
	}
	if err == nil && c.options.recordMissing {
		err = c.publishMissing(ctx)
	}
	return c.resumable(err)
}

// extent says how many of the cuboids are to be carried, if not all.
func (c *channelIngest) extent(cuboids int64) string {
	if c.options.only != nil {
		return fmt.Sprintf(", %d to be tried again", cuboids)
	}
	return c.outcome.beforehand()
}

// compared is the road along which all of p is compared, or what of it is to be posted.
func (c *channelIngest) compared(p plan.Plan) *ingest.Road {
	r := road(c.job, p, c.input)
	if c.options.only != nil {
		r.Skip = c.road.Skip
	}
	return r
}

// note tells a person of something, and the log.
func (c *channelIngest) note(text string) error {
	fmt.Fprintln(c.Stderr, "ndpush: "+text)
	c.events.Warning(strings.TrimPrefix(text, "warning: "))
	return c.log.Line("%s", text)
}

// provide creates the resources or compares them with the job.
func (c *channelIngest) provide(ctx context.Context) error {
	look := provision.Check
	if c.options.creates() {
		look = provision.Create
	}
	found, err := look(ctx, c.client, c.job)
	for _, item := range found.Items {
		if item.Created {
			fmt.Fprintln(c.Stdout, item)
			c.events.Created(c.job.Path(), item.String())
		}
		if err := c.log.Line("%v", item); err != nil {
			return err
		}
	}
	if err == nil && c.options.create {
		fmt.Fprintf(c.Stdout, "%s is ready; the same command without --create-resources posts the images\n", c.job.Path())
	}
	return explainMissing(ctx, c.client, c.job, err)
}

// explainMissing adds to an error about resources what to do.
func explainMissing(ctx context.Context, client *boss.Client, j *job.Job, err error) error {
	var e *provision.Error
	if !errors.As(err, &e) || !e.OnlyMissing() {
		return err
	}
	if near := similar(ctx, client, j); near != "" {
		return withHint(err, "did you mean %s? If not, run the same command with --create-resources first", near)
	}
	return withHint(err, "run the same command with --create-resources first")
}

// post carries what is left, so many cuboids and bytes, to BOSS.
func (c *channelIngest) post(ctx context.Context, cuboids, bytes int64) error {
	counter := progress.NewCounter(c.road.Plan.Channel, cuboids, bytes)
	read := new(countedSource)
	read.Source, c.road.Source = c.road.Source, read
	shown := c.Progress
	shown.Vitals = func() progress.Vitals { return c.vitals(read) }
	display := progress.Start(c.Stderr, counter, shown)
	defer display.Stop()
	defer func() { c.events.Done(c.job.Path(), display.Status(), c.log.Path()) }()
	defer c.follow(c.job.Path(), display.Status)()
	defer c.onPoke(display.Report)()
	defer context.AfterFunc(ctx, func() {
		display.Println("ndpush: finishing what is in flight, which takes half a minute at most; a second interrupt stops at once")
	})()
	trouble := &trouble{w: display, latest: &c.retries.latest}
	c.retries.show(c.log, display, shown.Terminal)
	defer c.retries.to(c.log, c.Stderr)
	c.road.Sink = c.channel
	rec := &recorders{journal: c.journal, listeners: []listener{c.log, counter, trouble, c.events.Of(c.job.Path()), c.slack}}
	c.road.Recorder = rec
	start := time.Now()
	err := c.road.Run(ctx)
	o := &c.outcome
	o.Snapshot, o.took, o.failed, o.retries = counter.Snapshot(), time.Since(start), trouble.failed, c.retries.count()
	o.sent = c.channel.Sent()
	o.missing = lossList(rec.losses(), imageRows(c.job))
	return err
}

// summarize prints what became of the channel, and logs it.
func (c *channelIngest) summarize() error {
	lines := c.outcome.lines(c.job)
	if !c.held.Empty() {
		lines = append(lines, fmt.Sprintf("%s: the channel held data before this ingest, at %v for one: it shows through where the images are black; --replace erases it first", c.job.Path(), c.held))
	}
	if link := neuroglancer(c.client.URL(), c.job); link != "" {
		lines = append(lines, link)
	}
	for _, line := range lines {
		if err := c.say("%s", line); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(c.Stdout, "log: %s\n", c.log.Path())
	return err
}

// road is what posting and comparing walk.
func road(j *job.Job, p plan.Plan, in input) *ingest.Road {
	return &ingest.Road{Plan: p, Origin: j.Origin(), Stack: j.Z, Source: in, Missing: j.Missing}
}
