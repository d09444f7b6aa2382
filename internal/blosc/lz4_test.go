package blosc

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/pierrec/lz4/v4"
)

// mixed is n bytes: runs, noise and repeats of what was before, of all lengths.
func mixed(rnd *rand.Rand, n int) []byte {
	p := make([]byte, 0, n)
	for len(p) < n {
		k := 1 + min(n-len(p)-1, rnd.IntN(1<<rnd.IntN(12)))
		switch {
		case rnd.IntN(3) == 0:
			p = append(p, bytes.Repeat([]byte{byte(rnd.Uint32())}, k)...)
		case rnd.IntN(2) == 0 && len(p) > 0:
			for from := rnd.IntN(len(p)); k > 0; k-- {
				p = append(p, p[from])
				from++
			}
		default:
			for ; k > 0; k-- {
				p = append(p, byte(rnd.Uint32()))
			}
		}
	}
	return p
}

// breakRuns changes p such that no run of a byte is worth it.
func breakRuns(p []byte) {
	run := 1
	for i := 1; i < len(p); i++ {
		if p[i] != p[i-1] {
			run = 1
		} else if run++; run == worthIt {
			p[i]++
			run = 1
		}
	}
}

// The same bytes come out as of another program that does as the C library
// does, but for runs. There is one for streams that are not short.
func TestLZ4Stream(t *testing.T) {
	var z lz4Writer
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		src := mixed(rnd, 1<<16+11+rnd.IntN(1<<17))
		breakRuns(src)
		twin := lz4.CompressorCCompat{Acceleration: 1 + i%9}
		want, got := make([]byte, lz4.CompressBlockBound(len(src))), make([]byte, lz4.CompressBlockBound(len(src))+32)
		n, err := twin.CompressBlock(src, want)
		if err != nil {
			t.Fatal(err)
		}
		m := z.compress(got, src, twin.Acceleration, false)
		if !bytes.Equal(got[:m], want[:n]) {
			t.Fatalf("%d bytes, acceleration %d: a stream of %d bytes, want another of %d", len(src), twin.Acceleration, m, n)
		}
	}
}

// A fencedLZ4 checks streams where a byte touched too far is a fault.
type fencedLZ4 struct {
	lz4Writer
	src, dst, back fence
}

func newFencedLZ4(tb testing.TB, n int) *fencedLZ4 {
	return &fencedLZ4{src: newFence(tb, n), dst: newFence(tb, n), back: newFence(tb, n)}
}

// check compresses src to room bytes or less.
func (f *fencedLZ4) check(t *testing.T, src []byte, room, acceleration int, impatient bool) {
	t.Helper()
	in, dst, back := f.src[len(f.src)-len(src):], f.dst[len(f.dst)-room:], f.back[len(f.back)-len(src):]
	copy(in, src)
	n := f.compress(dst, in, acceleration, impatient)
	if n == 0 {
		return
	}
	if m, err := lz4.UncompressBlock(dst[:n], back); err != nil || !bytes.Equal(back[:m], src) {
		t.Fatalf("%d bytes come back as %d from %d of %d, error %v", len(src), m, n, room, err)
	}
	if at, end := lastMatchOf(dst[:n]); end > 0 && (at > len(src)-lastMatch || end > len(src)-lastLiterals) {
		t.Fatalf("of %d bytes the last match is %d to %d", len(src), at, end)
	}
}

// lastMatchOf is where what the last match of a stream stands for begins and ends;
// 0 if there is none. C refuses those near the end of a stream, other readers do not.
func lastMatchOf(stream []byte) (at, end int) {
	length := func(n int) int {
		for more := n == 15; more; stream = stream[1:] {
			n += int(stream[0])
			more = stream[0] == 255
		}
		return n
	}
	for pos := 0; ; pos = end {
		token := int(stream[0])
		stream = stream[1:]
		literals := length(token >> 4)
		if stream = stream[literals:]; len(stream) == 0 {
			return at, end
		}
		stream = stream[2:]
		at = pos + literals
		end = at + minMatch + length(token&15)
	}
}

