package tiff

import (
	"bufio"
	"errors"
	"io"

	"github.com/klauspost/compress/lzw"

	"github.com/neurodata/ndpush/internal/inflate"
)

const (
	// readAhead is how much of a segment is read from the file at once.
	readAhead = 64 << 10

	// decoderBytes is the most that a decoder takes: its input, and the tables and
	// the window of inflate, which are larger than LZW's 56 KiB.
	decoderBytes = readAhead + inflate.Held
)

// A decoder decompresses one segment after another, in memory that it reuses.
// Its zero value is ready for reset.
type decoder struct {
	codec  codec
	in     *bufio.Reader // of a codec that reads bytes
	pieces *pieces       // of deflate
	out    io.Reader     // the pixels of the segment
}

// reset makes the decoder give the pixels of another segment. The codec is
// always the same.
func (d *decoder) reset(c codec, segment io.Reader) error {
	if d.codec = c; c == codecDeflate {
		d.resetDeflate(segment)
		return nil
	}
	if d.in == nil {
		d.in = bufio.NewReaderSize(nil, readAhead)
	}
	d.in.Reset(segment)
	if c == codecLZW {
		return d.resetLZW()
	}
	d.out = &packBitsReader{in: d.in}
	return nil
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

// resetLZW refuses the bit order of libtiff before 1991, which would decode to
// noise: data in the right order begin with the clear code, 256 in nine bits
// (TIFF 6.0 section 13).
func (d *decoder) resetLZW() error {
	head, err := d.in.Peek(2)
	if err != nil {
		return err
	}
	if head[0] == 0 && head[1]&1 == 1 {
		return unsupported("old-style LZW compression")
	}
	r, ok := d.out.(*lzw.Reader)
	if !ok {
		r = lzw.NewReader(d.in, lzw.MSB, 8).(*lzw.Reader)
		r.SetAldusCompatible(true)
		d.out = r
		return nil
	}
	r.Reset(d.in, lzw.MSB, 8)
	return nil
}

// end checks that the segment ends where its rows do, give or take padding
// bytes. Only deflate has an end worth looking at: a checksum comes with it.
func (d *decoder) end(padding int64) error {
	if d.codec != codecDeflate {
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
