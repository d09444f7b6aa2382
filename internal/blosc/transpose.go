package blosc

// A matrix is transposed by swapping its upper right quarter with its lower
// left one, then likewise within each quarter, and so on. A row is a word, or
// several to a word; then all words are worked on at once.

// Masks of the lower half of each square that swap exchanges.
const (
	low32 = 0x00000000ffffffff
	low16 = 0x0000ffff0000ffff
	low8  = 0x00ff00ff00ff00ff
	low4  = 0x0f0f0f0f0f0f0f0f
	low2  = 0x3333333333333333
	low1  = 0x5555555555555555
)

// swap exchanges the upper halves of a's squares with the lower halves of b's.
// A square is 2*s bits wide and low has its lower s bits set.
func swap(a, b uint64, s uint, low uint64) (uint64, uint64) {
	t := (a>>s ^ b) & low
	return a ^ t<<s, b ^ t
}

// transposeBytes makes byte j of word i byte i of word j. The words are single
// variables because the compiler keeps those in registers, and neither an array
// nor a struct of eight, which was a third as fast.
func transposeBytes(a, b, c, d, e, f, g, h uint64) (_, _, _, _, _, _, _, _ uint64) {
	a, e = swap(a, e, 32, low32)
	b, f = swap(b, f, 32, low32)
	c, g = swap(c, g, 32, low32)
	d, h = swap(d, h, 32, low32)
	a, c = swap(a, c, 16, low16)
	b, d = swap(b, d, 16, low16)
	e, g = swap(e, g, 16, low16)
	f, h = swap(f, h, 16, low16)
	a, b = swap(a, b, 8, low8)
	c, d = swap(c, d, 8, low8)
	e, f = swap(e, f, 8, low8)
	g, h = swap(g, h, 8, low8)
	return a, b, c, d, e, f, g, h
}

// transposeBits exchanges, in each of the eight bytes of the words, bit k of
// word i with bit i of word k.
func transposeBits(a, b, c, d, e, f, g, h uint64) (_, _, _, _, _, _, _, _ uint64) {
	a, e = swap(a, e, 4, low4)
	b, f = swap(b, f, 4, low4)
	c, g = swap(c, g, 4, low4)
	d, h = swap(d, h, 4, low4)
	a, c = swap(a, c, 2, low2)
	b, d = swap(b, d, 2, low2)
	e, g = swap(e, g, 2, low2)
	f, h = swap(f, h, 2, low2)
	a, b = swap(a, b, 1, low1)
	c, d = swap(c, d, 1, low1)
	e, f = swap(e, f, 1, low1)
	g, h = swap(g, h, 1, low1)
	return a, b, c, d, e, f, g, h
}

// transpose8 makes bit k of byte i bit i of byte k: the squares that swap
// exchanges, within one word.
func transpose8(x uint64) uint64 {
	t := (x ^ x>>28) & 0x00000000f0f0f0f0
	x ^= t ^ t<<28
	t = (x ^ x>>14) & 0x0000cccc0000cccc
	x ^= t ^ t<<14
	t = (x ^ x>>7) & 0x00aa00aa00aa00aa
	return x ^ t ^ t<<7
}
