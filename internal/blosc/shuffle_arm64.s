//go:build !purego

#include "textflag.h"

// ARGS loads what all functions take. The planes, where the bytes of items lie
// taken apart, begin at R4 and are as many as the macros below set.
#define ARGS(apart, items) \
	MOVD dst+0(FP), apart \
	MOVD src+8(FP), items \
	MOVD stride+16(FP), R2 \
	MOVD n+24(FP), R3

#define PLANES4 \
	ADD R2, R4, R5 \
	ADD R2, R5, R6 \
	ADD R2, R6, R7

#define PLANES8 \
	PLANES4        \
	ADD R2, R7, R8 \
	ADD R2, R8, R9 \
	ADD R2, R9, R10 \
	ADD R2, R10, R11

// func shuffle2NEON(dst, src *byte, stride, n int)
TEXT ·shuffle2NEON(SB), NOSPLIT, $0-32
	ARGS(R4, R1)
	ADD R2, R4, R5

loop:
	VLD2.P 32(R1), [V0.B16, V1.B16]
	VST1.P [V0.B16], 16(R4)
	VST1.P [V1.B16], 16(R5)
	SUBS   $16, R3
	BNE    loop
	RET

// func unshuffle2NEON(dst, src *byte, stride, n int)
TEXT ·unshuffle2NEON(SB), NOSPLIT, $0-32
	ARGS(R1, R4)
	ADD R2, R4, R5

loop:
	VLD1.P 16(R4), [V0.B16]
	VLD1.P 16(R5), [V1.B16]
	VST2.P [V0.B16, V1.B16], 32(R1)
	SUBS   $16, R3
	BNE    loop
	RET

// func shuffle4NEON(dst, src *byte, stride, n int)
TEXT ·shuffle4NEON(SB), NOSPLIT, $0-32
	ARGS(R4, R1)
	PLANES4

loop:
	VLD4.P 64(R1), [V0.B16, V1.B16, V2.B16, V3.B16]
	VST1.P [V0.B16], 16(R4)
	VST1.P [V1.B16], 16(R5)
	VST1.P [V2.B16], 16(R6)
	VST1.P [V3.B16], 16(R7)
	SUBS   $16, R3
	BNE    loop
	RET

// func unshuffle4NEON(dst, src *byte, stride, n int)
TEXT ·unshuffle4NEON(SB), NOSPLIT, $0-32
	ARGS(R1, R4)
	PLANES4

loop:
	VLD1.P 16(R4), [V0.B16]
	VLD1.P 16(R5), [V1.B16]
	VLD1.P 16(R6), [V2.B16]
	VLD1.P 16(R7), [V3.B16]
	VST4.P [V0.B16, V1.B16, V2.B16, V3.B16], 64(R1)
	SUBS   $16, R3
	BNE    loop
	RET

// APART loads 16 items of 8 bytes from R1 and leaves their first bytes in V8,
// their second ones in V9, and so on up to V15. The loads take bytes 0 and 4 of
// items for one kind, and what they give is taken apart once more.
#define APART \
	VLD4.P 64(R1), [V0.B16, V1.B16, V2.B16, V3.B16] \
	VLD4.P 64(R1), [V4.B16, V5.B16, V6.B16, V7.B16] \
	VUZP1  V4.B16, V0.B16, V8.B16                   \
	VUZP1  V5.B16, V1.B16, V9.B16                   \
	VUZP1  V6.B16, V2.B16, V10.B16                  \
	VUZP1  V7.B16, V3.B16, V11.B16                  \
	VUZP2  V4.B16, V0.B16, V12.B16                  \
	VUZP2  V5.B16, V1.B16, V13.B16                  \
	VUZP2  V6.B16, V2.B16, V14.B16                  \
	VUZP2  V7.B16, V3.B16, V15.B16

