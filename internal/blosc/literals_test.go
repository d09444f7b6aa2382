package blosc

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/huff0"
	"github.com/klauspost/compress/zstd"
)

// gray is n bytes of noise around a gray value.
func gray(n int, sigma float64) []byte {
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(min(max(120+sigma*rnd.NormFloat64(), 0), 255))
	}
	return p
}

// checkLiterals compresses src to room bytes or less and back, and returns to
// how many.
func checkLiterals(t *testing.T, w *literalWriter, d *zstd.Decoder, src []byte, room int) int {
	t.Helper()
	dst := make([]byte, room)
	n := w.compress(dst, src)
	if n == 0 {
		return 0
	}
	if got, err := d.DecodeAll(dst[:n], nil); err != nil || !bytes.Equal(got, src) {
		t.Fatalf("%d bytes come back as %d from %d, error %v", len(src), len(got), n, err)
	}
	return n
}

func newZstdReader(tb testing.TB) *zstd.Decoder {
	tb.Helper()
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(d.Close)
	return d
}

// What huff0 makes of a block by itself is no shorter, but for a little: its
// table is the block's own.
func TestLiterals(t *testing.T) {
	var w literalWriter
	var h huff0.Scratch
	d := newZstdReader(t)
	for _, n := range []int{4096, 4112, 100_000, 128 << 10, 128<<10 + 16, 300_000, 512 << 10} {
		for _, sigma := range []float64{0.3, 1, 4, 20} {
			src := gray(n, sigma)
			if !w.suits(src) && sigma > 1 {
				t.Errorf("%d bytes of noise of %g do not suit", n, sigma)
			}
			want := 0
			for p := src; len(p) > 0; p = p[min(len(p), zstdBlock):] {
				out, _, err := huff0.Compress4X(p[:min(len(p), zstdBlock)], &h)
				if err != nil {
					out = p[:min(len(p), zstdBlock)]
				}
				want += len(out)
			}
			if got := checkLiterals(t, &w, d, src, n); got == 0 || got > want+want/50+100 {
				t.Errorf("%d bytes of noise of %g take %d, huff0 %d", n, sigma, got, want)
			}
			for _, room := range []int{0, 8, 9, 12, 13, 100, want / 2, want - 1} {
				checkLiterals(t, &w, d, src, max(room, 0))
			}
		}
	}
}

// Blocks that do not compress, in front, between and after, are stored.
func TestLiteralsStored(t *testing.T) {
	var w literalWriter
	d := newZstdReader(t)
	few, many := gray(zstdBlock, 3), randomBytes(zstdBlock)
	for _, parts := range [][][]byte{{many, few}, {few, many, few}, {many, few, few}, {few, few, many}} {
		src := bytes.Join(parts, nil)
		if n := checkLiterals(t, &w, d, src, len(src)); n == 0 {
			t.Errorf("%d blocks, some of them noise, are said not to compress", len(parts))
		}
	}
	if n := w.compress(make([]byte, 1<<20), randomBytes(1<<19)); n != 0 {
		t.Errorf("noise of all values comes out as %d bytes, want none", n)
	}
}

// What repeats is for an encoder that seeks repetition.
func TestLiteralsSuit(t *testing.T) {
	var w literalWriter
	masked := gray(1<<19, 5)
	clear(masked[1<<18:])
	striped := gray(1<<19, 5)
	for i := range striped {
		striped[i] = striped[i%1000]
	}
	for _, tt := range []struct {
		name string
		src  []byte
		want bool
	}{
		{"noise", gray(1<<19, 5), true},
		{"half of it zero", masked, false},
		{"a row again and again", striped, false},
		{"zeros", make([]byte, 1<<19), false},
		{"little", gray(2048, 5), false},
		{"odd", gray(1<<19+1, 5), false},
	} {
		if got := w.suits(tt.src); got != tt.want {
			t.Errorf("%s suits: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func FuzzLiterals(f *testing.F) {
	f.Add(gray(4096, 5), 4000)
	f.Add(randomBytes(64), 100)
	f.Add(mixed(rand.New(rand.NewPCG(1, 2)), 160_000), 160_000)
	d := newZstdReader(f)
	var w literalWriter
	f.Fuzz(func(t *testing.T, src []byte, room int) {
		src = src[:len(src)&^15]
		if len(src) > 0 && 0 <= room && room <= 1<<20 {
			w.suits(src)
			checkLiterals(t, &w, d, src, room)
		}
	})
}
