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
	lost   voxel.Range  // rows of the band in work, in BOSS coordinates, that could not be read
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
				return r.lose(gctx, l.z, voxel.Range{}, err)
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

// lose gives up rows of slice z, all if rows is the zero Range, as the policy has
// it: the error that ends the run, or nil after the loss was recorded.
func (r *Road) lose(ctx context.Context, z int, rows voxel.Range, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if r.Missing == job.Fail || !isLoss(err) {
		return err
	}
	return r.Recorder.Missing(z, rows, err)
}

// isLoss reports whether err says that a slice is absent or damaged. One that is
// there and of another shape, or of a kind that is not read, is no loss: to put
// something in its place would hide a mistake.
func isLoss(err error) bool { return kindOf(err) != Wrong && !endsRun(err) }

// decode fills band with its rows of all layers.
func (c *chunk) decode(ctx context.Context, band *voxel.Block) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(c.road.readers())
	for i := range c.layers {
		l := &c.layers[i]
		if l.absent {
			l.lost = band.Box.Y()
			continue
		}
		g.Go(func() error {
			lost, err := c.road.read(gctx, l, band.Slice(c.box.Min.Z+i))
			if l.lost = lost; err == nil {
				return nil
			}
			return c.road.lose(gctx, l.z, lost.Add(-c.road.Origin.Y), err)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return c.fillLost(ctx, band)
}

// read fills dst, rows in BOSS coordinates, from l's slice. The rows that it
// could not fill are lost: those from where the slice breaks on, or all.
//
// A slice that was damaged in a band above is opened again: what stands for a
// band must not depend on which others were read, or it would depend on how the
// work was shared.
func (r *Road) read(ctx context.Context, l *layer, dst *voxel.Block) (lost voxel.Range, err error) {
	if l.slice == nil {
		slice, err := r.Source.Open(ctx, l.z)
		if err != nil {
			return dst.Box.Y(), err
		}
		l.slice = slice
	}
	pixels := *dst
	pixels.Box = dst.Box.Add(r.Origin.Neg())
	err = l.slice.ReadRows(ctx, &pixels)
	if err == nil {
		return voxel.Range{}, nil
	}
	l.close()
	lost = dst.Box.Y()
	if broken, ok := errors.AsType[*source.RowError](err); ok {
		lost.Min = max(lost.Min, broken.Row+r.Origin.Y)
	}
	return lost, err
}

// fillLost puts something in the place of what could not be read, in ascending
// z, so that under the policy Previous the rows come from the nearest slice
// before that has them.
func (c *chunk) fillLost(ctx context.Context, band *voxel.Block) error {
	for i := range c.layers {
		l := &c.layers[i]
		if l.lost.Empty() {
			continue
		}
		z := c.box.Min.Z + i
		rows := band.Rows(z, l.lost)
		switch {
		case c.road.Missing != job.Previous:
			clear(rows.Data)
		case i > 0:
			copy(rows.Data, band.Rows(z-1, l.lost).Data)
		default:
			if err := c.road.readBefore(ctx, l.z, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// readBefore fills rows, in BOSS coordinates, from the nearest slices before z
// that have them. Those may belong to another run or share. Before the first
// slice of a stack there is nothing, which is zeros.
func (r *Road) readBefore(ctx context.Context, z int, rows *voxel.Block) error {
	for z--; z >= r.Stack.Min; z-- {
		before := &layer{z: z}
		lost, err := r.read(ctx, before, rows)
		before.close()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || !isLoss(err) {
			return fmt.Errorf("look for a slice before a missing one: %w", err)
		}
		rows = rows.Rows(rows.Box.Min.Z, lost)
	}
	clear(rows.Data)
	return nil
}
