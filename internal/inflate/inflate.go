// Package inflate decodes DEFLATE, made for images that are read by rows.
//
// A [Reader] decodes as much as is asked for and keeps its state for more. Its
// input comes in pieces that are decoded where they lie; its output is decoded
// where it is wanted, if that is large, and else to a window of its own. It is for
// pixels that hardly compress, electron microscopes' above all: most symbols are
// literals of six to eight bits, so a lookup gives two of them where they fit, and
// a 64-bit buffer is filled once for several lookups.
//
// compress/flate and github.com/klauspost/compress/flate were the alternatives:
// they read their input byte by byte, and took twice the time (see
// BenchmarkReader).
//
// Sources: RFC 1951 (DEFLATE), cited as such with its section; RFC 1950 (zlib).
package inflate

import (
	"errors"
	"fmt"
	"io"
)

// A Source gives compressed data piece by piece.
type Source interface {
	// Next gives the next piece. It stays as it is until Next is called again.
	// After the last one the error is io.EOF; any other error ends the data, too,
	// and is handed on as it is. After an error Next is not called again.
	Next() ([]byte, error)
}

const (
	// windowBytes is how far back a match may reach (RFC 1951 section 2).
	windowBytes = 32 << 10
	// slackBytes is what may be written behind a limit: up to eight literals, the
	// longest match, and what is copied beyond its end for being whole registers.
	slackBytes = 8 + 258 + 31
	// roundBytes is how much is decoded at a time; it and the window fit the
	// second-level cache.
	roundBytes = bufBytes - windowBytes - slackBytes
	bufBytes   = 96 << 10
	// directBytes is for how much it is worth to decode where it is wanted: then
	// the window is copied, else all of it.
	directBytes = windowBytes

	// Held is the most memory in bytes that a Reader takes, with its tables.
	Held = bufBytes + 16<<10
)

// Errors of data that make no sense. Data that end too early are
// io.ErrUnexpectedEOF.
var (
	errHeader   = errors.New("no zlib header")
	errDict     = errors.New("zlib data with a preset dictionary")
	errChecksum = errors.New("the Adler-32 checksum is wrong")
	errBlock    = errors.New("a deflate block of a kind that there is not")
	errStored   = errors.New("a stored deflate block whose length contradicts itself")
	errCodes    = errors.New("a deflate block with an impossible Huffman code")
	errSymbol   = errors.New("a deflate symbol that means nothing")
	errDistance = errors.New("a deflate match that begins before the data")
)

// A Reader decodes one stream after another, in memory that it reuses. Its zero
// value is ready for Reset. It is not safe for concurrent use.
type Reader struct {
	src    Source
	srcErr error  // why it has no more
	in     []byte // the piece that is being decoded
	pos    int    // what comes next of it
	bits   uint64 // the next bits of the data, from the lowest
	n      uint   // how many they are; above them there may be more of the same data

	own    *[bufBytes]byte // made by the first Reset
	buf    []byte          // where it decodes: own, or what Read was given
	end    int             // of what is decoded in buf
	before int64           // how many bytes of the stream lie before buf
	limit  int             // where to stop; slackBytes lie behind it
	read   int             // what was read of own
	zlib   bool
	sum    adler
	step   func(*Reader) error // what comes next; nil after the last block
	final  bool                // the block is the last one
	stored int                 // bytes left of a stored block
	err    error               // why there is no more than is in buf

	lit     litTable
	dist    distTable
	isFixed bool // the tables are those of the fixed codes
	lens    [maxLit + maxDist]uint8
}

// Reset makes r decode the zlib stream that src gives (RFC 1950), whose
// checksum is checked at its end.
func (r *Reader) Reset(src Source) {
	r.reset(src)
	r.zlib, r.step = true, (*Reader).header
}

// ResetRaw makes r decode the DEFLATE stream that src gives, without a checksum.
func (r *Reader) ResetRaw(src Source) {
	r.reset(src)
	r.zlib, r.step = false, (*Reader).block
}

func (r *Reader) reset(src Source) {
	if r.own == nil {
		r.own = new([bufBytes]byte)
	}
	r.buf = r.own[:]
	r.src, r.srcErr, r.in, r.pos, r.bits, r.n = src, nil, nil, 0, 0, 0
	r.end, r.before, r.read, r.sum, r.final, r.err = 0, 0, 0, adler{1, 0}, false, nil
}

// Read implements io.Reader, with all of p as scratch space. What comes before
// data that are damaged or end too early is given first, and the reason then;
// whether it is as it was written, only the checksum can tell. io.EOF means that
// the stream is complete, and its checksum right.
func (r *Reader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		switch {
		case r.read < r.end:
			k := copy(p[n:], r.buf[r.read:r.end])
			r.read += k
			n += k
		case r.err != nil:
			return n, r.err
		case n >= min(r.end, windowBytes) && len(p)-n >= directBytes:
			n = r.direct(p, n)
		default:
			r.round()
		}
	}
	return n, nil
}

