package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// Slices are the sections of a stack as images of one size. It is safe for
// concurrent use.
type Slices struct {
	stack *Stack
	x, y  voxel.Range
}

var _ source.Source = (*Slices)(nil)

// Slices gives the sections as images of x by y, scaled source coordinates: the
// pixel 0, 0 of a slice is the one at x.Min, y.Min. Where that is more than the
// stack has, it is 0.
func (s *Stack) Slices(x, y voxel.Range) *Slices { return &Slices{s, x, y} }

// Open implements source.Source. It asks for nothing: which sections there are
// is known, and what is in them only ReadRows can find out.
func (s *Slices) Open(ctx context.Context, z int) (source.Slice, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open slice %d: %w", z, err)
	}
	if _, ok := slices.BinarySearch(s.stack.sections, z); !ok {
		return nil, fmt.Errorf("open slice %d: stack %s has no such section: %w", z, s.stack.Name(), fs.ErrNotExist)
	}
	return &slice{Slices: s, z: z}, nil
}

// A slice is an open section.
type slice struct {
	*Slices
	z      int
	next   int // the row below the last one read
	failed error
	closed bool
}

// Size implements source.Slice.
func (s *slice) Size() (width, height int) { return s.x.Len(), s.y.Len() }

// Type implements source.Slice.
func (s *slice) Type() voxel.Type { return s.stack.options.Type }

// Step implements source.Slice. The more rows there are to ask for, the fewer
// requests wait for each other.
func (s *slice) Step() int { return 0 }

// Held implements source.Slice. What requests hold is shared by all slices, see
// [Stack.Memory].
func (s *slice) Held() int64 { return 0 }

// Close implements source.Slice.
func (s *slice) Close() error {
	s.closed = true
	return nil
}

// ReadRows implements source.Slice.
func (s *slice) ReadRows(ctx context.Context, dst *voxel.Block) error {
	err := s.check(dst)
	if err == nil && !dst.Box.Empty() {
		if s.failed == nil {
			s.failed = s.read(ctx, dst)
			s.next = dst.Box.Max.Y
		}
		err = s.failed
	}
	if err != nil {
		return fmt.Errorf("read slice %d: %w", s.z, err)
	}
	return nil
}

// check is what every caller has to keep to.
func (s *slice) check(dst *voxel.Block) error {
	all := voxel.NewBox(voxel.Range{Max: s.x.Len()}, voxel.Range{Max: s.y.Len()}, dst.Box.Z())
	switch b := dst.Box; {
	case s.closed:
		return fs.ErrClosed
	case dst.Type != s.Type():
		return fmt.Errorf("voxels of %v into a block of %v", s.Type(), dst.Type)
	case b.Z().Len() != 1:
		return fmt.Errorf("a block of %v, which is not one deep", b)
	case !all.Contains(b):
		return fmt.Errorf("a block of %v lies outside %d×%d", b, s.x.Len(), s.y.Len())
	case int64(len(dst.Data)) != b.Voxels()*int64(dst.Type.Size()):
		return errors.New("the block's data has another size than its box")
	case b.Min.Y < s.next && !b.Empty():
		return fmt.Errorf("row %d was passed", b.Min.Y)
	}
	return nil
}

// read asks for all boxes of dst.
func (s *slice) read(ctx context.Context, dst *voxel.Block) error {
	section := *dst
	section.Box = dst.Box.Add(voxel.Point{X: s.x.Min, Y: s.y.Min})
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.stack.options.Requests)
	for b := range s.stack.grid.boxes(section.Box.X(), section.Box.Y(), s.z) {
		g.Go(func() error {
			if err := s.stack.fetch(ctx, b, &section); err != nil {
				return fmt.Errorf("row %d: %w", max(b.y.Min, section.Box.Min.Y)-s.y.Min, err)
			}
			return nil
		})
		if ctx.Err() != nil {
			break
		}
	}
	return g.Wait()
}
