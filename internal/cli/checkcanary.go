package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/neurodata/ndpush/internal/canary"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A postTime is what one post took.
type postTime struct {
	bytes int64 // before compression
	took  time.Duration
}

// canaries is how many places are tried for one that holds nothing.
const canaries = 8

// checkCanary posts one cuboid of the images where BOSS holds zeros, and takes it
// away again. It begins a journal meanwhile, so that no ingest begins that posts
// the same, and removes it afterwards.
func (c *checkup) checkCanary(ctx context.Context) {
	const what = "canary"
	if !c.wants.canary {
		return
	}
	places := c.places()
	switch {
	case c.channel == nil:
		c.worry(what, "not done: there is no channel that agrees with the job")
		return
	case c.blocked:
		c.worry(what, "not done: see journal")
		return
	case len(places) == 0:
		c.worry(what, "not done: there is no cuboid that is not empty and that the journal does not know, among those that were read")
		return
	}
	unlock, err := c.lockJournal(ctx)
	if err != nil {
		c.tellErr(resultFail, what, err)
		return
	}
	defer unlock()
	for _, box := range places {
		if c.tryCanary(ctx, box) {
			return
		}
	}
	c.worry(what, "not done: BOSS holds data already at all %d places that were tried", len(places))
}

// places are some cuboids with voxels of which the journal knows nothing.
func (c *checkup) places() (list []voxel.Box) {
	if c.probed == nil {
		return nil
	}
	all := slices.SortedFunc(slices.Values(c.probed.full), voxel.Box.Compare)
	if c.state != nil {
		for e := range c.state.Entries() {
			all = slices.DeleteFunc(all, e.Box.Overlaps)
		}
	}
	step := max(1, len(all)/canaries)
	for i := 0; i < len(all) && len(list) < canaries; i += step {
		list = append(list, all[i])
	}
	return list
}

// tryCanary reports whether box was the place; what became of it is told.
func (c *checkup) tryCanary(ctx context.Context, box voxel.Box) bool {
	const what = "canary"
	block, err := c.readBlock(ctx, box)
	if err != nil {
		c.tellErr(resultFail, what, fmt.Errorf("read %v of the images: %w", box, err))
		return true
	}
	defer context.AfterFunc(ctx, func() {
		fmt.Fprintf(c.Stderr, "ndpush: erasing the cuboid of --canary, which takes %v at most; a second interrupt may leave it in BOSS\n", canary.Patience)
	})()
	took, err := canary.Try(ctx, c.channel, block)
	left, isLeft := errors.AsType[*canary.LeftError](err)
	switch {
	case errors.Is(err, canary.ErrOccupied):
		return false
	case isLeft:
		c.fail(what, "%v; ingest --replace erases it before it posts", left)
	case err != nil:
		c.tellErr(resultFail, what, err)
	default:
		c.posted = postTime{int64(len(block.Data)), took}
		c.ok(what, "%v was posted in %s, read back, erased, and read back as zeros", box, span(took))
	}
	return true
}

// A holder is a sink that keeps the cuboid it gets.
type holder struct{ block *voxel.Block }

// Post implements ingest.Sink.
func (h *holder) Post(_ context.Context, b *voxel.Block) error {
	h.block = &voxel.Block{Box: b.Box, Type: b.Type, Data: slices.Clone(b.Data)}
	return nil
}

// readBlock reads one cuboid of the images.
func (c *checkup) readBlock(ctx context.Context, box voxel.Box) (*voxel.Block, error) {
	h := new(holder)
	r := *c.road
	r.Plan = r.Plan.Of(box)
	r.Sink, r.Recorder, r.Missing, r.Skip = h, new(probe), job.Zero, nil
	if err := r.Run(ctx); err != nil {
		return nil, err
	}
	if h.block == nil {
		return nil, errors.New("it was not empty before, and is now")
	}
	return h.block, nil
}

// lockJournal begins a journal of this run, which says nothing, until unlock.
func (c *checkup) lockJournal(ctx context.Context) (unlock func(), err error) {
	dir := c.journalDir()
	_, err = os.Stat(dir)
	made := errors.Is(err, fs.ErrNotExist)
	j, o := c.job, c.options
	header := journal.Header{
		Version: version(), Job: o.fingerprint(j, c.client.URL()), Flags: map[string]string{"check": "canary"},
		Data: j.Data(), Whole: j.Whole(), Origin: j.Origin(), Type: j.ChannelType(),
	}
	opts := journal.Options{Fresh: o.fresh}
	if o.moved {
		opts.MayDiffer = []string{imagesKey}
	}
	unmake := func() {
		if made {
			os.Remove(dir) // unless another process has begun
		}
	}
	w, _, err := journal.Open(ctx, dir, header, opts)
	if err != nil {
		unmake()
		return nil, explainJournal(err)
	}
	return func() {
		w.Close("canary") // nothing was begun: it takes its file away; one that stays counts for nothing
		unmake()
	}, nil
}
