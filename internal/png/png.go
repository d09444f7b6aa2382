// Package png reads the rows of gray PNG images.
//
// It reads gray of 1, 2, 4, 8 and 16 bits, the values as they are stored: none is
// scaled, and none of what a file may say about colour is looked at, a value to
// take for transparent (tRNS) neither. Rows go straight into the caller's memory,
// a band at a time, in one pass downwards. Everything else is refused by its name.
//
// An interlaced image is held as a whole, for its first rows come with its last;
// any other takes three rows and [inflate.Held].
//
// Sources: Portable Network Graphics (PNG) Specification, Third Edition, cited
// with its section.
//
// image/png was the alternative: it decodes whole images, and takes two to three
// times as long (see BenchmarkBands).
package png

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"io"
)

// Magic begins every PNG file (5.2).
const Magic = "\x89PNG\r\n\x1a\n"

// colours names the colour types that are not plain gray (11.2.1).
var colours = map[byte]string{2: "RGB", 3: "palette", 4: "gray and alpha", 6: "RGB and alpha"}

// An Image is a PNG file, read downwards. One goroutine uses it at a time.
type Image struct {
	r             io.ReaderAt
	size          int64
	width, height int
	bits          int // per pixel
	interlaced    bool
	pixels        int64 // the offset of the first IDAT chunk
	damage        error // what is missing, if that is known

	began  bool
	chunks chunks
	rows   rowReader
	row    int    // how many rows were decoded
	sure   int    // those that were before a chunk which is not yet checked
	whole  []byte // of an interlaced image the pixels, once decoded
	next   int    // the row below the last one read
	failed error
}

// Open reads the chunks before the pixels of the file of that many bytes, and
// looks whether it ends as it should; no pixel is read. The image goes on reading
// from r.
//
// An image that is sound but of a kind that is not read wraps
// errors.ErrUnsupported.
func Open(r io.ReaderAt, size int64) (*Image, error) {
	m := &Image{r: r, size: size}
	err := m.header()
	if err == nil {
		err = m.findPixels()
	}
	if err == nil {
		err = m.findEnd()
	}
	if err != nil {
		return nil, fmt.Errorf("png: %w", err)
	}
	return m, nil
}

// Size is the image's width and height in pixels; neither is 0.
func (m *Image) Size() (width, height int) { return m.width, m.height }

// SampleSize is the size of a pixel in bytes, as ReadRows gives it: 1 or 2.
func (m *Image) SampleSize() int { return (m.bits + 7) / 8 }

// Held is the most memory in bytes that the image takes beside ReadRows' dst.
func (m *Image) Held() int64 {
	held := int64(chunkBytes) + rowsHeld(m.width, m.bits)
	if m.interlaced {
		held += (int64(m.height) + 1) * int64(m.width) * int64(m.SampleSize())
	}
	return held
}

// Step is how many rows are best read at a time, or a multiple of it: 1, for they
// come one after another.
func (m *Image) Step() int { return 1 }

// header reads IHDR (11.2.1): width, height, bits, colour type, compression,
// filter and interlace methods.
func (m *Image) header() error {
	var p [25]byte // the length, "IHDR", 13 bytes, a checksum
	if err := m.readAt(p[:], int64(len(Magic))); err != nil {
		return err
	}
	be := binary.BigEndian
	if string(p[:8]) != "\x00\x00\x00\rIHDR" {
		return errors.New("the first chunk is not IHDR")
	}
	if crc32.ChecksumIEEE(p[4:21]) != be.Uint32(p[21:]) {
		return errors.New("invalid checksum of the header (IHDR)")
	}
	width, height, bits, colour := be.Uint32(p[8:]), be.Uint32(p[12:]), p[16], p[17]
	name, ok := colours[colour]
	switch {
	case ok:
		return unsupported(name + " images")
	case colour != 0:
		return fmt.Errorf("colour type %d", colour)
	case bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16:
		return fmt.Errorf("gray of %d bits", bits)
	case p[18] != 0:
		return unsupported(fmt.Sprintf("compression method %d", p[18]))
	case p[19] != 0:
		return unsupported(fmt.Sprintf("filter method %d", p[19]))
	case p[20] > 1:
		return unsupported(fmt.Sprintf("interlace method %d", p[20]))
	case width == 0 || height == 0 || width > 1<<31-1 || height > 1<<31-1:
		return fmt.Errorf("%d×%d pixels, where PNG has 1 to 2147483647 each way", width, height)
	}
	m.width, m.height, m.bits, m.interlaced = int(width), int(height), int(bits), p[20] == 1
	return m.plausible()
}

// plausible refuses an image that the file is too small for: deflate makes at
// most 1032 bytes of one (258 of two bits, RFC 1951 section 3.2.5). So a short
// file cannot ask for much memory.
func (m *Image) plausible() error {
	if rowBytes(m.width, m.bits) > m.size*1032/int64(m.height) {
		return fmt.Errorf("%d×%d pixels cannot be in a file of %d bytes", m.width, m.height, m.size)
	}
	return nil
}

// maxChunks bounds the walk to the pixels; real files have a dozen at most.
const maxChunks = 1000

// findPixels walks over the chunks between IHDR and the first IDAT. None of them
// changes what is stored (11.3).
func (m *Image) findPixels() error {
	m.pixels = int64(len(Magic) + 25)
	for range maxChunks {
		var p [8]byte // its length and its name
		if err := m.readAt(p[:], m.pixels); err != nil {
			return err
		}
		if string(p[4:]) == "IDAT" {
			return nil
		}
		m.pixels += 12 + int64(binary.BigEndian.Uint32(p[:]))
	}
	return fmt.Errorf("no pixels within %d chunks", maxChunks)
}

// readAt fills p from offset.
func (m *Image) readAt(p []byte, offset int64) error {
	if end := offset + int64(len(p)); end > m.size {
		return truncated(end, m.size)
	}
	n, err := m.r.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	return unexpected(err)
}

// ReadRows fills dst with the pixels of box, x fastest, little-endian, without
// padding. box lies within the image, and len(dst) is box's pixels times
// SampleSize; it starts at or below the row where the last call ended, for rows
// are decoded once. ctx is looked at every few rows.
//
// An error names the row that could not be read, and is given again by every
// later call. If the image is to blame it wraps a [*RowError]; after any other
// error nothing in dst can be used. With the last row the checksum over all
// pixels is checked.
func (m *Image) ReadRows(ctx context.Context, dst []byte, box image.Rectangle) error {
	if !box.In(image.Rect(0, 0, m.width, m.height)) {
		return fmt.Errorf("png: box %v lies outside %d×%d", box, m.width, m.height)
	}
	if want := box.Dx() * box.Dy() * m.SampleSize(); len(dst) != want {
		return fmt.Errorf("png: %d bytes for box %v, want %d", len(dst), box, want)
	}
	if m.failed != nil || box.Empty() {
		return m.failed
	}
	if box.Min.Y < m.next {
		return fmt.Errorf("png: row %d was passed", box.Min.Y)
	}
	m.next = box.Max.Y
	if err := m.read(ctx, dst, box); err != nil {
		m.failed = fmt.Errorf("png: %w", err)
	}
	return m.failed
}

// An unsupported error is a kind of PNG that is not read, by its name.
type unsupported string

func (u unsupported) Error() string { return "cannot read " + string(u) }

// Is makes the error one of errors.ErrUnsupported.
func (u unsupported) Is(target error) bool { return target == errors.ErrUnsupported }
