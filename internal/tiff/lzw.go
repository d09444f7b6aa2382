package tiff

import (
	"encoding/binary"
	"errors"
	"io"
)

const (
	lzwClear = 256 // the table is empty again (TIFF 6.0 section 13)
	lzwEnd   = 257
	lzwFirst = 258 // of the table's strings
	// lzwLast ends the table: encoders clear it before, and what does not grow it
	// any more.
	lzwLast = lzwMask

	lzwMinWidth, lzwMaxWidth = 9, 12
	lzwMask                  = 1<<lzwMaxWidth - 1

	// lzwBytes is what an lzwReader takes beside its input.
	lzwBytes = 72 << 10
)

var errLZW = errors.New("an LZW code that means nothing")

// An lzwString is an entry of the table: a string in pieces of eight bytes, the
// last of which it has itself, so that most strings are written with one store,
// and no string depends on where another was written.
type lzwString struct {
	tail uint64 // its last one to eight bytes, the first of them lowest
	head uint64 // its length in bits 0 to 15; its first byte in 16 to 23; in 32 to 47 the string of all bytes before tail
}

// size is the string's length, or 0 for a code that is no string.
func (s lzwString) size() int { return int(uint16(s.head)) }

func (s lzwString) first() byte { return byte(s.head >> 16) }

func (s lzwString) link() uint16 { return uint16(s.head>>32) & lzwMask }

// and is the string, whose code is given, with a byte more.
func (s lzwString) and(code uint16, b byte) lzwString {
	if s.head&7 == 0 {
		return lzwString{uint64(b), s.head&(1<<24-1) + 1 | uint64(code)<<32}
	}
	return lzwString{s.tail | uint64(b)<<(s.head&7*8), s.head + 1}
}

// An lzwTable has the strings by their codes.
type lzwTable [lzwMask + 1]lzwString

// An lzwReader expands LZW as TIFF has it: codes from their highest bit, which
// widen one code early (TIFF 6.0 section 13). It is resumable at any byte.
//
// golang.org/x/image/tiff/lzw and github.com/klauspost/compress/lzw, which are
// its twins in the test, follow each string byte by byte and took twice the time
// (see BenchmarkLibtiff).
type lzwReader struct {
	in   lzwBits
	rest []byte // of a string that did not fit
	err  error

	width uint   // of the next code
	next  uint16 // the string that the next code completes
	last  uint16 // the string before; lzwClear if there is none

	table   lzwTable
	pending [lzwLast + 8]byte
}

// newLZWReader makes a reader that is ready for reset.
func newLZWReader() *lzwReader {
	r := &lzwReader{in: lzwBits{buf: make([]byte, readAhead)}}
	for i := range lzwClear {
		r.table[i] = lzwString{uint64(i), 1 | uint64(i)<<16}
	}
	return r
}

// reset makes r expand what in gives. It refuses the bit order of libtiff before
// 1991, which would decode to noise: data in the right order begin with the clear
// code, 256 in nine bits (TIFF 6.0 section 13).
func (r *lzwReader) reset(in io.Reader) error {
	r.in = lzwBits{r: in, buf: r.in.buf}
	r.rest, r.err = nil, nil
	r.clear()
	if err := r.in.read(); err != nil {
		return err
	}
	if head := r.in.buf[:r.in.end]; len(head) > 1 && head[0] == 0 && head[1]&1 == 1 {
		return unsupported("old-style LZW compression")
	}
	return nil
}

func (r *lzwReader) clear() { r.width, r.next, r.last = lzwMinWidth, lzwFirst, lzwClear }

// Read implements io.Reader. It fills p but for an error, and may write all of it.
func (r *lzwReader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(r.rest) > 0 {
			k := copy(p[n:], r.rest)
			r.rest = r.rest[k:]
			n += k
			continue
		}
		if r.err != nil {
			return n, r.err
		}
		if n += r.fast(p[n:]); n < len(p) {
			r.err = r.step()
		}
	}
	return n, nil
}

