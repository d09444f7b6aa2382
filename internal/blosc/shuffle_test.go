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

// A fencedShuffle checks shuffles where a byte touched too far is a fault.
type fencedShuffle struct{ in, got, back, tmp fence }

func newFencedShuffle(tb testing.TB, n int) fencedShuffle {
	return fencedShuffle{newFence(tb, n), newFence(tb, n), newFence(tb, n), newFence(tb, n)}
}

// check shuffles src and back in all ways.
func (f fencedShuffle) check(t *testing.T, src []byte, ts int) {
	t.Helper()
	tmp := f.tmp[len(f.tmp)-len(src):]
	f.checkWay(t, "byte", src, ts, slowShuffle(src, ts),
		func(dst, src []byte) { shuffle(dst, src, ts) },
		func(dst, src []byte) { unshuffle(dst, src, ts) })
	f.checkWay(t, "byte in plain Go", src, ts, slowShuffle(src, ts),
		func(dst, src []byte) { shuffleFrom(dst, src, ts, 0) },
		func(dst, src []byte) { unshuffleFrom(dst, src, ts, 0) })
	f.checkWay(t, "bit", src, ts, slowBitShuffle(src, ts),
		func(dst, src []byte) { bitShuffle(dst, src, tmp, ts) },
		func(dst, src []byte) { bitUnshuffle(dst, src, tmp, ts) })
	if src = src[:len(src)&^7]; ts == 1 {
		f.checkWay(t, "bit in plain Go", src, 1, slowBitShuffle(src, 1),
			func(dst, src []byte) { toRowsFrom(dst, src, 0) },
			func(dst, src []byte) { fromRowsFrom(dst, src, 0) })
	}
}

// checkWay shuffles src at the beginning of the fenced memory and at its end.
func (f fencedShuffle) checkWay(t *testing.T, name string, src []byte, ts int, want []byte, do, undo func(dst, src []byte)) {
	t.Helper()
	n := len(src)
	for _, at := range []int{0, len(f.in) - n} {
		in, got, back := f.in[at:][:n], f.got[at:][:n], f.back[at:][:n]
		copy(in, src)
		clear(got)
		clear(back)
		if do(got, in); !bytes.Equal(got, want) {
			t.Errorf("shuffle of %d bytes, by %s of items of %d, is wrong", n, name, ts)
		}
		if undo(back, got); !bytes.Equal(back, src) {
			t.Errorf("shuffle of %d bytes, by %s of items of %d, does not come back", n, name, ts)
		}
	}
}

func TestShuffle(t *testing.T) {
	f := newFencedShuffle(t, 513*40)
	for ts := 1; ts <= 40; ts++ {
		for _, n := range []int{0, 1, 7, 8, 9, 16, 31, 32, 33, 63, 64, 65, 72, 128, 136, 256, 264, 512} {
			for _, more := range []int{0, 1, ts - 1} {
				f.check(t, randomBytes(n*ts+more), ts)
			}
		}
	}
}

// Every length that the widest steps can leave something of. As memory ends
// behind the last byte, every alignment too.
func TestShuffleLengths(t *testing.T) {
	f := newFencedShuffle(t, 1100)
	src := randomBytes(1100)
	for _, ts := range []int{1, 2, 4, 8} {
		for n := range src {
			f.check(t, src[:n], ts)
		}
	}
}

func FuzzShuffle(f *testing.F) {
	const most = 1 << 16
	fenced := newFencedShuffle(f, most)
	f.Add(randomBytes(600), 1)
	f.Add(randomBytes(130), 2)
	f.Add(randomBytes(700), 8)
	f.Add(randomBytes(100), 3)
	f.Fuzz(func(t *testing.T, src []byte, ts int) {
		if ts < 1 || ts > MaxTypeSize || len(src) > most {
			return
		}
		fenced.check(t, src, ts)
	})
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
		{"byte-go", func(ts int) { shuffleFrom(dst, src, ts, 0) }},
		{"unbyte", func(ts int) { unshuffle(dst, src, ts) }},
		{"unbyte-go", func(ts int) { unshuffleFrom(dst, src, ts, 0) }},
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
