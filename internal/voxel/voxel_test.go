package voxel_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/neurodata/ndpush/internal/voxel"
)

func TestPieces(t *testing.T) {
	for _, tt := range []struct {
		r    voxel.Range
		step int
		want []voxel.Range
	}{
		{voxel.Range{Min: 0, Max: 32}, 16, []voxel.Range{{Min: 0, Max: 16}, {Min: 16, Max: 32}}},
		{voxel.Range{Min: 5, Max: 33}, 16, []voxel.Range{{Min: 5, Max: 16}, {Min: 16, Max: 32}, {Min: 32, Max: 33}}},
		{voxel.Range{Min: -20, Max: 3}, 16, []voxel.Range{{Min: -20, Max: -16}, {Min: -16, Max: 0}, {Min: 0, Max: 3}}},
		{voxel.Range{Min: 7, Max: 7}, 16, nil},
		{voxel.Range{Min: 9, Max: 3}, 16, nil},
	} {
		if got := slices.Collect(tt.r.Pieces(tt.step)); !slices.Equal(got, tt.want) {
			t.Errorf("%v.Pieces(%d) = %v, want %v", tt.r, tt.step, got, tt.want)
		}
		if got := tt.r.CountPieces(tt.step); got != len(tt.want) {
			t.Errorf("%v.CountPieces(%d) = %d, want %d", tt.r, tt.step, got, len(tt.want))
		}
	}
}

// The pieces of any box are disjoint, on the grid, and cover the box.
func TestBoxPieces(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		p := voxel.Point{X: rnd.IntN(40) - 20, Y: rnd.IntN(40) - 20, Z: rnd.IntN(40) - 20}
		box := voxel.Box{Min: p, Max: p.Add(voxel.Point{X: rnd.IntN(30), Y: rnd.IntN(30), Z: rnd.IntN(30)})}
		step := voxel.Point{X: 1 + rnd.IntN(12), Y: 1 + rnd.IntN(12), Z: 1 + rnd.IntN(12)}
		seen := voxel.NewBlock(box, voxel.Uint8)
		var count int64
		for piece := range box.Pieces(step) {
			count++
			if piece.Empty() || !box.Contains(piece) {
				t.Fatalf("piece %v of %v", piece, box)
			}
			if piece.CountPieces(step) != 1 {
				t.Fatalf("piece %v of %v crosses the grid of %v", piece, box, step)
			}
			for z := piece.Min.Z; z < piece.Max.Z; z++ {
				for y := piece.Min.Y; y < piece.Max.Y; y++ {
					row := seen.Row(y, z)[piece.Min.X-box.Min.X : piece.Max.X-box.Min.X]
					for i := range row {
						row[i]++
					}
				}
			}
		}
		if count != box.CountPieces(step) {
			t.Fatalf("%v has %d pieces of %v, CountPieces says %d", box, count, step, box.CountPieces(step))
		}
		if i := slices.IndexFunc(seen.Data, func(n byte) bool { return n != 1 }); i >= 0 {
			t.Fatalf("voxel %d of %v lies in %d pieces of %v", i, box, seen.Data[i], step)
		}
	}
}

func TestBoxes(t *testing.T) {
	a := voxel.NewBox(voxel.Range{Min: 0, Max: 10}, voxel.Range{Min: -5, Max: 5}, voxel.Range{Min: 3, Max: 4})
	b := voxel.NewBox(voxel.Range{Min: 8, Max: 20}, voxel.Range{Min: 0, Max: 9}, voxel.Range{Min: 0, Max: 9})
	if got, want := a.Intersect(b).String(), "8:10/0:5/3:4"; got != want {
		t.Errorf("Intersect = %s, want %s", got, want)
	}
	if far := b.Add(voxel.Point{X: 100}); !a.Intersect(far).Empty() || a.Contains(far) {
		t.Errorf("%v and %v overlap", a, far)
	}
	if !b.Contains(a.Intersect(b)) || a.Contains(b) {
		t.Error("Contains is wrong")
	}
	if got := a.Voxels(); got != 100 {
		t.Errorf("Voxels = %d, want 100", got)
	}
}

