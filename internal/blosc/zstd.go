package blosc

import (
	"math/bits"
	"unsafe"
)

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

	// zstdGroup is how much shares the tables that say how often what is there.
	zstdGroup = 4 * zstdBlock

	// maxSequences are as many as are kept of a group; there are hardly ever more.
	maxSequences = zstdGroup / 8
)

// How matches are sought.
const (
	zstdHashLog  = 14 // a table of 64 KiB
	zstdSkipLog  = 7  // after 1<<zstdSkipLog bytes without a match steps get longer by a byte
	zstdDistance = 1 << 22

	// A block whose matches save less is not worth their codes.
	zstdLeastSaved = 64 // bytes, and
	zstdSequence   = 4  // bytes for each

	// maxSequence is more bytes than a sequence takes: three codes of at most
	// fseMaxLog bits, and 16, 16 and 22 bits more.
	maxSequence = 11
)

// A zstdWriter writes Zstandard frames in haste. It seeks matches as
// ZSTD_fast of the C library does: of eight bytes and more, or of four at one of
// the last distances. Shorter ones were tried: bytes that are coded by their
// frequency take few bits anyway, so frames got longer, and took longer. What is
// noise is not searched at all (BenchmarkYardEncode).
//
// The tables of a group of blocks come once, in the first.
//
// As in lz4Writer, loads are without bounds checks.
type zstdWriter struct {
	seen     [1 << zstdHashLog]uint32 // where eight bytes that hash to the index were last
	offsets  [3]uint32                // of the last matches, which have short codes
	literals literalWriter

	bytes     []byte // literals of a group
	sequences []sequence
	parts     [zstdGroup / zstdBlock]part

	lengths, matches, distances fseCoder
	tables                      bool // that the three have are written

	block [zstdBlock + 1<<10 + zstdBlock/4*maxSequence]byte // that is written
}

// A sequence is literals followed by a match, in numbers that are yet to be
// coded: those of the match are less 3, and of the offset more 3 or one of
// the last (section 3.1.1.5).
type sequence struct {
	literals, match, offset             uint32
	literalsCode, matchCode, offsetCode uint8
}

// A part is what a block has of the literals and sequences of its group.
type part struct{ bytes, sequences int }

// compress writes src to dst as one frame and returns its length, or 0 if it
// does not fit. alike says that the bytes of src are of one kind throughout, so
// that what was not found in samples need not be sought.
func (z *zstdWriter) compress(dst, src []byte, alike bool) int {
	if len(dst) < zstdFrameHeader {
		return 0
	}
	le.PutUint32(dst, zstdMagic)
	dst[4] = zstdSingleSegment | zstdSizeIn4Bytes
	le.PutUint32(dst[5:], uint32(len(src)))
	pos := zstdFrameHeader
	if z.bytes == nil { // at once, as to grow would leave garbage
		z.bytes, z.sequences = make([]byte, 0, zstdGroup), make([]sequence, 0, maxSequences)
	}
	search := !(alike && z.noise(src))
	clear(z.seen[:])
	z.offsets = [3]uint32{1, 4, 8}
	for lo := 0; lo < len(src); lo += zstdGroup {
		hi, offsets := min(lo+zstdGroup, len(src)), z.offsets
		n := z.group(dst[pos:], src, lo, hi, search)
		if n == 0 && search {
			z.offsets = offsets
			n = z.group(dst[pos:], src, lo, hi, false)
		}
		if n == 0 {
			return 0
		}
		pos += n
	}
	return pos
}

