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
	// asked for. The rows of that band above Row are there.
	Rows error
	Row  int

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
	good := *dst
	good.Box.Max.Y = max(dst.Box.Min.Y, s.fault.Row)
	good.Data = good.Data[:good.Box.Voxels()*int64(good.Type.Size())]
	if err := s.Slice.ReadRows(ctx, &good); err != nil {
		return err
	}
	return fmt.Errorf("read slice %d: %w", s.z, &source.RowError{Row: good.Box.Max.Y, Err: s.fault.Rows})
}
