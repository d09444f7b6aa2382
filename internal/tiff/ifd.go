package tiff

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The tags that decide what an image is and where it lies: TIFF 6.0 section 8
// (baseline), 14 (predictor), 15 (tiles), 19 (sample format), and SGI's
// ImageDepth, which libtiff registers.
const (
	tagNewSubfileType  = 254
	tagImageWidth      = 256
	tagImageLength     = 257
	tagBitsPerSample   = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagFillOrder       = 266
	tagDescription     = 270
	tagStripOffsets    = 273
	tagSamplesPerPixel = 277
	tagRowsPerStrip    = 278
	tagStripByteCounts = 279
	tagPredictor       = 317
	tagTileWidth       = 322
	tagTileLength      = 323
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagSampleFormat    = 339
	tagImageDepth      = 32997
)

// maxEntries is more than any real directory has (libtiff, too, stops there).
const maxEntries = 4096

// A file is an open TIFF file's header.
type file struct {
	r     io.ReaderAt
	size  int64
	order binary.ByteOrder
	big   bool // BigTIFF: 64-bit offsets
}

// A directory is an image file directory (IFD): what is said of one page.
type directory struct {
	at      uint64 // its offset
	entries []entry
	next    uint64 // offset of the next directory, or 0
}

// An entry is one field of a directory.
type entry struct {
	tag, typ uint16
	count    uint64
	value    []byte // the values if they fit in its 4 or 8 bytes, else their offset
}

// openFile reads the header and the first directory.
//
// Classic: order, 42, offset (TIFF 6.0 section 2). BigTIFF: order, 43, 8, 0,
// 64-bit offset.
func openFile(r io.ReaderAt, size int64) (*file, *directory, error) {
	f := &file{r: r, size: size, order: binary.LittleEndian}
	head, err := f.read(0, 8, "the header")
	if err != nil {
		return nil, nil, err
	}
	switch string(head[:2]) {
	case "II":
	case "MM":
		f.order = binary.BigEndian
	default:
		return nil, nil, errors.New("not a TIFF file")
	}
	first := uint64(f.order.Uint32(head[4:]))
	switch f.order.Uint16(head[2:]) {
	case 42:
	case 43:
		if f.order.Uint16(head[4:]) != 8 {
			return nil, nil, unsupported("a BigTIFF whose offsets are not 8 bytes")
		}
		f.big = true
		if head, err = f.read(8, 8, "the header"); err != nil {
			return nil, nil, err
		}
		first = f.order.Uint64(head)
	default:
		return nil, nil, errors.New("not a TIFF file")
	}
	d, err := f.directory(first)
	return f, d, err
}

// read gives n bytes at offset, after a look whether the file has them: nothing
// is allocated on a header's word.
func (f *file) read(offset, n uint64, what string) ([]byte, error) {
	if !f.has(offset, n) {
		return nil, f.truncated(what, offset, n)
	}
	p := make([]byte, n)
	if err := readFull(f.r, p, int64(offset)); err != nil {
		return nil, fmt.Errorf("read %s: %w", what, unexpected(err))
	}
	return p, nil
}

// has reports whether n bytes at offset lie within the file.
func (f *file) has(offset, n uint64) bool {
	size := uint64(max(0, f.size))
	return offset <= size && n <= size-offset
}

// truncated is the error that what lies beyond the end of the file.
func (f *file) truncated(what string, offset, n uint64) error {
	return fmt.Errorf("truncated: %s needs %d bytes at offset %d, the file has %d", what, n, offset, f.size)
}

