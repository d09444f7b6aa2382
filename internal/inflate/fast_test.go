package inflate

import (
	"bytes"
	"compress/flate"
	"hash/adler32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// A once gives all data at once.
type once struct{ data []byte }

func (o *once) Next() ([]byte, error) {
	p := o.data
	if o.data = nil; p == nil {
		return nil, io.EOF
	}
	return p, nil
}

// checkFast decodes a stream, and looks whether fast does to the bit what fastGo
// does, wherever it is called. It gives how many bytes that were, and stops when
// they are many.
func checkFast(t *testing.T, z []byte) (fast int) {
	t.Helper()
	r := new(Reader)
	r.ResetRaw(&once{z})
	r.limit = windowBytes + roundBytes
	for !r.final && fast < 1<<21 {
		stored := r.fill(3) == nil && r.bits>>1&3 == 0
		if r.block() != nil {
			return fast
		}
		for done := stored && r.stored == 0; !done; {
			r.window()
			var err error
			if stored {
				err = r.copyStored()
				done = r.stored == 0
			} else {
				fast += bothFast(t, r)
				done, err = r.symbol()
			}
			if err != nil {
				return fast
			}
		}
	}
	return fast
}

// bothFast calls fast, and fastGo of a twin.
func bothFast(t *testing.T, r *Reader) int {
	t.Helper()
	before, twin := r.end, *r
	twin.buf = bytes.Clone(r.buf)
	r.fast()
	twin.fastGo()
	if r.pos != twin.pos || r.end != twin.end || r.n != twin.n || r.bits&(1<<r.n-1) != twin.bits&(1<<r.n-1) {
		t.Fatalf("at byte %d of input, %d bits ahead, %d of output; fastGo at %d, %d, %d", r.pos, r.n, r.end, twin.pos, twin.n, twin.end)
	}
	if !bytes.Equal(r.buf[:r.end], twin.buf[:r.end]) {
		t.Fatalf("other bytes than fastGo's from %d to %d", before, r.end)
	}
	return r.end - before
}

func TestFast(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	p := make([]byte, 200_000)
	for i := range p {
		switch i / 25_000 {
		case 0:
			p[i] = byte(rnd.ExpFloat64() * 3)
		case 1, 2: // matches of all periods
			p[i] = byte(i % (1 + i/700%70) * 7)
		case 3: // and of one
		case 4:
			p[i] = byte(100 + 8*rnd.NormFloat64())
		case 5: // far ones
			p[i] = p[i-250-i/1000*80]
		case 6:
			p[i] = byte(rnd.Uint32())
		case 7:
			p[i] = p[i-1-rnd.IntN(20)]
		}
	}
	for level := flate.HuffmanOnly; level <= 9; level++ {
		var z bytes.Buffer
		w, err := flate.NewWriter(&z, level)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(p)
		w.Close()
		// Where the data end changes where fast does.
		for _, less := range []int{0, 1, 5, z.Len() / 2} {
			if n := checkFast(t, z.Bytes()[:z.Len()-less]); level != 0 && n < 50_000 {
				t.Errorf("level %d: %d bytes are decoded fast", level, n)
			}
		}
	}
}

func FuzzFast(f *testing.F) {
	names, err := filepath.Glob("testdata/*.z")
	if err != nil || len(names) == 0 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		z, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(z[2:])
	}
	f.Fuzz(func(t *testing.T, z []byte) { checkFast(t, z) })
}

// Of all lengths, and of bytes that sum up to the most; by hash/adler32, and in
// pieces.
func TestAdler(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, 20_000)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	for _, p := range [][]byte{noise, bytes.Repeat([]byte{0xff}, 20_000)} {
		for n := 0; n < len(p); n += 1 + n/40 {
			whole, pieces, plain := adler{1, 0}, adler{1, 0}, adler{1, 0}
			whole.add(p[:n])
			pieces.add(p[:n/3])
			pieces.add(p[n/3 : n])
			for q := p[:n]; len(q) > 0; q = q[min(len(q), adlerMost):] {
				plain.words(q[:min(len(q), adlerMost)])
				plain.modulo()
			}
			want := adler32.Checksum(p[:n])
			if whole.value() != want || pieces.value() != want || plain.value() != want {
				t.Fatalf("%d bytes: %#x, in pieces %#x, in plain Go %#x, want %#x", n, whole.value(), pieces.value(), plain.value(), want)
			}
		}
	}
}
