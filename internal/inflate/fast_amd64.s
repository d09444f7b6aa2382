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

// LOOK makes AX the entry of the next bits.
#define LOOK \
	MOVL BX, AX                     \
	ANDL $((1<<const_litBits)-1), AX \
	MOVL (R11)(AX*4), AX

// LITERAL sets the sign if AX is of literals.
#define LITERAL TESTB AX, AX

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

	CMPQ SI, R8
	JGT  done
	CMPQ DI, R9
	JGE  done
	FILL
	LOOK
	JMP  looked

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
	LOOK

	// The match: DX bytes from R13 back, which is R14.
	MOVQ DI, R14
	SUBQ R13, R14
	ADDQ DI, DX          // where it ends
	CMPQ R13, $16
	JLT  near
	VMOVDQU (R14), X0
	VMOVDQU X0, (DI)
	ADDQ $16, DI
	CMPQ DI, DX
	JLT  more

matched:
	MOVQ DX, DI

	// The next entry is looked at as early as its bits are there: a fill leaves 18
	// behind a length and a distance, and 12 behind four entries of literals.
next:
	CMPQ SI, R8
	JGT  done
	CMPQ DI, R9
	JGE  done
	FILL

looked:
	LITERAL
	JPL  other
	LITERALS
	LOOK
	LITERAL
	JPL  refill
	LITERALS
	LOOK
	LITERAL
	JPL  refill
	LITERALS
	LOOK
	LITERAL
	JPL  refill
	LITERALS
	LOOK
	JMP  next

more:
	ADDQ $16, R14
	CMPQ R13, $32
	JLT  middle

far:
	VMOVDQU (R14), Y0
	VMOVDQU Y0, (DI)
	ADDQ $32, R14
	ADDQ $32, DI
	CMPQ DI, DX
	JLT  far
	JMP  matched

middle:
	VMOVDQU (R14), X0
	VMOVDQU X0, (DI)
	ADDQ $16, R14
	ADDQ $16, DI
	CMPQ DI, DX
	JLT  middle
	JMP  matched

near:
	CMPQ R13, $8
	JEQ  eight
	JGT  words
	CMPQ R13, $1
	JEQ  one
	CMPQ R13, $4
	JEQ  four
	CMPQ R13, $2
	JEQ  two

	// What has a period of a few bytes has one of nine to fourteen, too: R15.
	MOVQ R13, R15
widen:
	ADDQ R13, R15
	CMPQ R15, $8
	JLT  widen
	MOVQ R15, R13
	ADDQ R14, R13
	SUBQ DI, R13         // as many bytes make it one
bytes:
	MOVBLZX (R14), AX
	MOVB AX, (DI)
	INCQ R14
	INCQ DI
	DECQ R13
	JNE  bytes
	MOVQ DI, R14
	SUBQ R15, R14
	LOOK
words:
	MOVQ (R14), R13
	MOVQ R13, (DI)
	ADDQ $8, R14
	ADDQ $8, DI
	CMPQ DI, DX
	JLT  words
	JMP  matched

one:
	VPBROADCASTB (R14), Y0
	JMP  pattern

two:
	VPBROADCASTW (R14), Y0
	JMP  pattern

four:
	VPBROADCASTD (R14), Y0
	JMP  pattern

eight:
	VPBROADCASTQ (R14), Y0

pattern:
	VMOVDQU Y0, (DI)
	ADDQ $32, DI
	CMPQ DI, DX
	JLT  pattern
	JMP  matched

done:
	VZEROUPPER
	SUBQ in+0(FP), SI
	MOVQ SI, pos1+80(FP)
	SUBQ R10, DI
	MOVQ DI, end1+88(FP)
	MOVQ BX, b1+96(FP)
	ANDL $63, CX
	MOVQ CX, n1+104(FP)
	RET
