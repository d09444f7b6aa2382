package sourcetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"testing"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A Suite is the contract of a Source, as tests.
type Suite struct {
	// New makes a source whose slices are the z of b, with b's voxels. b's x and
	// y start at 0; its z are z, z+1, … from anywhere, also below 0. No other
	// slice exists.
	New func(t *testing.T, b *voxel.Block) source.Source

	// Types are the types that New can make slices of.
	Types []voxel.Type

	// Odd makes a source of b's slices that expects them to be of shape want,
	// which they are not. Without it the source has no expectations.
	Odd func(t *testing.T, b *voxel.Block, want source.Shape) source.Source

	// Broken makes a source of b's slices, which cannot be read from some row on:
	// their headers are sound. Without it nothing can break.
	Broken func(t *testing.T, b *voxel.Block) source.Source

	// Cut makes a source of b's slices whose files lack their last quarter, which
	// is pixels. Without it slices cannot be cut short.
	Cut func(t *testing.T, b *voxel.Block) source.Source
	// Kept is how many rows of each hundred have to be left of such a slice.
	Kept int
}

// Odd sides, several bands, and more than one row of tiles of any usual size.
const (
	width, height = 83, 301
	firstZ, lastZ = -2, 3
)

// Run runs the tests.
func (s Suite) Run(t *testing.T) {
	for _, typ := range s.Types {
		t.Run(typ.String(), func(t *testing.T) {
			b := Block(voxel.NewBox(voxel.Range{Max: width}, voxel.Range{Max: height}, voxel.Range{Min: firstZ, Max: lastZ}), typ)
			s.run(t, s.New(t, b), b)
		})
	}
	t.Run("odd", s.odd)
	t.Run("broken", s.broken)
	t.Run("cut", s.cut)
}

// Block is a block of voxels that differ from their neighbours, in all their
// bytes, and compress a little.
func Block(box voxel.Box, t voxel.Type) *voxel.Block {
	b := voxel.NewBlock(box, t)
	var p [8]byte
	for i := range box.Voxels() {
		binary.LittleEndian.PutUint64(p[:], uint64(i*i/7)*0x9E3779B97F4A7C15)
		copy(b.Data[i*int64(t.Size()):], p[:t.Size()])
	}
	return b
}

// run runs the tests that need no fault.
func (s Suite) run(t *testing.T, src source.Source, b *voxel.Block) {
	for name, test := range map[string]func(*testing.T, source.Source, *voxel.Block){
		"shape": testShape, "bands": testBands, "step": testStep, "crop": testCrop, "skip": testSkip, "missing": testMissing,
		"misuse": testMisuse, "back": testBack, "closed": testClosed, "cancel": testCancel, "concurrent": testConcurrent, "list": testList,
	} {
		t.Run(name, func(t *testing.T) { test(t, src, b) })
	}
}

