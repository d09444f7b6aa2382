//go:build !purego

#include "textflag.h"

// A register of 32 bytes has two lanes of 16, and what mixes bytes does so
// within lanes. So a lane of each register is loaded from the first 16 of 32
// items and the other from the last 16: then lanes never have to be exchanged.

// Within a lane: first bytes of pairs, second bytes of pairs.
DATA pairs<>+0(SB)/8, $0x0e0c0a0806040200
DATA pairs<>+8(SB)/8, $0x0f0d0b0907050301
GLOBL pairs<>(SB), RODATA|NOPTR, $16

// Within a lane: the first, second, third and fourth bytes of four items of four.
DATA quads<>+0(SB)/8, $0x0d0905010c080400
DATA quads<>+8(SB)/8, $0x0f0b07030e0a0602
GLOBL quads<>(SB), RODATA|NOPTR, $16

// Within a lane: the first bytes of two items of eight, the second ones, ...
DATA eights<>+0(SB)/8, $0x0b030a0209010800
DATA eights<>+8(SB)/8, $0x0f070e060d050c04
GLOBL eights<>(SB), RODATA|NOPTR, $16

// ARGS loads what all functions take.
#define ARGS \
	MOVQ dst+0(FP), DI    \
	MOVQ src+8(FP), SI    \
	MOVQ stride+16(FP), R8 \
	MOVQ n+24(FP), CX

// LANES loads the 16 bytes at a to y's lower lane, where they are called x,
// and those at b to the upper one.
#define LANES(a, b, x, y) \
	VMOVDQU     a, x \
	VINSERTI128 $1, b, y, y

// UNLANES stores them.
#define UNLANES(x, y, a, b) \
	VMOVDQU      x, a \
	VEXTRACTI128 $1, y, b

// INTERLEAVE makes of a and b the registers lo and hi, whose parts come from a
// and b in turn. The first half of each lane goes to lo.
#define INTERLEAVE_BYTES(a, b, lo, hi) \
	VPUNPCKLBW b, a, lo \
	VPUNPCKHBW b, a, hi
#define INTERLEAVE_2(a, b, lo, hi) \
	VPUNPCKLWD b, a, lo \
	VPUNPCKHWD b, a, hi
#define INTERLEAVE_4(a, b, lo, hi) \
	VPUNPCKLDQ b, a, lo \
	VPUNPCKHDQ b, a, hi
#define INTERLEAVE_8(a, b, lo, hi) \
	VPUNPCKLQDQ b, a, lo \
	VPUNPCKHQDQ b, a, hi

// func shuffle2AVX2(dst, src *byte, stride, n int)
TEXT ·shuffle2AVX2(SB), NOSPLIT, $0-32
	ARGS
	VBROADCASTI128 pairs<>(SB), Y15

loop:
	LANES((SI), 32(SI), X0, Y0)
	LANES(16(SI), 48(SI), X1, Y1)
	VPSHUFB Y15, Y0, Y0
	VPSHUFB Y15, Y1, Y1
	INTERLEAVE_8(Y0, Y1, Y2, Y3)
	VMOVDQU Y2, (DI)
	VMOVDQU Y3, (DI)(R8*1)
	ADDQ    $64, SI
	ADDQ    $32, DI
	SUBQ    $32, CX
	JNZ     loop
	VZEROUPPER
	RET

// func unshuffle2AVX2(dst, src *byte, stride, n int)
TEXT ·unshuffle2AVX2(SB), NOSPLIT, $0-32
	ARGS

loop:
	VMOVDQU (SI), Y0
	VMOVDQU (SI)(R8*1), Y1
	INTERLEAVE_BYTES(Y0, Y1, Y2, Y3)
	UNLANES(X2, Y2, (DI), 32(DI))
	UNLANES(X3, Y3, 16(DI), 48(DI))
	ADDQ    $32, SI
	ADDQ    $64, DI
	SUBQ    $32, CX
	JNZ     loop
	VZEROUPPER
	RET

