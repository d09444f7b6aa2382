package voxel

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// A Block is a box of voxels in memory: x fastest, then y, then z, little-endian.
// len(Data) is Box.Voxels()*Type.Size().
// A Block has one writer, or any number of readers, at a time.
type Block struct {
	Box  Box
	Type Type
	Data []byte
}

// NewBlock returns a block of zeros.
func NewBlock(box Box, t Type) *Block {
	return &Block{box, t, make([]byte, box.Voxels()*int64(t.Size()))}
}

// Reset makes b a block of that box and type, in the memory it has if that is
// large enough. What the voxels are afterwards is undefined.
func (b *Block) Reset(box Box, t Type) {
	n := int(box.Voxels()) * t.Size()
	if cap(b.Data) < n {
		// Not slices.Grow, which writes zeros to all of it: what the kernel gives is
		// zero, and becomes memory only where it is touched.
		b.Data = make([]byte, n)
	}
	b.Box, b.Type, b.Data = box, t, b.Data[:n]
}

// Row is the row at y, z of the block's box, in place.
func (b *Block) Row(y, z int) []byte {
	i, n := b.offset(Point{b.Box.Min.X, y, z}), b.Box.X().Len()*b.Type.Size()
	return b.Data[i : i+n : i+n]
}

// offset is where the voxel at p, which lies in b, is in Data.
func (b *Block) offset(p Point) int {
	p = p.Add(b.Box.Min.Neg())
	return ((p.Z*b.Box.Y().Len()+p.Y)*b.Box.X().Len() + p.X) * b.Type.Size()
}

// Slice is the one-deep block at z, sharing b's memory.
func (b *Block) Slice(z int) *Block { return b.Rows(z, b.Box.Y()) }

// Rows is the one-deep block of the rows y, of b's, at z, sharing b's memory.
func (b *Block) Rows(z int, y Range) *Block {
	i, n := b.offset(Point{b.Box.Min.X, y.Min, z}), y.Len()*b.Box.X().Len()*b.Type.Size()
	return &Block{NewBox(b.Box.X(), y, Range{z, z + 1}), b.Type, b.Data[i : i+n : i+n]}
}

// Sum is a checksum of the voxels, by which a block is known again: XXH64 with
// seed 0 of Data, which other programs compute too. It is no proof against forgery.
func (b *Block) Sum() uint64 { return xxhash.Sum64(b.Data) }

// Copy copies to b the voxels that src has of it and reports whether all of these
// are zero, which costs little while they are in the cache. The blocks are of one
// type, and have no memory in common.
func (b *Block) Copy(src *Block) (zero bool) {
	if b.Type != src.Type {
		panic(fmt.Sprintf("voxel: copy %v to %v", src.Type, b.Type))
	}
	both := b.Box.Intersect(src.Box)
	zero = true
	for z := both.Min.Z; z < both.Max.Z; z++ {
		zero = b.copySlice(src, both.WithZ(Range{z, z + 1})) && zero
	}
	return zero
}

// streamed is from which size on a block is filled past the caches, which then
// need not first read what is overwritten, and keep what others have there. What
// is smaller stays in them for its readers. The same size as of Go's own copy.
const streamed = 1 << 20

// copySlice is Copy of a box that both have, one deep.
func (b *Block) copySlice(src *Block, both Box) (zero bool) {
	n := both.X().Len() * b.Type.Size()
	to, from := b.Data[b.offset(both.Min):], src.Data[src.offset(both.Min):]
	apart, rows := src.Box.X().Len()*src.Type.Size(), both.Y().Len()
	if n == b.Box.X().Len()*b.Type.Size() && len(b.Data) >= streamed {
		if zero, ok := streamRows(to[:rows*n], from, n, apart); ok {
			return zero
		}
	}
	zero = true
	for y := range rows {
		row := from[y*apart:][:n]
		zero = zero && IsZero(row)
		copy(to[y*b.Box.X().Len()*b.Type.Size():], row)
	}
	return zero
}

// Widen fills b, of type Uint64, with the voxels of src, which has the same box:
// labels are stored as uint64 whatever the files hold.
func (b *Block) Widen(src *Block) {
	if b.Box != src.Box || b.Type != Uint64 {
		panic(fmt.Sprintf("voxel: widen %v of %v to %v of %v", src.Box, src.Type, b.Box, b.Type))
	}
	widen(b.Data, src.Data, src.Type)
}

// widen writes the voxels of src, of type t, to dst as uint64.
func widen(dst, src []byte, t Type) {
	le := binary.LittleEndian
	switch t {
	case Uint8:
		for i, v := range src {
			le.PutUint64(dst[8*i:], uint64(v))
		}
	case Uint16:
		for i := 0; i < len(src); i += 2 {
			le.PutUint64(dst[4*i:], uint64(le.Uint16(src[i:])))
		}
	case Uint32:
		for i := 0; i < len(src); i += 4 {
			le.PutUint64(dst[2*i:], uint64(le.Uint32(src[i:])))
		}
	}
}

// zeros is what IsZero compares with; nothing writes to it.
var zeros [4096]byte

// IsZero reports whether every byte of p is zero. It looks at the bytes, never
// at their sum, which can wrap to 0, and stops at the first page that differs.
// The comparison is the runtime's vector code (see BenchmarkIsZero).
func IsZero(p []byte) bool {
	for len(p) > len(zeros) {
		if !bytes.Equal(p[:len(zeros)], zeros[:]) {
			return false
		}
		p = p[len(zeros):]
	}
	return bytes.Equal(p, zeros[:len(p)])
}