// open opens slice z until the test ends.
func open(t *testing.T, src source.Source, z int) source.Slice {
	t.Helper()
	s, err := src.Open(t.Context(), z)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// band is memory for rows y0 to y1, columns x0 to x1, that holds rubbish. Its z
// is not that of any slice: nothing may depend on it.
func band(t voxel.Type, x0, x1, y0, y1 int) *voxel.Block {
	b := voxel.NewBlock(voxel.NewBox(voxel.Range{Min: x0, Max: x1}, voxel.Range{Min: y0, Max: y1}, voxel.Range{Min: 99, Max: 100}), t)
	for i := range b.Data {
		b.Data[i] = 0xa5
	}
	return b
}

// other is a type that is not t.
func other(t voxel.Type) voxel.Type {
	if t == voxel.Uint8 {
		return voxel.Uint16
	}
	return voxel.Uint8
}

// check reads dst of s, which is slice z of b, and compares.
func check(s source.Slice, z int, dst, b *voxel.Block, ctx context.Context) error {
	if err := s.ReadRows(ctx, dst); err != nil {
		return fmt.Errorf("slice %d, %v: %w", z, dst.Box, err)
	}
	size := b.Type.Size()
	for y := dst.Box.Min.Y; y < dst.Box.Max.Y; y++ {
		want := b.Row(y, z)[dst.Box.Min.X*size : dst.Box.Max.X*size]
		if !bytes.Equal(dst.Row(y, dst.Box.Min.Z), want) {
			return fmt.Errorf("slice %d, %v: row %d has other voxels", z, dst.Box, y)
		}
	}
	return nil
}

func testShape(t *testing.T, src source.Source, b *voxel.Block) {
	s := open(t, src, firstZ)
	if got, want := source.ShapeOf(s), (source.Shape{Width: width, Height: height, Type: b.Type}); got != want {
		t.Errorf("the slice is %v, want %v", got, want)
	}
	if s.Held() < 0 {
		t.Errorf("Held is %d", s.Held())
	}
	if d, ok := s.(source.Damaged); ok && d.Damage() != nil {
		t.Errorf("a slice that is whole: %v", d.Damage())
	}
}

// Bands of any height, the last one lower, give the same voxels.
func testBands(t *testing.T, src source.Source, b *voxel.Block) {
	for i, rows := range []int{1, 7, 16, 100, 256, height} {
		for _, z := range []int{firstZ + i%(lastZ-firstZ), 0} {
			s := open(t, src, z)
			for y := range (voxel.Range{Max: height}).Pieces(rows) {
				if err := check(s, z, band(b.Type, 0, width, y.Min, y.Max), b, t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// Groups of rows are there for speed: other rows than theirs give the same voxels.
func testStep(t *testing.T, src source.Source, b *voxel.Block) {
	step := open(t, src, 0).Step()
	if step < 0 || step > height {
		t.Fatalf("Step is %d", step)
	}
	if step == 0 {
		step = height
	}
	for _, rows := range []int{step, 2 * step, step + 1, (step + 1) / 2} {
		for _, first := range []int{0, 1, step + 1} {
			s := open(t, src, 0)
			for y := first; y < height; y += rows {
				if err := check(s, 0, band(b.Type, 0, width, y, min(y+rows, height)), b, t.Context()); err != nil {
					t.Fatalf("from row %d on, %d at a time: %v", first, rows, err)
				}
			}
		}
	}
}

// So do some of the columns, also if they are others in each band.
func testCrop(t *testing.T, src source.Source, b *voxel.Block) {
	for _, x := range []voxel.Range{{Min: 0, Max: 1}, {Min: 16, Max: 64}, {Min: 5, Max: 82}, {Min: 82, Max: 83}} {
		same, moving := open(t, src, 0), open(t, src, 0)
		for y := range (voxel.Range{Max: height}).Pieces(50) {
			if err := check(same, 0, band(b.Type, x.Min, x.Max, y.Min, y.Max), b, t.Context()); err != nil {
				t.Fatal(err)
			}
			x0, x1 := x.Min*y.Min/height, width-(width-x.Max)*y.Min/height
			if err := check(moving, 0, band(b.Type, x0, x1, y.Min, y.Max), b, t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Rows may be skipped; a band of none is allowed, and does nothing.
func testSkip(t *testing.T, src source.Source, b *voxel.Block) {
	s := open(t, src, 1)
	for _, y := range []voxel.Range{{Min: 3, Max: 4}, {Min: 4, Max: 9}, {Min: 9, Max: 9}, {Min: 30, Max: 41}, {Min: 299, Max: 301}} {
		if err := check(s, 1, band(b.Type, 0, width, y.Min, y.Max), b, t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func testMissing(t *testing.T, src source.Source, _ *voxel.Block) {
	for _, z := range []int{firstZ - 1, lastZ, 1 << 30} {
		if _, err := src.Open(t.Context(), z); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("slice %d, which does not exist: %v", z, err)
		}
	}
}

// A wrong block is an error, and the slice can still be read.
func testMisuse(t *testing.T, src source.Source, b *voxel.Block) {
	s := open(t, src, 0)
	deep := voxel.NewBlock(voxel.Box{Max: voxel.Point{X: 1, Y: 1, Z: 2}}, b.Type)
	short := band(b.Type, 0, width, 0, 2)
	short.Data = short.Data[1:]
	for name, dst := range map[string]*voxel.Block{
		"another type": band(other(b.Type), 0, width, 0, 1), "two deep": deep, "too little memory": short,
		"too wide": band(b.Type, 0, width+1, 0, 1), "left of it": band(b.Type, -1, width, 0, 1),
		"too high": band(b.Type, 0, width, 0, height+1), "above it": band(b.Type, 0, width, -1, 1),
	} {
		if err := s.ReadRows(t.Context(), dst); err == nil {
			t.Errorf("no error for a block that is wrong: %s", name)
		}
	}
	if err := check(s, 0, band(b.Type, 0, width, 0, 1), b, t.Context()); err != nil {
		t.Error(err)
	}
}

func testBack(t *testing.T, src source.Source, b *voxel.Block) {
	s := open(t, src, 0)
	if err := check(s, 0, band(b.Type, 0, width, 0, 20), b, t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, y := range []int{0, 19} {
		if err := s.ReadRows(t.Context(), band(b.Type, 0, width, y, y+20)); err == nil {
			t.Errorf("no error for row %d after row 19", y)
		}
	}
}

func testClosed(t *testing.T, src source.Source, b *voxel.Block) {
	s := open(t, src, 0)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := s.ReadRows(t.Context(), band(b.Type, 0, width, 0, 1)); err == nil {
		t.Error("a closed slice can be read")
	}
}

func testCancel(t *testing.T, src source.Source, b *voxel.Block) {
	s := open(t, src, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.ReadRows(ctx, band(b.Type, 0, width, 0, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("read after cancel: %v", err)
	}
	if s, err := src.Open(ctx, 0); err == nil {
		// A source may find out as late as this.
		defer s.Close()
		if err := s.ReadRows(ctx, band(b.Type, 0, width, 0, 1)); !errors.Is(err, context.Canceled) {
			t.Errorf("open and read after cancel: %v", err)
		}
	} else if !errors.Is(err, context.Canceled) {
		t.Errorf("open after cancel: %v", err)
	}
}

// Slices, also two of one z, are independent.
func testConcurrent(t *testing.T, src source.Source, b *voxel.Block) {
	var wg sync.WaitGroup
	for i := range 2 * (lastZ - firstZ) {
		wg.Go(func() {
			z := firstZ + i/2
			s, err := src.Open(t.Context(), z)
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			for y := range (voxel.Range{Max: height}).Pieces(33) {
				if err := check(s, z, band(b.Type, 0, width, y.Min, y.Max), b, t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
