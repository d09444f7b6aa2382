package inflate_test

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"testing"

	kflate "github.com/klauspost/compress/zlib"
	"github.com/neurodata/ndpush/internal/inflate"
)

// shapes are images of 2048² pixels, as their rows are packed.
func shapes() map[string][]byte {
	const side = 2048
	em := texture(side)
	masked := bytes.Clone(em)
	for y := range side {
		clear(masked[y*side : y*side+side*(y%700)/1500])
	}
	sub := bytes.Clone(em)
	for i := len(sub) - 1; i > 0; i-- {
		sub[i] -= sub[i-1]
	}
	wide := make([]byte, 0, 2*len(em))
	rnd := rand.New(rand.NewPCG(7, 8))
	for _, v := range em {
		v16 := uint16(v)*16 + uint16(rnd.IntN(64))
		wide = append(wide, byte(v16), byte(v16>>8))
	}
	labels := make([]byte, 0, 8*len(em)/4)
	for y := range side / 2 {
		for x := range side / 2 {
			id := uint64((x/37)*1000+(y+x%11)/29) * 2654435761
			for i := range 8 {
				labels = append(labels, byte(id>>(8*i)))
			}
		}
	}
	return map[string][]byte{"em8": em, "em8-masked": masked, "em8-predictor": sub, "em16": wide, "labels64": labels}
}

// BenchmarkReader reads images in bands of a megabyte, beside klauspost's.
func BenchmarkReader(b *testing.B) {
	for name, p := range shapes() {
		z := deflate(b, p, flate.DefaultCompression)
		dst := make([]byte, 1<<20)
		b.Run(name+"/own", func(b *testing.B) {
			var r inflate.Reader
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				r.Reset(&whole{z})
				drain(b, &r, dst, len(p))
			}
		})
		b.Run(name+"/klauspost", func(b *testing.B) {
			r, err := kflate.NewReader(bytes.NewReader(z))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				r.(kflate.Resetter).Reset(bytes.NewReader(z), nil)
				drain(b, r, dst, len(p))
			}
		})
	}
}

// A whole gives all data at once.
type whole struct{ data []byte }

func (w *whole) Next() ([]byte, error) {
	if w.data == nil {
		return nil, io.EOF
	}
	p := w.data
	w.data = nil
	return p, nil
}

func drain(b *testing.B, r io.Reader, dst []byte, want int) {
	n := 0
	for {
		k, err := io.ReadFull(r, dst)
		n += k
		if err == nil {
			continue
		}
		if n != want || err != io.EOF && err != io.ErrUnexpectedEOF {
			b.Fatalf("%d bytes of %d, %v", n, want, err)
		}
		return
	}
}
