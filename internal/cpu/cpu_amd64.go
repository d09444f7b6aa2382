//go:build !purego

package cpu

// AVX2 and BMI2 are what most amd64 machines since 2013 have. A system that does
// not keep the registers of AVX2 counts as a machine without. They are set once,
// before anything runs.
var AVX2, BMI2 = detect()

func detect() (hasAVX2, hasBMI2 bool) {
	const (
		avx2, bmi2              = 1 << 5, 1 << 8   // leaf 7, EBX
		osxsave, avx            = 1 << 27, 1 << 28 // leaf 1, ECX
		xmmAndYmmAreKept uint32 = 1<<1 | 1<<2      // XCR0
	)
	if leaves, _, _, _ := cpuid(0, 0); leaves < 7 {
		return false, false
	}
	_, ebx, _, _ := cpuid(7, 0)
	_, _, ecx, _ := cpuid(1, 0)
	kept := ecx&osxsave != 0 && ecx&avx != 0 && xgetbv()&xmmAndYmmAreKept == xmmAndYmmAreKept
	return kept && ebx&avx2 != 0, ebx&bmi2 != 0
}

// cpuid is the instruction of that name.
func cpuid(eax, ecx uint32) (a, b, c, d uint32)

// xgetbv is the lower half of XCR0: which registers the system keeps.
func xgetbv() uint32
