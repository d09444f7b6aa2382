//go:build !amd64 || purego

package inflate

// There is no faster way than plain Go.

func (r *Reader) fast() { r.fastGo() }

func adlerFast(p []byte) (n int, sum, before, weighted uint32) { return 0, 0, 0, 0 }
