package blosc

// shuffle writes src to dst with the bytes of its items of ts bytes taken
// apart: byte j of item i goes to dst[j*n+i], where n is the number of items.
// What is left at the end of src, less than an item, is copied.
// dst is as long as src and elsewhere in memory.
func shuffle(dst, src []byte, ts int) {
	n := len(src) / ts
	shuffleFrom(dst, src, ts, shuffleFast(dst, src, n, ts))
}

// shuffleFrom is shuffle for all items but the first done ones, in plain Go.
func shuffleFrom(dst, src []byte, ts, done int) {
	n := len(src) / ts
	switch {
	case ts == 2:
		done = shuffle2(dst, src, n, done)
	case ts == 4:
		done = shuffle4(dst, src, n, done)
	case ts%8 == 0 && n >= 8:
		from := done
		for j := 0; j < ts; j += 8 {
			done = shuffle8(dst[j*n:], src[j:], n, ts, from)
		}
	}
	for j := range ts {
		plane := dst[j*n : (j+1)*n]
		for i := done; i < n; i++ {
			plane[i] = src[i*ts+j]
		}
	}
	copy(dst[n*ts:], src[n*ts:])
}

// unshuffle undoes shuffle.
func unshuffle(dst, src []byte, ts int) {
	n := len(src) / ts
	unshuffleFrom(dst, src, ts, unshuffleFast(dst, src, n, ts))
}

// unshuffleFrom is unshuffle for all items but the first done ones, in plain Go.
func unshuffleFrom(dst, src []byte, ts, done int) {
	n := len(src) / ts
	switch {
	case ts == 2:
		done = unshuffle2(dst, src, n, done)
	case ts == 4:
		done = unshuffle4(dst, src, n, done)
	case ts%8 == 0 && n >= 8:
		from := done
		for j := 0; j < ts; j += 8 {
			done = unshuffle8(dst[j:], src[j*n:], n, ts, from)
		}
	}
	for j := range ts {
		plane := src[j*n : (j+1)*n]
		for i := done; i < n; i++ {
			dst[i*ts+j] = plane[i]
		}
	}
	copy(dst[n*ts:], src[n*ts:])
}

// The functions below take eight items at a time, as words of eight bytes, and
// transpose the matrix of their bytes. They begin with item i and return the
// first of the n items that is left to do. They gain a factor of two to three
// over the loops above, and what shuffleFast does another three (BenchmarkShuffle).

func shuffle2(dst, src []byte, n, i int) int {
	d0, d1 := dst[:n], dst[n:2*n]
	for ; i+8 <= n; i += 8 {
		s := src[2*i:][:16]
		a, b := le.Uint64(s), le.Uint64(s[8:])
		a, b = swap(a, b, 32, low32)
		a, b = swap(a, b, 16, low16)
		a, b = swap(a, b, 8, low8)
		le.PutUint64(d0[i:], a)
		le.PutUint64(d1[i:], b)
	}
	return i
}

func unshuffle2(dst, src []byte, n, i int) int {
	s0, s1 := src[:n], src[n:2*n]
	for ; i+8 <= n; i += 8 {
		a, b := le.Uint64(s0[i:]), le.Uint64(s1[i:])
		a, b = swap(a, b, 8, low8)
		a, b = swap(a, b, 16, low16)
		a, b = swap(a, b, 32, low32)
		d := dst[2*i:][:16]
		le.PutUint64(d, a)
		le.PutUint64(d[8:], b)
	}
	return i
}

func shuffle4(dst, src []byte, n, i int) int {
	d0, d1, d2, d3 := dst[:n], dst[n:2*n], dst[2*n:3*n], dst[3*n:4*n]
	for ; i+8 <= n; i += 8 {
		s := src[4*i:][:32]
		a, b, c, d := le.Uint64(s), le.Uint64(s[8:]), le.Uint64(s[16:]), le.Uint64(s[24:])
		a, c = swap(a, c, 32, low32) // items 0 4, 1 5
		b, d = swap(b, d, 32, low32) // items 2 6, 3 7
		a, b = swap(a, b, 16, low16)
		c, d = swap(c, d, 16, low16)
		a, c = swap(a, c, 8, low8)
		b, d = swap(b, d, 8, low8)
		le.PutUint64(d0[i:], a)
		le.PutUint64(d1[i:], c)
		le.PutUint64(d2[i:], b)
		le.PutUint64(d3[i:], d)
	}
	return i
}

func unshuffle4(dst, src []byte, n, i int) int {
	s0, s1, s2, s3 := src[:n], src[n:2*n], src[2*n:3*n], src[3*n:4*n]
	for ; i+8 <= n; i += 8 {
		a, c, b, d := le.Uint64(s0[i:]), le.Uint64(s1[i:]), le.Uint64(s2[i:]), le.Uint64(s3[i:])
		b, d = swap(b, d, 8, low8)
		a, c = swap(a, c, 8, low8)
		c, d = swap(c, d, 16, low16)
		a, b = swap(a, b, 16, low16)
		b, d = swap(b, d, 32, low32)
		a, c = swap(a, c, 32, low32)
		t := dst[4*i:][:32]
		le.PutUint64(t, a)
		le.PutUint64(t[8:], b)
		le.PutUint64(t[16:], c)
		le.PutUint64(t[24:], d)
	}
	return i
}

// shuffle8 does eight bytes of each item: all of it if ts is 8, or the column
// of a wider item that src and dst begin at.
func shuffle8(dst, src []byte, n, ts, i int) int {
	for ; i+8 <= n; i += 8 {
		s := src[i*ts:]
		w0, w1, w2, w3, w4, w5, w6, w7 := transposeBytes(
			le.Uint64(s), le.Uint64(s[ts:]), le.Uint64(s[2*ts:]), le.Uint64(s[3*ts:]),
			le.Uint64(s[4*ts:]), le.Uint64(s[5*ts:]), le.Uint64(s[6*ts:]), le.Uint64(s[7*ts:]),
		)
		d := dst[i:]
		le.PutUint64(d, w0)
		le.PutUint64(d[n:], w1)
		le.PutUint64(d[2*n:], w2)
		le.PutUint64(d[3*n:], w3)
		le.PutUint64(d[4*n:], w4)
		le.PutUint64(d[5*n:], w5)
		le.PutUint64(d[6*n:], w6)
		le.PutUint64(d[7*n:], w7)
	}
	return i
}

// unshuffle8 undoes shuffle8.
func unshuffle8(dst, src []byte, n, ts, i int) int {
	for ; i+8 <= n; i += 8 {
		s := src[i:]
		w0, w1, w2, w3, w4, w5, w6, w7 := transposeBytes(
			le.Uint64(s), le.Uint64(s[n:]), le.Uint64(s[2*n:]), le.Uint64(s[3*n:]),
			le.Uint64(s[4*n:]), le.Uint64(s[5*n:]), le.Uint64(s[6*n:]), le.Uint64(s[7*n:]),
		)
		d := dst[i*ts:]
		le.PutUint64(d, w0)
		le.PutUint64(d[ts:], w1)
		le.PutUint64(d[2*ts:], w2)
		le.PutUint64(d[3*ts:], w3)
		le.PutUint64(d[4*ts:], w4)
		le.PutUint64(d[5*ts:], w5)
		le.PutUint64(d[6*ts:], w6)
		le.PutUint64(d[7*ts:], w7)
	}
	return i
}
