//go:build !purego

package inflate

// hasBMI2 says that this machine has BMI2, and hasAVX2 that it has AVX2, and a
// system that keeps its registers: most amd64 machines since 2013. They are set
// once, before anything runs.
var hasBMI2, hasAVX2 = detect()

func detect() (bmi2, avx2 bool) {
	const (
		avx2Bit, bmi2Bit        = 1 << 5, 1 << 8   // leaf 7, EBX
		osxsave, avx            = 1 << 27, 1 << 28 // leaf 1, ECX
		xmmAndYmmAreKept uint32 = 1<<1 | 1<<2      // XCR0
	)
	if leaves, _, _, _ := cpuid(0, 0); leaves < 7 {
		return false, false
	}
	_, ebx, _, _ := cpuid(7, 0)
	_, _, ecx, _ := cpuid(1, 0)
	kept := ecx&osxsave != 0 && ecx&avx != 0 && xgetbv()&xmmAndYmmAreKept == xmmAndYmmAreKept
	return ebx&bmi2Bit != 0, kept && ebx&avx2Bit != 0
}

// cpuid is the instruction of that name.
func cpuid(eax, ecx uint32) (a, b, c, d uint32)

// xgetbv is the lower half of XCR0: which registers the system keeps.
func xgetbv() uint32
