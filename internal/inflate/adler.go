package inflate

import "encoding/binary"

// An adler is an Adler-32 checksum so far (RFC 1950 section 8.2).
type adler struct{ a, b uint32 }

const (
	adlerPrime = 65521
	// adlerBlock is how many bytes are summed in lanes of 16 bits: 16 words, of
	// which a lane takes 510·(0+1+…+15) = 61200 at most.
	adlerBlock = 128
	// adlerMost is how many bytes are summed before the remainder is taken: a
	// multiple of adlerBlock below zlib's 5552.
	adlerMost = 43 * adlerBlock
)

func (s *adler) value() uint32 { return s.b<<16 | s.a }

// add sums p.
func (s *adler) add(p []byte) {
	for len(p) > 0 {
		q := p[:min(len(p), adlerMost)]
		p = p[len(q):]
		n, sum, before, weighted := adlerFast(q)
		s.b += uint32(n)*s.a + 32*before + weighted
		s.a += sum
		s.words(q[n:])
		s.modulo()
	}
}

// modulo takes the remainder.
func (s *adler) modulo() {
	s.a %= adlerPrime
	s.b %= adlerPrime
}

// words sums p in plain Go.
func (s *adler) words(p []byte) {
	for ; len(p) >= adlerBlock; p = p[adlerBlock:] {
		s.block((*[adlerBlock]byte)(p))
	}
	for _, c := range p {
		s.a += uint32(c)
		s.b += s.a
	}
}

// block adds 16 words. The even and the odd bytes of the words are summed apart,
// each in a lane of 16 bits, and so is, of each word, all that comes before it:
// b takes that eight times, and each byte as often as its place from the word's
// end.
func (s *adler) block(p *[adlerBlock]byte) {
	const lanes = 0x00ff00ff00ff00ff
	var even, odd, before uint64
	for i := 0; i < adlerBlock; i += 8 {
		w := binary.LittleEndian.Uint64(p[i : i+8])
		before += even + odd
		even += w & lanes
		odd += w >> 8 & lanes
	}
	s.b += adlerBlock*s.a + 8*total(before)
	s.b += 8*lane(even, 0) + 6*lane(even, 1) + 4*lane(even, 2) + 2*lane(even, 3)
	s.b += 7*lane(odd, 0) + 5*lane(odd, 1) + 3*lane(odd, 2) + lane(odd, 3)
	s.a += total(even) + total(odd)
}

func lane(v uint64, i int) uint32 { return uint32(uint16(v >> (16 * i))) }

func total(v uint64) uint32 { return lane(v, 0) + lane(v, 1) + lane(v, 2) + lane(v, 3) }
