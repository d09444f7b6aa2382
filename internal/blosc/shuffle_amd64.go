//go:build !purego

package blosc

import "github.com/neurodata/ndpush/internal/cpu"

// shuffleFast shuffles items from the first one on, as many as the machine's
// widest registers take, and returns how many: all but up to 31, or none.
// src has n items of ts bytes, dst is as long, as in shuffle.
func shuffleFast(dst, src []byte, n, ts int) int {
	n32 := n &^ 31
	if !cpu.AVX2 || n32 == 0 {
		return 0
	}
	switch ts {
	case 2:
		shuffle2AVX2(&dst[0], &src[0], n, n32)
	case 4:
		shuffle4AVX2(&dst[0], &src[0], n, n32)
	case 8:
		shuffle8AVX2(&dst[0], &src[0], n, n32)
	default:
		return 0
	}
	return n32
}

// unshuffleFast is to unshuffle what shuffleFast is to shuffle.
func unshuffleFast(dst, src []byte, n, ts int) int {
	n32 := n &^ 31
	if !cpu.AVX2 || n32 == 0 {
		return 0
	}
	switch ts {
	case 2:
		unshuffle2AVX2(&dst[0], &src[0], n, n32)
	case 4:
		unshuffle4AVX2(&dst[0], &src[0], n, n32)
	case 8:
		unshuffle8AVX2(&dst[0], &src[0], n, n32)
	default:
		return 0
	}
	return n32
}

// toRowsFast takes the bits of the bytes of src apart, as toRows does, from the
// first byte on, and returns how many it did: all but up to 255, or none.
func toRowsFast(dst, src []byte) int {
	n := len(src) &^ 255
	if !cpu.AVX2 || n == 0 {
		return 0
	}
	toRowsAVX2(&dst[0], &src[0], len(src)/8, n)
	return n
}

// fromRowsFast is to fromRows what toRowsFast is to toRows.
func fromRowsFast(dst, src []byte) int {
	n := len(src) &^ 255
	if !cpu.AVX2 || n == 0 {
		return 0
	}
	fromRowsAVX2(&dst[0], &src[0], len(src)/8, n)
	return n
}

// The functions in assembly work on the first n items, a multiple of 32 and
// not 0. The bytes of an item lie stride apart where they are shuffled.
// For the rows n counts bytes and is a multiple of 256.

//go:noescape
func shuffle2AVX2(dst, src *byte, stride, n int)

//go:noescape
func unshuffle2AVX2(dst, src *byte, stride, n int)

//go:noescape
func shuffle4AVX2(dst, src *byte, stride, n int)

//go:noescape
func unshuffle4AVX2(dst, src *byte, stride, n int)

//go:noescape
func shuffle8AVX2(dst, src *byte, stride, n int)

//go:noescape
func unshuffle8AVX2(dst, src *byte, stride, n int)

//go:noescape
func toRowsAVX2(dst, src *byte, stride, n int)

//go:noescape
func fromRowsAVX2(dst, src *byte, stride, n int)
