package inflate_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/inflate"
)

// data is what testdata/make.py packs.
func data() []byte {
	p := make([]byte, 9000)
	for i := range p {
		switch {
		case i < 3000:
			p[i] = byte(i * i >> 6)
		case i < 6000:
			p[i] = byte(uint32(i)*0x9E3779B1>>24) & 15
		case i%1000 < 500:
			p[i] = byte(i % 7)
		}
	}
	return p
}

// goldens are the streams in a directory, by name.
func goldens(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.z"))
	if err != nil || len(names) < 18 {
		t.Fatal(names, err)
	}
	all := make(map[string][]byte)
	for _, name := range names {
		p, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = p
	}
	return all
}

// read decodes a stream that comes in pieces of size bytes.
func read(r *inflate.Reader, z []byte, size int) ([]byte, error) {
	r.Reset(&pieces{z, size})
	return io.ReadAll(r)
}

func checkGoldens(t *testing.T, dir string) {
	var r inflate.Reader
	for name, z := range goldens(t, dir) {
		for _, size := range []int{0, 1, 100} {
			if got, err := read(&r, z, size); err != nil || !bytes.Equal(got, data()) {
				t.Errorf("%s in pieces of %d: %d bytes, or others than were packed, %v", name, size, len(got), err)
			}
		}
	}
}

func TestGoldens(t *testing.T) { checkGoldens(t, "testdata") }

// The same data, packed now by the zlib that this machine has. It may be
// missing, unless NDPUSH_PEERS is set.
func TestPeers(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "/usr/bin/python3", "testdata/make.py", dir).CombinedOutput(); err != nil {
		if os.Getenv("NDPUSH_PEERS") == "" {
			t.Skipf("needs python3: %v", err)
		}
		t.Fatalf("%v\n%s", err, out)
	}
	checkGoldens(t, dir)
}

// A stream that is cut short anywhere gives what there is of its data, no less
// than compress/flate makes of it, and then says so.
func TestTruncated(t *testing.T) {
	var r inflate.Reader
	for name, z := range goldens(t, "testdata") {
		step := 23
		switch name {
		case "level0.z", "level6.z", "fixed.z", "sync.z":
			step = 1
		}
		for n := 0; n < len(z); n += step {
			got, err := read(&r, z[:n], n%3*50)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%s cut to %d bytes: %v", name, n, err)
			}
			twin, _ := io.ReadAll(flate.NewReader(bytes.NewReader(z[min(n, 2):n])))
			if len(got) < len(twin) || !bytes.HasPrefix(data(), got) {
				t.Fatalf("%s cut to %d bytes gives %d bytes, compress/flate %d", name, n, len(got), len(twin))
			}
		}
	}
}

// One wrong bit is found, wherever it is: by the checksum if nothing else.
func TestDamage(t *testing.T) {
	var r inflate.Reader
	for name, z := range goldens(t, "testdata") {
		for i := 0; i < 8*len(z); i += 37 {
			z[i/8] ^= 1 << (i % 8)
			// How large the window was, nobody needs to know.
			if got, err := read(&r, z, 0); err == nil && !bytes.Equal(got, data()) {
				t.Fatalf("%s: bit %d is wrong, and nobody says so", name, i)
			}
			z[i/8] ^= 1 << (i % 8)
		}
	}
}

// What is wrong is said in a sentence.
func TestErrors(t *testing.T) {
	var r inflate.Reader
	for z, want := range map[string]string{
		"\x1f\x8b":                          "no zlib header",
		"\x78\x9d":                          "no zlib header",
		"\x88\x1c":                          "no zlib header", // a window of 64 KiB
		"\x78\xbb":                          "zlib data with a preset dictionary",
		"\x78\x9c\x07":                      "a deflate block of a kind that there is not",
		"\x78\x9c\x01\x01\x00\x01\x00":      "a stored deflate block whose length contradicts itself",
		"\x78\x9c\x01\x01\x00\xfe\xffxabcd": "the Adler-32 checksum is wrong",
		"\x78\x9c\xfd\x00\x00":              "a deflate block with an impossible Huffman code",
		"\x78\x9c\x63\x18\x05\x00":          "deflate data: unexpected EOF",
		"\x78\x9c\x03\xf2":                  "deflate data: unexpected EOF",
		"\x78\x9c\x4b\x04\xe2":              "a deflate match that begins before the data",
		"\x78\x9c\x1b\x03":                  "a deflate symbol that means nothing",
		"\x78\x9c\x05":                      "deflate data: unexpected EOF",
		"\x78":                              "deflate data: unexpected EOF",
		"":                                  "deflate data: unexpected EOF",
	} {
		if _, err := read(&r, []byte(z), 0); err == nil || err.Error() != want {
			t.Errorf("%x: %v, want %q", z, err, want)
		}
	}
}

