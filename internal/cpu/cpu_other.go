//go:build !amd64 || purego

package cpu

// AVX2 is of amd64.
const AVX2 = false
