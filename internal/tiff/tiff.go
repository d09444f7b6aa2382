// Package tiff reads the rows of gray TIFF images.
//
// It reads what microscopes and their software write: one channel of unsigned
// 8, 16, 32 or 64 bits, in strips or tiles, classic TIFF or BigTIFF, of either
// byte order, stored as is or compressed with deflate, LZW, PackBits or
// Zstandard. Rows go straight into the caller's memory, a band at a time, in one
// pass downwards; an image is never held whole. Values come as they are stored,
// also where 0 is white. Everything else is refused by its name.
//
// Open checks every size and place against the file before memory is taken for
// it, so that a hostile file is an error and not a surprise. A file that is cut
// short opens as far as it goes, and says so: see [Image.Damage].
//
// Sources: TIFF Revision 6.0 (Adobe, 1992), cited as TIFF 6.0 with its section;
// Adobe Photoshop TIFF Technical Notes (2002) for deflate; "BigTIFF Design"
// (https://libtiff.gitlab.io/libtiff/specification/bigtiff.html); RFC 8878
// (Zstandard).
//
// golang.org/x/image/tiff was the alternative: it decodes whole images of 8 and
// 16 bits, through an interface call per voxel. Nothing is left to it that this
// package refuses: what it reads of that comes in colour or, if it is bilevel, as
// 0 and 255, which are not the values that are stored.
package tiff

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
)

// An Image is a page of a TIFF file, read downwards. One goroutine uses
// it at a time.
type Image struct {
	layout layout
	raw    rawReader
	coded  codedReader
	next   int // the row below the last one read
	failed error
}

// Open reads the directories of the file of that many bytes and checks that
// the first page can be read; no pixel is. A page none of whose rows are there
// is an error. The image goes on reading from r.
//
// An image that is sound but of a kind that is not read wraps
// errors.ErrUnsupported. So does a file with a second page that is not smaller:
// to read the first page of a stack would lose the others without a word.
func Open(r io.ReaderAt, size int64) (*Image, error) {
	f, dir, err := openFile(r, size)
	if err != nil {
		return nil, fmt.Errorf("tiff: %w", err)
	}
	l, err := f.layout(dir)
	if err != nil {
		return nil, fmt.Errorf("tiff: %w", err)
	}
	if err := f.onlyPage(dir, l); err != nil {
		return nil, fmt.Errorf("tiff: %w", err)
	}
	return newImage(r, l), nil
}

// OpenPage is Open for one page of a file that may have many. It counts from 0
// what has a directory, thumbnails too, and the images of a stack that ImageJ
// keeps behind a single one. A page that the file does not have is an error.
func OpenPage(r io.ReaderAt, size int64, page int) (*Image, error) {
	f, first, err := openFile(r, size)
	if err != nil {
		return nil, fmt.Errorf("tiff: %w", err)
	}
	l, err := f.pageLayout(first, page)
	if err != nil {
		return nil, fmt.Errorf("tiff: page %d, counted from 0: %w", page, err)
	}
	return newImage(r, l), nil
}

func newImage(r io.ReaderAt, l *layout) *Image {
	m := &Image{layout: *l}
	m.raw = rawReader{layout: &m.layout, r: r}
	m.coded = codedReader{layout: &m.layout, r: r}
	return m
}

// Size is the image's width and height in pixels; neither is 0.
func (m *Image) Size() (width, height int) { return m.layout.width, m.layout.height }

// SampleSize is the size of a pixel in bytes: 1, 2, 4 or 8.
func (m *Image) SampleSize() int { return m.layout.bytes }

// MinIsWhite reports whether 0 means white. ReadRows gives the values as they
// are stored either way: they are measurements, and display is not its concern.
func (m *Image) MinIsWhite() bool { return m.layout.minIsWhite }

// Held is the most memory in bytes that the image takes beside ReadRows' dst.
func (m *Image) Held() int64 {
	table := int64(len(m.layout.segments)) * segmentBytes
	if m.layout.codec == codecNone {
		return table + m.layout.rawHeld()
	}
	return table + m.layout.codedHeld()
}