// An error of the source is handed on, behind what came before it.
func TestSourceError(t *testing.T) {
	z := deflate(t, texture(300), flate.BestSpeed)
	var r inflate.Reader
	r.Reset(&failing{pieces: pieces{z[:len(z)/2], 1000}})
	got, err := io.ReadAll(&r)
	if err != errDisk || !bytes.HasPrefix(texture(300), got) || len(got) < 300*300/3 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != errDisk {
		t.Errorf("once more: %d bytes, %v", n, err)
	}
}

// A failing source has an error where its data end, and then others.
type failing struct {
	pieces
	failed bool
}

func (f *failing) Next() ([]byte, error) {
	p, err := f.pieces.Next()
	switch {
	case err == nil:
		return p, nil
	case !f.failed:
		f.failed = true
		return nil, errDisk
	}
	return bytes.Repeat([]byte{0x55}, 100), nil
}

var errDisk = errors.New("the disk is on fire")

// What lies behind a stream is counted, and a Reader serves for the next one.
func TestUnused(t *testing.T) {
	var r inflate.Reader
	for _, tail := range []string{"", "x", strings.Repeat("tail", 100)} {
		for level := flate.HuffmanOnly; level <= 9; level++ {
			r.Reset(&pieces{append(deflate(t, data(), level), tail...), 0})
			got, err := io.ReadAll(&r)
			if err != nil || !bytes.Equal(got, data()) || r.Unused() != len(tail) {
				t.Errorf("level %d: %d bytes, %v, %d of %d bytes behind them", level, len(got), err, r.Unused(), len(tail))
			}
		}
		r.Reset(&pieces{[]byte("\x78\x9c\xff"), 0})
		if _, err := io.ReadAll(&r); err == nil {
			t.Error("no error")
		}
	}
}

// A Reader takes no more memory than it says.
func TestHeld(t *testing.T) {
	z := deflate(t, texture(512), flate.DefaultCompression)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := new(inflate.Reader)
	r.Reset(&whole{z})
	var n int
	var err error
	for p := make([]byte, 1000); err == nil; n++ {
		_, err = io.ReadFull(r, p)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > inflate.Held+1000 || n < 256 {
		t.Errorf("%d bytes are held, want %d", got, inflate.Held)
	}
}

// FuzzReader compares with compress/flate: where that gives an error, so does a
// Reader. It may give more of data that are cut short, but no byte that depends on
// what was cut off; and less of a block that can have no end, which it refuses.
func FuzzReader(f *testing.F) {
	for _, z := range goldens(f, "testdata") {
		f.Add(z[2:], uint8(0))
		f.Add(z[2:len(z)/2], uint8(7))
	}
	for _, p := range samples() {
		if len(p) < 1000 {
			f.Add(deflate(f, p, 9)[2:], uint8(1))
		}
	}
	const most = 1 << 22
	twin := func(z ...[]byte) ([]byte, error) {
		return io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(slices.Concat(z...))), most))
	}
	f.Fuzz(func(t *testing.T, z []byte, size uint8) {
		want, wantErr := twin(z)
		var r inflate.Reader
		r.ResetRaw(&pieces{z, int(size)})
		got, err := io.ReadAll(io.LimitReader(&r, most))
		if large, largeErr := readLarge(&pieces{z, int(size)}, most); !bytes.Equal(large, got) || fmt.Sprint(largeErr) != fmt.Sprint(err) {
			t.Fatalf("%d bytes, %v; in large reads %d, %v", len(got), err, len(large), largeErr)
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%v, compress/flate says %v", err, wantErr)
		}
		if err == nil && !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, compress/flate gives %d, or others", len(got), len(want))
		}
		if !bytes.HasPrefix(got, want) && !(strings.Contains(err.Error(), "impossible") && bytes.HasPrefix(want, got)) {
			t.Fatalf("%d bytes, %v; compress/flate gives %d, %v", len(got), err, len(want), wantErr)
		}
		if len(got) > len(want) {
			zeros, _ := twin(z, make([]byte, 16))
			ones, _ := twin(z, bytes.Repeat([]byte{0xff}, 16))
			if !bytes.HasPrefix(zeros, got) || !bytes.HasPrefix(ones, got) {
				t.Fatalf("%d bytes, of which some are not in the data", len(got))
			}
		}
	})
}

// readLarge is io.ReadAll of at most that many bytes, in reads that are decoded in
// place.
func readLarge(src inflate.Source, most int) (got []byte, err error) {
	var r inflate.Reader
	r.ResetRaw(src)
	p := make([]byte, 1<<17)
	for n := 0; len(got) < most && err == nil; got = append(got, p[:n]...) {
		n, err = r.Read(p[:min(len(p), most-len(got))])
	}
	if err == io.EOF {
		err = nil
	}
	return got, err
}
