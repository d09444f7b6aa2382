//go:build !purego

#include "textflag.h"

// How often a byte is in b, of 32 bytes that are added at once.
DATA weights<>+0(SB)/8, $0x191a1b1c1d1e1f20
DATA weights<>+8(SB)/8, $0x1112131415161718
DATA weights<>+16(SB)/8, $0x090a0b0c0d0e0f10
DATA weights<>+24(SB)/8, $0x0102030405060708
GLOBL weights<>(SB), RODATA|NOPTR, $32

DATA ones<>+0(SB)/8, $0x0001000100010001
GLOBL ones<>(SB), RODATA|NOPTR, $8

// TOTAL adds up the four-byte lanes of y, whose lower half is x, to r. It uses
// Y8, whose lower half is X8.
#define TOTAL(x, y, r) \
	VEXTRACTI128 $1, y, X8    \
	VPADDD       X8, x, x     \
	VPSHUFD      $0x4e, x, X8 \
	VPADDD       X8, x, x     \
	VPSHUFD      $0xb1, x, X8 \
	VPADDD       X8, x, x     \
	VMOVD        x, r

// func adlerAVX2(p *byte, n int) (sum, before, weighted uint32)
TEXT ·adlerAVX2(SB), NOSPLIT, $0-28
	MOVQ         p+0(FP), SI
	MOVQ         n+8(FP), CX
	VMOVDQU      weights<>(SB), Y4
	VPBROADCASTQ ones<>(SB), Y5
	VPXOR        Y0, Y0, Y0
	VPXOR        Y1, Y1, Y1 // sum
	VPXOR        Y2, Y2, Y2 // before
	VPXOR        Y3, Y3, Y3 // weighted

next:
	VMOVDQU    (SI), Y6
	VPADDD     Y1, Y2, Y2
	VPSADBW    Y0, Y6, Y7
	VPADDD     Y7, Y1, Y1
	VPMADDUBSW Y4, Y6, Y8
	VPMADDWD   Y5, Y8, Y8
	VPADDD     Y8, Y3, Y3
	ADDQ       $32, SI
	SUBQ       $32, CX
	JNE        next

	TOTAL(X1, Y1, AX)
	TOTAL(X2, Y2, BX)
	TOTAL(X3, Y3, DX)
	VZEROUPPER
	MOVL AX, sum+16(FP)
	MOVL BX, before+20(FP)
	MOVL DX, weighted+24(FP)
	RET