// readFull fills p from offset. A reader may say io.EOF with the last bytes.
func readFull(r io.ReaderAt, p []byte, offset int64) error {
	n, err := r.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// directory reads the directory at offset: a count, entries of 12 bytes, and
// the next offset; in BigTIFF the count has 8 bytes and entries have 20.
func (f *file) directory(offset uint64) (*directory, error) {
	countBytes, entryBytes := uint64(2), uint64(12)
	if f.big {
		countBytes, entryBytes = 8, 20
	}
	head, err := f.read(offset, countBytes, "the directory")
	if err != nil {
		return nil, err
	}
	n := f.uint(head)
	if n == 0 || n > maxEntries {
		return nil, fmt.Errorf("a directory of %d entries", n)
	}
	p, err := f.read(offset+countBytes, n*entryBytes+f.offsetBytes(), "the directory")
	if err != nil {
		return nil, err
	}
	d := &directory{at: offset, next: f.uint(p[n*entryBytes:])}
	for e := range bytesOf(p[:n*entryBytes], int(entryBytes)) {
		d.entries = append(d.entries, f.entry(e))
	}
	return d, nil
}

// bytesOf gives p in pieces of n bytes.
func bytesOf(p []byte, n int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for ; len(p) >= n && yield(p[:n]); p = p[n:] {
		}
	}
}

func (f *file) entry(p []byte) entry {
	value := 8 // where its value starts
	if f.big {
		value = 12
	}
	return entry{f.order.Uint16(p), f.order.Uint16(p[2:]), f.uint(p[4:value]), p[value:]}
}

// offsetBytes is the size of an offset, and of what an entry can hold itself.
func (f *file) offsetBytes() uint64 {
	if f.big {
		return 8
	}
	return 4
}

// uint is the integer that fills p.
func (f *file) uint(p []byte) uint64 {
	switch len(p) {
	case 1:
		return uint64(p[0])
	case 2:
		return uint64(f.order.Uint16(p))
	case 4:
		return uint64(f.order.Uint32(p))
	}
	return f.order.Uint64(p)
}

// find is the directory's first entry with that tag.
func (d *directory) find(tag uint16) (entry, bool) {
	for _, e := range d.entries {
		if e.tag == tag {
			return e, true
		}
	}
	return entry{}, false
}

// uintBytes is the size of a value of an unsigned type, or 0: BYTE, SHORT and
// LONG (TIFF 6.0 section 2), IFD (Technical Note 1), LONG8 and IFD8 (BigTIFF).
func uintBytes(typ uint16) uint64 {
	switch typ {
	case 1:
		return 1
	case 3:
		return 2
	case 4, 13:
		return 4
	case 16, 18:
		return 8
	}
	return 0
}

// data is the n bytes of an entry's values, wherever they lie.
func (f *file) data(e entry, n uint64) ([]byte, error) {
	if n <= f.offsetBytes() {
		return e.value[:n], nil
	}
	return f.read(f.uint(e.value[:f.offsetBytes()]), n, fmt.Sprintf("tag %d", e.tag))
}

// uints gives the values of tag, which has to have exactly want of them. It is
// nil if the tag is absent.
func (f *file) uints(d *directory, tag uint16, want uint64) ([]uint64, error) {
	e, ok := d.find(tag)
	if !ok {
		return nil, nil
	}
	size := uintBytes(e.typ)
	switch {
	case size == 0:
		return nil, fmt.Errorf("tag %d is of type %d, which is no unsigned integer", tag, e.typ)
	case e.count != want:
		return nil, fmt.Errorf("tag %d has %d values, want %d", tag, e.count, want)
	case want > uint64(max(0, f.size))/size:
		return nil, fmt.Errorf("truncated: tag %d has %d values of %d bytes, the file has %d bytes", tag, want, size, f.size)
	}
	p, err := f.data(e, want*size)
	if err != nil {
		return nil, err
	}
	values := make([]uint64, 0, want)
	for v := range bytesOf(p, int(size)) {
		values = append(values, f.uint(v))
	}
	return values, nil
}

// number is the one value of tag, or absent if there is no such tag.
func (f *file) number(d *directory, tag uint16, absent uint64) (uint64, error) {
	values, err := f.uints(d, tag, 1)
	if err != nil || values == nil {
		return absent, err
	}
	return values[0], nil
}

// text is the first 64 KiB of the text of tag, or "".
func (f *file) text(d *directory, tag uint16) string {
	e, ok := d.find(tag)
	if !ok || e.typ != 2 {
		return ""
	}
	p, err := f.data(e, min(e.count, 1<<16))
	if err != nil {
		return ""
	}
	p, _, _ = bytes.Cut(p, []byte{0})
	return string(p)
}
