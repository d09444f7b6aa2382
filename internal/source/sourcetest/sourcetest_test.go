package sourcetest_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/sourcetest"
	"github.com/neurodata/ndpush/internal/voxel"
)

var types = []voxel.Type{voxel.Uint8, voxel.Uint16, voxel.Uint32, voxel.Uint64}

var errDisk = errors.New("the disk is on fire")

func TestMemory(t *testing.T) {
	sourcetest.Suite{
		Types: types,
		New:   func(_ *testing.T, b *voxel.Block) source.Source { return sourcetest.Memory(b) },
		Broken: func(_ *testing.T, b *voxel.Block) source.Source {
			// Once broken, broken: every row from 205 on.
			return sourcetest.Faulty{Source: sourcetest.Memory(b), Faults: map[int]sourcetest.Fault{0: {Rows: errDisk, Row: 205}}}
		},
	}.Run(t)
	sourcetest.Suite{
		Types: types[:1],
		New:   func(_ *testing.T, b *voxel.Block) source.Source { return sourcetest.Memory(b) },
		Broken: func(_ *testing.T, b *voxel.Block) source.Source {
			// Seen late, when some of the rows were given.
			return sourcetest.Faulty{Source: sourcetest.Memory(b), Faults: map[int]sourcetest.Fault{0: {Rows: errDisk, Row: 105, Seen: 250}}}
		},
	}.Run(t)
}

func TestFunc(t *testing.T) {
	sourcetest.Suite{
		Types: []voxel.Type{voxel.Uint16},
		New: func(_ *testing.T, b *voxel.Block) source.Source {
			return sourcetest.Func(b.Box, b.Type, func(x, y, z int) uint64 {
				var v uint64
				for i, p := 0, b.Row(y, z)[x*b.Type.Size():]; i < b.Type.Size(); i++ {
					v |= uint64(p[i]) << (8 * i)
				}
				return v
			})
		},
	}.Run(t)
}

func TestFaulty(t *testing.T) {
	box := voxel.Box{Max: voxel.Point{X: 4, Y: 10, Z: 4}}
	odd := source.Shape{Width: 5, Height: 11, Type: voxel.Uint16}
	src := sourcetest.Faulty{Source: sourcetest.Memory(sourcetest.Block(box, voxel.Uint8)), Faults: map[int]sourcetest.Fault{
		0: {Open: fs.ErrNotExist},
		1: {Rows: errDisk, Row: 6},
		2: {Shape: odd},
	}}
	if _, err := src.Open(t.Context(), 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("slice 0: %v", err)
	}
	s, err := src.Open(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	b := voxel.NewBlock(voxel.Box{Max: voxel.Point{X: 4, Y: 10, Z: 1}}, voxel.Uint8)
	if err := s.ReadRows(t.Context(), b); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "row 6") {
		t.Errorf("slice 1: %v", err)
	} else if broken, ok := errors.AsType[*source.RowError](err); !ok || broken.Row != 6 {
		t.Errorf("slice 1 breaks otherwise: %#v", err)
	}
	if b.Row(5, 0)[0] == 0 || b.Row(6, 0)[1] != 0 {
		t.Error("slice 1 does not end at row 6")
	}
	if s, err = src.Open(t.Context(), 2); err != nil || source.ShapeOf(s) != odd {
		t.Errorf("slice 2 is %v, %v", source.ShapeOf(s), err)
	}
	if _, err = src.Open(t.Context(), 3); err != nil {
		t.Errorf("slice 3: %v", err)
	}
}