// func shuffle4AVX2(dst, src *byte, stride, n int)
TEXT ·shuffle4AVX2(SB), NOSPLIT, $0-32
	ARGS
	LEAQ           (R8)(R8*2), R9
	VBROADCASTI128 quads<>(SB), Y15

loop:
	LANES((SI), 64(SI), X0, Y0)
	LANES(16(SI), 80(SI), X1, Y1)
	LANES(32(SI), 96(SI), X2, Y2)
	LANES(48(SI), 112(SI), X3, Y3)
	VPSHUFB Y15, Y0, Y0
	VPSHUFB Y15, Y1, Y1
	VPSHUFB Y15, Y2, Y2
	VPSHUFB Y15, Y3, Y3
	INTERLEAVE_4(Y0, Y1, Y4, Y5)
	INTERLEAVE_4(Y2, Y3, Y6, Y7)
	INTERLEAVE_8(Y4, Y6, Y0, Y1)
	INTERLEAVE_8(Y5, Y7, Y2, Y3)
	VMOVDQU Y0, (DI)
	VMOVDQU Y1, (DI)(R8*1)
	VMOVDQU Y2, (DI)(R8*2)
	VMOVDQU Y3, (DI)(R9*1)
	ADDQ    $128, SI
	ADDQ    $32, DI
	SUBQ    $32, CX
	JNZ     loop
	VZEROUPPER
	RET

// func unshuffle4AVX2(dst, src *byte, stride, n int)
TEXT ·unshuffle4AVX2(SB), NOSPLIT, $0-32
	ARGS
	LEAQ (R8)(R8*2), R9

loop:
	VMOVDQU (SI), Y0
	VMOVDQU (SI)(R8*1), Y1
	VMOVDQU (SI)(R8*2), Y2
	VMOVDQU (SI)(R9*1), Y3
	INTERLEAVE_BYTES(Y0, Y1, Y4, Y5)
	INTERLEAVE_BYTES(Y2, Y3, Y6, Y7)
	INTERLEAVE_2(Y4, Y6, Y0, Y1)
	INTERLEAVE_2(Y5, Y7, Y2, Y3)
	UNLANES(X0, Y0, (DI), 64(DI))
	UNLANES(X1, Y1, 16(DI), 80(DI))
	UNLANES(X2, Y2, 32(DI), 96(DI))
	UNLANES(X3, Y3, 48(DI), 112(DI))
	ADDQ    $32, SI
	ADDQ    $128, DI
	SUBQ    $32, CX
	JNZ     loop
	VZEROUPPER
	RET

// APART loads 32 items of 8 bytes from SI and leaves their first bytes in Y8,
// their second ones in Y9, and so on up to Y15. Y0 to Y7 are used too.
#define APART \
	LANES((SI), 128(SI), X0, Y0)           \
	LANES(16(SI), 144(SI), X1, Y1)         \
	LANES(32(SI), 160(SI), X2, Y2)         \
	LANES(48(SI), 176(SI), X3, Y3)         \
	LANES(64(SI), 192(SI), X4, Y4)         \
	LANES(80(SI), 208(SI), X5, Y5)         \
	LANES(96(SI), 224(SI), X6, Y6)         \
	LANES(112(SI), 240(SI), X7, Y7)        \
	VBROADCASTI128 eights<>(SB), Y15       \
	VPSHUFB        Y15, Y0, Y0             \
	VPSHUFB        Y15, Y1, Y1             \
	VPSHUFB        Y15, Y2, Y2             \
	VPSHUFB        Y15, Y3, Y3             \
	VPSHUFB        Y15, Y4, Y4             \
	VPSHUFB        Y15, Y5, Y5             \
	VPSHUFB        Y15, Y6, Y6             \
	VPSHUFB        Y15, Y7, Y7             \
	INTERLEAVE_2(Y0, Y1, Y8, Y9)           \
	INTERLEAVE_2(Y2, Y3, Y10, Y11)         \
	INTERLEAVE_2(Y4, Y5, Y12, Y13)         \
	INTERLEAVE_2(Y6, Y7, Y14, Y15)         \
	INTERLEAVE_4(Y8, Y10, Y0, Y1)          \
	INTERLEAVE_4(Y9, Y11, Y2, Y3)          \
	INTERLEAVE_4(Y12, Y14, Y4, Y5)         \
	INTERLEAVE_4(Y13, Y15, Y6, Y7)         \
	INTERLEAVE_8(Y0, Y4, Y8, Y9)           \
	INTERLEAVE_8(Y1, Y5, Y10, Y11)         \
	INTERLEAVE_8(Y2, Y6, Y12, Y13)         \
	INTERLEAVE_8(Y3, Y7, Y14, Y15)

