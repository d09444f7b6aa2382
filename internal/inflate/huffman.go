package inflate

import "math/bits"

const (
	maxCode = 15  // bits of a code (RFC 1951 section 3.2.7)
	maxLit  = 288 // literals, the end of a block, lengths (section 3.2.6)
	maxDist = 32  // distances

	// litBits and distBits are how many bits a table looks at. Two literals of
	// five bits fit in litBits, and the table takes a quarter of the first-level
	// cache, where the window wants to be, too: with 12 bits noise of 16-bit pixels
	// took a tenth more time (see BenchmarkLibdeflate).
	litBits  = 11
	distBits = 9
)

// An entry of a table is what the next bits are. In its low six bits is how many
// of them it takes, with the extra bits of a length or distance.
//
//	literals: the first in bits 16 to 23, the second, if there is one, in 24 to 31;
//	          their number in 8 and 9, the bits of the first in 10 to 13
//	lengths and distances: the least in bits 16 to 31, the bits of the code
//	          without the extra ones in 8 to 11
//	others:   what it is in bits 8 to 11
type entry uint32

const (
	isLiteral = 1 << 7
	isOther   = 1 << 6

	endOfBlock entry = isOther | 1<<8
	longCode   entry = isOther | 2<<8 // longer than the table looks
	noSymbol   entry = isOther | 3<<8
	kinds      entry = isOther | 15<<8
)

// size is how many bits the entry takes.
func (e entry) size() uint { return uint(e & 63) }

// A code is a Huffman code, less what its table knows: the codes too long for it.
type code struct {
	counts [maxCode + 1]uint16 // symbols, by their bits
	sorted [maxLit]uint16      // symbols by bits, then by number
}

// litEntries and distEntries say what symbols mean; a code's bits are added.
var (
	litEntries  = makeLitEntries()
	distEntries = makeDistEntries()
)

// makeLitEntries is RFC 1951 section 3.2.5, of literals and lengths.
func makeLitEntries() (t [maxLit]entry) {
	for i := range t {
		switch {
		case i < 256:
			t[i] = isLiteral | 1<<8 | entry(i)<<16
		case i == 256:
			t[i] = endOfBlock
		case i < 265:
			t[i] = entry(i-254) << 16
		case i < 285:
			extra := (i - 261) / 4
			t[i] = entry(3+(4+(i-265)%4)<<extra)<<16 | entry(extra)
		case i == 285:
			t[i] = 258 << 16
		default:
			t[i] = noSymbol
		}
	}
	return t
}

// makeDistEntries is RFC 1951 section 3.2.5, of distances.
func makeDistEntries() (t [maxDist]entry) {
	for i := range t {
		switch {
		case i < 4:
			t[i] = entry(i+1) << 16
		case i < 30:
			extra := (i - 2) / 2
			t[i] = entry(1+(2+i%2)<<extra)<<16 | entry(extra)
		default:
			t[i] = noSymbol
		}
	}
	return t
}

// coded is e with the bits of its code.
func (e entry) coded(n int) entry {
	if e&isLiteral != 0 {
		return e | entry(n)<<10 | entry(n)
	}
	if e&isOther != 0 {
		return e | entry(n)
	}
	return e + entry(n) | entry(n)<<8
}

// build makes the table of the code whose symbols have these bits, 0 for none.
// table has a power of two of entries. An impossible code is an error: one that
// is too full, or not full and more than a single bit, which zlib writes for a
// single distance.
func (c *code) build(lens []uint8, meaning, table []entry) error {
	c.counts = [maxCode + 1]uint16{}
	for _, n := range lens {
		c.counts[n&15]++
	}
	c.counts[0] = 0
	var next [maxCode + 2]uint16
	free := 1 // codes of so many bits that are not given
	for n := 1; n <= maxCode; n++ {
		next[n+1] = next[n] + c.counts[n]
		if free = free<<1 - int(c.counts[n]); free < 0 {
			return errCodes
		}
	}
	symbols := int(next[maxCode+1])
	if free > 0 && symbols > 0 && (symbols != 1 || c.counts[1] != 1) {
		return errCodes
	}
	for sym, n := range lens {
		if n != 0 {
			c.sorted[next[n]] = uint16(sym)
			next[n]++
		}
	}
	c.fill(symbols, meaning, table)
	return nil
}

