package voxel

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/neurodata/ndpush/internal/cpu"
)

// Rows of any length, anywhere, are either streamed as they are copied, or left
// alone, and nothing around them is written.
func FuzzStreamRows(f *testing.F) {
	f.Add(128, 128, 1, 0, int64(0))
	f.Add(128, 1000, 3, 32, int64(70))
	f.Add(1024, 4096, 17, 64, int64(-1))
	f.Add(2048, 2049, 5, 0, int64(2047))
	f.Add(127, 128, 4, 0, int64(1))
	f.Add(130, 200, 4, 32, int64(2))
	f.Add(256, 300, 2, 1, int64(3))
	f.Add(0, 5, 4, 0, int64(4))
	f.Fuzz(func(t *testing.T, n, stride, rows, offset int, bit int64) {
		if n < 0 || n > 5000 || stride < n || stride > 10000 || rows < 1 || rows > 40 || offset < 0 || offset > 100 {
			return
		}
		checkStreamRows(t, n, stride, rows, offset, bit)
	})
}

func TestStreamRows(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		n := 128 * rnd.IntN(20)
		checkStreamRows(t, n, n+rnd.IntN(3000), 1+rnd.IntN(20), 32*rnd.IntN(4), rnd.Int64()-1<<62)
	}
}

// checkStreamRows streams rows of zeros to where an address is offset past a multiple of 32, or
// of zeros and one bit, or, if bit is negative, of noise.
func checkStreamRows(t *testing.T, n, stride, rows, offset int, bit int64) {
	t.Helper()
	const guard = 64
	src := make([]byte, rows*stride+1)
	if bit < 0 {
		rand.NewChaCha8([32]byte{byte(bit)}).Read(src)
	} else {
		bit %= 8 * int64(len(src))
		src[bit/8] |= 1 << (bit % 8)
	}
	want := bytes.Repeat([]byte{0xaa}, guard+rows*n+guard)
	got := bytes.Repeat([]byte{0xaa}, len(want)+64)
	at := -int(uintptr(unsafe.Pointer(&got[guard])))&31 + offset%32
	got = got[at:][:len(want)]

	zero, ok := streamRows(got[guard:guard+rows*n], src[:(rows-1)*stride+n], n, stride)
	if wantOK := cpu.AVX2 && n > 0 && n%128 == 0 && offset%32 == 0; ok != wantOK {
		t.Fatalf("rows of %d at offset %d: ok = %v, want %v", n, offset, ok, wantOK)
	}
	wantZero := ok
	for y := 0; ok && y < rows; y++ {
		row := src[y*stride:][:n]
		copy(want[guard+y*n:], row)
		wantZero = wantZero && IsZero(row)
	}
	if zero != wantZero {
		t.Errorf("%d rows of %d, %d apart, with bit %d: zero = %v, want %v", rows, n, stride, bit, zero, wantZero)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d rows of %d, %d apart: not what was there to copy", rows, n, stride)
	}
}

// A block that is large enough to be streamed is filled as a small one is, from
// anywhere and of any width, a few rows at a time.
func TestCopyLarge(t *testing.T) {
	for _, tt := range []struct {
		size Point
		ty   Type
	}{
		{Point{512, 512, 4}, Uint8},
		{Point{512, 200, 3}, Uint32},
		{Point{1001, 300, 4}, Uint8},
		{Point{320, 512, 4}, Uint16},
		{Point{128, 512, 2}, Uint64},
	} {
		box := Box{Max: tt.size}.Add(Point{X: -100, Y: 33, Z: 7})
		all := NewBlock(Box{box.Min.Add(Point{X: -3, Y: -2, Z: -1}), box.Max.Add(Point{X: 90, Y: 1, Z: 1})}, tt.ty)
		b := NewBlock(box, tt.ty)
		if len(b.Data) < streamed {
			t.Fatalf("%v of %v is not large", tt.size, tt.ty)
		}
		fill := func() (zero bool) {
			zero = true
			for piece := range all.Box.Pieces(Point{1 << 20, 37, 1}) {
				zero = b.Copy(all.Rows(piece.Min.Z, piece.Y())) && zero
			}
			return zero
		}
		if !fill() {
			t.Errorf("%v of %v: zeros are said not to be zero", tt.size, tt.ty)
		}
		last := all.Row(box.Max.Y-1, box.Min.Z)[:(box.Max.X-all.Box.Min.X)*tt.ty.Size()]
		last[len(last)-1] = 0x80
		if fill() {
			t.Errorf("%v of %v: one voxel and it is said to be zero", tt.size, tt.ty)
		}
		rand.NewChaCha8([32]byte{1}).Read(all.Data)
		if fill() {
			t.Errorf("%v of %v: noise is said to be zero", tt.size, tt.ty)
		}
		from := (box.Min.X - all.Box.Min.X) * tt.ty.Size()
		for z := box.Min.Z; z < box.Max.Z; z++ {
			for y := box.Min.Y; y < box.Max.Y; y++ {
				got := b.Row(y, z)
				if want := all.Row(y, z)[from:][:len(got)]; !bytes.Equal(got, want) {
					t.Fatalf("%v of %v: the row at %d, %d is another", tt.size, tt.ty, y, z)
				}
			}
		}
	}
}