// fast expands ordinary codes, until there is one that is not, or too little
// input or room for a longest string.
func (r *lzwReader) fast(p []byte) (n int) {
	if r.last == lzwClear {
		return 0
	}
	table, in := &r.table, r.in.buf[:r.in.end]
	pos, bits, have := r.in.pos, r.in.bits, r.in.n
	width, next, last := r.width, r.next, r.last
	before := table[last&lzwMask]
	for next < lzwLast {
		if have < width {
			if len(in)-pos < 8 {
				break
			}
			bits |= binary.BigEndian.Uint64(in[pos:]) >> (have & 63)
			pos += int(63-have) >> 3
			have |= 56
		}
		code := uint16(bits >> (64 - lzwMaxWidth) >> ((lzwMaxWidth - width) & 15))
		s := table[code&lzwMask]
		size := s.size()
		if code >= next || size == 0 || len(p)-n < size+8 {
			break
		}
		bits <<= width & 63
		have -= width
		if size <= 8 {
			binary.LittleEndian.PutUint64(p[n:], s.tail)
		} else {
			table.put(p[n:], s)
		}
		n += size
		table[next&lzwMask] = before.and(last, s.first())
		before, last = s, code
		if next++; next == 1<<(width&15)-1 && width < lzwMaxWidth {
			width++
		}
	}
	r.in.pos, r.in.bits, r.in.n = pos, bits, have
	r.width, r.next, r.last = width, next, last
	return n
}

// put writes a string at the begin of p, and up to seven bytes behind it.
func (t *lzwTable) put(p []byte, s lzwString) {
	at := (s.size() - 1) &^ 7
	binary.LittleEndian.PutUint64(p[at:], s.tail)
	for ; at > 0; at -= 8 {
		s = t[s.link()]
		binary.LittleEndian.PutUint64(p[at-8:], s.tail)
	}
}

// step expands the next code, whatever it is.
func (r *lzwReader) step() error {
	code, err := r.in.take(r.width)
	switch {
	case err != nil:
		return err
	case code == lzwClear:
		r.clear()
		return nil
	case code == lzwEnd:
		return io.EOF
	case code > r.next || code == r.next && (r.last == lzwClear || r.next == lzwLast):
		return errLZW
	}
	if r.last != lzwClear && r.next < lzwLast {
		before := r.table[r.last]
		first := before.first() // of the string that is being made, if it is this one
		if code < r.next {
			first = r.table[code].first()
		}
		r.table[r.next] = before.and(r.last, first)
		if r.next++; r.next == 1<<r.width-1 && r.width < lzwMaxWidth {
			r.width++
		}
	}
	r.last = code
	r.table.put(r.pending[:], r.table[code])
	r.rest = r.pending[:r.table[code].size()]
	return nil
}

// lzwBits gives codes from their highest bit.
type lzwBits struct {
	r    io.Reader
	err  error
	buf  []byte
	pos  int    // what comes next of buf
	end  int    // of what was read
	bits uint64 // the next bits, from the highest; below them there may be more of the same data
	n    uint   // how many they are
}

// take gives the next code of that width.
func (b *lzwBits) take(width uint) (uint16, error) {
	for b.n < width {
		if b.pos == b.end {
			if err := b.read(); err != nil {
				return 0, err
			}
		}
		b.bits = b.bits&^(^uint64(0)>>b.n) | uint64(b.buf[b.pos])<<(56-b.n)
		b.pos++
		b.n += 8
	}
	code := uint16(b.bits >> (64 - width))
	b.bits <<= width
	b.n -= width
	return code, nil
}

// read reads more, if nothing is left.
func (b *lzwBits) read() error {
	for b.pos == b.end {
		if b.err != nil {
			return unexpected(b.err)
		}
		b.pos = 0
		b.end, b.err = b.r.Read(b.buf)
	}
	return nil
}
