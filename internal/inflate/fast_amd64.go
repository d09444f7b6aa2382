//go:build !purego

package inflate

import "github.com/neurodata/ndpush/internal/cpu"

// fast is fastGo, in registers that never have to be spilled, and with matches
// copied by 32 bytes (see BenchmarkLibdeflate).
func (r *Reader) fast() {
	if !cpu.BMI2 || !cpu.AVX2 || len(r.in) == 0 {
		r.fastGo()
		return
	}
	r.pos, r.end, r.bits, r.n = fastBMI2(&r.in[0], r.pos, len(r.in)-16, &r.buf[0], r.end, r.limit,
		&r.lit.table[0], &r.dist.table[0], r.bits, r.n)
}

// fastBMI2 is fastGo, of what it takes of a Reader and leaves there. It needs
// AVX2, too.
//
//go:noescape
func fastBMI2(in *byte, pos, last int, buf *byte, end, limit int, lit, dist *entry, b uint64, n uint) (pos1, end1 int, b1 uint64, n1 uint)
