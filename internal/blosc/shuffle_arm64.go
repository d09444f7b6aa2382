//go:build !purego

package blosc

// shuffleFast shuffles items from the first one on, as many as NEON registers
// take, which every arm64 machine has, and returns how many: all but up to 15,
// or none. src has n items of ts bytes, dst is as long, as in shuffle.
func shuffleFast(dst, src []byte, n, ts int) int {
	n16 := n &^ 15
	if n16 == 0 {
		return 0
	}
	switch ts {
	case 2:
		shuffle2NEON(&dst[0], &src[0], n, n16)
	case 4:
		shuffle4NEON(&dst[0], &src[0], n, n16)
	case 8:
		shuffle8NEON(&dst[0], &src[0], n, n16)
	default:
		return 0
	}
	return n16
}

// unshuffleFast is to unshuffle what shuffleFast is to shuffle.
func unshuffleFast(dst, src []byte, n, ts int) int {
	n16 := n &^ 15
	if n16 == 0 {
		return 0
	}
	switch ts {
	case 2:
		unshuffle2NEON(&dst[0], &src[0], n, n16)
	case 4:
		unshuffle4NEON(&dst[0], &src[0], n, n16)
	case 8:
		unshuffle8NEON(&dst[0], &src[0], n, n16)
	default:
		return 0
	}
	return n16
}

// toRowsFast takes the bits of the bytes of src apart, as toRows does, from the
// first byte on, and returns how many it did: all but up to 127, or none.
func toRowsFast(dst, src []byte) int {
	n := len(src) &^ 127
	if n > 0 {
		toRowsNEON(&dst[0], &src[0], len(src)/8, n)
	}
	return n
}

// fromRowsFast is to fromRows what toRowsFast is to toRows.
func fromRowsFast(dst, src []byte) int {
	n := len(src) &^ 127
	if n > 0 {
		fromRowsNEON(&dst[0], &src[0], len(src)/8, n)
	}
	return n
}

// The functions in assembly work on the first n items, a multiple of 16 and
// not 0. The bytes of an item lie stride apart where they are shuffled.
// For the rows n counts bytes and is a multiple of 128.

//go:noescape
func shuffle2NEON(dst, src *byte, stride, n int)

//go:noescape
func unshuffle2NEON(dst, src *byte, stride, n int)

//go:noescape
func shuffle4NEON(dst, src *byte, stride, n int)

//go:noescape
func unshuffle4NEON(dst, src *byte, stride, n int)

//go:noescape
func shuffle8NEON(dst, src *byte, stride, n int)

//go:noescape
func unshuffle8NEON(dst, src *byte, stride, n int)

//go:noescape
func toRowsNEON(dst, src *byte, stride, n int)

//go:noescape
func fromRowsNEON(dst, src *byte, stride, n int)
