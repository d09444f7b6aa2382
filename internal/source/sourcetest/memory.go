package sourcetest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// Memory is a Source over b: slice z is b at z, for the z of b's box. b's x and
// y are the pixels of its slices, so they start at 0. Nobody may write to b
// while it is read.
func Memory(b *voxel.Block) source.Source {
	return &fake{b.Box, b.Type, func(dst []byte, x voxel.Range, y, z int) {
		copy(dst, b.Row(y, z)[x.Min*b.Type.Size():])
	}}
}

// Func is a Source whose voxels at gives, so that a test can have images larger
// than memory. The slices have the x and y of box, from 0, and the z of box.
// at is called from several goroutines at once; what does not fit t is cut.
func Func(box voxel.Box, t voxel.Type, at func(x, y, z int) uint64) source.Source {
	return &fake{box, t, func(dst []byte, x voxel.Range, y, z int) {
		var p [8]byte
		for i := range x.Len() {
			binary.LittleEndian.PutUint64(p[:], at(x.Min+i, y, z))
			copy(dst[i*t.Size():], p[:t.Size()])
		}
	}}
}

// fake is a source whose rows a function gives.
type fake struct {
	box voxel.Box
	typ voxel.Type
	row func(dst []byte, x voxel.Range, y, z int)
}

// Open implements source.Source.
func (f *fake) Open(ctx context.Context, z int) (source.Slice, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open slice %d: %w", z, err)
	}
	if z < f.box.Min.Z || z >= f.box.Max.Z {
		return nil, fmt.Errorf("open slice %d: %w", z, fs.ErrNotExist)
	}
	return &fakeSlice{fake: f, z: z}, nil
}

// List implements source.Lister.
func (f *fake) List(context.Context) (*source.Listing, error) {
	return &source.Listing{Slices: []voxel.Range{f.box.Z()}}, nil
}

// fakeSlice keeps the contract with code of its own: shared with the real
// sources, a mistake would pass.
type fakeSlice struct {
	*fake
	z      int
	next   int
	closed bool
}

func (s *fakeSlice) Size() (width, height int) { return s.box.Max.X, s.box.Max.Y }
func (s *fakeSlice) Type() voxel.Type          { return s.typ }
func (s *fakeSlice) Step() int                 { return 1 }
func (s *fakeSlice) Held() int64               { return 0 }

func (s *fakeSlice) Close() error {
	s.closed = true
	return nil
}

func (s *fakeSlice) ReadRows(ctx context.Context, dst *voxel.Block) error {
	if err := s.check(dst); err != nil {
		return fmt.Errorf("read slice %d: %w", s.z, err)
	}
	for y := dst.Box.Min.Y; y < dst.Box.Max.Y; y++ {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read slice %d: row %d: %w", s.z, y, err)
		}
		s.row(dst.Row(y, dst.Box.Min.Z), dst.Box.X(), y, s.z)
		s.next = y + 1
	}
	return nil
}

func (s *fakeSlice) check(dst *voxel.Block) error {
	switch b := dst.Box; {
	case s.closed:
		return fs.ErrClosed
	case dst.Type != s.typ:
		return fmt.Errorf("it is %v, wanted as %v", s.typ, dst.Type)
	case b.Z().Len() != 1:
		return fmt.Errorf("box %v is not one deep", b)
	case b.Min.X < 0 || b.Max.X > s.box.Max.X || b.Min.Y < 0 || b.Max.Y > s.box.Max.Y:
		return fmt.Errorf("box %v lies outside", b)
	case int64(len(dst.Data)) != b.Voxels()*int64(s.typ.Size()):
		return errors.New("the block's data has another size than its box")
	case b.Min.Y < s.next:
		return fmt.Errorf("row %d was passed", b.Min.Y)
	}
	return nil
}
