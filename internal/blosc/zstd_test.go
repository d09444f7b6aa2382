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

// checkZstd compresses src to room bytes or less and back, and returns to
// how many.
func checkZstd(t *testing.T, z *zstdWriter, d *zstd.Decoder, src []byte, room int, alike bool) int {
	t.Helper()
	dst := make([]byte, room)
	n := z.compress(dst, src, alike)
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
	var z zstdWriter
	var h huff0.Scratch
	d := newZstdReader(t)
	for _, n := range []int{4096, 4112, 100_000, 128 << 10, 128<<10 + 16, 300_000, 512 << 10} {
		for _, sigma := range []float64{2, 4, 20} {
			src := gray(n, sigma)
			if !z.noise(src) {
				t.Errorf("%d bytes of noise of %g are not taken for it", n, sigma)
			}
			want := 0
			for p := src; len(p) > 0; p = p[min(len(p), zstdBlock):] {
				out, _, err := huff0.Compress4X(p[:min(len(p), zstdBlock)], &h)
				if err != nil {
					out = p[:min(len(p), zstdBlock)]
				}
				want += len(out)
			}
			if got := checkZstd(t, &z, d, src, n, true); got == 0 || got > want+want/50+100 {
				t.Errorf("%d bytes of noise of %g take %d, huff0 %d", n, sigma, got, want)
			}
			for _, room := range []int{0, 8, 9, 12, 13, 100, want / 2, want - 1} {
				checkZstd(t, &z, d, src, max(room, 0), true)
			}
		}
	}
}

// Blocks that do not compress, in front, between and after, are stored.
func TestLiteralsStored(t *testing.T) {
	var z zstdWriter
	d := newZstdReader(t)
	few, many := gray(zstdBlock, 3), randomBytes(zstdBlock)
	for _, parts := range [][][]byte{{many, few}, {few, many, few}, {many, few, few}, {few, few, many}} {
		src := bytes.Join(parts, nil)
		if n := checkZstd(t, &z, d, src, len(src), true); n == 0 {
			t.Errorf("%d blocks, some of them noise, are said not to compress", len(parts))
		}
	}
	if n := z.compress(make([]byte, 1<<19-1), randomBytes(1<<19), true); n != 0 {
		t.Errorf("noise of all values comes out as %d bytes, want none", n)
	}
}

// What repeats is not noise.
func TestZstdNoise(t *testing.T) {
	var z zstdWriter
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
		{"odd", gray(1<<19+1, 5), true},
	} {
		if got := z.noise(tt.src); got != tt.want {
			t.Errorf("%s is noise: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// What there is to find is found: no frame is longer, but for a little, than
// that of an encoder that takes its time.
func TestZstdMatches(t *testing.T) {
	var z zstdWriter
	d := newZstdReader(t)
	slow, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		src := mixed(rnd, 1<<16+rnd.IntN(1<<20))
		want := len(slow.EncodeAll(src, nil))
		if n := checkZstd(t, &z, d, src, len(src), false); n == 0 || n > want*23/20 {
			t.Errorf("%d bytes take %d, want about %d", len(src), n, want)
		}
	}
}

// All lengths, and room that is too little.
func TestZstdLengths(t *testing.T) {
	var z zstdWriter
	d := newZstdReader(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	for n := 1; n < 700; n++ {
		for _, src := range [][]byte{mixed(rnd, n), gray(n, 2), make([]byte, n)} {
			checkZstd(t, &z, d, src, 2*n+20, false)
			checkZstd(t, &z, d, src, rnd.IntN(n+20), n%2 == 0)
		}
	}
	for _, n := range []int{zstdBlock - 1, zstdBlock, zstdBlock + 1, zstdGroup - 1, zstdGroup, zstdGroup + 1, zstdGroup + 9} {
		for _, src := range [][]byte{mixed(rnd, n), gray(n, 2), make([]byte, n)} {
			if got := checkZstd(t, &z, d, src, n, false); got == 0 {
				t.Errorf("%d bytes do not get shorter", n)
			}
		}
	}
}

// A few numbers that are there often, and many that are there once, share the
// states so that each has one.
func TestFSEShares(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 1000 {
		var f fseCoder
		total := uint32(0)
		for i := range 1 + rnd.IntN(fseSymbols) {
			if rnd.IntN(4) > 0 {
				f.counts[i] = uint32(rnd.IntN(1<<rnd.IntN(17))) + uint32(rnd.IntN(2))
			}
			total += f.counts[i]
		}
		if _, ok := f.only(); ok || total == 0 {
			continue
		}
		f.build(total, fseMaxLog)
		sum := uint32(0)
		for i, n := range f.norm {
			sum += n
			if (n > 0) != (f.counts[i] > 0) {
				t.Fatalf("%d, which is there %d times, has a share of %d", i, f.counts[i], n)
			}
		}
		if sum != 1<<f.log {
			t.Fatalf("%v share %d of %d states", f.counts, sum, 1<<f.log)
		}
	}
}

func FuzzZstd(f *testing.F) {
	f.Add(gray(4096, 5), 4000, true)
	f.Add(randomBytes(64), 100, false)
	f.Add(mixed(rand.New(rand.NewPCG(1, 2)), 160_000), 160_000, false)
	f.Add(make([]byte, 300_000), 300, false)
	const most = 1 << 20
	d := newZstdReader(f)
	var z zstdWriter
	fenced := newFence(f, most)
	f.Fuzz(func(t *testing.T, src []byte, room int, alike bool) {
		if 0 < len(src) && len(src) <= most && 0 <= room && room <= most {
			in := fenced[len(fenced)-len(src):]
			copy(in, src)
			checkZstd(t, &z, d, in, room, alike)
		}
	})
}
