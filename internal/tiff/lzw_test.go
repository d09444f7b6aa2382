package tiff

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/lzw"
)

// expand reads all that our reader gives of p, in reads of n bytes.
func expand(p []byte, n int) (out []byte, err error) {
	r := newLZWReader()
	if err := r.reset(bytes.NewReader(p)); err != nil {
		return nil, err
	}
	buf := make([]byte, n)
	for {
		k, err := r.Read(buf)
		if out = append(out, buf[:k]...); err == io.EOF {
			return out, nil
		} else if err != nil {
			return out, err
		}
	}
}

// twin is klauspost's reader, which goes byte by byte.
func twin(p []byte) ([]byte, error) {
	r := lzw.NewReader(bytes.NewReader(p), lzw.MSB, 8).(*lzw.Reader)
	r.SetAldusCompatible(true)
	return io.ReadAll(r)
}

// codes writes n codes that mean something, as wide as they have to be: literals,
// strings, of which one in fresh is the one that is being made, and now and then
// a clear code, or none if clear is 0.
func codes(rnd *rand.Rand, n, fresh, clear int) (p []byte) {
	var bits, have uint
	put := func(code, width uint) {
		bits, have = bits<<width|code, have+width
		for ; have >= 8; have -= 8 {
			p = append(p, byte(bits>>(have-8)))
		}
	}
	put(lzwClear, lzwMinWidth)
	width, next, first := uint(lzwMinWidth), uint(lzwFirst), true
	for range n {
		if !first && clear > 0 && (next == lzwLast || rnd.IntN(clear) == 0) {
			put(lzwClear, width)
			width, next, first = lzwMinWidth, lzwFirst, true
			continue
		}
		switch {
		case first || next == lzwFirst:
			put(rnd.UintN(256), width)
		case rnd.IntN(fresh) == 0 && next < lzwLast:
			put(next, width)
		case rnd.IntN(3) > 0:
			put(lzwFirst+rnd.UintN(next-lzwFirst), width)
		default:
			put(rnd.UintN(256), width)
		}
		if !first && next < lzwLast {
			if next++; next == 1<<width-1 && width < lzwMaxWidth {
				width++
			}
		}
		first = false
	}
	put(lzwEnd, width)
	put(0, 7)
	return p
}

func TestLZWTwin(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, tt := range [][3]int{{1000, 1, 300}, {1500, 1, 0}, {9000, 10, 100}, {9000, 1000, 4000}, {5000, 50, 0}} {
		p := codes(rnd, tt[0], tt[1], tt[2])
		want, err := twin(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 8, 9, 4096, 100_000} {
			if got, err := expand(p, n); err != nil || !bytes.Equal(got, want) {
				t.Errorf("codes %v, reads of %d: %d bytes, %v, want other %d", tt, n, len(got), err, len(want))
			}
		}
	}
}

// Whatever the codes are, it is what the twin says, as far as it says something.
func FuzzLZW(f *testing.F) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range 8 {
		p := codes(rnd, 600, 1+i, 300*i)
		f.Add(p, uint16(17*i))
		p[len(p)/2] ^= 0x10
		f.Add(p, uint16(1000))
		f.Add(p[:len(p)/3], uint16(1))
	}
	f.Fuzz(func(t *testing.T, p []byte, n uint16) {
		if len(p) > 1 && p[0] == 0 && p[1]&1 == 1 {
			return // the old way
		}
		want, wantErr := twin(p)
		got, err := expand(p, 1+int(n))
		if !bytes.Equal(got, want) || (err == nil) != (wantErr == nil) {
			t.Errorf("%d bytes, %v; the twin gives %d, %v", len(got), err, len(want), wantErr)
		}
	})
}
