//go:build !purego

package voxel

import (
	"unsafe"

	"github.com/neurodata/ndpush/internal/cpu"
)

// streamRows fills dst with rows of n bytes that begin stride apart in src, and
// reports whether all of them are zero. It writes past the caches, so dst had
// better be larger than they are. If this machine or these rows do not allow it,
// it does nothing and ok is false.
func streamRows(dst, src []byte, n, stride int) (zero, ok bool) {
	aligned := uintptr(unsafe.Pointer(unsafe.SliceData(dst)))%32 == 0
	if !cpu.AVX2 || !aligned || n%128 != 0 || len(dst) == 0 {
		return false, false
	}
	rows := len(dst) / n
	_ = src[:(rows-1)*stride+n]
	return streamRowsAVX2(&dst[0], &src[0], n, stride, rows), true
}

// streamRowsAVX2 is streamRows where it is possible, of at least one row.
//
//go:noescape
func streamRowsAVX2(dst, src *byte, n, stride, rows int) (zero bool)
