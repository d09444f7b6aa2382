package tiff

import (
	"encoding/binary"
	"math/bits"
)

// littleEndian makes p's pixels little-endian, in place.
//
// Eight bytes are swapped at a time in one register (see BenchmarkBands), their
// tail one by one.
func (l *layout) littleEndian(p []byte) {
	if !l.bigEndian || l.bytes == 1 {
		return
	}
	le := binary.LittleEndian
	whole := len(p) &^ 7
	for q := p[:whole]; len(q) >= 8; q = q[8:] {
		le.PutUint64(q, swap(le.Uint64(q), l.bytes))
	}
	for q := p[whole:]; len(q) >= l.bytes; q = q[l.bytes:] {
		for i, j := 0, l.bytes-1; i < j; i, j = i+1, j-1 {
			q[i], q[j] = q[j], q[i]
		}
	}
}

// swap reverses the bytes of each integer of size bytes in v.
func swap(v uint64, size int) uint64 {
	switch size {
	case 2:
		const even = 0x00ff00ff00ff00ff
		return v&even<<8 | v>>8&even
	case 4:
		return bits.RotateLeft64(bits.ReverseBytes64(v), 32)
	}
	return bits.ReverseBytes64(v)
}

// sum undoes predictor 2 in a little-endian row: each pixel but the first is
// the difference from its left neighbour, modulo its size (TIFF 6.0 section 14).
func sum(row []byte, size int) {
	le := binary.LittleEndian
	switch size {
	case 1:
		var v byte
		for i, d := range row {
			v += d
			row[i] = v
		}
	case 2:
		var v uint16
		for ; len(row) >= 2; row = row[2:] {
			v += le.Uint16(row)
			le.PutUint16(row, v)
		}
	case 4:
		var v uint32
		for ; len(row) >= 4; row = row[4:] {
			v += le.Uint32(row)
			le.PutUint32(row, v)
		}
	case 8:
		var v uint64
		for ; len(row) >= 8; row = row[8:] {
			v += le.Uint64(row)
			le.PutUint64(row, v)
		}
	}
}
