package blosc

// shuffle writes src to dst with the bytes of its items of ts bytes taken
// apart: byte j of item i goes to dst[j*n+i], where n is the number of items.
// What is left at the end of src, less than an item, is copied.
// dst is as long as src and elsewhere in memory.
func shuffle(dst, src []byte, ts int) {
	n := len(src) / ts
	done := 0
	switch {
	case ts == 2:
		done = shuffle2(dst, src, n)
	case ts == 4:
		done = shuffle4(dst, src, n)
	case ts%8 == 0 && n >= 8:
		for j := 0; j < ts; j += 8 {
			done = shuffle8(dst[j*n:], src[j:], n, ts)
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
	done := 0
	switch {
	case ts == 2:
		done = unshuffle2(dst, src, n)
	case ts == 4:
		done = unshuffle4(dst, src, n)
	case ts%8 == 0 && n >= 8:
		for j := 0; j < ts; j += 8 {
			done = unshuffle8(dst[j:], src[j*n:], n, ts)
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

// The fast paths below take eight items at a time, as words of eight bytes, and
// transpose the matrix of their bytes by swapping ever smaller squares of it:
// 32, 16 and 8 bits wide. Each returns how many of the n items it did. See
// BenchmarkShuffle for what that gains over the loops above.

// Masks of the lower half of each square that swap exchanges.
const (
	low32 = 0x00000000ffffffff
	low16 = 0x0000ffff0000ffff
	low8  = 0x00ff00ff00ff00ff
	low4  = 0x0f0f0f0f0f0f0f0f
	low2  = 0x3333333333333333
	low1  = 0x5555555555555555
)

// swap exchanges the upper halves of a's squares with the lower halves of b's.
// A square is 2*s bits wide and low has its lower s bits set.
func swap(a, b uint64, s uint, low uint64) (uint64, uint64) {
	t := (a>>s ^ b) & low
	return a ^ t<<s, b ^ t
}

func shuffle2(dst, src []byte, n int) int {
	d0, d1 := dst[:n], dst[n:2*n]
	i := 0
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

func unshuffle2(dst, src []byte, n int) int {
	s0, s1 := src[:n], src[n:2*n]
	i := 0
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

func shuffle4(dst, src []byte, n int) int {
	d0, d1, d2, d3 := dst[:n], dst[n:2*n], dst[2*n:3*n], dst[3*n:4*n]
	i := 0
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

func unshuffle4(dst, src []byte, n int) int {
	s0, s1, s2, s3 := src[:n], src[n:2*n], src[2*n:3*n], src[3*n:4*n]
	i := 0
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
func shuffle8(dst, src []byte, n, ts int) int {
	i := 0
	for ; i+8 <= n; i += 8 {
		s := src[i*ts:]
		w := transposeBytes([8]uint64{
			le.Uint64(s), le.Uint64(s[ts:]), le.Uint64(s[2*ts:]), le.Uint64(s[3*ts:]),
			le.Uint64(s[4*ts:]), le.Uint64(s[5*ts:]), le.Uint64(s[6*ts:]), le.Uint64(s[7*ts:]),
		})
		for j, x := range w {
			le.PutUint64(dst[j*n+i:], x)
		}
	}
	return i
}

func unshuffle8(dst, src []byte, n, ts int) int {
	i := 0
	for ; i+8 <= n; i += 8 {
		s := src[i:]
		w := transposeBytes([8]uint64{
			le.Uint64(s), le.Uint64(s[n:]), le.Uint64(s[2*n:]), le.Uint64(s[3*n:]),
			le.Uint64(s[4*n:]), le.Uint64(s[5*n:]), le.Uint64(s[6*n:]), le.Uint64(s[7*n:]),
		})
		for j, x := range w {
			le.PutUint64(dst[(i+j)*ts:], x)
		}
	}
	return i
}

// transposeBytes makes byte j of word i byte i of word j.
func transposeBytes(w [8]uint64) [8]uint64 {
	a, b, c, d, e, f, g, h := w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]
	a, e = swap(a, e, 32, low32)
	b, f = swap(b, f, 32, low32)
	c, g = swap(c, g, 32, low32)
	d, h = swap(d, h, 32, low32)
	a, c = swap(a, c, 16, low16)
	b, d = swap(b, d, 16, low16)
	e, g = swap(e, g, 16, low16)
	f, h = swap(f, h, 16, low16)
	a, b = swap(a, b, 8, low8)
	c, d = swap(c, d, 8, low8)
	e, f = swap(e, f, 8, low8)
	g, h = swap(g, h, 8, low8)
	return [8]uint64{a, b, c, d, e, f, g, h}
}
