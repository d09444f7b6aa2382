package tiff

import (
	"bufio"
	"errors"
	"io"

	"github.com/neurodata/ndpush/internal/inflate"
)

// readAhead is how much of a segment is read from the file at once.
const readAhead = 64 << 10

// decoderHeld is the most that a decoder of l's segments takes: its input, its
// tables and what it looks back at.
func (l *layout) decoderHeld() int64 {
	switch l.codec {
	case codecDeflate:
		return readAhead + inflate.Held
	case codecLZW:
		return readAhead + lzwBytes
	case codecZstd:
		return l.zstdHeld()
	}
	return readAhead
}

// A decoder decompresses one segment after another, in memory that it reuses.
// Its zero value is ready for reset.
type decoder struct {
	*layout
	in     *bufio.Reader // of PackBits
	pieces *pieces       // of deflate
	out    io.Reader     // the pixels of the segment
}

// reset makes the decoder give the pixels of another segment.
func (d *decoder) reset(segment *segmentReader) error {
	switch d.codec {
	case codecDeflate:
		d.resetDeflate(segment)
	case codecLZW:
		if d.out == nil {
			d.out = newLZWReader()
		}
		return d.out.(*lzwReader).reset(segment)
	case codecZstd:
		return d.resetZstd(segment)
	default:
		d.resetPackBits(segment)
	}
	return nil
}

func (d *decoder) resetPackBits(segment io.Reader) {
	if d.in == nil {
		d.in = bufio.NewReaderSize(nil, readAhead)
	}
	d.in.Reset(segment)
	d.out = &packBitsReader{in: d.in}
}

func (d *decoder) resetDeflate(segment io.Reader) {
	if d.pieces == nil {
		d.pieces, d.out = &pieces{buf: make([]byte, readAhead)}, new(inflate.Reader)
	}
	d.pieces.r = segment
	d.out.(*inflate.Reader).Reset(d.pieces)
}

// pieces are what a segment consists of, see [inflate.Source].
type pieces struct {
	r   io.Reader
	buf []byte
}

// Next implements inflate.Source.
func (p *pieces) Next() ([]byte, error) {
	n, err := p.r.Read(p.buf)
	if n > 0 {
		err = nil // it comes again, and is not to spoil what was read
	}
	return p.buf[:n], err
}

func (d *decoder) resetZstd(segment *segmentReader) (err error) {
	if d.out == nil {
		if d.out, err = newZstdReader(d.layout); err != nil {
			return err
		}
	}
	return d.out.(*zstdReader).reset(segment)
}

// end checks that the segment ends where its rows do, give or take padding
// bytes. Deflate and Zstandard have an end worth looking at: a checksum may come
// with it.
func (d *decoder) end(padding int64) error {
	if d.codec != codecDeflate && d.codec != codecZstd {
		return nil
	}
	_, err := io.CopyN(io.Discard, d.out, padding+1)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		err = errors.New("more data than its rows take")
	}
	return err
}

// A packBitsReader expands PackBits: a count n, then n+1 bytes as they are if it
// is not negative, else a byte to repeat 1-n times; -128 is nothing (TIFF 6.0
// section 9). It is resumable at any byte.
type packBitsReader struct {
	in     *bufio.Reader
	n      int  // bytes of this run to come
	repeat bool // they are all b
	b      byte
}

func (r *packBitsReader) Read(p []byte) (int, error) {
	for r.n == 0 {
		if err := r.run(); err != nil {
			return 0, err
		}
	}
	p = p[:min(len(p), r.n)]
	if !r.repeat {
		n, err := r.in.Read(p)
		r.n -= n
		return n, err
	}
	for i := range p {
		p[i] = r.b
	}
	r.n -= len(p)
	return len(p), nil
}

// run begins the next run.
func (r *packBitsReader) run() error {
	c, err := r.in.ReadByte()
	if err != nil || int8(c) == -128 {
		return err
	}
	if r.repeat = int8(c) < 0; !r.repeat {
		r.n = int(c) + 1
		return nil
	}
	r.n = 1 - int(int8(c))
	r.b, err = r.in.ReadByte()
	return err
}
