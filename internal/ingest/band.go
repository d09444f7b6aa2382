package ingest

import (
	"context"
	"sync/atomic"

	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A band is rows of a chunk, cut into cuboids from the start: rows are shared
// among them as they come.
type band struct {
	box     voxel.Box
	cuboids []*cuboid // those that are wanted
}

// A cuboid is voxels in memory that is used again, of the source's type.
type cuboid struct {
	voxel.Block
	some atomic.Bool // one of them is not zero
	room int64       // bytes that there may be
}

// put copies rows of one slice to the cuboids they belong to. It is called for
// several slices at one time.
func (b *band) put(rows *voxel.Block) {
	for _, c := range b.cuboids {
		if !c.Copy(rows) && !c.some.Load() {
			c.some.Store(true)
		}
	}
}

// clear makes rows y at z zero.
func (b *band) clear(z int, y voxel.Range) {
	for _, c := range b.cuboids {
		clear(c.Rows(z, y).Data)
	}
}

// repeat makes rows y at z those at z-1.
func (b *band) repeat(z int, y voxel.Range) {
	for _, c := range b.cuboids {
		copy(c.Rows(z, y).Data, c.Rows(z-1, y).Data)
	}
}

// recount looks at all voxels again, after some were replaced.
func (b *band) recount() {
	for _, c := range b.cuboids {
		c.some.Store(!voxel.IsZero(c.Data))
	}
}

// A stock is the memory for the cuboids of a run, by their width. It bounds how
// far reading is ahead of posting.
type stock map[int]chan *cuboid

func newStock(p plan.Plan) stock {
	s := make(stock)
	for _, room := range p.Rooms() {
		free := make(chan *cuboid, room.Count)
		for range room.Count {
			free <- &cuboid{room: room.Bytes}
		}
		s[room.Width] = free
	}
	return s
}

// take waits for memory and makes it a cuboid whose voxels are undefined.
func (s stock) take(ctx context.Context, box voxel.Box, t voxel.Type) (*cuboid, error) {
	select {
	case c := <-s[box.X().Len()]:
		if c.Data == nil {
			c.Data = make([]byte, c.room)
		}
		c.Reset(box, t)
		c.some.Store(false)
		return c, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// give takes c back. It never blocks: there is room for every cuboid.
func (s stock) give(c *cuboid) { s[c.Box.X().Len()] <- c }