// TOGETHER undoes APART.
#define TOGETHER \
	VZIP1  V12.B16, V8.B16, V0.B16                  \
	VZIP1  V13.B16, V9.B16, V1.B16                  \
	VZIP1  V14.B16, V10.B16, V2.B16                 \
	VZIP1  V15.B16, V11.B16, V3.B16                 \
	VZIP2  V12.B16, V8.B16, V4.B16                  \
	VZIP2  V13.B16, V9.B16, V5.B16                  \
	VZIP2  V14.B16, V10.B16, V6.B16                 \
	VZIP2  V15.B16, V11.B16, V7.B16                 \
	VST4.P [V0.B16, V1.B16, V2.B16, V3.B16], 64(R1) \
	VST4.P [V4.B16, V5.B16, V6.B16, V7.B16], 64(R1)

// STORE stores V8 to V15 to the eight planes, LOAD loads them.
#define STORE \
	VST1.P [V8.B16], 16(R4)   \
	VST1.P [V9.B16], 16(R5)   \
	VST1.P [V10.B16], 16(R6)  \
	VST1.P [V11.B16], 16(R7)  \
	VST1.P [V12.B16], 16(R8)  \
	VST1.P [V13.B16], 16(R9)  \
	VST1.P [V14.B16], 16(R10) \
	VST1.P [V15.B16], 16(R11)
#define LOAD \
	VLD1.P 16(R4), [V8.B16]   \
	VLD1.P 16(R5), [V9.B16]   \
	VLD1.P 16(R6), [V10.B16]  \
	VLD1.P 16(R7), [V11.B16]  \
	VLD1.P 16(R8), [V12.B16]  \
	VLD1.P 16(R9), [V13.B16]  \
	VLD1.P 16(R10), [V14.B16] \
	VLD1.P 16(R11), [V15.B16]

// func shuffle8NEON(dst, src *byte, stride, n int)
TEXT ·shuffle8NEON(SB), NOSPLIT, $0-32
	ARGS(R4, R1)
	PLANES8

loop:
	APART
	STORE
	SUBS $16, R3
	BNE  loop
	RET

// func unshuffle8NEON(dst, src *byte, stride, n int)
TEXT ·unshuffle8NEON(SB), NOSPLIT, $0-32
	ARGS(R1, R4)
	PLANES8

loop:
	LOAD
	TOGETHER
	SUBS $16, R3
	BNE  loop
	RET

// SWAP is swap of transpose.go, for 16 bytes each, with t for its t.
#define SWAP(a, b, s, low, t) \
	VUSHR $s, a.D2, t.D2         \
	VEOR  b.B16, t.B16, t.B16    \
	VAND  low.B16, t.B16, t.B16  \
	VEOR  t.B16, b.B16, b.B16    \
	VSHL  $s, t.D2, t.D2         \
	VEOR  t.B16, a.B16, a.B16

// MASKS sets V24 to V26 to low4, low2 and low1 of transpose.go.
#define MASKS \
	VMOVI $0x0f, V24.B16 \
	VMOVI $0x33, V25.B16 \
	VMOVI $0x55, V26.B16

// BITS is transposeBits of transpose.go, of V8 to V15. V16 to V19 are used too.
#define BITS \
	SWAP(V8, V12, 4, V24, V16)  \
	SWAP(V9, V13, 4, V24, V17)  \
	SWAP(V10, V14, 4, V24, V18) \
	SWAP(V11, V15, 4, V24, V19) \
	SWAP(V8, V10, 2, V25, V16)  \
	SWAP(V9, V11, 2, V25, V17)  \
	SWAP(V12, V14, 2, V25, V18) \
	SWAP(V13, V15, 2, V25, V19) \
	SWAP(V8, V9, 1, V26, V16)   \
	SWAP(V10, V11, 1, V26, V17) \
	SWAP(V12, V13, 1, V26, V18) \
	SWAP(V14, V15, 1, V26, V19)

// func toRowsNEON(dst, src *byte, stride, n int)
TEXT ·toRowsNEON(SB), NOSPLIT, $0-32
	ARGS(R4, R1)
	PLANES8
	MASKS

loop:
	APART
	BITS
	STORE
	SUBS $128, R3
	BNE  loop
	RET

// func fromRowsNEON(dst, src *byte, stride, n int)
TEXT ·fromRowsNEON(SB), NOSPLIT, $0-32
	ARGS(R1, R4)
	PLANES8
	MASKS

loop:
	LOAD
	BITS
	TOGETHER
	SUBS $128, R3
	BNE  loop
	RET
