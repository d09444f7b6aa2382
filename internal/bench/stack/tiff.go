package stack

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"os"
)

// PixelOffset is where the pixels begin in a file of a Kind that is Raw.
const PixelOffset = 8

// stripRows is how many rows of a file lie together.
const stripRows = 64

// writeRaw writes a TIFF of pixels as they are, of so many bytes each.
func writeRaw(size int) func(string, []byte, int) error {
	return func(path string, pixels []byte, side int) error {
		return writeTIFF(path, pixels, side, size, 1, func(strip []byte) ([]byte, error) { return strip, nil })
	}
}

// writeDeflate writes a TIFF whose strips are streams of zlib.
func writeDeflate(size int) func(string, []byte, int) error {
	return func(path string, pixels []byte, side int) error {
		return writeTIFF(path, pixels, side, size, 8, func(strip []byte) ([]byte, error) {
			var b bytes.Buffer
			w := zlib.NewWriter(&b)
			w.Write(strip) // to memory
			err := w.Close()
			return b.Bytes(), err
		})
	}
}

// writeTIFF writes strips first, and behind them the directory that says where
// they are (TIFF 6.0, sections 2 and 4). There are at least two strips: the
// offset of one alone would stand elsewhere.
func writeTIFF(path string, pixels []byte, side, size, compression int, compress func([]byte) ([]byte, error)) error {
	le, row := binary.LittleEndian, side*size
	p := append(make([]byte, 0, len(pixels)+1<<20), "II*\x00\x00\x00\x00\x00"...)
	var offsets, lengths []byte
	for rest := pixels; len(rest) > 0; {
		n := min(len(rest), stripRows*row)
		strip, err := compress(rest[:n])
		if err != nil {
			return err
		}
		offsets = le.AppendUint32(offsets, uint32(len(p)))
		lengths = le.AppendUint32(lengths, uint32(len(strip)))
		p, rest = append(p, strip...), rest[n:]
	}
	if len(p)%2 == 1 {
		p = append(p, 0) // a directory begins on a word
	}
	strips, lists := len(offsets)/4, len(p)
	p = append(append(p, offsets...), lengths...)
	le.PutUint32(p[4:], uint32(len(p)))
	const short, long = 3, 4
	entries := [][4]int{ // tag, type, count, value
		{256, long, 1, side}, {257, long, 1, side}, {258, short, 1, 8 * size}, {259, short, 1, compression}, {262, short, 1, 1},
		{273, long, strips, lists}, {277, short, 1, 1}, {278, long, 1, stripRows}, {279, long, strips, lists + len(offsets)},
	}
	p = le.AppendUint16(p, uint16(len(entries)))
	for _, e := range entries {
		p = le.AppendUint16(le.AppendUint16(p, uint16(e[0])), uint16(e[1]))
		p = le.AppendUint32(le.AppendUint32(p, uint32(e[2])), uint32(e[3]))
	}
	return os.WriteFile(path, le.AppendUint32(p, 0), 0o666)
}
