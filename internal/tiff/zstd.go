package tiff

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

const (
	// zstdWhole is the largest segment that is decoded in one go: into dst if
	// its rows are wanted whole. It needs no window then, which libtiff makes
	// 4 MiB large for whatever it compresses.
	zstdWhole = 1 << 20

	// maxWindow is what the zstd program takes without being told to.
	maxWindow = 128 << 20

	// zstdBytes is what a zstd.Decoder takes: tables, and a block of literals.
	zstdBytes = 640 << 10
)

// window reads how far the first segment looks back, if that takes memory. Others
// that look farther are errors: no writer changes its mind from strip to strip.
func (f *file) window(_ *directory, l *layout) error {
	if l.codec != codecZstd || l.segBytes() <= zstdWhole {
		return nil
	}
	l.window = zstdWhole
	s := l.segments[0]
	head, err := f.read(uint64(s.offset), uint64(min(s.n, zstd.HeaderMaxSize)), "Zstandard data")
	if err != nil {
		return err
	}
	var h zstd.Header
	if h.Decode(head) != nil {
		return nil // ReadRows will say it
	}
	window := h.WindowSize
	if h.SingleSegment {
		window = h.FrameContentSize
	}
	if window > maxWindow {
		return unsupported(fmt.Sprintf("Zstandard compression with a window of %d bytes", window))
	}
	l.window = max(l.window, int64(window))
	return nil
}

// segBytes is the size of a whole segment's rows.
func (l *layout) segBytes() int64 { return int64(l.rowBytes()) * int64(l.segHeight) }

// zstdHeld is the most that a zstdReader allocates.
func (l *layout) zstdHeld() int64 {
	if l.segBytes() <= zstdWhole {
		return zstdBytes + 2*l.segBytes() + zstdSlack
	}
	// Three blocks of 128 KiB go with the window.
	return zstdBytes + readAhead + l.window + 384<<10
}

// zstdSlack is by how much data that do not compress grow, at most: 3 bytes for
// each block of 128 KiB, of at most zstdWhole bytes, and what begins and ends a
// frame (RFC 8878 section 3.1.1). It leaves room for small blocks.
const zstdSlack = 64 << 10

// A zstdReader expands Zstandard: small segments in one go, large ones as they
// are read.
type zstdReader struct {
	*layout
	dec *zstd.Decoder
	in  *bufio.Reader // of large segments

	segment *segmentReader // of a small one, until it is decoded
	packed  []byte         // a small one, as it is
	pix     []byte         // its pixels, if they are not decoded to where they are wanted
	rest    []byte         // those that are still to be read
	err     error          // why there are no more
}

// newZstdReader makes a reader of l's segments.
func newZstdReader(l *layout) (*zstdReader, error) {
	window := max(l.window, zstd.MinWindowSize)
	if l.window == 0 {
		window = zstd.MaxWindowSize // it takes no memory
	}
	// One at a time: the decoder starts no goroutines then.
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(uint64(window)), zstd.WithDecodeAllCapLimit(true))
	return &zstdReader{layout: l, dec: dec}, err
}

// reset makes r expand another segment.
func (r *zstdReader) reset(segment *segmentReader) error {
	if r.window == 0 {
		r.segment, r.rest, r.err = segment, nil, nil
		return nil
	}
	if r.in == nil {
		r.in = bufio.NewReaderSize(nil, readAhead)
	}
	r.in.Reset(segment)
	return r.dec.Reset(r.in)
}

// Read implements io.Reader.
func (r *zstdReader) Read(p []byte) (n int, err error) {
	if r.window != 0 {
		return r.dec.Read(p)
	}
	if r.segment != nil {
		if int64(len(p)) == r.segBytes() {
			return r.decode(p)
		}
		if r.pix == nil {
			r.pix = make([]byte, r.segBytes())
		}
		n, r.err = r.decode(r.pix)
		r.rest = r.pix[:n]
	}
	if len(r.rest) > 0 {
		n = copy(p, r.rest)
		r.rest = r.rest[n:]
		return n, nil
	}
	return 0, r.err
}

// decode decodes all of a small segment. The error is io.EOF if there is none.
func (r *zstdReader) decode(to []byte) (n int, err error) {
	r.err = io.EOF
	size := r.segment.n
	if size > r.segBytes()+zstdSlack {
		return 0, errors.New("more data than its rows take")
	}
	if int64(cap(r.packed)) < size {
		r.packed = make([]byte, size, min(r.segBytes()+zstdSlack, 2*size))
	}
	packed := r.packed[:size]
	if _, err := io.ReadFull(r.segment, packed); err != nil {
		return 0, err
	}
	r.segment = nil
	out, err := r.dec.DecodeAll(packed, to[:0:len(to)])
	if len(out) > len(to) { // of several frames it gives all, in memory of its own, and an error
		out = to[:copy(to, out)]
		if err == nil {
			err = errors.New("more pixels than its rows have")
		}
	}
	if err != nil {
		r.err = err
	} else {
		err = io.EOF
	}
	return len(out), err
}
