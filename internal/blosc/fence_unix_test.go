//go:build unix

package blosc

import (
	"os"
	"syscall"
	"testing"
)

// A fence is memory between two pages that may not be touched.
type fence []byte

// newFence returns room for at least n bytes, until the test ends.
func newFence(tb testing.TB, n int) fence {
	tb.Helper()
	page := os.Getpagesize()
	size := (n+page-1)/page*page + 2*page
	m, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { syscall.Munmap(m) })
	for _, end := range [][]byte{m[:page], m[size-page:]} {
		if err := syscall.Mprotect(end, syscall.PROT_NONE); err != nil {
			tb.Fatal(err)
		}
	}
	return fence(m[page : size-page])
}