// group writes the blocks for src[lo:hi] to dst and returns their length. It
// returns 0 if they do not fit, or if with matches one does not get shorter: its
// bytes could be stored, but what comes after counts on its offsets.
func (z *zstdWriter) group(dst, src []byte, lo, hi int, search bool) (pos int) {
	z.bytes, z.sequences = z.bytes[:0], z.sequences[:0]
	if search {
		z.search(src, lo, hi)
		z.literals.setCodes(z.bytes)
		z.setTables()
	} else {
		z.literals.setCodes(src[lo:hi])
	}
	bytes, sequences := z.bytes, z.sequences
	for i := 0; lo < hi; i++ {
		block := src[lo:min(lo+zstdBlock, hi)]
		lo += len(block)
		p := part{bytes: len(block)}
		if search {
			p = z.parts[i]
		} else {
			bytes = block
		}
		n := z.putBlock(dst[pos:], block, bytes[:p.bytes], sequences[:p.sequences], lo == len(src))
		if n == 0 {
			return 0
		}
		bytes, sequences = bytes[p.bytes:], sequences[p.sequences:]
		pos += n
	}
	return pos
}

// search finds the sequences and literals of all blocks of src[lo:hi].
func (z *zstdWriter) search(src []byte, lo, hi int) {
	for i := 0; lo < hi; i++ {
		end := min(lo+zstdBlock, hi)
		bytes, sequences, offsets := len(z.bytes), len(z.sequences), z.offsets
		z.find(src, lo, end)
		saved := end - lo - (len(z.bytes) - bytes)
		if n := len(z.sequences) - sequences; n > 0 && saved < zstdSequence*n+zstdLeastSaved {
			z.bytes = append(z.bytes[:bytes], src[lo:end]...)
			z.sequences, z.offsets = z.sequences[:sequences], offsets
		}
		z.parts[i] = part{len(z.bytes) - bytes, len(z.sequences) - sequences}
		lo = end
	}
}

// hash8 is an index of seen for the eight bytes v.
func hash8(v uint64) uint64 { return v * 0xcf1bbcdcb7a56463 >> (64 - zstdHashLog) }

// find finds the sequences and literals of the block src[lo:hi].
func (z *zstdWriter) find(src []byte, lo, hi int) {
	p := unsafe.SliceData(src)
	anchor := lo
	// Loads begin at ip+1 or before and end at hi or before.
	for ip := max(lo, 1); ip+1+8 <= hi && len(z.sequences) < maxSequences; {
		v := load64(p, ip)
		at := &z.seen[hash8(v)]
		start, ref := ip, int(*at)
		*at = uint32(ip)
		if again := ip + 1 - int(z.offsets[0]); again >= 0 && load32(p, again) == uint32(v>>8) {
			start, ref = ip+1, again
		} else if load64(p, ref) != v || ip-ref > zstdDistance {
			ip += 1 + (ip-anchor)>>zstdSkipLog
			continue
		}
		distance := start - ref
		end := matchEnd(src, start+4, distance, hi)
		for start > anchor && ref > 0 && src[start-1] == src[ref-1] {
			start--
			ref--
		}
		z.bytes = append(z.bytes, src[anchor:start]...)
		z.add(start-anchor, end-start, distance)
		if end+8 <= hi {
			z.seen[hash8(load64(p, start+2))] = uint32(start + 2)
			z.seen[hash8(load64(p, end-2))] = uint32(end - 2)
		}
		for end+8 <= hi && len(z.sequences) < maxSequences {
			again := end - int(z.offsets[1])
			if again < 0 || load32(p, again) != load32(p, end) {
				break
			}
			start := end
			z.seen[hash8(load64(p, start))] = uint32(start)
			end = matchEnd(src, start+4, start-again, hi)
			z.add(0, end-start, start-again)
		}
		ip, anchor = end, end
	}
	z.bytes = append(z.bytes, src[anchor:hi]...)
}

// matchSoon is within how many bytes most matches end, so that more than eight at a
// time are too many to look at.
const matchSoon = 128

