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
	run    *run
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
func (r *run) openChunk(ctx context.Context, box voxel.Box) (*chunk, error) {
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

// read fills b with its rows of all layers.
func (c *chunk) read(ctx context.Context, b *band) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(cap(c.run.buffers))
	for i := range c.layers {
		l := &c.layers[i]
		if l.absent {
			l.lost = b.box.Y()
			continue
		}
		g.Go(func() error {
			lost, err := c.run.read(gctx, l, b, c.box.Min.Z+i, b.box.Y())
			if l.lost = lost; err == nil {
				return nil
			}
			return c.run.lose(gctx, l.z, lost.Add(-c.run.Origin.Y), err)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return c.fillLost(ctx, b)
}

// read brings rows y of l's slice into b, at its z; y and z are BOSS coordinates.
// The rows that it could not bring are lost: those from where the slice breaks
// on, or all.
//
// A slice that was damaged in a band above is opened again: what stands for a
// band must not depend on which others were read, or it would depend on how the
// work was shared.
func (r *run) read(ctx context.Context, l *layer, b *band, z int, y voxel.Range) (lost voxel.Range, err error) {
	if l.slice == nil {
		slice, err := r.Source.Open(ctx, l.z)
		if err != nil {
			return y, err
		}
		l.slice = slice
	}
	rows := <-r.buffers
	defer func() { r.buffers <- rows }()
	for piece := range r.Plan.Rows(y.Add(-r.Origin.Y)) {
		box := voxel.NewBox(b.box.X(), piece.Add(r.Origin.Y), voxel.Range{Min: z, Max: z + 1})
		rows.Reset(box, r.Plan.Source)
		pixels := *rows
		pixels.Box = box.Add(r.Origin.Neg())
		if err := l.slice.ReadRows(ctx, &pixels); err != nil {
			l.close()
			lost = y
			if broken, ok := errors.AsType[*source.RowError](err); ok {
				lost.Min = min(max(y.Min, broken.Row+r.Origin.Y), box.Max.Y-1)
				b.put(rows.Rows(z, voxel.Range{Min: box.Min.Y, Max: max(box.Min.Y, lost.Min)}))
			}
			return lost, err
		}
		b.put(rows)
	}
	return voxel.Range{}, nil
}

// fillLost puts something in the place of what could not be read, in ascending
// z, so that under the policy Previous the rows come from the nearest slice
// before that has them.
func (c *chunk) fillLost(ctx context.Context, b *band) error {
	some := false
	for i := range c.layers {
		l := &c.layers[i]
		if l.lost.Empty() {
			continue
		}
		some = true
		z := c.box.Min.Z + i
		switch {
		case c.run.Missing != job.Previous:
			b.clear(z, l.lost)
		case i > 0:
			b.repeat(z, l.lost)
		default:
			if err := c.run.readBefore(ctx, l.z, b, z, l.lost); err != nil {
				return err
			}
		}
	}
	if some {
		b.recount()
	}
	return nil
}

// readBefore brings rows y into b, at its z, from the nearest slices before the one at
// sourceZ that have them. Those may belong to another run or share. Before the
// first slice of a stack there is nothing, which is zeros.
func (r *run) readBefore(ctx context.Context, sourceZ int, b *band, z int, y voxel.Range) error {
	for sourceZ--; sourceZ >= r.Stack.Min; sourceZ-- {
		before := &layer{z: sourceZ}
		lost, err := r.read(ctx, before, b, z, y)
		before.close()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil || !isLoss(err) {
			return fmt.Errorf("look for a slice before a missing one: %w", err)
		}
		y = lost
	}
	b.clear(z, y)
	return nil
}
