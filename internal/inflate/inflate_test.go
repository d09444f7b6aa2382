package inflate_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/neurodata/ndpush/internal/inflate"
)

// A pieces gives data in pieces of at most size bytes, 0 for all at once.
type pieces struct {
	data []byte
	size int
}

func (p *pieces) Next() ([]byte, error) {
	if len(p.data) == 0 {
		return nil, io.EOF
	}
	n := len(p.data)
	if p.size > 0 {
		n = min(n, p.size)
	}
	// A copy, so that what is read behind a piece is not what comes next.
	piece := bytes.Clone(p.data[:n])
	p.data = p.data[n:]
	return piece, nil
}

// samples are data of all kinds, by name.
func samples() map[string][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 200_000)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	few := make([]byte, 150_000)
	for i := range few {
		few[i] = "acgt"[rnd.IntN(4)]
	}
	skew := make([]byte, 150_000) // codes of all lengths
	for i := range skew {
		skew[i] = byte(rnd.ExpFloat64() * 3)
	}
	period := make([]byte, 100_000)
	for i := range period {
		period[i] = byte(i % (1 + i/3000)) // all distances
	}
	far := append(append(bytes.Clone(noise[:32768]), noise[:32768]...), noise[:300]...)
	return map[string][]byte{
		"empty": {}, "one": {7}, "text": []byte("the quick brown fox jumps over the lazy dog"),
		"noise": noise, "few": few, "skew": skew, "period": period, "far": far,
		"zeros": make([]byte, 300_000), "em": texture(256),
	}
}

// texture is what electron microscopes see, roughly: soft shapes under noise.
func texture(side int) []byte {
	rnd := rand.New(rand.NewPCG(5, 6))
	p := make([]byte, 0, side*side)
	for y := range side {
		for x := range side {
			p = append(p, byte(128+60*math.Sin(float64(x)/37)*math.Cos(float64(y)/23)+8*rnd.NormFloat64()))
		}
	}
	return p
}

func deflate(t testing.TB, p []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(p)
	w.Close()
	return out.Bytes()
}

func TestRoundTrip(t *testing.T) {
	var r inflate.Reader
	for name, want := range samples() {
		for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
			z := deflate(t, want, level)
			for _, size := range []int{0, 1, 7, 8192} {
				r.Reset(&pieces{z, size})
				got, err := io.ReadAll(&r)
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%s, level %d, pieces of %d: %d bytes of %d, %v", name, level, size, len(got), len(want), err)
				}
			}
		}
	}
}

// Large reads are decoded in place: after small ones, with the data at their end
// or beyond it, and never behind what was asked for.
func TestLargeReads(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	runs := make([]byte, 0, 300_000) // literals of few bits, then long matches
	for len(runs) < cap(runs)-500 {
		for range 8 + rnd.IntN(8) {
			runs = append(runs, "acgtnm"[rnd.IntN(6)])
		}
		runs = append(runs, bytes.Repeat(runs[len(runs)-1-rnd.IntN(2)*7:], 259)[:259]...)
	}
	all := samples()
	all["runs"] = runs
	var r inflate.Reader
	for name, want := range all {
		z := deflate(t, want, flate.BestCompression)
		for n := 0; n < 100; n++ {
			r.Reset(&pieces{z, n % 2 * 8192})
			checkReads(t, name, &r, want, n%3*20_000, 32_700+n, 100, 100_000+n, 40_000)
		}
	}
}

// checkReads reads so many bytes at a time, and the rest; what lies behind them
// stays as it is.
func checkReads(t *testing.T, name string, r io.Reader, want []byte, sizes ...int) {
	t.Helper()
	const guard = 300
	for _, size := range append(sizes, len(want)+1) {
		p := bytes.Repeat([]byte{0xa5}, size+guard)
		n, err := io.ReadFull(r, p[:size])
		if n != min(size, len(want)) || !bytes.Equal(p[:n], want[:n]) || n < size && err != io.EOF && err != io.ErrUnexpectedEOF {
			t.Fatalf("%s: reads of %d give other bytes, or %d of %d, %v", name, sizes, n, min(size, len(want)), err)
		}
		if bytes.Count(p[size:], []byte{0xa5}) != guard {
			t.Fatalf("%s: reads of %d write behind %d bytes", name, sizes, size)
		}
		want = want[n:]
	}
}

// How much is decoded when the next piece is asked for depends on the pieces only,
// not on how much is read at a time.
func TestDecoded(t *testing.T) {
	for name, data := range samples() {
		for _, level := range []int{0, 1, flate.HuffmanOnly} {
			packed := deflate(t, data, level)
			for _, size := range []int{100, 4093} {
				var want []int64
				for _, read := range []int{len(data) + 1, 1000, 40_000} {
					var r inflate.Reader
					w := &witness{pieces: pieces{packed, size}, r: &r}
					r.Reset(w)
					for p := make([]byte, read); ; {
						if _, err := r.Read(p); err != nil {
							break
						}
					}
					if want == nil {
						want = w.decoded
					}
					if !slices.Equal(w.decoded, want) || r.Decoded() != int64(len(data)) {
						t.Errorf("%s, level %d, pieces of %d bytes, %d at a time: decoded otherwise, %d of %d in all", name, level, size, read, r.Decoded(), len(data))
					}
				}
			}
		}
	}
}

// A witness notes how much was decoded before each piece.
type witness struct {
	pieces
	r       *inflate.Reader
	decoded []int64
}

func (w *witness) Next() ([]byte, error) {
	w.decoded = append(w.decoded, w.r.Decoded())
	return w.pieces.Next()
}
