// Package ingest is the road: it carries slices from a source to a sink.
//
//	open a chunk ─▶ read a band ─▶ its cuboids ─▶ post
//	one goroutine,  one goroutine, reading        plan.Workers
//	one ahead       slices side by side           goroutines
//
// The slices of a chunk are opened while the chunk before is read, for over a
// network that is a wait of its own. A band lies in memory as its cuboids: rows
// are read a few at a time, and copied to the cuboids they belong to while they
// are in the processor's cache. A cuboid is posted from where it lies. To read a
// band as rows and then gather its cuboids goes to main memory twice as often: it
// took 0.7 seconds of the processors for 2 GiB of pixels that are stored as they
// are, and this takes 0.35.
//
// What is in memory is bounded by the plan. When a cuboid is posted, its memory is
// free again, so the next bands, also those of the next chunks, are read while
// these are posted, and nothing waits at the end of a band or a chunk.
//
// What is known to be stored is left out, whole chunks unopened: [Road.Skip].
// A cuboid that finally fails is recorded and the road goes on; an error that
// says that nothing else can succeed ends the run. Retries are the sink's.
//
// Verification walks the same road with a sink that compares.
package ingest

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A Sink takes cuboids, in BOSS coordinates. It is safe for concurrent use.
//
// An error with a method Fatal() bool or Refused() bool that returns true says
// that no other cuboid would fare better, now or at all: it ends the run.
// Any other error is this cuboid's alone.
type Sink interface {
	// Post returns when the cuboid is stored. The block is the caller's again afterwards.
	Post(ctx context.Context, cuboid *voxel.Block) error
}

// An Eraser sets voxels to zero, as a post cannot: BOSS never overwrites with zero.
type Eraser interface {
	ToBlack(ctx context.Context, box voxel.Box) error
}

// A Recorder is told of every fate, once, and is safe for concurrent use.
// If it returns an error, the run ends: what cannot be recorded is not posted.
type Recorder interface {
	Begin(box voxel.Box) error                                  // about to be erased or sent: one of the next four follows, unless the run ends
	Posted(box voxel.Box, sum uint64, took time.Duration) error // stored, after so long; for sum see voxel.Block.Sum
	Failed(box voxel.Box, err error) error                      // finally failed
	Empty(box voxel.Box) error                                  // all zero, not sent
	Kept(box voxel.Box, sum uint64) error                       // known to be there already, not sent

	// Missing says that slice z (source coordinates) does not have these pixel
	// rows; none at all, if rows is the zero Range. It is told before the fate of
	// any cuboid that they would have been part of.
	Missing(z int, rows voxel.Range, err error) error
}

// A Road is one run: what to carry, where from and where to.
type Road struct {
	Plan     plan.Plan
	Origin   voxel.Point // BOSS coordinates of the first pixel of slice 0
	Stack    voxel.Range // the z where the source has slices, also outside this run
	Source   source.Source
	Sink     Sink
	Recorder Recorder
	Missing  job.Missing // what becomes of a slice that cannot be read
	All      bool        // also hand all-zero cuboids to the sink

	// Skip names cuboids that are not to be carried; nil: none. Slices and rows of
	// which no other cuboid needs anything are not read.
	Skip func(cuboid voxel.Box) bool
	// Same reports whether the voxels with that checksum, all zero or not, are
	// known to be stored in a cuboid; nil: nothing is known.
	Same func(cuboid voxel.Box, sum uint64, zero bool) bool
	// Eraser sets each cuboid to zero before it is posted; nil: nobody does.
	Eraser Eraser
}

// grace is how long cuboids in flight may take after a run was told to stop.
const grace = 30 * time.Second

// A run is a Road that is being walked.
type run struct {
	*Road
	stock   stock
	buffers chan *voxel.Block // for rows that were just read, one for each slice that is read at a time
}

