package png_test

import (
	"bytes"
	"encoding/binary"
	"image"
	stdpng "image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/neurodata/ndpush/internal/png"
)

// shapes are images of 2048² pixels.
func shapes() map[string]image.Image {
	const side = 2048
	rnd := rand.New(rand.NewPCG(5, 6))
	r := image.Rect(0, 0, side, side)
	em, masked, labels, wide := image.NewGray(r), image.NewGray(r), image.NewGray(r), image.NewGray16(r)
	for i := range em.Pix {
		x, y := i%side, i/side
		v := byte(128 + 60*math.Sin(float64(x)/37)*math.Cos(float64(y)/23) + 8*rnd.NormFloat64())
		em.Pix[i] = v
		if x > side*(y%700)/1500 {
			masked.Pix[i] = v
		}
		labels.Pix[i] = byte((x/37)*31 + (y+x%11)/29)
		binary.BigEndian.PutUint16(wide.Pix[2*i:], uint16(v)*16+uint16(rnd.IntN(64)))
	}
	return map[string]image.Image{"em8": em, "em8-masked": masked, "em16": wide, "labels8": labels}
}

// BenchmarkBands reads images in bands of 1024 rows, beside image/png, which
// decodes them whole. With PNG_BENCH_DIR the files are left there for others.
func BenchmarkBands(b *testing.B) {
	for name, img := range shapes() {
		var file bytes.Buffer
		if err := stdpng.Encode(&file, img); err != nil {
			b.Fatal(err)
		}
		if dir := os.Getenv("PNG_BENCH_DIR"); dir != "" {
			if err := os.WriteFile(filepath.Join(dir, name+".png"), file.Bytes(), 0o666); err != nil {
				b.Fatal(err)
			}
		}
		w, h := img.Bounds().Dx(), img.Bounds().Dy()
		size := 1
		if _, ok := img.(*image.Gray16); ok {
			size = 2
		}
		b.Run(name+"/own", func(b *testing.B) {
			dst := make([]byte, w*1024*size)
			b.SetBytes(int64(w * h * size))
			for b.Loop() {
				m, err := png.Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
				if err != nil {
					b.Fatal(err)
				}
				for y := 0; y < h; y += 1024 {
					if err := m.ReadRows(b.Context(), dst, image.Rect(0, y, w, y+1024)); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run(name+"/image-png", func(b *testing.B) {
			b.SetBytes(int64(w * h * size))
			for b.Loop() {
				if _, err := stdpng.Decode(bytes.NewReader(file.Bytes())); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