// fill writes the table. Codes come with their first bit lowest; they are given
// in order, so that a table of n bits is done before that of n+1 is made of two
// of it.
func (c *code) fill(symbols int, meaning, table []entry) {
	table[0], table[1] = noSymbol, noSymbol
	size, word, sym := 2, 0, 0
	for n := 1; n <= maxCode; n++ {
		if size < 1<<n {
			if size == len(table) {
				break
			}
			copy(table[size:2*size], table[:size])
			size *= 2
		}
		for range c.counts[n] {
			table[word] = meaning[c.sorted[sym]].coded(n)
			sym++
			// The next word, from the top: ones become zeros, then a zero a one.
			if word == size-1 {
				break
			}
			bit := 1 << (bits.Len(uint(word^(size-1))) - 1)
			word = word&(bit-1) | bit
		}
	}
	for size < len(table) {
		copy(table[size:2*size], table[:size])
		size *= 2
	}
	if sym == symbols {
		return
	}
	// The rest of the words begins a longer code.
	for {
		table[word] = longCode
		if word == size-1 {
			return
		}
		bit := 1 << (bits.Len(uint(word^(size-1))) - 1)
		word = word&(bit-1) | bit
	}
}

// long finds the symbol of a code longer than the table looks. Its entry takes
// more bits than there may be. Section 3.2.2: codes of one length are
// consecutive.
func (c *code) long(word uint64, meaning []entry) entry {
	at, first, sym := 0, 0, 0
	for n := 1; n <= maxCode; n++ {
		at |= int(word & 1)
		word >>= 1
		count := int(c.counts[n])
		if at-first < count {
			return meaning[c.sorted[sym+at-first]].coded(n)
		}
		sym += count
		first = (first + count) << 1
		at <<= 1
	}
	return noSymbol
}

// A litTable is a code of literals and lengths.
type litTable struct {
	code
	table [1 << litBits]entry
}

// A distTable is a code of distances.
type distTable struct {
	code
	table [1 << distBits]entry
}

// build makes the table, with pairs of literals if pairs may be worth their time.
func (t *litTable) build(lens []uint8, pairs bool) error {
	if err := t.code.build(lens, litEntries[:], t.table[:]); err != nil {
		return err
	}
	if pairs && t.pairs() {
		t.pair()
	}
	return nil
}

func (t *distTable) build(lens []uint8) error {
	return t.code.build(lens, distEntries[:], t.table[:])
}

// pairs reports whether enough pairs of symbols fit in the table: it takes about
// as long to put them there as to decode a thousand symbols.
func (t *litTable) pairs() bool {
	var fit, share int // of 1<<litBits
	for n := litBits - 1; n > 0; n-- {
		share = 0
		for k := 1; k <= litBits-n; k++ {
			share += int(t.counts[k]) << (litBits - k)
		}
		fit += int(t.counts[n]) << (litBits - n) * share >> litBits
	}
	return fit > 1<<litBits/3
}

// pair adds, to each literal, the next one if the table sees all of it. Whether it
// does changes from word to word as by chance, so no branch depends on it.
func (t *litTable) pair() {
	for i := len(t.table) - 1; i >= 0; i-- {
		first := t.table[i]
		second := t.table[i>>first.size()&(len(t.table)-1)] // not yet a pair, unless it is this one
		both := first&^(1<<8) + entry(second.size()) | 2<<8 | second>>16&0xff<<24
		literals := -(first & second >> 7 & 1)
		seen := entry(int32(first.size()+second.size()-litBits-1) >> 31)
		t.table[i] = first ^ (first^both)&literals&seen
	}
}
