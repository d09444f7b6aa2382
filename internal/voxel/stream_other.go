//go:build !amd64 || purego

package voxel

// streamRows does nothing, and Copy copies row by row.
func streamRows(dst, src []byte, n, stride int) (zero, ok bool) { return false, false }
