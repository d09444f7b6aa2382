package s3_test

import (
	"bytes"
	"image"
	"image/png"
	"testing"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/sourcetest"
	"github.com/neurodata/ndpush/internal/voxel"
)

// An encoder makes a file of a block that is one deep.
type encoder func(t *testing.T, b *voxel.Block) []byte

func shapeOf(b *voxel.Block) source.Shape {
	return source.Shape{Width: b.Box.Max.X, Height: b.Box.Max.Y, Type: b.Type}
}

// encodePNG writes gray of 8 or 16 bits.
func encodePNG(t *testing.T, b *voxel.Block) []byte {
	r := image.Rect(0, 0, b.Box.Max.X, b.Box.Max.Y)
	var img image.Image = &image.Gray{Pix: b.Data, Stride: r.Dx(), Rect: r}
	if b.Type == voxel.Uint16 {
		gray := image.NewGray16(r)
		for i := 0; i < len(b.Data); i += 2 {
			gray.Pix[i], gray.Pix[i+1] = b.Data[i+1], b.Data[i]
		}
		img = gray
	}
	var p bytes.Buffer
	if err := png.Encode(&p, img); err != nil {
		t.Fatal(err)
	}
	return p.Bytes()
}

// encodeTIFF writes strips of so many rows, deflated or not. The directory comes
// last, as libtiff has it.
func encodeTIFF(rows int, deflated bool) encoder {
	f := sourcetest.TIFF{Rows: rows, DirectoryLast: true}
	if deflated {
		f.Codec = "deflate"
	}
	return func(_ *testing.T, b *voxel.Block) []byte { return f.Encode(b) }
}

// cut leaves out the last quarter of what an encoder makes.
func cut(encode encoder) encoder {
	return func(t *testing.T, b *voxel.Block) []byte {
		p := encode(t, b)
		return p[:len(p)-len(p)/4]
	}
}

// kind writes TIFF files of that kind.
func kind(f sourcetest.TIFF) encoder {
	return func(_ *testing.T, b *voxel.Block) []byte { return f.Encode(b) }
}

// damage spoils what an encoder makes, two thirds down.
func damage(encode encoder) encoder {
	return func(t *testing.T, b *voxel.Block) []byte {
		p := encode(t, b)
		for i := range 20 {
			p[len(p)*2/3+i] ^= 0x5a
		}
		return p
	}
}

// To open a slice takes one request, and of a large PNG one for its end.
func TestRequestsToOpen(t *testing.T) {
	large := &voxel.Block{Box: voxel.Box{Max: voxel.Point{X: 1000, Y: 1000, Z: 1}}, Type: voxel.Uint8, Data: noise(1e6, 1)}
	small := &voxel.Block{Box: voxel.Box{Max: voxel.Point{X: 100, Y: 100, Z: 1}}, Type: voxel.Uint8, Data: noise(1e4, 1)}
	for _, tt := range []struct {
		name   string
		b      *voxel.Block
		encode encoder
		want   int
	}{
		{"png", large, encodePNG, 2}, {"small png", small, encodePNG, 1},
		{"tiff", large, kind(sourcetest.TIFF{}), 1}, {"png cut short", large, cut(encodePNG), 4},
	} {
		s := newStore(t)
		s.put("0", tt.encode(t, tt.b))
		p, err := source.ParsePattern(source.Naming{BaseFilename: "<>"})
		if err != nil {
			t.Fatal(err)
		}
		slice, err := source.NewFiles(bucket(t, s.options()), p, shapeOf(tt.b)).Open(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		slice.Close()
		if got := s.ranges(); len(got) > tt.want {
			t.Errorf("%s: %d requests, want %d: %v", tt.name, len(got), tt.want, got)
		}
	}
}
