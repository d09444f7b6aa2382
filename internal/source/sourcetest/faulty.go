package sourcetest

import (
	"context"
	"fmt"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A Fault is what goes wrong with one slice. The zero Fault is none.
type Fault struct {
	// Open is what Open gives instead of the slice; fs.ErrNotExist for one that
	// is missing.
	Open error

	// Rows is why ReadRows gives a *source.RowError once a row from Row on is
	// asked for, or from Seen on if that lies below it: then the rows between are
	// given before, with other voxels. The rows of that band above Row are there.
	Rows      error
	Row, Seen int

	// Shape is what the slice says of itself, if it is not the zero Shape.
	Shape source.Shape
}

// Faulty is a Source with the faults of some slices scripted, by z. It is safe
// for concurrent use while nobody changes the map.
type Faulty struct {
	source.Source
	Faults map[int]Fault
}

// Open implements source.Source.
func (f Faulty) Open(ctx context.Context, z int) (source.Slice, error) {
	fault := f.Faults[z]
	if fault.Open != nil {
		return nil, fmt.Errorf("open slice %d: %w", z, fault.Open)
	}
	s, err := f.Source.Open(ctx, z)
	if err != nil {
		return nil, err
	}
	return &faultySlice{s, fault, z}, nil
}

type faultySlice struct {
	source.Slice
	fault Fault
	z     int
}

func (s *faultySlice) Size() (width, height int) {
	if s.fault.Shape != (source.Shape{}) {
		return s.fault.Shape.Width, s.fault.Shape.Height
	}
	return s.Slice.Size()
}

func (s *faultySlice) Type() voxel.Type {
	if s.fault.Shape != (source.Shape{}) {
		return s.fault.Shape.Type
	}
	return s.Slice.Type()
}

func (s *faultySlice) ReadRows(ctx context.Context, dst *voxel.Block) error {
	if s.fault.Rows == nil || dst.Box.Max.Y <= s.fault.Row {
		return s.Slice.ReadRows(ctx, dst)
	}
	if dst.Box.Max.Y <= s.fault.Seen {
		err := s.Slice.ReadRows(ctx, dst)
		for y := max(dst.Box.Min.Y, s.fault.Row); y < dst.Box.Max.Y; y++ {
			invert(dst.Row(y, dst.Box.Min.Z))
		}
		return err
	}
	good := *dst
	good.Box.Max.Y = max(dst.Box.Min.Y, s.fault.Row)
	good.Data = good.Data[:good.Box.Voxels()*int64(good.Type.Size())]
	if err := s.Slice.ReadRows(ctx, &good); err != nil {
		return err
	}
	return fmt.Errorf("read slice %d: %w", s.z, &source.RowError{Row: s.fault.Row, Err: s.fault.Rows})
}

// invert makes other voxels of those in p.
func invert(p []byte) {
	for i := range p {
		p[i] = ^p[i]
	}
}