// matchEnd is where src[i:hi] and what lies distance before it first differ.
func matchEnd(src []byte, i, distance, hi int) int {
	p := unsafe.SliceData(src)
	for soon := min(i+matchSoon, hi); i+8 <= soon; i += 8 {
		if x := load64(p, i) ^ load64(p, i-distance); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for ; i+32 <= hi; i += 32 { // or stop where there is a difference
		x := load64(p, i) ^ load64(p, i-distance)
		x |= load64(p, i+8) ^ load64(p, i+8-distance)
		x |= load64(p, i+16) ^ load64(p, i+16-distance)
		x |= load64(p, i+24) ^ load64(p, i+24-distance)
		if x != 0 {
			break
		}
	}
	for ; i+8 <= hi; i += 8 {
		if x := load64(p, i) ^ load64(p, i-distance); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < hi && src[i] == src[i-distance] {
		i++
	}
	return i
}

// add adds a sequence.
func (z *zstdWriter) add(literals, match, distance int) {
	s := sequence{literals: uint32(literals), match: uint32(match - 3), offset: z.offset(uint32(distance), literals)}
	s.literalsCode, s.matchCode = literalsCode(s.literals), matchCode(s.match)
	s.offsetCode = uint8(bits.Len32(s.offset) - 1)
	z.sequences = append(z.sequences, s)
}

// offset is the number for a distance: 1 to 3 if it is one of the last, which
// count from the second where there are no literals (section 3.1.1.5).
func (z *zstdWriter) offset(distance uint32, literals int) uint32 {
	o := &z.offsets
	skip := uint32(0)
	if literals == 0 {
		skip = 1
	}
	switch {
	case distance == o[0] && literals > 0:
		return 1
	case distance == o[1]:
		o[0], o[1] = o[1], o[0]
		return 2 - skip
	case distance == o[2]:
		o[0], o[1], o[2] = o[2], o[0], o[1]
		return 3 - skip
	default:
		o[0], o[1], o[2] = distance, o[0], o[1]
		return distance + 3
	}
}

// setTables prepares to code the sequences of a group.
func (z *zstdWriter) setTables() {
	z.tables = false
	n := uint32(len(z.sequences))
	if n == 0 {
		return
	}
	clear(z.lengths.counts[:])
	clear(z.matches.counts[:])
	clear(z.distances.counts[:])
	for i := range z.sequences {
		s := &z.sequences[i]
		z.lengths.counts[s.literalsCode]++
		z.matches.counts[s.matchCode]++
		z.distances.counts[s.offsetCode]++
	}
	z.lengths.build(n, 9)
	z.matches.build(n, 9)
	z.distances.build(n, 8)
}

// putBlock writes one block to dst, and returns its length, or 0 if it does not fit.
func (z *zstdWriter) putBlock(dst, src, bytes []byte, sequences []sequence, last bool) int {
	n := z.literals.put(z.block[:], bytes)
	n += z.putSequences(z.block[n:], sequences)
	from, kind := z.block[:n], uint32(zstdPacked)
	if n >= len(src) && len(sequences) > 0 {
		return 0
	}
	if n >= len(src) {
		from, kind = src, zstdRawBlock
	}
	if zstdBlockHeader+len(from) > len(dst) {
		return 0
	}
	header := uint32(len(from))<<3 | kind<<1
	if last {
		header |= 1
	}
	dst[0], dst[1], dst[2] = byte(header), byte(header>>8), byte(header>>16)
	return zstdBlockHeader + copy(dst[zstdBlockHeader:], from)
}

// Where the tables of codes come from (section 3.1.1.3.2.1), as the first block
// has them and as the others do.
const (
	zstdOnlyOne    = 1
	zstdOwnTable   = 2
	zstdTableAgain = 3
)

// putSequences writes sequences to dst and returns their length.
func (z *zstdWriter) putSequences(dst []byte, sequences []sequence) int {
	pos := putCount(dst, len(sequences))
	if len(sequences) == 0 {
		return pos
	}
	modes := &dst[pos]
	pos++
	if *modes = zstdTableAgain<<6 | zstdTableAgain<<4 | zstdTableAgain<<2; !z.tables {
		*modes = 0
		w := bitWriter{out: dst[pos:]}
		for i, f := range []*fseCoder{&z.lengths, &z.distances, &z.matches} {
			mode := byte(zstdOwnTable)
			if only, ok := f.only(); ok {
				mode = zstdOnlyOne
				w.add(uint32(only), 8)
			} else {
				f.putTable(&w)
			}
			w.end()
			*modes |= mode << (6 - 2*i)
		}
		pos += w.n
		z.tables = true
	}
	return pos + z.code(dst[pos:], sequences)
}

// putCount writes how many sequences follow.
func putCount(dst []byte, n int) int {
	switch {
	case n < 128:
		dst[0] = byte(n)
		return 1
	case n < 0x7f00:
		dst[0], dst[1] = byte(n>>8|128), byte(n)
		return 2
	default:
		dst[0] = 255
		le.PutUint16(dst[1:], uint16(n-0x7f00))
		return 3
	}
}

// code writes the codes of sequences, which are read from the last on, to dst and
// returns their length.
func (z *zstdWriter) code(dst []byte, sequences []sequence) int {
	w := bitWriter{out: dst}
	s := &sequences[len(sequences)-1]
	lengths := z.lengths.first(s.literalsCode)
	matches := z.matches.first(s.matchCode)
	distances := z.distances.first(s.offsetCode)
	w.addExtra(s)
	for i := len(sequences) - 2; i >= 0; i-- {
		s := &sequences[i]
		distances = z.distances.put(&w, distances, s.offsetCode)
		matches = z.matches.put(&w, matches, s.matchCode)
		lengths = z.lengths.put(&w, lengths, s.literalsCode)
		w.flush()
		w.addExtra(s)
	}
	w.add(matches, uint32(z.matches.log))
	w.add(distances, uint32(z.distances.log))
	w.add(lengths, uint32(z.lengths.log))
	w.add(1, 1) // the end
	w.end()
	return w.n
}

// addExtra adds what the codes of s leave open.
func (w *bitWriter) addExtra(s *sequence) {
	w.add(s.literals, uint32(literalsExtra[s.literalsCode]))
	w.add(s.match, uint32(matchExtra[s.matchCode]))
	w.flush()
	w.add(s.offset, uint32(s.offsetCode))
	w.flush()
}

// How many bits more the codes of lengths need (section 3.1.1.3.2.1.1). What
// these bits are is what a length has there, as all codes with any begin at a
// multiple of 1 << that; a code of many, from a length of 128 on, is that of the
// length's highest bit.
var (
	literalsExtra = [...]uint8{16: 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	matchExtra    = [...]uint8{32: 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	literalsCodes = codes(literalsExtra[:])
	matchCodes    = codes(matchExtra[:])
)

// codes are the codes of lengths below 128.
func codes(extra []uint8) (of [128]uint8) {
	code, end := 0, 1
	for n := range of {
		if n == end {
			code++
			end += 1 << extra[code]
		}
		of[n] = uint8(code)
	}
	return of
}

func literalsCode(n uint32) uint8 {
	if n < 128 {
		return literalsCodes[n]
	}
	return uint8(bits.Len32(n) + 26 - 8)
}

// matchCode is for a length that is 3 less.
func matchCode(n uint32) uint8 {
	if n < 128 {
		return matchCodes[n]
	}
	return uint8(bits.Len32(n) + 43 - 8)
}

// noise reports whether next to nothing in src is a repetition, of 16 bytes or
// more, of what came before: less than one byte in 64. Shorter ones cost as much
// as they gain once bytes are coded by frequency. It looks at a sixteenth of src.
// What is short is not noise.
func (z *zstdWriter) noise(src []byte) bool {
	const window, every = 4 << 10, 64 << 10
	if len(src) < window {
		return false
	}
	seen := (*[1 << 12]uint32)(z.seen[:])
	clear(seen[:])
	looked, repeated := 0, 0
	for lo := 0; lo < len(src); lo += every {
		part := src[:min(lo+window, len(src))]
		looked += len(part) - lo
		repeated += repeats(seen, part, lo)
	}
	return repeated < looked/64
}

// repeats is how many of the bytes of src from lo on repeat 16 or more that
// were seen before. It passes faster over what does not.
func repeats(seen *[1 << 12]uint32, src []byte, lo int) (n int) {
	for i, misses := lo, 0; i+16 <= len(src); {
		v := le.Uint64(src[i:])
		at := &seen[v*0x9e3779b97f4a7c15>>52]
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
