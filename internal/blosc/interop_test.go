package blosc_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/blosc"
)

// A peer is C-Blosc in another process; see testdata/peer.py.
type peer struct {
	t      *testing.T
	in     io.Writer
	out    *bufio.Reader
	stderr bytes.Buffer
}

// newPeer needs Debian's python3-blosc. Without it the test is skipped, unless
// NDPUSH_PEERS is set: then a test that does not run is one that fails.
func newPeer(t *testing.T) *peer {
	p := &peer{t: t}
	cmd := exec.Command("/usr/bin/python3", "testdata/peer.py")
	cmd.Stderr = &p.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		p.absent(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	if line, err := p.out.ReadString('\n'); line != "ready\n" {
		p.absent(err)
	}
	return p
}

func (p *peer) absent(err error) {
	if os.Getenv("NDPUSH_PEERS") != "" {
		p.t.Fatalf("C-Blosc is not there: %v (apt-get install python3-blosc)", err)
	}
	p.t.Skipf("C-Blosc is not there: %v", err)
}

// do sends a request and returns the answer.
func (p *peer) do(body []byte, request ...any) []byte {
	p.t.Helper()
	fmt.Fprintln(p.in, append(request, len(body))...)
	p.in.Write(body)
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("C-Blosc, asked to %v %d bytes: %v\n%s", request, len(body), err, &p.stderr)
	}
	n, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		p.t.Fatal(err)
	}
	answer := make([]byte, n)
	if _, err := io.ReadFull(p.out, answer); err != nil {
		p.t.Fatal(err)
	}
	return answer
}

// someData is bytes of one kind or another, of a length that is often a round one.
func someData(rnd *rand.Rand, ts int) []byte {
	n := rnd.IntN(40000)
	switch rnd.IntN(3) {
	case 0:
		n = 8 * ts * (n / 8 / ts)
	case 1:
		n = rnd.IntN(300)
	}
	switch rnd.IntN(4) {
	case 0:
		return noise(n)
	case 1:
		return halfNoise(n, ts)
	case 2:
		return steps(n, ts)
	default:
		return labels(n, ts)
	}
}

func pick[T any](rnd *rand.Rand, of ...T) T { return of[rnd.IntN(len(of))] }

// C-Blosc reads what the Encoder writes.
func TestPeerReads(t *testing.T) {
	p := newPeer(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		opts := blosc.Options{
			Codec:     pick(rnd, blosc.LZ4, blosc.Zstd, blosc.None),
			Shuffle:   blosc.Shuffle(rnd.IntN(4)),
			Level:     rnd.IntN(10),
			BlockSize: pick(rnd, 0, 128, 1000, 4096, 10000),
		}
		e, err := blosc.NewEncoder(opts)
		if err != nil {
			t.Fatal(err)
		}
		ts := pick(rnd, 1, 2, 3, 4, 8, 16, 17, 1+rnd.IntN(255))
		src := someData(rnd, ts)
		frame, err := e.Append(nil, src, ts)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.do(frame, "decompress"); !bytes.Equal(got, src) {
			t.Fatalf("%+v, %d bytes in items of %d: C-Blosc reads something else", opts, len(src), ts)
		}
	}
}

// C-Blosc reads what the Encoder writes without matches: noise of few values,
// of more than a block, and of several streams.
func TestPeerReadsLiterals(t *testing.T) {
	p := newPeer(t)
	rnd := rand.New(rand.NewPCG(5, 6))
	e, err := blosc.NewEncoder(blosc.Options{Codec: blosc.Zstd, Shuffle: blosc.ByteShuffle})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{4096, 4112, 5000, 1 << 17, 1<<17 + 16, 1 << 20, 1<<20 + 1<<16} {
		for _, ts := range []int{1, 2, 4, 8} {
			src := make([]byte, n)
			for i := range src {
				src[i] = byte(rnd.NormFloat64() * float64(2+20*(i%ts)))
			}
			frame, err := e.Append(nil, src, ts)
			if err != nil {
				t.Fatal(err)
			}
			if len(frame) > n*19/20 {
				t.Errorf("%d bytes of noise in items of %d take %d", n, ts, len(frame))
			}
			if got := p.do(frame, "decompress"); !bytes.Equal(got, src) {
				t.Fatalf("%d bytes of noise in items of %d: C-Blosc reads something else", n, ts)
			}
		}
	}
}

// The Decoder reads what C-Blosc writes.
func TestPeerWrites(t *testing.T) {
	p := newPeer(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	var d blosc.Decoder
	for range 500 {
		ts := pick(rnd, 1, 2, 3, 4, 8, 16, 17, 1+rnd.IntN(255))
		src := someData(rnd, ts)
		request := []any{
			"compress",
			pick(rnd, "blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd"),
			pick(rnd, "none", "byte", "bit"),
			ts,
			rnd.IntN(10),                        // level
			pick(rnd, 0, 128, 1000, 4096, 9999), // block size
			pick(rnd, 1, 3),                     // threads
		}
		got, err := d.Append(nil, p.do(src, request...), len(src))
		if err != nil || !bytes.Equal(got, src) {
			t.Fatalf("%v of %d bytes: %d come back, error %v", request, len(src), len(got), err)
		}
	}
}