// at is the slow twin of everything that walks a block.
func at(b *voxel.Block, x, y, z int) uint64 {
	s := b.Box.Size()
	i := (((z-b.Box.Min.Z)*s.Y+(y-b.Box.Min.Y))*s.X + (x - b.Box.Min.X)) * b.Type.Size()
	var p [8]byte
	copy(p[:], b.Data[i:i+b.Type.Size()])
	return binary.LittleEndian.Uint64(p[:])
}

// Blocks share any part: one may lie in the other, beside it or across its edge.
func TestCopy(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	all := voxel.NewBox(voxel.Range{Min: -7, Max: 30}, voxel.Range{Min: 5, Max: 21}, voxel.Range{Min: 100, Max: 104})
	pieces := slices.Collect(all.Pieces(voxel.Point{X: 16, Y: 8, Z: 3}))
	for _, ty := range []voxel.Type{voxel.Uint8, voxel.Uint16, voxel.Uint32, voxel.Uint64} {
		for _, from := range append(pieces, all) {
			src := voxel.NewBlock(from, ty)
			for i := range src.Data {
				src.Data[i] = byte(1 + rnd.IntN(255))
			}
			for _, to := range append(pieces, all, from.Add(voxel.Point{X: 3, Y: -2, Z: 1})) {
				dst := &voxel.Block{Data: slices.Repeat([]byte{0}, int(all.Voxels())*8)}
				dst.Reset(to, ty)
				shared := to.Intersect(from)
				if zero := dst.Copy(src); zero != shared.Empty() {
					t.Errorf("%v of %v that is not zero: zero = %v", to, from, zero)
				}
				for z := to.Min.Z; z < to.Max.Z; z++ {
					for y := to.Min.Y; y < to.Max.Y; y++ {
						for x := to.Min.X; x < to.Max.X; x++ {
							want := uint64(0)
							if shared.Contains(voxel.NewBox(voxel.Range{Min: x, Max: x + 1}, voxel.Range{Min: y, Max: y + 1}, voxel.Range{Min: z, Max: z + 1})) {
								want = at(src, x, y, z)
							}
							if got := at(dst, x, y, z); got != want {
								t.Fatalf("%v of %v, %v: at %d,%d,%d: got %d, want %d", to, from, ty, x, y, z, got, want)
							}
						}
					}
				}
			}
		}
	}
}

func TestWiden(t *testing.T) {
	box := voxel.NewBox(voxel.Range{Min: -7, Max: 30}, voxel.Range{Min: 5, Max: 21}, voxel.Range{Min: 100, Max: 104})
	for _, ty := range []voxel.Type{voxel.Uint8, voxel.Uint16, voxel.Uint32} {
		src, dst := voxel.NewBlock(box, ty), voxel.NewBlock(box, voxel.Uint64)
		rand.NewChaCha8([32]byte{1}).Read(src.Data)
		dst.Widen(src)
		for z := box.Min.Z; z < box.Max.Z; z++ {
			for y := box.Min.Y; y < box.Max.Y; y++ {
				for x := box.Min.X; x < box.Max.X; x++ {
					if got, want := at(dst, x, y, z), at(src, x, y, z); got != want {
						t.Fatalf("%v at %d,%d,%d: got %d, want %d", ty, x, y, z, got, want)
					}
				}
			}
		}
	}
}

