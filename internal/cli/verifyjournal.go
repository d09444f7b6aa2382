package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/verify"
	"github.com/neurodata/ndpush/internal/voxel"
)

// verifyJournals compares with the sums of each journal that is named, or of the
// one that is found. It ends with the worst of what was found.
func (a *app) verifyJournals(ctx context.Context, o *verifyOptions) error {
	if len(o.args) < 2 {
		return a.verifyJournal(ctx, o, o.args)
	}
	var worst error
	for _, dir := range o.args {
		err := a.verifyJournal(ctx, o, []string{dir})
		if code := exitCode(err); code != exitDone && code != exitIncomplete && code != exitDiffers {
			return err
		}
		if exitCode(err) > exitCode(worst) {
			worst = err
		}
	}
	return worst
}

// verifyJournal compares with the sums of a journal.
func (a *app) verifyJournal(ctx context.Context, o *verifyOptions, args []string) error {
	share, err := o.share(a.Getenv)
	if err != nil {
		return usage(err)
	}
	choice := journalChoice{args, o.logDir}
	dir, err := choice.find(&o.jobFlags)
	if err != nil {
		return err
	}
	l, err := readLedger(dir)
	if err != nil {
		return err
	}
	z, err := o.slicesOf(l, share)
	if err != nil {
		return usage(err)
	}
	if z.Empty() {
		_, err := fmt.Fprintf(a.Stdout, "share %v has no slices: nothing to do\n", share)
		return err
	}
	for _, name := range o.useless() {
		a.warn("--%s has no effect on a comparison with the journal", name)
	}
	for _, f := range l.files {
		if f.Alive(a.Now()) {
			a.warn("process %d on %s is still at work: what it has not posted yet counts as missing", f.Header.PID, f.Header.Host)
		}
	}
	ch, client, err := a.channelOf(ctx, o, l)
	if err != nil {
		return err
	}
	defer client.Close()
	return a.checkLedger(ctx, o, l, ch, z)
}

// slicesOf is the slices to look at, in BOSS coordinates; none, if the share has none.
func (o *verifyOptions) slicesOf(l *ledger, s share) (voxel.Range, error) {
	z := l.bounds().Z()
	if asked := o.spec.ZRange; asked != (voxel.Range{}) {
		z = z.Intersect(asked.Add(l.last.Origin.Z))
		if z.Empty() {
			return z, fmt.Errorf("--z-range %v: the journal is of slices %v", asked, l.bounds().Z().Add(-l.last.Origin.Z))
		}
	}
	if s.n == 0 {
		return z, nil
	}
	shares := plan.Split(z, s.n)
	if s.k > len(shares) {
		return voxel.Range{}, nil
	}
	return shares[s.k-1], nil
}

// usefulHere are the flags of a job that a comparison with the journal heeds.
var usefulHere = map[string]bool{
	"collection": true, "experiment": true, "channel": true, "z-range": true, "shard": true, "shards": true, "max-mem": true,
	"boss-config-file": true, "insecure-http": true, "workers": true, "bwlimit": true, "patience": true,
	"against": true, "log-dir": true, "report": true, "job": true,
}

// useless are flags of the command line that have no effect.
func (o *verifyOptions) useless() (names []string) {
	o.flags.Visit(func(f *pflag.Flag) {
		if !usefulHere[f.Name] && !o.fromFile[f.Name] {
			names = append(names, f.Name)
		}
	})
	return names
}

// channelOf finds the channel that a journal is of, and the way to BOSS that the
// ingest took, unless flags name another.
func (a *app) channelOf(ctx context.Context, o *verifyOptions, l *ledger) (*boss.Channel, *boss.Client, error) {
	job := l.last.Job
	names := strings.Split(job["channel"], "/")
	res, err := strconv.Atoi(job["resolution"])
	if len(names) != 3 || err != nil {
		return nil, nil, fmt.Errorf("journal %s does not say which channel it is of", l.dir)
	}
	for _, name := range []string{"boss-config-file", "insecure-http"} {
		if was, ok := l.last.Flags[name]; ok && !o.flags.Changed(name) {
			if err := o.flags.Set(name, was); err != nil {
				return nil, nil, fmt.Errorf("journal %s: --%s: %w", l.dir, name, err)
			}
		}
	}
	client, err := a.client(ctx, &o.boss, names[0])
	if err != nil {
		return nil, nil, err
	}
	ch, err := openChannel(ctx, client, l, names, res)
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	return ch, client, nil
}

