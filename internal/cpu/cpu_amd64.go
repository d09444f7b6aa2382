//go:build !purego

package cpu

// AVX2 is what most amd64 machines since 2013 have. A system that does not keep
// its registers counts as a machine without. It is set once, before anything runs.
var AVX2 = detectAVX2()

func detectAVX2() bool {
	const (
		avx2                    = 1 << 5           // leaf 7, EBX
		osxsave, avx            = 1 << 27, 1 << 28 // leaf 1, ECX
		xmmAndYmmAreKept uint32 = 1<<1 | 1<<2      // XCR0
	)
	if leaves, _, _, _ := cpuid(0, 0); leaves < 7 {
		return false
	}
	if _, _, ecx, _ := cpuid(1, 0); ecx&osxsave == 0 || ecx&avx == 0 {
		return false
	}
	_, ebx, _, _ := cpuid(7, 0)
	return xgetbv()&xmmAndYmmAreKept == xmmAndYmmAreKept && ebx&avx2 != 0
}

// cpuid is the instruction of that name.
func cpuid(eax, ecx uint32) (a, b, c, d uint32)

// xgetbv is the lower half of XCR0: which registers the system keeps.
func xgetbv() uint32