// One voxel anywhere keeps a cuboid from being skipped, also two whose sum wraps to 0.
func TestCopyZero(t *testing.T) {
	box := voxel.Box{Max: voxel.Point{X: 9, Y: 4, Z: 3}}
	src := voxel.NewBlock(box, voxel.Uint64)
	dst := voxel.NewBlock(box, voxel.Uint64)
	if !dst.Copy(src) {
		t.Error("zeros are said not to be zero")
	}
	for i := range src.Data {
		src.Data[i] = 1
		if dst.Copy(src) {
			t.Errorf("byte %d is 1 and the block is said to be zero", i)
		}
		src.Data[i] = 0
	}
	binary.LittleEndian.PutUint64(src.Data[0:], 1<<63)
	binary.LittleEndian.PutUint64(src.Data[8:], 1<<63)
	if dst.Copy(src) {
		t.Error("two voxels whose sum wraps to 0 are said to be zero")
	}
}

func TestIsZero(t *testing.T) {
	p := make([]byte, 3*4096+5)
	for _, n := range []int{0, 1, 4095, 4096, 4097, 8192, len(p)} {
		if !voxel.IsZero(p[:n]) {
			t.Errorf("%d zeros are said not to be zero", n)
		}
		for _, i := range []int{0, n / 2, n - 1} {
			if n == 0 {
				continue
			}
			p[i] = 0x80
			if voxel.IsZero(p[:n]) {
				t.Errorf("byte %d of %d is set and they are said to be zero", i, n)
			}
			p[i] = 0
		}
	}
}

func TestSlice(t *testing.T) {
	b := voxel.NewBlock(voxel.Box{Min: voxel.Point{Z: 7}, Max: voxel.Point{X: 2, Y: 2, Z: 9}}, voxel.Uint16)
	s := b.Slice(8)
	if got, want := s.Box.String(), "0:2/0:2/8:9"; got != want || len(s.Data) != 8 {
		t.Fatalf("Slice(8) is %s with %d bytes, want %s with 8", got, len(s.Data), want)
	}
	s.Row(1, 8)[0] = 5
	if at(b, 0, 1, 8) != 5 {
		t.Error("a slice does not share its block's memory")
	}
}

func TestType(t *testing.T) {
	for _, ty := range []voxel.Type{voxel.Uint8, voxel.Uint16, voxel.Uint32, voxel.Uint64} {
		if got, err := voxel.ParseType(ty.String()); got != ty || err != nil {
			t.Errorf("ParseType(%q) = %v, %v", ty, got, err)
		}
	}
	for _, name := range []string{"", "int8", "float32", "UINT8", "uint128"} {
		if got, err := voxel.ParseType(name); err == nil {
			t.Errorf("ParseType(%q) = %v, want an error", name, got)
		}
	}
}

func BenchmarkIsZero(b *testing.B) {
	p := make([]byte, 1<<20)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		voxel.IsZero(p)
	}
}

// Rows that were just read go into cuboids, which are larger than caches are.
func BenchmarkCopy(b *testing.B) {
	const cuboids = 8
	var dst []*voxel.Block
	all := voxel.Box{Max: voxel.Point{X: cuboids * 1024, Y: 1024, Z: 16}}
	for piece := range all.Pieces(voxel.Point{X: 1024, Y: 1024, Z: 16}) {
		dst = append(dst, voxel.NewBlock(piece, voxel.Uint8))
	}
	rows := voxel.NewBlock(voxel.NewBox(all.X(), voxel.Range{Max: 32}, voxel.Range{Max: 1}), voxel.Uint8)
	for i := range rows.Data {
		rows.Data[i] = 1
	}
	b.SetBytes(rows.Box.Voxels())
	for i := 0; b.Loop(); i++ {
		rows.Box = voxel.NewBox(all.X(), voxel.Range{Max: 32}.Add(i%32*32), voxel.Range{Max: 1}.Add(i/32%16))
		for _, d := range dst {
			d.Copy(rows)
		}
	}
}

func BenchmarkWiden(b *testing.B) {
	box := voxel.Box{Max: voxel.Point{X: 1024, Y: 1024, Z: 4}}
	src, dst := voxel.NewBlock(box, voxel.Uint8), voxel.NewBlock(box, voxel.Uint64)
	b.SetBytes(box.Voxels())
	for b.Loop() {
		dst.Widen(src)
	}
}