// TOGETHER undoes APART: it stores to DI the items whose first bytes are in Y0
// and so on up to Y7. Y8 to Y15 are used too.
#define TOGETHER \
	INTERLEAVE_BYTES(Y0, Y1, Y8, Y9)       \
	INTERLEAVE_BYTES(Y2, Y3, Y10, Y11)     \
	INTERLEAVE_BYTES(Y4, Y5, Y12, Y13)     \
	INTERLEAVE_BYTES(Y6, Y7, Y14, Y15)     \
	INTERLEAVE_2(Y8, Y10, Y0, Y1)          \
	INTERLEAVE_2(Y9, Y11, Y2, Y3)          \
	INTERLEAVE_2(Y12, Y14, Y4, Y5)         \
	INTERLEAVE_2(Y13, Y15, Y6, Y7)         \
	INTERLEAVE_4(Y0, Y4, Y8, Y9)           \
	INTERLEAVE_4(Y1, Y5, Y10, Y11)         \
	INTERLEAVE_4(Y2, Y6, Y12, Y13)         \
	INTERLEAVE_4(Y3, Y7, Y14, Y15)         \
	UNLANES(X8, Y8, (DI), 128(DI))         \
	UNLANES(X9, Y9, 16(DI), 144(DI))       \
	UNLANES(X10, Y10, 32(DI), 160(DI))     \
	UNLANES(X11, Y11, 48(DI), 176(DI))     \
	UNLANES(X12, Y12, 64(DI), 192(DI))     \
	UNLANES(X13, Y13, 80(DI), 208(DI))     \
	UNLANES(X14, Y14, 96(DI), 224(DI))     \
	UNLANES(X15, Y15, 112(DI), 240(DI))

// STRIDES sets R9 to R12 to 3, 5, 6 and 7 times R8; addresses can say 2 and 4 times.
#define STRIDES \
	LEAQ (R8)(R8*2), R9  \
	LEAQ (R8)(R8*4), R10 \
	LEAQ (R9)(R9*1), R11 \
	LEAQ (R9)(R8*4), R12

// func shuffle8AVX2(dst, src *byte, stride, n int)
TEXT ·shuffle8AVX2(SB), NOSPLIT, $0-32
	ARGS
	STRIDES

loop:
	APART
	VMOVDQU Y8, (DI)
	VMOVDQU Y9, (DI)(R8*1)
	VMOVDQU Y10, (DI)(R8*2)
	VMOVDQU Y11, (DI)(R9*1)
	VMOVDQU Y12, (DI)(R8*4)
	VMOVDQU Y13, (DI)(R10*1)
	VMOVDQU Y14, (DI)(R11*1)
	VMOVDQU Y15, (DI)(R12*1)
	ADDQ    $256, SI
	ADDQ    $32, DI
	SUBQ    $32, CX
	JNZ     loop
	VZEROUPPER
	RET

// func unshuffle8AVX2(dst, src *byte, stride, n int)
TEXT ·unshuffle8AVX2(SB), NOSPLIT, $0-32
	ARGS
	STRIDES

