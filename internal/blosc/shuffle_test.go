package blosc

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// slowShuffle is what shuffle does, byte by byte.
func slowShuffle(src []byte, ts int) []byte {
	dst := bytes.Clone(src)
	n := len(src) / ts
	for i := range n {
		for j := range ts {
			dst[j*n+i] = src[i*ts+j]
		}
	}
	return dst
}

// slowBitShuffle is what bitShuffle does, bit by bit.
func slowBitShuffle(src []byte, ts int) []byte {
	dst := bytes.Clone(src)
	n := len(src) / ts
	if n%8 != 0 {
		return dst
	}
	clear(dst[:n*ts])
	for i := range n {
		for bit := range 8 * ts {
			at := bit*n + i // the bit of dst
			dst[at/8] |= src[i*ts+bit/8] >> (bit % 8) & 1 << (at % 8)
		}
	}
	return dst
}

func randomBytes(n int) []byte {
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
}

func TestShuffle(t *testing.T) {
	for ts := 1; ts <= 40; ts++ {
		for _, n := range []int{0, 1, 7, 8, 9, 15, 16, 63, 64, 65, 72, 128, 136} {
			for _, more := range []int{0, 1, ts - 1} {
				src := randomBytes(n*ts + more)
				got, back, tmp := make([]byte, len(src)), make([]byte, len(src)), make([]byte, len(src))
				shuffle(got, src, ts)
				unshuffle(back, got, ts)
				if !bytes.Equal(got, slowShuffle(src, ts)) || !bytes.Equal(back, src) {
					t.Errorf("shuffle %d bytes in items of %d is wrong", len(src), ts)
				}
				bitShuffle(got, src, tmp, ts)
				bitUnshuffle(back, got, tmp, ts)
				if !bytes.Equal(got, slowBitShuffle(src, ts)) || !bytes.Equal(back, src) {
					t.Errorf("bit shuffle %d bytes in items of %d is wrong", len(src), ts)
				}
			}
		}
	}
}

// BenchmarkShuffle works on one block, as the encoder does; 3 has no fast path.
func BenchmarkShuffle(b *testing.B) {
	src := randomBytes(3 << 17)
	dst, tmp := make([]byte, len(src)), make([]byte, len(src))
	for _, way := range []struct {
		name string
		do   func(ts int)
	}{
		{"byte", func(ts int) { shuffle(dst, src, ts) }},
		{"unbyte", func(ts int) { unshuffle(dst, src, ts) }},
		{"bit", func(ts int) { bitShuffle(dst, src, tmp, ts) }},
		{"unbit", func(ts int) { bitUnshuffle(dst, src, tmp, ts) }},
	} {
		for _, ts := range []int{1, 2, 3, 4, 8, 16, 64} {
			b.Run(fmt.Sprintf("%s/%d", way.name, ts), func(b *testing.B) {
				b.SetBytes(int64(len(src)))
				for b.Loop() {
					way.do(ts)
				}
			})
		}
	}
}
