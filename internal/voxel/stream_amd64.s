//go:build !purego

#include "textflag.h"

// func streamRowsAVX2(dst, src *byte, n, stride, rows int) (zero bool)
TEXT ·streamRowsAVX2(SB), NOSPLIT, $0-41
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), DX
	MOVQ stride+24(FP), R8
	MOVQ rows+32(FP), R9
	VPXOR Y4, Y4, Y4 // any bit so far
	VPXOR Y5, Y5, Y5

row:
	MOVQ SI, R10
	MOVQ DX, CX

piece:
	VMOVDQU    (R10), Y0
	VMOVDQU    32(R10), Y1
	VMOVDQU    64(R10), Y2
	VMOVDQU    96(R10), Y3
	VMOVNTDQ   Y0, (DI)
	VMOVNTDQ   Y1, 32(DI)
	VMOVNTDQ   Y2, 64(DI)
	VMOVNTDQ   Y3, 96(DI)
	VPOR       Y0, Y4, Y4
	VPOR       Y1, Y5, Y5
	VPOR       Y2, Y4, Y4
	VPOR       Y3, Y5, Y5
	ADDQ       $128, R10
	ADDQ       $128, DI
	SUBQ       $128, CX
	JNZ        piece
	ADDQ       R8, SI
	DECQ       R9
	JNZ        row

	SFENCE // other processors may read dst once this one says that it is there
	VPOR   Y5, Y4, Y4
	VPTEST Y4, Y4
	SETEQ  zero+40(FP)
	VZEROUPPER
	RET