// Step is how many rows are best read at a time, or a multiple of it: the height
// of a tile, counted from row 0, and 1 if there are strips. Of tiles that are
// compressed the rows left over are copied, and held until the next call; of
// others a part is many small reads, forth and back in the file.
func (m *Image) Step() int {
	if m.layout.tiled {
		return min(m.layout.segHeight, m.layout.height)
	}
	return 1
}

// ReadRows fills dst with the pixels of box, x fastest, little-endian, without
// padding. Values are as stored; Orientation is not looked at (libtiff and
// ImageJ do not either). box lies within the image, and len(dst) is box's
// pixels times SampleSize; it starts at or below the row where the last call
// ended, for rows are decoded once. ctx is looked at every few rows.
//
// An error names the row that could not be read, and is given again by every
// later call. If the image is to blame it wraps a [*RowError]; after any other
// error nothing in dst can be used. Checksums are checked where rows reach the
// end of a strip or tile.
func (m *Image) ReadRows(ctx context.Context, dst []byte, box image.Rectangle) error {
	l := &m.layout
	if !box.In(image.Rect(0, 0, l.width, l.height)) {
		return fmt.Errorf("tiff: box %v lies outside %d×%d", box, l.width, l.height)
	}
	if want := box.Dx() * box.Dy() * l.bytes; len(dst) != want {
		return fmt.Errorf("tiff: %d bytes for box %v, want %d", len(dst), box, want)
	}
	if m.failed != nil || box.Empty() {
		return m.failed
	}
	if box.Min.Y < m.next {
		return fmt.Errorf("tiff: row %d was passed", box.Min.Y)
	}
	m.next = box.Max.Y
	if err := m.read(ctx, view{dst, box, l.bytes}); err != nil {
		m.failed = fmt.Errorf("tiff: %w", err)
	}
	return m.failed
}

// read fills v as far as the file has its rows.
func (m *Image) read(ctx context.Context, v view) error {
	l := &m.layout
	there := v.cut(l.there())
	var y int
	var err error
	if l.codec == codecNone {
		y, err = m.raw.read(ctx, there)
	} else {
		y, err = m.coded.read(ctx, there)
	}
	if broken, ok := errors.AsType[*RowError](err); ok {
		return broken
	}
	if err != nil {
		return fmt.Errorf("row %d: %w", y, unexpected(err))
	}
	if there.box.Max.Y < v.box.Max.Y {
		return &RowError{l.damage.row, l.damage.err}
	}
	return nil
}

// unexpected makes the end of the file, where pixels should be, an error that
// nobody takes for the end of the work.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// A view is memory for the pixels of a box.
type view struct {
	pix   []byte
	box   image.Rectangle
	bytes int // per pixel
}

// rows is the memory of rows y0 to y1 in place.
func (v view) rows(y0, y1 int) []byte {
	n := v.box.Dx() * v.bytes
	return v.pix[(y0-v.box.Min.Y)*n : (y1-v.box.Min.Y)*n]
}

// put copies what the view shares with p: rows of n bytes, from row y and from
// column x on.
func (v view) put(y, x int, p []byte, n int) {
	lo, hi := max(x, v.box.Min.X), min(x+n/v.bytes, v.box.Max.X)
	if lo >= hi {
		return
	}
	from, to, size := (lo-x)*v.bytes, (lo-v.box.Min.X)*v.bytes, (hi-lo)*v.bytes
	line := v.box.Dx() * v.bytes
	for r := max(y, v.box.Min.Y); r < min(y+len(p)/n, v.box.Max.Y); r++ {
		copy(v.pix[(r-v.box.Min.Y)*line+to:][:size], p[(r-y)*n+from:])
	}
}

// An unsupported error is a kind of TIFF that is not read, by its name.
type unsupported string

func (u unsupported) Error() string { return "cannot read " + string(u) }

// Is makes the error one of errors.ErrUnsupported.
func (u unsupported) Is(target error) bool { return target == errors.ErrUnsupported }
