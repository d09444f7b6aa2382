package ingest

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A chunk is up to 16 open slices.
type chunk struct {
	road   *Road
	box    voxel.Box
	layers []layer // in ascending z
}

// A layer is the slice at one z of a chunk.
type layer struct {
	z      int          // source coordinates
	slice  source.Slice // nil: it is not open
	absent bool         // it cannot be opened
	told   bool         // the recorder knows that it is absent or damaged
	lost   bool         // the band in work could not be read from it
}

// openChunk opens the slices of box side by side.
func (r *Road) openChunk(ctx context.Context, box voxel.Box) (*chunk, error) {
	c := &chunk{r, box, make([]layer, box.Z().Len())}
	g, gctx := errgroup.WithContext(ctx)
	for i := range c.layers {
		l := &c.layers[i]
		l.z = box.Min.Z + i - r.Origin.Z
		g.Go(func() error {
			slice, err := r.Source.Open(gctx, l.z)
			if err != nil {
				l.absent = true
				return r.lose(gctx, l, err)
			}
			l.slice = slice
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *chunk) close() {
	for i := range c.layers {
		c.layers[i].close()
	}
}

// close lets go of the slice. Only reading can lose data, so what Close says is not asked.
func (l *layer) close() {
	if l.slice != nil {
		l.slice.Close()
		l.slice = nil
	}
}

// lose gives up what could not be read of a layer, as the policy has it: the
// error that ends the run, or nil after the loss was recorded, once for a slice.
func (r *Road) lose(ctx context.Context, l *layer, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if r.Missing == job.Fail || !isLoss(err) {
		return err
	}
	l.close()
	l.lost = true
	if l.told {
		return nil
	}
	l.told = true
	return r.Recorder.Missing(l.z, err)
}

// isLoss reports whether err says that a slice is absent or damaged. One that is
// there and of another shape, or of a kind that is not read, is no loss: to put
// something in its place would hide a mistake.
func isLoss(err error) bool {
	var mismatch *source.MismatchError
	return !errors.As(err, &mismatch) && !errors.Is(err, errors.ErrUnsupported) && !endsRun(err)
}

// decode fills band with its rows of all layers.
func (c *chunk) decode(ctx context.Context, band *voxel.Block) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(c.road.readers())
	for i := range c.layers {
		l := &c.layers[i]
		if l.absent {
			continue
		}
		l.lost = false
		g.Go(func() error {
			if err := c.read(gctx, l, band, i); err != nil {
				return c.road.lose(gctx, l, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return c.fillLost(ctx, band)
}

// read fills layer i of band with rows of l's slice. One that was damaged in a
// band above is opened again: what stands for a band must not depend on which
// others were read, or it would depend on how the work was shared.
func (c *chunk) read(ctx context.Context, l *layer, band *voxel.Block, i int) error {
	if l.slice == nil {
		slice, err := c.road.Source.Open(ctx, l.z)
		if err != nil {
			return err
		}
		l.slice = slice
	}
	dst := band.Slice(band.Box.Min.Z + i)
	dst.Box = dst.Box.Add(c.road.Origin.Neg())
	return l.slice.ReadRows(ctx, dst)
}

// fillLost puts something in the place of what could not be read, in ascending
// z, so that under the policy Previous the rows come from the nearest slice
// before that has them.
func (c *chunk) fillLost(ctx context.Context, band *voxel.Block) error {
	for i := range c.layers {
		if !c.layers[i].lost {
			continue
		}
		rows := band.Slice(band.Box.Min.Z + i).Data
		switch {
		case c.road.Missing != job.Previous:
			clear(rows)
		case i > 0:
			copy(rows, band.Slice(band.Box.Min.Z+i-1).Data)
		default:
			if err := c.readBefore(ctx, band); err != nil {
				return err
			}
		}
	}
	return nil
}

// readBefore fills the first layer of band from the nearest slice before the
// chunk that has its rows. That slice may belong to another run or share. Before
// the first slice of a stack there is nothing, which is zeros.
func (c *chunk) readBefore(ctx context.Context, band *voxel.Block) error {
	for z := c.layers[0].z - 1; z >= c.road.Stack.Min; z-- {
		before := &layer{z: z}
		err := c.read(ctx, before, band, 0)
		before.close()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || !isLoss(err) {
			return fmt.Errorf("look for a slice before a missing one: %w", err)
		}
	}
	clear(band.Slice(band.Box.Min.Z).Data)
	return nil
}
