package s3_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/png"
	"testing"

	"github.com/neurodata/ndpush/internal/source"
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
	return func(t *testing.T, b *voxel.Block) []byte {
		le := binary.LittleEndian
		file := []byte("II*\x00\x00\x00\x00\x00")
		var offsets, counts []byte
		rowBytes := b.Box.Max.X * b.Type.Size()
		for y := range b.Box.Y().Pieces(rows) {
			at := len(file)
			file = append(file, compressed(t, b.Data[y.Min*rowBytes:y.Max*rowBytes], deflated)...)
			offsets = le.AppendUint32(offsets, uint32(at))
			counts = le.AppendUint32(counts, uint32(len(file)-at))
		}
		n, at := uint32(len(offsets)/4), uint32(len(file))
		file = append(append(file, offsets...), counts...)
		compression := uint32(1)
		if deflated {
			compression = 8
		}
		le.PutUint32(file[4:], uint32(len(file)))
		countsAt := at + 4*n
		if n == 1 { // one value lies in the entry itself
			at, countsAt = le.Uint32(offsets), le.Uint32(counts)
		}
		fields := [][3]uint32{
			{256, 1, uint32(b.Box.Max.X)}, {257, 1, uint32(b.Box.Max.Y)}, {258, 1, uint32(8 * b.Type.Size())}, {259, 1, compression},
			{262, 1, 1}, {273, n, at}, {278, 1, uint32(rows)}, {279, n, countsAt},
		}
		file = le.AppendUint16(file, uint16(len(fields)))
		for _, f := range fields {
			file = le.AppendUint16(le.AppendUint16(file, uint16(f[0])), 4)
			file = le.AppendUint32(le.AppendUint32(file, f[1]), f[2])
		}
		return le.AppendUint32(file, 0)
	}
}

func compressed(t *testing.T, p []byte, deflated bool) []byte {
	if !deflated {
		return p
	}
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(p)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
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