// openChannel makes sure that the channel is the one that was posted to.
func openChannel(ctx context.Context, client *boss.Client, l *ledger, names []string, res int) (*boss.Channel, error) {
	if was, is := l.last.Job["boss"], client.URL(); was != is {
		return nil, withHint(fmt.Errorf("the journal %s is of an ingest into %s, and the access is to %s", l.dir, was, is),
			"--boss-config-file names the access file")
	}
	info, err := client.ChannelInfo(ctx, names[0], names[1], names[2])
	if err != nil {
		return nil, err
	}
	if info.Datatype != l.last.Type.String() {
		return nil, fmt.Errorf("channel %s holds %s, and %s was posted, says the journal", l.channel(), info.Datatype, l.last.Type)
	}
	return client.Channel(names[0], names[1], names[2], res, l.last.Type)
}

// checkLedger compares what the journals say of the slices z, and sums up.
func (a *app) checkLedger(ctx context.Context, o *verifyOptions, l *ledger, ch verify.Fetcher, z voxel.Range) (err error) {
	p, err := a.fetchingPlan(o, l, z)
	if err != nil {
		return err
	}
	defer limitMemory(p)()
	var cuboids, bytes int64
	for c := range l.claims(z) {
		cuboids++
		bytes += c.Box.Voxels() * int64(p.Channel.Size())
	}
	fmt.Fprintf(a.Stderr, "%s: z %v in BOSS coordinates, %s, %s, memory at most %s\n", l.channel(), z, human.Count(cuboids, "cuboid"), human.Size(bytes), human.Size(p.Memory().Total()))
	report, err := newReport(o.report, verify.Head{Channel: l.channel(), Z: z, Of: l.bounds().Z(), Cuboids: cuboids})
	if err != nil {
		return err
	}
	counter := progress.NewCounter(p.Channel, cuboids, bytes)
	display := progress.Start(a.Stderr, counter, a.Progress)
	stop := a.onPoke(display.Report)
	var t verify.Tally
	err = verify.Check(ctx, l.claims(z), ch, p.Workers, func(f verify.Finding) error {
		t.Add(f)
		if f.Verdict == verify.Match {
			counter.Posted(f.Box, 0)
		} else {
			counter.Failed(f.Box, nil)
		}
		return report.Add(f)
	})
	stop()
	display.Stop()
	if err = errors.Join(err, report.Close()); err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	return a.concludeAll([]verify.Merged{{Channel: l.channel(), Tally: t}})
}

// fetchingPlan is how many cuboids of a journal are fetched at one time, in which
// memory.
func (a *app) fetchingPlan(o *verifyOptions, l *ledger, z voxel.Range) (plan.Plan, error) {
	p := plan.New(l.bounds().WithZ(z), l.last.Type, l.last.Type, o.boss.workers)
	p.Ahead, p.Compare = 0, true // there are no slices
	all := plan.New(l.bounds(), l.last.Type, l.last.Type, 1)
	p.Fetch = all.CountCuboids() * journal.Bytes
	limit := a.memoryLimit(&o.jobFlags)
	for p.Workers > 1 && p.Memory().Total() > limit.bytes {
		p.Workers--
	}
	if need := p.Memory().Total(); need > limit.bytes {
		return p, fmt.Errorf("to compare takes at least %s of memory, and may take %s, says %s", human.Size(need), human.Size(limit.bytes), limit.from)
	}
	return p, nil
}

// claims gives what the journals say of every cuboid that has slices of z, in
// BOSS coordinates: what is known first, then what was never begun.
func (l *ledger) claims(z voxel.Range) iter.Seq[verify.Claim] {
	return func(yield func(verify.Claim) bool) {
		for e := range l.state.Entries() {
			c := verify.Claim{Box: e.Box, Fate: verify.Fate(e.Fate.String()), Sum: e.Sum, Why: e.Why, Lost: e.Lost, Vague: e.Over}
			if e.Box.Z().Overlaps(z) && !yield(c) {
				return
			}
		}
		for cuboid, entries := range l.cuboids() {
			if !cuboid.Z().Overlaps(z) {
				continue
			}
			for _, box := range outside(cuboid, entries) {
				if box.Z().Overlaps(z) && !yield(verify.Claim{Box: box, Fate: verify.Left}) {
					return
				}
			}
		}
	}
}
