package blosc

import (
	"github.com/klauspost/compress/huff0"
)

// A literalWriter writes Zstandard frames that have no matches: every byte is
// coded by its frequency alone. Of a microscope's noise that is all there is to
// gain, and what is not sought takes no time: EM comes out as short as from
// zstd.SpeedFastest, or shorter, and sooner (BenchmarkEncode).
//
// huff0 finds the lengths of the codes and writes their table. The codes are put
// together here: huff0's own loop, and how it counts, take twice the time.
type literalWriter struct {
	seen   [1 << 12]uint32 // where eight bytes that hash to the index were last
	counts [4][256]uint32
	huff   huff0.Scratch
	table  []byte      // as in the first block
	codes  [256]uint64 // the code in the highest bits, its length in the lowest byte
	out    [4][zstdBlock/4*longestCode/8 + 16]byte
}

// What a Zstandard frame is made of (RFC 8878, section 3.1.1).
const (
	zstdMagic         = 0xfd2fb528
	zstdFrameHeader   = 4 + 1 + 4
	zstdSingleSegment = 1 << 5
	zstdSizeIn4Bytes  = 2 << 6

	zstdBlock       = 128 << 10 // most bytes in a block
	zstdBlockHeader = 3
	zstdRawBlock    = 0
	zstdPacked      = 2

	zstdLiteralsHeader = 5 // of four streams, with sizes of 18 bits
	zstdNewTable       = 2
	zstdSameTable      = 3
	zstdFourStreams    = 3 << 2
	zstdNoMatches      = 0 // the number of sequences, one byte
	zstdJumps          = 6 // bytes that say where three of the streams end
	longestCode        = 11
)

// suits reports whether next to nothing in src is a repetition, of 16 bytes or
// more, of what came before: less than one byte in 64. Shorter ones cost as much
// as they gain once bytes are coded by frequency. It looks at a sixteenth of src.
// What is short, or no multiple of 16 bytes, does not suit.
func (w *literalWriter) suits(src []byte) bool {
	const window, every = 4 << 10, 64 << 10
	if len(src) < window || len(src)%16 != 0 {
		return false
	}
	clear(w.seen[:])
	looked, repeated := 0, 0
	for lo := 0; lo < len(src); lo += every {
		part := src[:min(lo+window, len(src))]
		looked += len(part) - lo
		repeated += w.repeated(part, lo)
	}
	return repeated < looked/64
}

// repeated is how many of the bytes of src from lo on repeat 16 or more that
// were seen before. It passes faster over what does not.
func (w *literalWriter) repeated(src []byte, lo int) (n int) {
	for i, misses := lo, 0; i+16 <= len(src); {
		v := le.Uint64(src[i:])
		at := &w.seen[v*0x9e3779b97f4a7c15>>52]
		ref := int(*at)
		*at = uint32(i)
		if ref >= i || le.Uint64(src[ref:]) != v || le.Uint64(src[ref+8:]) != le.Uint64(src[i+8:]) {
			misses++
			i += 1 + misses>>8
			continue
		}
		m := 16
		for i+m+8 <= len(src) && le.Uint64(src[i+m:]) == le.Uint64(src[ref+m:]) {
			m += 8
		}
		n += m
		i += m
	}
	return n
}

// compress writes src, which suits, to dst as one frame and returns its length,
// or 0 if it does not fit.
func (w *literalWriter) compress(dst, src []byte) int {
	if len(dst) < zstdFrameHeader || !w.setCodes(src) {
		return 0
	}
	le.PutUint32(dst, zstdMagic)
	dst[4] = zstdSingleSegment | zstdSizeIn4Bytes
	le.PutUint32(dst[5:], uint32(len(src)))
	pos := zstdFrameHeader
	for table := w.table; len(src) > 0; {
		block := src[:min(len(src), zstdBlock)]
		src = src[len(block):]
		n, packed := w.block(dst[pos:], block, table, len(src) == 0)
		if n == 0 {
			return 0
		}
		if packed {
			table = nil // the same again
		}
		pos += n
	}
	return pos
}

// setCodes chooses the codes for all of src. It reports whether that is worth it.
func (w *literalWriter) setCodes(src []byte) bool {
	counts := w.count(src)
	if err := w.huff.BuildCTable(counts); err != nil {
		return false
	}
	if size := w.huff.EstimateSize(counts); size < 0 || size >= len(src) {
		return false
	}
	var err error
	if w.table, err = w.huff.AppendTable(w.table[:0]); err != nil {
		return false
	}
	w.number(w.lengths(counts))
	return true
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

// block writes one block to dst, with the table if it is not nil, and returns
// its length, or 0 if it does not fit, and whether it is packed.
func (w *literalWriter) block(dst, src, table []byte, last bool) (n int, packed bool) {
	q := len(src) / 4
	var ends [4]int
	ends[0], ends[1] = w.two(w.out[0][:], w.out[1][:], src[:q], src[q:2*q])
	ends[2], ends[3] = w.two(w.out[2][:], w.out[3][:], src[2*q:3*q], src[3*q:])
	size := len(table) + zstdJumps + ends[0] + ends[1] + ends[2] + ends[3]
	n = zstdLiteralsHeader + size + 1
	if packed = n < len(src); !packed {
		n = len(src)
	}
	if zstdBlockHeader+n > len(dst) {
		return 0, false
	}
	putZstdBlockHeader(dst, n, packed, last)
	dst = dst[zstdBlockHeader:]
	if !packed {
		return zstdBlockHeader + copy(dst, src), false
	}
	kind := uint64(zstdNewTable)
	if table == nil {
		kind = zstdSameTable
	}
	header := kind | zstdFourStreams | uint64(len(src))<<4 | uint64(size)<<22
	le.PutUint32(dst, uint32(header))
	dst[4] = byte(header >> 32)
	pos := zstdLiteralsHeader + copy(dst[zstdLiteralsHeader:], table)
	for i, end := range ends[:3] {
		le.PutUint16(dst[pos+2*i:], uint16(end))
	}
	pos += zstdJumps
	for i, end := range ends {
		pos += copy(dst[pos:], w.out[i][:end])
	}
	dst[pos] = zstdNoMatches
	return zstdBlockHeader + n, true
}

// putZstdBlockHeader writes that n bytes follow.
func putZstdBlockHeader(dst []byte, n int, packed, last bool) {
	header := uint32(n)<<3 | zstdRawBlock<<1
	if packed {
		header = uint32(n)<<3 | zstdPacked<<1
	}
	if last {
		header |= 1
	}
	dst[0], dst[1], dst[2] = byte(header), byte(header>>8), byte(header>>16)
}

// two writes the codes of a and b, which are as long, a multiple of 4, to x and
// y, from the last byte to the first, and returns where they end. One at a time
// would wait for each code to be in place before the next.
//
// Codes enter at the upper end of a word, and the number of bits grows in the
// lowest byte of another; what the lowest byte of an entry leaves elsewhere is
// never looked at.
func (w *literalWriter) two(x, y, a, b []byte) (nx, ny int) {
	codes := &w.codes
	var wx, wy, bx, by uint64 // words and bits
	b = b[:len(a)]
	for i := len(a) - 4; i >= 0; i -= 4 { // at most 7+4*longestCode bits
		va, vb := le.Uint32(a[i:]), le.Uint32(b[i:])
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
		le.PutUint64(x[nx:], wx>>(-bx&63))
		le.PutUint64(y[ny:], wy>>(-by&63))
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
