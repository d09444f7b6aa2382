//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// What the registers hold throughout:
//
//	SI  the next byte of input       R8   where to stop reading
//	DI  the next byte of output      R9   where to stop writing
//	BX  the next bits                R10  where the output begins
//	CX  how many they are            R11  the table of literals and lengths
//	                                 R12  that of distances

// FILL brings words of bits, see fastGo. It uses DX.
#define FILL \
	MOVQ  (SI), DX   \
	SHLXQ CX, DX, DX \
	ORQ   DX, BX     \
	MOVL  CX, DX     \
	SHRL  $3, DX     \
	ANDL  $7, DX     \
	ADDQ  $7, SI     \
	SUBQ  DX, SI     \
	ORL   $56, CX

// LOOK looks at the next bits; AX is their entry, and its sign that of its low
// byte, set for literals.
#define LOOK \
	MOVL  BX, AX           \
	ANDL  $((1<<const_litBits)-1), AX \
	MOVL  (R11)(AX*4), AX  \
	TESTB AX, AX

// LITERALS writes the one or two literals of AX, and passes them. It uses DX.
#define LITERALS \
	SHRXQ AX, BX, BX \
	SUBL  AX, CX     \
	MOVL  AX, DX     \
	SHRL  $16, DX    \
	MOVW  DX, (DI)   \
	SHRL  $8, AX     \
	ANDL  $3, AX     \
	ADDQ  AX, DI

// VALUE adds to what the entry e stands for the extra bits that bits begin with,
// behind its code. It uses e.
#define VALUE(e, bits, v) \
	BZHIQ e, bits, v \
	SHRL  $8, e      \
	SHRXQ e, v, v    \
	SHRL  $8, e      \
	ADDQ  e, v

// func fastBMI2(in *byte, pos, last int, buf *byte, end, limit int, lit, dist *entry, b uint64, n uint) (pos1, end1 int, b1 uint64, n1 uint)
TEXT ·fastBMI2(SB), NOSPLIT, $0-112
	MOVQ in+0(FP), SI
	MOVQ last+16(FP), R8
	ADDQ SI, R8
	ADDQ pos+8(FP), SI
	MOVQ buf+24(FP), R10
	MOVQ end+32(FP), DI
	ADDQ R10, DI
	MOVQ limit+40(FP), R9
	ADDQ R10, R9
	MOVQ lit+48(FP), R11
	MOVQ dist+56(FP), R12
	MOVQ b+64(FP), BX
	MOVQ n+72(FP), CX

next:
	CMPQ SI, R8
	JGT  done
	CMPQ DI, R9
	JGE  done
	FILL
	LOOK
	JPL  other
	LITERALS
	LOOK
	JPL  refill
	LITERALS
	LOOK
	JPL  refill
	LITERALS
	LOOK
	JPL  refill
	LITERALS
	JMP  next

refill:
	FILL

other:
	TESTB $0x40, AX
	JNE   done

	// A length, and the distance behind it, which is looked at before anything
	// is passed.
	SHRXQ AX, BX, R13
	MOVL  R13, DX
	ANDL  $((1<<const_distBits)-1), DX
	MOVL  (R12)(DX*4), R14
	TESTB $0x40, R14
	JNE   done
	MOVL  AX, R15
	ADDL  R14, R15
	VALUE(AX, BX, DX)
	SHRXQ R14, R13, AX
	VALUE(R14, R13, R13)
	MOVQ  DI, R14
	SUBQ  R10, R14
	CMPQ  R13, R14
	JHI   done
	MOVQ  AX, BX
	SUBL  R15, CX

	// The match: DX bytes from R13 back.
	MOVQ DI, AX
	SUBQ R13, AX
	ADDQ DI, DX          // where it ends
	CMPQ R13, $16
	JLT  near
	MOVOU (AX), X0
	MOVOU X0, (DI)
	ADDQ $16, DI
	CMPQ DI, DX
	JGE  matched

far:
	ADDQ $16, AX
	MOVOU (AX), X0
	MOVOU X0, (DI)
	ADDQ $16, DI
	CMPQ DI, DX
	JLT  far

matched:
	MOVQ DX, DI
	JMP  next

near:
	CMPQ R13, $8
	JEQ  eight
	JGT  words
	CMPQ R13, $1
	JEQ  one

	// What has a period of a few bytes has one of eight to fourteen, too: R15.
	MOVQ R13, R15
widen:
	ADDQ R13, R15
	CMPQ R15, $8
	JLT  widen
	MOVQ R15, R14
	SUBQ R13, R14        // as many bytes make it one
bytes:
	MOVBLZX (AX), R13
	MOVB R13, (DI)
	INCQ AX
	INCQ DI
	DECQ R14
	JNE  bytes
	MOVQ DI, AX
	SUBQ R15, AX
words:
	MOVQ (AX), R13
	MOVQ R13, (DI)
	ADDQ $8, AX
	ADDQ $8, DI
	CMPQ DI, DX
	JLT  words
	JMP  matched

one:
	MOVBLZX (AX), AX
	MOVQ $0x0101010101010101, R13
	IMULQ R13, AX
	MOVQ AX, X0
	JMP  pattern

eight:
	MOVQ (AX), X0

pattern:
	PUNPCKLQDQ X0, X0
patterns:
	MOVOU X0, (DI)
	ADDQ $16, DI
	CMPQ DI, DX
	JLT  patterns
	JMP  matched

done:
	SUBQ in+0(FP), SI
	MOVQ SI, pos1+80(FP)
	SUBQ R10, DI
	MOVQ DI, end1+88(FP)
	MOVQ BX, b1+96(FP)
	ANDL $63, CX
	MOVQ CX, n1+104(FP)
	RET
