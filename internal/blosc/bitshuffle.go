package blosc

// bitShuffle writes src to dst with the bits of its items of ts bytes taken
// apart: bit k of byte j of each item goes to row 8*j+k of dst, which is one
// bit for each item, lowest first. C-Blosc does that only if rows end with a
// byte, that is if the number of items is a multiple of 8, and copies src
// otherwise. What is left at the end of src, less than an item, is copied.
// dst and tmp are as long as src; the three lie apart in memory.
func bitShuffle(dst, src, tmp []byte, ts int) {
	n := len(src) / ts
	if n%8 != 0 {
		copy(dst, src)
		return
	}
	planes := src
	if ts > 1 {
		planes = tmp
		shuffle(planes, src, ts)
	}
	for lo := 0; lo < n*ts; lo += n {
		toRows(dst[lo:lo+n], planes[lo:lo+n])
	}
	copy(dst[n*ts:], src[n*ts:])
}

// bitUnshuffle undoes bitShuffle.
func bitUnshuffle(dst, src, tmp []byte, ts int) {
	n := len(src) / ts
	if n%8 != 0 {
		copy(dst, src)
		return
	}
	planes := dst
	if ts > 1 {
		planes = tmp
	}
	for lo := 0; lo < n*ts; lo += n {
		fromRows(planes[lo:lo+n], src[lo:lo+n])
	}
	if ts > 1 {
		unshuffle(dst, planes, ts)
	}
	copy(dst[n*ts:], src[n*ts:])
}

// toRows writes the bits of the bytes of src to the eight rows of dst.
//
// 64 bytes are 8 words of 8 bytes of 8 bits. Their bits move from (word, byte,
// bit) to (bit, word, byte), which is an exchange of word and byte followed by
// an exchange of word and bit: 24 swaps for 64 bytes, instead of the 3 for each
// 8 bytes, and as many again to write whole words, that one word at a time takes.
func toRows(dst, src []byte) { toRowsFrom(dst, src, toRowsFast(dst, src)) }

// toRowsFrom is toRows for all bytes of src but the first i, in plain Go.
func toRowsFrom(dst, src []byte, i int) {
	row := len(src) / 8
	for ; i+64 <= len(src); i += 64 {
		s := src[i:][:64]
		w0, w1, w2, w3, w4, w5, w6, w7 := transposeBits(transposeBytes(
			le.Uint64(s), le.Uint64(s[8:]), le.Uint64(s[16:]), le.Uint64(s[24:]),
			le.Uint64(s[32:]), le.Uint64(s[40:]), le.Uint64(s[48:]), le.Uint64(s[56:]),
		))
		d := dst[i/8:]
		le.PutUint64(d, w0)
		le.PutUint64(d[row:], w1)
		le.PutUint64(d[2*row:], w2)
		le.PutUint64(d[3*row:], w3)
		le.PutUint64(d[4*row:], w4)
		le.PutUint64(d[5*row:], w5)
		le.PutUint64(d[6*row:], w6)
		le.PutUint64(d[7*row:], w7)
	}
	for ; i < len(src); i += 8 {
		x := transpose8(le.Uint64(src[i:]))
		for k := range 8 {
			dst[k*row+i/8] = byte(x >> (8 * k))
		}
	}
}

// fromRows undoes toRows.
func fromRows(dst, src []byte) { fromRowsFrom(dst, src, fromRowsFast(dst, src)) }

// fromRowsFrom is fromRows for all bytes of dst but the first i, in plain Go.
func fromRowsFrom(dst, src []byte, i int) {
	row := len(src) / 8
	for ; i+64 <= len(src); i += 64 {
		s := src[i/8:]
		w0, w1, w2, w3, w4, w5, w6, w7 := transposeBytes(transposeBits(
			le.Uint64(s), le.Uint64(s[row:]), le.Uint64(s[2*row:]), le.Uint64(s[3*row:]),
			le.Uint64(s[4*row:]), le.Uint64(s[5*row:]), le.Uint64(s[6*row:]), le.Uint64(s[7*row:]),
		))
		d := dst[i:][:64]
		le.PutUint64(d, w0)
		le.PutUint64(d[8:], w1)
		le.PutUint64(d[16:], w2)
		le.PutUint64(d[24:], w3)
		le.PutUint64(d[32:], w4)
		le.PutUint64(d[40:], w5)
		le.PutUint64(d[48:], w6)
		le.PutUint64(d[56:], w7)
	}
	for ; i < len(src); i += 8 {
		var x uint64
		for k := range 8 {
			x |= uint64(src[k*row+i/8]) << (8 * k)
		}
		le.PutUint64(dst[i:], transpose8(x))
	}
}