// Run carries everything, and returns when nothing is in flight any more.
//
// When ctx ends, no further cuboid is begun; those in flight get half a minute
// to finish. A nil error means that the sink or the recorder knows the fate of
// every cuboid, not that every one was stored: that is the Recorder's to say.
func (r *Road) Run(ctx context.Context) error {
	posting, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	g, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, func() {
		select {
		case <-time.After(grace):
			abort()
		case <-posting.Done(): // the run is over
		}
	})()

	run := &run{r, newStock(r.Plan), make(chan *voxel.Block, r.Plan.Reads())}
	for range r.Plan.Reads() {
		run.buffers <- new(voxel.Block)
	}
	chunks := make(chan opened)
	g.Go(func() error {
		defer close(chunks)
		return run.open(ctx, chunks)
	})
	cuboids := make(chan *cuboid)
	g.Go(func() error {
		defer close(cuboids)
		return run.feed(ctx, chunks, cuboids)
	})
	for range r.Plan.Workers {
		g.Go(func() error { return run.work(posting, cuboids) })
	}
	return g.Wait()
}

// An opened is a chunk, or why there is none. The error comes in its turn: what
// lies before it is carried.
type opened struct {
	chunk *chunk
	err   error
}

// open opens chunk after chunk, and hands over each when the one before is done.
func (r *run) open(ctx context.Context, chunks chan<- opened) error {
	for box := range r.chunks() {
		c, err := r.openChunk(ctx, box)
		select {
		case chunks <- opened{c, err}:
		case <-ctx.Done():
			if err == nil {
				c.close()
			}
			return ctx.Err()
		}
		if err != nil {
			return nil // feed returns it
		}
	}
	return nil
}

// feed reads band after band and hands out their cuboids.
func (r *run) feed(ctx context.Context, chunks <-chan opened, cuboids chan<- *cuboid) error {
	for c := range chunks {
		if c.err != nil {
			return c.err
		}
		err := r.feedChunk(ctx, c.chunk, cuboids)
		c.chunk.close()
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) feedChunk(ctx context.Context, c *chunk, cuboids chan<- *cuboid) error {
	for box := range r.Plan.Bands(c.box) {
		b := &band{box: box}
		for piece := range r.wanted(box) {
			one, err := r.stock.take(ctx, piece, r.Plan.Source)
			if err != nil {
				return err
			}
			b.cuboids = append(b.cuboids, one)
		}
		if len(b.cuboids) == 0 {
			continue
		}
		if err := c.read(ctx, b); err != nil {
			return err
		}
		for _, one := range b.cuboids {
			select {
			case cuboids <- one:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// work posts cuboids until there are no more.
func (r *run) work(ctx context.Context, cuboids <-chan *cuboid) error {
	var wide voxel.Block
	for c := range cuboids {
		block, zero := &c.Block, !c.some.Load()
		if r.Plan.Channel != r.Plan.Source {
			wide.Reset(c.Box, r.Plan.Channel)
			wide.Widen(block)
			block = &wide
			r.stock.give(c)
		}
		if err := r.carry(ctx, block, zero); err != nil {
			return err
		}
		if block != &wide {
			r.stock.give(c)
		}
	}
	return nil
}

// carry stores one cuboid, if that is needed, and records what became of it.
// It returns an error only if the run must end.
func (r *Road) carry(ctx context.Context, block *voxel.Block, zero bool) error {
	box, empty := block.Box, zero && !r.All
	if empty && r.Eraser == nil {
		return r.Recorder.Empty(box)
	}
	sum := block.Sum()
	if r.Same != nil && r.Same(box, sum, zero) {
		return r.Recorder.Kept(box, sum)
	}
	if err := r.Recorder.Begin(box); err != nil {
		return err
	}
	start := time.Now()
	err := r.store(ctx, block, empty)
	switch {
	case err == nil && empty:
		return r.Recorder.Empty(box)
	case err == nil:
		return r.Recorder.Posted(box, sum, time.Since(start))
	case ctx.Err() != nil || endsRun(err):
		return err // its fate is not known, or no fault of its own: it is left to do
	}
	return r.Recorder.Failed(box, err)
}

// store makes BOSS hold block, which it does without a post if it is empty.
func (r *Road) store(ctx context.Context, block *voxel.Block, empty bool) error {
	if r.Eraser != nil {
		if err := r.Eraser.ToBlack(ctx, block.Box); err != nil {
			return err
		}
	}
	if empty {
		return nil
	}
	return r.Sink.Post(ctx, block)
}

// endsRun reports whether err says that no other cuboid can succeed.
func endsRun(err error) bool {
	var fatal interface{ Fatal() bool }
	var refused interface{ Refused() bool }
	return errors.As(err, &fatal) && fatal.Fatal() || errors.As(err, &refused) && refused.Refused()
}
