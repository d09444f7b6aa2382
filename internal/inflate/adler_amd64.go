//go:build !purego

package inflate

import "github.com/neurodata/ndpush/internal/cpu"

// adlerFast sums the first n bytes of p, in blocks of 32, for add: sum is that of
// the bytes, before that of all bytes before each block, and weighted that of the
// bytes by their places from their block's end.
func adlerFast(p []byte) (n int, sum, before, weighted uint32) {
	if n = len(p) &^ 31; !cpu.AVX2 || n == 0 {
		return 0, 0, 0, 0
	}
	sum, before, weighted = adlerAVX2(&p[0], n)
	return n, sum, before, weighted
}

// adlerAVX2 sums n bytes, a multiple of 32 and not 0.
//
//go:noescape
func adlerAVX2(p *byte, n int) (sum, before, weighted uint32)
