//go:build (!amd64 && !arm64) || purego

package blosc

// There is no faster way than the words of shuffle.go and bitshuffle.go: these
// leave everything to them.

func shuffleFast(dst, src []byte, n, ts int) int   { return 0 }
func unshuffleFast(dst, src []byte, n, ts int) int { return 0 }
func toRowsFast(dst, src []byte) int               { return 0 }
func fromRowsFast(dst, src []byte) int             { return 0 }
