package sourcetest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A TIFF is a kind of TIFF file, little-endian. The zero TIFF has one strip of
// pixels as they are, behind the directory: cut short, it lacks pixels.
type TIFF struct {
	Rows          int    // of a strip; zero: all
	Tile          int    // side of a tile, a multiple of 16; zero: strips
	Codec         string // "", "deflate" or "lzw"
	DirectoryLast bool   // as libtiff has it
}

// Encode makes a file of b, which is one deep and begins at 0, 0.
func (f TIFF) Encode(b *voxel.Block) []byte {
	segments := f.segments(b)
	fields := [][]int{
		{256, b.Box.Max.X}, {257, b.Box.Max.Y}, {258, 8 * b.Type.Size()}, {259, f.compression()}, {262, 1},
	}
	offsets, counts := make([]int, len(segments)+1), make([]int, len(segments)+1)
	if f.Tile > 0 {
		offsets[0], counts[0] = 324, 325
		fields = append(fields, []int{322, f.Tile}, []int{323, f.Tile}, offsets, counts)
	} else {
		offsets[0], counts[0] = 273, 279
		fields = append(fields, offsets, []int{278, f.rows(b)}, counts)
	}
	dirAt := 8
	pixelsAt := dirAt + len(directory(fields, dirAt))
	if f.DirectoryLast {
		pixelsAt = 8
	}
	var pixels []byte
	for i, s := range segments {
		offsets[i+1], counts[i+1] = pixelsAt+len(pixels), len(s)
		pixels = append(pixels, s...)
	}
	if f.DirectoryLast {
		dirAt += len(pixels)
	}
	file := binary.LittleEndian.AppendUint32([]byte("II*\x00"), uint32(dirAt))
	if f.DirectoryLast {
		return append(append(file, pixels...), directory(fields, dirAt)...)
	}
	return append(append(file, directory(fields, dirAt)...), pixels...)
}

// directory has the fields, each a tag and LONGs, and behind them what does not
// fit into them. It will lie at that offset.
func directory(fields [][]int, at int) []byte {
	le := binary.LittleEndian
	var dir, arrays []byte
	dir = le.AppendUint16(dir, uint16(len(fields)))
	end := at + 2 + 12*len(fields) + 4
	for _, f := range fields {
		values := f[1:]
		dir = le.AppendUint16(le.AppendUint16(dir, uint16(f[0])), 4)
		dir = le.AppendUint32(dir, uint32(len(values)))
		if len(values) == 1 {
			dir = le.AppendUint32(dir, uint32(values[0]))
			continue
		}
		dir = le.AppendUint32(dir, uint32(end+len(arrays)))
		for _, v := range values {
			arrays = le.AppendUint32(arrays, uint32(v))
		}
	}
	return append(le.AppendUint32(dir, 0), arrays...)
}

func (f TIFF) compression() int { return map[string]int{"": 1, "lzw": 5, "deflate": 8}[f.Codec] }

// rows is the height of a strip.
func (f TIFF) rows(b *voxel.Block) int {
	if f.Rows == 0 {
		return b.Box.Max.Y
	}
	return f.Rows
}

// segments are the strips or tiles of b, encoded.
func (f TIFF) segments(b *voxel.Block) (segments [][]byte) {
	if f.Tile == 0 {
		for y := range b.Box.Y().Pieces(f.rows(b)) {
			segments = append(segments, f.encode(cut(b, b.Box.X(), y)))
		}
		return segments
	}
	for y := 0; y < b.Box.Max.Y; y += f.Tile {
		for x := 0; x < b.Box.Max.X; x += f.Tile {
			segments = append(segments, f.encode(cut(b, voxel.Range{Min: x, Max: x + f.Tile}, voxel.Range{Min: y, Max: y + f.Tile})))
		}
	}
	return segments
}

// cut is the pixels of a part of b; beyond b they are 0.
func cut(b *voxel.Block, x, y voxel.Range) []byte {
	size := b.Type.Size()
	p := make([]byte, x.Len()*y.Len()*size)
	for i := range y.Intersect(b.Box.Y()).Len() {
		in := x.Intersect(b.Box.X())
		copy(p[i*x.Len()*size:], b.Row(y.Min+i, b.Box.Min.Z)[in.Min*size:in.Max*size])
	}
	return p
}

func (f TIFF) encode(p []byte) []byte {
	switch f.Codec {
	case "deflate":
		var out bytes.Buffer
		w := zlib.NewWriter(&out)
		w.Write(p) // a Buffer takes all
		w.Close()
		return out.Bytes()
	case "lzw":
		return literals(p)
	}
	return p
}

// literals is LZW of p without any compression (TIFF 6.0 section 13): codes of
// nine bits, the table cleared before it asks for ten.
func literals(p []byte) (out []byte) {
	const clearCode, endCode, some = 256, 257, 200
	var acc uint32
	var n int
	put := func(code uint32) {
		acc, n = acc<<9|code, n+9
		for ; n >= 8; n -= 8 {
			out = append(out, byte(acc>>(n-8)))
		}
	}
	for i, c := range p {
		if i%some == 0 {
			put(clearCode)
		}
		put(uint32(c))
	}
	put(endCode)
	return append(out, byte(acc<<(8-n)))
}
