package blosc

import (
	"unsafe"

	"github.com/klauspost/compress/huff0"
)

// A literalWriter writes the literals of Zstandard blocks, each byte coded by its
// frequency. Of a microscope's noise that is all there is to gain.
//
// huff0 finds the lengths of the codes and writes their table. The codes are put
// together here: huff0's own loop, and how it counts, take twice the time.
type literalWriter struct {
	counts [4][256]uint32
	huff   huff0.Scratch
	table  []byte      // to go before the first literals coded with it
	coded  bool        // there are codes
	codes  [256]uint64 // the code in the highest bits, its length in the lowest byte
	out    [4]literalStream
}

// A literalStream has room for a quarter of a block.
type literalStream [zstdBlock/4*longestCode/8 + 32]byte

// The literals of a block (RFC 8878, section 3.1.1.3.1).
const (
	zstdRawLiterals    = 0
	zstdNewTable       = 2
	zstdSameTable      = 3
	zstdFourStreams    = 3 << 2
	zstdRawHeader      = 3 // of at most 1<<20
	zstdLiteralsHeader = 5 // of four streams, with sizes of 18 bits
	zstdJumps          = 6 // bytes that say where three of the streams end
	longestCode        = 11

	// minCoded are the fewest literals that are coded at all.
	minCoded = 128
)

// setCodes chooses the codes for all of src, if that is worth it.
func (w *literalWriter) setCodes(src []byte) {
	w.coded = false
	if len(src) < minCoded {
		return
	}
	counts := w.count(src)
	if err := w.huff.BuildCTable(counts); err != nil {
		return
	}
	if size := w.huff.EstimateSize(counts); size < 0 || size >= len(src) {
		return
	}
	var err error
	if w.table, err = w.huff.AppendTable(w.table[:0]); err != nil {
		return
	}
	w.number(w.lengths(counts))
	w.coded = true
}

// count is how often each byte is in src. Four tables, as a count that was just
// written cannot be read at once.
func (w *literalWriter) count(src []byte) *[256]uint32 {
	c := &w.counts
	clear(c[:])
	for ; len(src) >= 8; src = src[8:] {
		v := le.Uint64(src)
		c[0][byte(v)]++
		c[1][byte(v>>8)]++
		c[2][byte(v>>16)]++
		c[3][byte(v>>24)]++
		c[0][byte(v>>32)]++
		c[1][byte(v>>40)]++
		c[2][byte(v>>48)]++
		c[3][byte(v>>56)]++
	}
	for _, b := range src {
		c[0][b]++
	}
	for i := range c[0] {
		c[0][i] += c[1][i] + c[2][i] + c[3][i]
	}
	return &c[0]
}

// lengths asks huff0 how long the codes are. It tells the size, in whole bytes
// and rounded up, of bytes that are there so many times: those that are there 8,
// 8*16, 8*16*16 times and so on tell theirs in digits of base 16.
func (w *literalWriter) lengths(counts *[256]uint32) (lengths [256]uint8) {
	const digits = 7
	var asked [digits]int
	for next := 0; next < 256; {
		var some [256]uint32
		n := 0
		for ; next < 256 && n < digits; next++ {
			if counts[next] > 0 {
				some[next] = 8 << (4 * n)
				asked[n] = next
				n++
			}
		}
		size := w.huff.EstimateSize(&some)
		for i := range n {
			lengths[asked[i]] = uint8(size >> (4 * i) & 15)
		}
	}
	return lengths
}

// number gives codes of these lengths to the bytes: longer ones first, from 0
// on, and those of a length in order (RFC 8878, section 4.2.1).
func (w *literalWriter) number(lengths [256]uint8) {
	var next [longestCode + 2]uint64
	for _, n := range lengths {
		next[n]++
	}
	for n, code := longestCode, uint64(0); n > 0; n-- {
		count := next[n]
		next[n] = code
		code = (code + count) / 2
	}
	for i, n := range lengths {
		w.codes[i] = 0
		if n > 0 {
			w.codes[i] = next[n]<<(64-n) | uint64(n)
			next[n]++
		}
	}
}

// put writes src, part of what the codes were chosen for, to dst and returns its
// length. dst has room for zstdRawHeader more bytes than src.
func (w *literalWriter) put(dst, src []byte) int {
	if w.coded && len(src) >= minCoded {
		if n := w.putCoded(dst, src); n > 0 {
			return n
		}
	}
	header := uint32(len(src))<<4 | 3<<2 | zstdRawLiterals
	dst[0], dst[1], dst[2] = byte(header), byte(header>>8), byte(header>>16)
	return zstdRawHeader + copy(dst[zstdRawHeader:], src)
}

