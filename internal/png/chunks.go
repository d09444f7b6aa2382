package png

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

const (
	// chunkBytes is how much of the file is held at a time, and so how long a
	// chunk may be for its checksum to be checked before it is decoded: libpng
	// writes 8 KiB, image/png and Java 32, Pillow 64 or four bytes for each pixel
	// of a row. Optimizers write all pixels as one chunk.
	chunkBytes = 256 << 10
	// readBytes is how much is read at once.
	readBytes = 64 << 10
)

// chunks gives the data of consecutive IDAT chunks, see [inflate.Source].
//
// A chunk that is longer than chunkBytes is given piece by piece before its
// checksum is known.
type chunks struct {
	r    io.ReaderAt
	size int64
	at   int64 // the offset in the file of what comes next

	buf        []byte
	start, end int // what of buf is read from the file, and not yet given

	long longChunk
	// longer is called before the first piece of a chunk that is too long.
	longer func()
}

// A longChunk is a chunk that is given piece by piece; its zero value is none.
type longChunk struct {
	open   bool
	offset int64
	n      int64 // bytes, of which left were not given
	left   int64
	sum    uint32 // of those that were
}

// Next implements inflate.Source.
func (c *chunks) Next() ([]byte, error) {
	for {
		if c.long.left > 0 {
			return c.piece()
		}
		if err := c.finish(); err != nil {
			return nil, err
		}
		p, err := c.begin()
		if err != nil || len(p) > 0 {
			return p, err
		}
	}
}

// begin gives the next chunk, or nothing if it is long.
func (c *chunks) begin() ([]byte, error) {
	offset := c.at
	head, err := c.peek(8)
	if err != nil {
		return nil, err
	}
	n := int64(binary.BigEndian.Uint32(head))
	switch {
	case !isName(head[4:]):
		return nil, noChunk(offset)
	case string(head[4:]) != "IDAT":
		return nil, io.EOF
	case n+12 > chunkBytes:
		c.longer()
		c.long = longChunk{true, offset, n, n, crc32.ChecksumIEEE(head[4:])}
		c.skip(8)
		return nil, nil
	}
	p, err := c.peek(int(n) + 12)
	if err != nil {
		return nil, err
	}
	c.skip(len(p))
	if crc32.ChecksumIEEE(p[4:8+n]) != binary.BigEndian.Uint32(p[8+n:]) {
		return nil, wrongSum(offset)
	}
	return p[8 : 8+n], nil
}

// piece gives the next piece of a long chunk.
func (c *chunks) piece() ([]byte, error) {
	l := &c.long
	if c.start == c.end {
		if _, err := c.peek(1); err != nil {
			return nil, l.end(err, c.size)
		}
	}
	p := c.buf[c.start:c.end]
	p = p[:min(int64(len(p)), l.left)]
	l.left -= int64(len(p))
	l.sum = crc32.Update(l.sum, crc32.IEEETable, p)
	c.skip(len(p))
	return p, nil
}

// finish checks the checksum behind a long chunk, if one is open.
func (c *chunks) finish() error {
	if !c.long.open {
		return nil
	}
	p, err := c.peek(4)
	if err != nil {
		return c.long.end(err, c.size)
	}
	if c.long.sum != binary.BigEndian.Uint32(p) {
		return wrongSum(c.long.offset)
	}
	c.skip(4)
	c.long.open = false
	return nil
}

// end is err of a chunk, with the end that the chunk should have.
func (l *longChunk) end(err error, size int64) error {
	if _, ok := errors.AsType[missing](err); ok {
		return truncated(l.offset+12+l.n, size)
	}
	return err
}

// skip passes n bytes that were peeked at.
func (c *chunks) skip(n int) {
	c.start += n
	c.at += int64(n)
}

// peek gives the next n bytes of the file, at most chunkBytes.
func (c *chunks) peek(n int) ([]byte, error) {
	if c.at+int64(n) > c.size {
		return nil, truncated(c.at+int64(n), c.size)
	}
	if c.buf == nil {
		c.buf = make([]byte, chunkBytes)
	}
	if c.start+n > len(c.buf) || c.start == c.end {
		c.end = copy(c.buf, c.buf[c.start:c.end])
		c.start = 0
	}
	for c.end-c.start < n {
		if err := c.more(n - (c.end - c.start)); err != nil {
			return nil, err
		}
	}
	return c.buf[c.start : c.start+n], nil
}

// more reads at least n bytes, which are there.
func (c *chunks) more(n int) error {
	from := c.at + int64(c.end-c.start)
	p := c.buf[c.end:min(len(c.buf), c.end+max(n, readBytes))]
	p = p[:min(int64(len(p)), c.size-from)]
	got, err := c.r.ReadAt(p, from)
	c.end += got
	if got < len(p) {
		return &readError{unexpected(err)}
	}
	return nil
}

// A readError is why a file cannot be read, which is no fault of the image's.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// unexpected makes the end of the file, where more should be, an error that
// nobody takes for the end of the work.
func unexpected(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// A missing error is an end of the file that comes too early.
type missing string

func (m missing) Error() string { return string(m) }

// truncated is the error that a chunk ends beyond the file.
func truncated(end, size int64) error {
	return missing(fmt.Sprintf("truncated: a chunk ends at offset %d, the file has %d bytes", end, size))
}

// noChunk is the error that something else stands where a chunk should.
func noChunk(offset int64) error {
	return missing(fmt.Sprintf("there is no chunk at offset %d", offset))
}

// A wrongSum error is a chunk of pixels at that offset whose checksum is not its.
type wrongSum int64

func (w wrongSum) Error() string {
	return fmt.Sprintf("invalid checksum of the IDAT chunk at offset %d", int64(w))
}
