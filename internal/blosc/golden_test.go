package blosc_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/neurodata/ndpush/internal/blosc"
)

// makers are the formulas of what the goldens hold; testdata/make_goldens.py
// has the same ones.
var makers = map[string]func(n, ts int) []byte{
	"labels":    labels,
	"noise":     func(n, _ int) []byte { return noise(n) },
	"halfnoise": halfNoise,
	"steps":     steps,
	"far":       far,
}

// halfNoise is noise in the first byte of each item and zeros in the others.
func halfNoise(n, ts int) []byte {
	p := noise(n)
	for i := range p {
		if i%ts != 0 {
			p[i] = 0
		}
	}
	return p
}

// steps is long runs.
func steps(n, _ int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i >> 12)
	}
	return p
}

// far is noise and zeros in turn, the same again after 9000 bytes.
func far(n, _ int) []byte {
	once := noise(9000)
	for i := range once {
		if i%64 >= 40 {
			once[i] = 0
		}
	}
	return bytes.Repeat(once, n/9000+1)[:n]
}

// A golden is a frame that C-Blosc wrote and what its name says of it.
type golden struct {
	name, codec, shuffle string
	typeSize             int
	frame, want          []byte
}

var goldenName = regexp.MustCompile(`^([a-z]+)-(\d+)_([a-z0-9]+)_([a-z]+)_t(\d+)(_[a-z0-9]+)?\.blosc$`)

func goldens(tb testing.TB) []golden {
	tb.Helper()
	paths, err := filepath.Glob("testdata/*.blosc")
	if err != nil || len(paths) < 100 {
		tb.Fatalf("%d goldens, error %v", len(paths), err)
	}
	var all []golden
	for _, path := range paths {
		m := goldenName.FindStringSubmatch(filepath.Base(path))
		if m == nil || makers[m[1]] == nil {
			tb.Fatalf("golden %s: name not understood", path)
		}
		frame, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		n, _ := strconv.Atoi(m[2])
		ts, _ := strconv.Atoi(m[5])
		all = append(all, golden{m[0], m[3], m[4], ts, frame, makers[m[1]](n, ts)})
	}
	return all
}

func TestGoldens(t *testing.T) {
	var d blosc.Decoder
	for _, g := range goldens(t) {
		got, err := d.Append([]byte("before"), g.frame, len(g.want))
		if err != nil {
			t.Errorf("%s: %v", g.name, err)
		} else if !bytes.Equal(got[6:], g.want) {
			t.Errorf("%s: comes back as something else", g.name)
		}
	}
}

func TestGoldenHeaders(t *testing.T) {
	for _, g := range goldens(t) {
		h, err := blosc.ParseHeader(g.frame[:16])
		if err != nil {
			t.Errorf("%s: %v", g.name, err)
			continue
		}
		codec := map[bool]string{false: g.codec, true: "lz4"}[g.codec == "lz4hc"]
		if h.Codec.String() != codec || h.TypeSize != g.typeSize || h.NBytes != len(g.want) || h.CBytes != len(g.frame) {
			t.Errorf("%s: header is %+v", g.name, h)
		}
		// C-Blosc says none for a byte shuffle of single bytes, and anything where it is not used.
		if !h.Memcpyed && g.typeSize > 1 && h.Shuffle.String() != g.shuffle {
			t.Errorf("%s: shuffle %v", g.name, h.Shuffle)
		}
	}
}
