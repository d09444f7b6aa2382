package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A codec is how the pixels of a strip or tile are packed.
type codec uint8

const (
	codecNone codec = iota
	codecDeflate
	codecLZW
	codecPackBits
	codecZstd
)

// ratio is how many bytes one byte can stand for at most, so that a few bytes
// that claim to be gigabytes are refused before memory is taken for a row.
// Deflate: 258 bytes for 2 bits (RFC 1951 section 3.2.5). LZW: a table of 4096
// entries, the longest under 4096 bytes, for at least 9 bits. PackBits: 128
// for 2 bytes (TIFF 6.0 section 9). Zstandard: a block of 128 KiB for one byte
// behind a header of 3 (RFC 8878 section 3.1.1.2).
func (c codec) ratio() int64 {
	switch c {
	case codecDeflate:
		return 1032
	case codecLZW:
		return 4096
	case codecPackBits:
		return 64
	case codecZstd:
		return 1 << 15
	}
	return 1
}

// maxSide bounds width, height and the sides of tiles, in pixels, so that no
// product of two of them and a pixel's size overflows.
const maxSide = 1 << 28

// A layout is what a page's directory says, checked.
//
// A strip is a tile as wide as the image, but for its end: the last strip ends
// with the image, and the last tiles are padded (TIFF 6.0 section 15).
type layout struct {
	width, height int
	bytes         int // per pixel
	bigEndian     bool
	minIsWhite    bool
	codec         codec
	differences   bool // predictor 2: pixels are differences from their left neighbour

	tiled               bool
	segWidth, segHeight int
	across              int       // segments side by side
	segments            []segment // left to right, then down
	damage              *damage   // nil: all of them are there

	window int64 // of codecZstd: how far it may look back in segments that are decoded bit by bit
}

// A segment is where the data of a strip or tile lie in the file.
type segment struct{ offset, n int64 }

// segmentBytes is what a segment takes in memory.
const segmentBytes = 16

// rowBytes is the size of a row of a segment.
func (l *layout) rowBytes() int { return l.segWidth * l.bytes }

// rows is the number of rows that segment i holds.
func (l *layout) rows(i int) int {
	if l.tiled {
		return l.segHeight
	}
	return min(l.segHeight, l.height-i*l.segHeight)
}

// kind is what the file calls a segment.
func (l *layout) kind() string {
	if l.tiled {
		return "tile"
	}
	return "strip"
}