// Unused is how many bytes of the last piece lie behind the stream, once Read
// gave io.EOF.
func (r *Reader) Unused() int { return int(r.n/8) + len(r.in) - r.pos }

// Decoded is how many bytes of the stream are decoded, of which Read gave some or
// all. When a Source is asked for its next piece they come from those before it,
// and how many they are does not depend on how Read is called: it stops between
// lookups only, so the same bits are looked at together.
func (r *Reader) Decoded() int64 { return r.before + int64(r.end) }

// round decodes the next bytes to own, where Read finds them.
func (r *Reader) round() {
	r.window()
	r.decodeTo(windowBytes + roundBytes)
}

// direct decodes the next bytes to p from n on, for as many as slackBytes allow,
// and gives where they end. All that a match may reach is in p[:n].
func (r *Reader) direct(p []byte, n int) int {
	r.before += int64(r.end - n)
	r.buf, r.end = p, n
	for last := len(p) - slackBytes; r.err == nil && r.end < last; {
		r.decodeTo(min(r.end+roundBytes, last))
	}
	n = r.end
	r.window()
	return n
}

// window keeps in own what a match may reach, all of it read.
func (r *Reader) window() {
	n := copy(r.own[:], r.buf[max(0, r.end-windowBytes):r.end])
	r.before += int64(r.end - n)
	r.buf, r.end, r.read = r.own[:], n, n
}

// decodeTo decodes until limit is reached, the stream ends, or it breaks.
func (r *Reader) decodeTo(limit int) {
	begin := r.end
	r.limit = limit
	for r.err == nil && r.step != nil && r.end < limit {
		r.err = r.step(r)
	}
	if r.zlib {
		r.sum.add(r.buf[begin:r.end])
	}
	if r.err == nil && r.step == nil {
		r.trailer()
	}
}

// trailer ends the stream.
func (r *Reader) trailer() {
	r.err = io.EOF
	if !r.zlib {
		return
	}
	r.drop(r.n & 7)
	var sum uint32
	for range 4 {
		c, err := r.take(8)
		if err != nil {
			r.err = err
			return
		}
		sum = sum<<8 | uint32(c)
	}
	if sum != r.sum.value() {
		r.err = errChecksum
	}
}

// header reads the two bytes that begin a zlib stream (RFC 1950 section 2.2).
func (r *Reader) header() error {
	h, err := r.take(16)
	if err != nil {
		return err
	}
	method, flags := h&0xff, h>>8
	switch {
	case method&15 != 8 || method>>4 > 7 || (method<<8|flags)%31 != 0:
		return errHeader
	case flags&0x20 != 0:
		return errDict
	}
	r.step = (*Reader).block
	return nil
}

// block reads a block's header (RFC 1951 section 3.2.3).
func (r *Reader) block() error {
	if r.final {
		r.step = nil
		return nil
	}
	h, err := r.take(3)
	if err != nil {
		return err
	}
	r.final = h&1 != 0
	switch h >> 1 {
	case 0:
		return r.storedHeader()
	case 1:
		err = r.fixed()
	case 2:
		err = r.dynamic()
	default:
		err = errBlock
	}
	r.step = (*Reader).symbols
	return err
}

// storedHeader reads the length of a block that is not compressed (section
// 3.2.4).
func (r *Reader) storedHeader() error {
	r.drop(r.n & 7)
	h, err := r.take(32)
	if err != nil {
		return err
	}
	if uint16(h) != ^uint16(h>>16) {
		return errStored
	}
	r.stored, r.step = int(uint16(h)), (*Reader).copyStored
	return nil
}

// copyStored gives what there is room for of a stored block.
func (r *Reader) copyStored() error {
	for r.stored > 0 && r.end < r.limit {
		if r.n >= 8 {
			r.buf[r.end] = byte(r.bits)
			r.drop(8)
			r.end++
			r.stored--
			continue
		}
		r.bits = 0
		if r.pos == len(r.in) {
			if err := r.next(); err != nil {
				return err
			}
			continue
		}
		k := min(r.stored, r.limit-r.end)
		k = copy(r.buf[r.end:r.end+k], r.in[r.pos:])
		r.end += k
		r.pos += k
		r.stored -= k
	}
	if r.stored == 0 {
		r.step = (*Reader).block
	}
	return nil
}

// next goes on to the next piece. It may be called again after an error: symbols
// are looked for with fewer bits than they could have.
func (r *Reader) next() error {
	if r.srcErr != nil {
		return r.srcErr
	}
	piece, err := r.src.Next()
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("deflate data: %w", io.ErrUnexpectedEOF)
	}
	if r.srcErr = err; err == nil {
		r.in, r.pos = piece, 0
	}
	return err
}