func TestLZ4(t *testing.T) {
	f := newFencedLZ4(t, 1<<18)
	rnd := rand.New(rand.NewPCG(3, 4))
	for n := range 400 {
		for room := range 3 * n / 2 {
			f.check(t, mixed(rnd, n), room, 1+n%9, n%2 == 0)
		}
	}
	for range 200 {
		src := mixed(rnd, rnd.IntN(1<<18-1000))
		f.check(t, src, len(src)+1000, 1+rnd.IntN(9), false)
		f.check(t, src, rnd.IntN(len(src)+1000), 1+rnd.IntN(9), true)
	}
}

// After noise an impatient search finds what is worth it all the same.
func TestLZ4Patience(t *testing.T) {
	var z lz4Writer
	src := append(randomBytes(1<<17), make([]byte, 1<<17)...)
	for _, impatient := range []bool{false, true} {
		n := z.compress(make([]byte, len(src)), src, 5, impatient)
		if want := 1<<17 + 1<<11; n == 0 || n > want {
			t.Errorf("impatient %v: %d bytes of noise and as many zeros take %d, want at most %d", impatient, 1<<17, n, want)
		}
	}
}

// Noise between black margins, as wide as a disk leaves them: the margins are in
// next to one match for each row, and found again however long the steps are.
func TestLZ4Margins(t *testing.T) {
	const rows, width = 400, 1000
	var z lz4Writer
	rnd := rand.New(rand.NewPCG(9, 10))
	src, noise := []byte{}, 0
	for y := range rows {
		n := width - 20 - abs(y-rows/2)
		noise += n
		for range n {
			src = append(src, byte(1+rnd.IntN(255)))
		}
		src = append(src, make([]byte, width-n)...)
	}
	for _, impatient := range []bool{false, true} {
		n := z.compress(make([]byte, len(src)), src, 5, impatient)
		if most := noise + 37*rows/4; n == 0 || n > most {
			t.Errorf("impatient %v: %d rows with %d bytes of noise take %d, want at most %d", impatient, rows, noise, n, most)
		}
	}
}

func abs(i int) int { return max(i, -i) }

func FuzzLZ4(f *testing.F) {
	const most = 1 << 18
	rnd := rand.New(rand.NewPCG(5, 6))
	f.Add(mixed(rnd, 1000), 900, 1, true)
	f.Add(mixed(rnd, 1<<17), 1<<17, 5, true)
	f.Add(make([]byte, 128), 100, 9, false)
	fenced := newFencedLZ4(f, most)
	f.Fuzz(func(t *testing.T, src []byte, room, acceleration int, impatient bool) {
		if len(src) <= most && 0 <= room && room <= most && 1 <= acceleration && acceleration <= 9 {
			fenced.check(t, src, room, acceleration, impatient)
		}
	})
}

// BenchmarkLZ4 works on blocks that differ in how much there is to find.
func BenchmarkLZ4(b *testing.B) {
	const n = 512 << 10
	few, rnd := randomBytes(n), rand.New(rand.NewPCG(7, 8))
	for i := range few {
		few[i] &= 15
	}
	dst := make([]byte, n)
	var z lz4Writer
	twin := lz4.CompressorCCompat{Acceleration: 5}
	for _, src := range []struct {
		name string
		data []byte
	}{{"noise", randomBytes(n)}, {"few", few}, {"mixed", mixed(rnd, n)}} {
		for _, way := range []struct {
			name string
			do   func()
		}{
			{"ours", func() { z.compress(dst, src.data, 5, false) }},
			{"impatient", func() { z.compress(dst, src.data, 5, true) }},
			{"twin", func() { twin.CompressBlock(src.data, dst) }},
		} {
			b.Run(fmt.Sprintf("%s/%s", src.name, way.name), func(b *testing.B) {
				b.SetBytes(n)
				for b.Loop() {
					way.do()
				}
			})
		}
	}
}
