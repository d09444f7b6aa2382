package inflate_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"io"
	"math"
	"math/rand/v2"
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