// putCoded returns 0 if src does not get shorter.
func (w *literalWriter) putCoded(dst, src []byte) int {
	q := (len(src) + 3) / 4
	var ends [4]int
	ends[0], ends[1] = w.two(&w.out[0], &w.out[1], src[:q], src[q:2*q])
	ends[2], ends[3] = w.two(&w.out[2], &w.out[3], src[2*q:3*q], src[3*q:])
	size := len(w.table) + zstdJumps + ends[0] + ends[1] + ends[2] + ends[3]
	if zstdLiteralsHeader+size >= len(src) {
		return 0
	}
	kind := uint64(zstdNewTable)
	if len(w.table) == 0 {
		kind = zstdSameTable
	}
	header := kind | zstdFourStreams | uint64(len(src))<<4 | uint64(size)<<22
	le.PutUint32(dst, uint32(header))
	dst[4] = byte(header >> 32)
	pos := zstdLiteralsHeader + copy(dst[zstdLiteralsHeader:], w.table)
	w.table = w.table[:0] // it is the same from now on
	for i, end := range ends[:3] {
		le.PutUint16(dst[pos+2*i:], uint16(end))
	}
	pos += zstdJumps
	for i, end := range ends {
		pos += copy(dst[pos:], w.out[i][:end])
	}
	return pos
}

// two writes the codes of a and b, which is not longer, nor shorter by more than
// 3, to x and y, from the last byte to the first, and returns where they end. One
// at a time would wait for each code to be in place before the next.
//
// Codes enter at the upper end of a word, and the number of bits grows in the
// lowest byte of another; what the lowest byte of an entry leaves elsewhere is
// never looked at.
//
// Loads and stores are without bounds checks, as in lz4Writer: the loop needs the
// registers that checks would take. Loads are at 0 to whole-4; stores are of eight
// bytes from where the codes end, and x and y have room for 32 more than the
// longest codes are.
func (w *literalWriter) two(x, y *literalStream, a, b []byte) (nx, ny int) {
	codes := &w.codes
	var wx, wy, bx, by uint64 // words and bits
	whole := len(b) &^ 3
	nx, wx, bx = w.odd(x[:], a[whole:])
	ny, wy, by = w.odd(y[:], b[whole:])
	pa, pb, px, py := unsafe.SliceData(a), unsafe.SliceData(b), &x[0], &y[0]
	for i := whole - 4; i >= 0; i -= 4 { // at most 7+4*longestCode bits
		va, vb := load32(pa, i), load32(pb, i)
		e, f := codes[byte(va>>24)], codes[byte(vb>>24)]
		wx, bx = wx>>(e&63)|e, bx+e
		wy, by = wy>>(f&63)|f, by+f
		e, f = codes[byte(va>>16)], codes[byte(vb>>16)]
		wx, bx = wx>>(e&63)|e, bx+e
		wy, by = wy>>(f&63)|f, by+f
		e, f = codes[byte(va>>8)], codes[byte(vb>>8)]
		wx, bx = wx>>(e&63)|e, bx+e
		wy, by = wy>>(f&63)|f, by+f
		e, f = codes[byte(va)], codes[byte(vb)]
		wx, bx = wx>>(e&63)|e, bx+e
		wy, by = wy>>(f&63)|f, by+f
		store64(px, nx, wx>>(-bx&63))
		store64(py, ny, wy>>(-by&63))
		nx += int(bx >> 3 & 7)
		ny += int(by >> 3 & 7)
		bx &= 7
		by &= 7
	}
	// A bit of 1 is the end.
	x[nx] = byte((wx>>1 | 1<<63) >> (63 - bx))
	y[ny] = byte((wy>>1 | 1<<63) >> (63 - by))
	return nx + 1, ny + 1
}

// odd writes the codes of the few bytes of a to x and returns where two goes on,
// with what word and how many bits of it.
func (w *literalWriter) odd(x, a []byte) (n int, word, bits uint64) {
	for i := len(a) - 1; i >= 0; i-- {
		e := w.codes[a[i]]
		word, bits = word>>(e&63)|e, bits+e
		le.PutUint64(x[n:], word>>(-bits&63))
		n += int(bits >> 3 & 7)
		bits &= 7
	}
	return n, word, bits
}