// layout checks that the page is of a kind that can be read, and some of it there.
func (f *file) layout(d *directory) (*layout, error) {
	l := &layout{bigEndian: f.order == binary.ByteOrder(binary.BigEndian)}
	for _, step := range []func(*directory, *layout) error{f.pixels, f.packing, f.grid, f.segments, f.window} {
		if err := step(d, l); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// pixels reads what a pixel is, and the image's size.
func (f *file) pixels(d *directory, l *layout) error {
	photometric, err := f.number(d, tagPhotometric, 1)
	if err != nil {
		return err
	}
	if name, ok := colours[photometric]; ok {
		return unsupported(name)
	} else if photometric > 1 {
		return unsupported(fmt.Sprintf("photometric interpretation %d", photometric))
	}
	l.minIsWhite = photometric == 0
	if err := f.only(d, tagSamplesPerPixel, 1, "%d samples per pixel"); err != nil {
		return err
	}
	if err := f.sample(d, l); err != nil {
		return err
	}
	if err := f.only(d, tagImageDepth, 1, "a volume of depth %d"); err != nil {
		return err
	}
	if l.width, err = f.side(d, tagImageWidth, "ImageWidth"); err != nil {
		return err
	}
	l.height, err = f.side(d, tagImageLength, "ImageLength")
	return err
}

// sample reads what one sample is: its size and that it is an unsigned integer.
func (f *file) sample(d *directory, l *layout) error {
	bits, err := f.number(d, tagBitsPerSample, 1)
	if err != nil {
		return err
	}
	format, err := f.number(d, tagSampleFormat, 1)
	if err != nil {
		return err
	}
	if name, ok := formats[format]; ok {
		return unsupported(fmt.Sprintf("%s samples of %d bits", name, bits))
	} else if format != 1 {
		return unsupported(fmt.Sprintf("sample format %d", format))
	}
	switch bits {
	case 8, 16, 32, 64:
		l.bytes = int(bits / 8)
		return nil
	case 1:
		return unsupported("bilevel images (1 bit per sample)")
	}
	return unsupported(fmt.Sprintf("%d bits per sample", bits))
}

// packing reads how the pixels are packed.
func (f *file) packing(d *directory, l *layout) error {
	compression, err := f.number(d, tagCompression, 1)
	if err != nil {
		return err
	}
	c, ok := codecs[compression]
	if !ok {
		return unsupported(compressionName(compression))
	}
	l.codec = c
	if err := f.only(d, tagFillOrder, 1, "fill order %d"); err != nil {
		return err
	}
	predictor, err := f.number(d, tagPredictor, 1)
	if err != nil {
		return err
	}
	switch {
	case predictor == 1:
	case predictor != 2:
		return unsupported(fmt.Sprintf("predictor %d", predictor))
	case l.codec == codecNone || l.codec == codecPackBits:
		// libtiff ignores the tag here, others obey it: the pixels are anyone's guess.
		return unsupported("predictor 2 with neither deflate, LZW nor Zstandard")
	default:
		l.differences = true
	}
	return nil
}

// only refuses, by name, all values of tag but want, which is its default.
func (f *file) only(d *directory, tag uint16, want uint64, name string) error {
	got, err := f.number(d, tag, want)
	if err != nil || got == want {
		return err
	}
	return unsupported(fmt.Sprintf(name, got))
}

// side reads a width or a height.
func (f *file) side(d *directory, tag uint16, name string) (int, error) {
	n, err := f.number(d, tag, 0)
	if err == nil && (n == 0 || n > maxSide) {
		err = fmt.Errorf("%s is %d", name, n)
	}
	return int(n), err
}

// grid reads how the image is cut into segments.
func (f *file) grid(d *directory, l *layout) error {
	if _, l.tiled = d.find(tagTileWidth); l.tiled {
		return f.tiles(d, l)
	}
	// The default is a single strip, and so says TIFF 6.0 section 8 with 2³²-1.
	n, err := f.number(d, tagRowsPerStrip, uint64(l.height))
	if err != nil {
		return err
	}
	if n == 0 {
		return errors.New("RowsPerStrip is 0")
	}
	l.segWidth, l.segHeight, l.across = l.width, int(min(n, uint64(l.height))), 1
	return nil
}

// tiles is grid for tiles.
func (f *file) tiles(d *directory, l *layout) (err error) {
	if l.segWidth, err = f.side(d, tagTileWidth, "TileWidth"); err != nil {
		return err
	}
	if l.segHeight, err = f.side(d, tagTileLength, "TileLength"); err != nil {
		return err
	}
	l.across = (l.width + l.segWidth - 1) / l.segWidth
	return nil
}

// segments reads where the segments lie, and finds the first that is not all
// there: what lies below it is not looked at.
func (f *file) segments(d *directory, l *layout) error {
	want := uint64(l.across) * uint64((l.height+l.segHeight-1)/l.segHeight)
	tagOffsets, tagCounts := uint16(tagStripOffsets), uint16(tagStripByteCounts)
	if l.tiled {
		tagOffsets, tagCounts = tagTileOffsets, tagTileByteCounts
	}
	offsets, err := f.uints(d, tagOffsets, want)
	if err != nil {
		return fmt.Errorf("%s offsets: %w", l.kind(), err)
	}
	if offsets == nil {
		return fmt.Errorf("no %s offsets", l.kind())
	}
	counts, err := f.uints(d, tagCounts, want)
	if err != nil {
		return fmt.Errorf("%s byte counts: %w", l.kind(), err)
	}
	if counts == nil {
		counts = make([]uint64, want)
	}
	l.segments = make([]segment, want)
	for i := range l.segments {
		if l.segments[i], err = f.segment(l, i, offsets[i], counts[i]); err != nil {
			l.breakAt(i, l.segments[i].n, err)
			break
		}
	}
	if l.there() == 0 {
		return l.damage.err
	}
	return nil
}

// segment checks that segment i, n bytes at offset, can hold its rows. With an
// error it gives what is there of it.
//
// Pixels stored as they are need no count: it is what the rows take. Writers
// leave it out or at 0, or give the short last strip that of a full one, which
// may end beyond the file.
func (f *file) segment(l *layout, i int, offset, n uint64) (segment, error) {
	rows := int64(l.rowBytes()) * int64(l.rows(i))
	if l.codec == codecNone && (n == 0 || n > uint64(rows)) {
		n = uint64(rows)
	}
	if offset == 0 || n == 0 {
		return segment{}, fmt.Errorf("%s %d has no data", l.kind(), i)
	}
	if !f.has(offset, n) {
		size := uint64(max(0, f.size))
		offset := min(offset, size)
		return segment{int64(offset), int64(size - offset)}, f.truncated(fmt.Sprintf("%s %d", l.kind(), i), offset, n)
	}
	if rows/l.codec.ratio() > int64(n) {
		return segment{}, fmt.Errorf("%s %d has %d bytes, too few for %d rows of %d bytes", l.kind(), i, n, l.rows(i), l.rowBytes())
	}
	return segment{int64(offset), int64(n)}, nil
}
