package raster_test

import (
	"bytes"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/neurodata/ndpush/internal/raster"
	"github.com/neurodata/ndpush/internal/voxel"
)

// BenchmarkPNG reads images of 4096² pixels, soft shapes under noise, in bands
// of 1024 rows.
func BenchmarkPNG(b *testing.B) {
	const side = 4096
	rnd := rand.New(rand.NewPCG(5, 6))
	gray, gray16 := image.NewGray(image.Rect(0, 0, side, side)), image.NewGray16(image.Rect(0, 0, side, side))
	for i := range gray.Pix {
		v := 128 + 60*math.Sin(float64(i%side)/37)*math.Cos(float64(i/side)/23) + 8*rnd.NormFloat64()
		gray.Pix[i] = byte(v)
		gray16.Pix[2*i], gray16.Pix[2*i+1] = byte(v), byte(v*256)
	}
	for name, img := range map[string]image.Image{"uint8": gray, "uint16": gray16} {
		var p bytes.Buffer
		if err := png.Encode(&p, img); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) { benchBands(b, p.Bytes(), side) })
	}
}

func benchBands(b *testing.B, p []byte, side int) {
	dst := &voxel.Block{}
	b.ReportAllocs()
	for b.Loop() {
		m, err := raster.Open(bytes.NewReader(p), int64(len(p)))
		if err != nil {
			b.Fatal(err)
		}
		for y := 0; y < side; y += 1024 {
			dst.Reset(box(0, side, y, y+1024), m.Type())
			if err := m.ReadRows(b.Context(), dst); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(side * side * m.Type().Size()))
	}
}