loop:
	VMOVDQU (SI), Y0
	VMOVDQU (SI)(R8*1), Y1
	VMOVDQU (SI)(R8*2), Y2
	VMOVDQU (SI)(R9*1), Y3
	VMOVDQU (SI)(R8*4), Y4
	VMOVDQU (SI)(R10*1), Y5
	VMOVDQU (SI)(R11*1), Y6
	VMOVDQU (SI)(R12*1), Y7
	TOGETHER
	ADDQ    $32, SI
	ADDQ    $256, DI
	SUBQ    $32, CX
	JNZ     loop
	VZEROUPPER
	RET

// SWAP is swap of transpose.go, for 32 bytes each, with t for its t.
#define SWAP(a, b, s, low, t) \
	VPSRLQ $s, a, t \
	VPXOR  b, t, t  \
	VPAND  low, t, t \
	VPXOR  t, b, b  \
	VPSLLQ $s, t, t \
	VPXOR  t, a, a

// BITS is transposeBits of transpose.go. low, m, n, o and p are used too.
#define BITS(a, b, c, d, e, f, g, h, low, m, n, o, p) \
	VPBROADCASTQ low4<>(SB), low \
	SWAP(a, e, 4, low, m)        \
	SWAP(b, f, 4, low, n)        \
	SWAP(c, g, 4, low, o)        \
	SWAP(d, h, 4, low, p)        \
	VPBROADCASTQ low2<>(SB), low \
	SWAP(a, c, 2, low, m)        \
	SWAP(b, d, 2, low, n)        \
	SWAP(e, g, 2, low, o)        \
	SWAP(f, h, 2, low, p)        \
	VPBROADCASTQ low1<>(SB), low \
	SWAP(a, b, 1, low, m)        \
	SWAP(c, d, 1, low, n)        \
	SWAP(e, f, 1, low, o)        \
	SWAP(g, h, 1, low, p)

DATA low4<>+0(SB)/8, $0x0f0f0f0f0f0f0f0f
GLOBL low4<>(SB), RODATA|NOPTR, $8
DATA low2<>+0(SB)/8, $0x3333333333333333
GLOBL low2<>(SB), RODATA|NOPTR, $8
DATA low1<>+0(SB)/8, $0x5555555555555555
GLOBL low1<>(SB), RODATA|NOPTR, $8

// func toRowsAVX2(dst, src *byte, stride, n int)
TEXT ·toRowsAVX2(SB), NOSPLIT, $0-32
	ARGS
	STRIDES

loop:
	APART
	BITS(Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15, Y0, Y1, Y2, Y3, Y4)
	VMOVDQU Y8, (DI)
	VMOVDQU Y9, (DI)(R8*1)
	VMOVDQU Y10, (DI)(R8*2)
	VMOVDQU Y11, (DI)(R9*1)
	VMOVDQU Y12, (DI)(R8*4)
	VMOVDQU Y13, (DI)(R10*1)
	VMOVDQU Y14, (DI)(R11*1)
	VMOVDQU Y15, (DI)(R12*1)
	ADDQ    $256, SI
	ADDQ    $32, DI
	SUBQ    $256, CX
	JNZ     loop
	VZEROUPPER
	RET

// func fromRowsAVX2(dst, src *byte, stride, n int)
TEXT ·fromRowsAVX2(SB), NOSPLIT, $0-32
	ARGS
	STRIDES

loop:
	VMOVDQU (SI), Y0
	VMOVDQU (SI)(R8*1), Y1
	VMOVDQU (SI)(R8*2), Y2
	VMOVDQU (SI)(R9*1), Y3
	VMOVDQU (SI)(R8*4), Y4
	VMOVDQU (SI)(R10*1), Y5
	VMOVDQU (SI)(R11*1), Y6
	VMOVDQU (SI)(R12*1), Y7
	BITS(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12)
	TOGETHER
	ADDQ    $32, SI
	ADDQ    $256, DI
	SUBQ    $256, CX
	JNZ     loop
	VZEROUPPER
	RET
