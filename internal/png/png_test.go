package png_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/png"
)

// The images of testdata, which other programs wrote: see testdata/make.py.
const width, height = 37, 29

// want is the pixels of box as make.py calls them.
func want(box image.Rectangle, bits int) []byte {
	var p []byte
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			v := uint16(((x*x+3*y)^(x*y))*0x9E37) >> (16 - bits)
			p = append(p, byte(v))
			if bits == 16 {
				p = append(p, byte(v>>8))
			}
		}
	}
	return p
}

func open(t testing.TB, p []byte) *png.Image {
	t.Helper()
	m, err := png.Open(bytes.NewReader(p), int64(len(p)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	p, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// readBox gives the pixels of a box.
func readBox(t testing.TB, m *png.Image, box image.Rectangle) []byte {
	t.Helper()
	p := bytes.Repeat([]byte{0xaa}, box.Dx()*box.Dy()*m.SampleSize())
	if err := m.ReadRows(t.Context(), p, box); err != nil {
		t.Fatalf("%v: %v", box, err)
	}
	return p
}

func checkFile(t *testing.T, name string) {
	p := readFile(t, name)
	var bits int
	if _, err := fmt.Sscanf(filepath.Base(name), "%d-", &bits); err != nil {
		t.Fatal(err)
	}
	if p[24] != byte(bits) || p[25] != 0 {
		t.Fatalf("the file is of %d bits, and colour type %d", p[24], p[25])
	}
	for _, rows := range []int{1, 2, 7, 8, 11, height} {
		for _, x := range [][2]int{{0, width}, {3, 20}, {36, 37}} {
			m := open(t, p)
			if w, h := m.Size(); w != width || h != height || m.SampleSize() != (bits+7)/8 || m.Damage() != nil {
				t.Fatalf("it is %d×%d of %d bytes, %v", w, h, m.SampleSize(), m.Damage())
			}
			for y := 0; y < height; y += rows {
				box := image.Rect(x[0], y, x[1], min(y+rows, height))
				if !bytes.Equal(readBox(t, m, box), want(box, bits)) {
					t.Fatalf("%v: other pixels than were written", box)
				}
			}
		}
	}
}

func TestGoldens(t *testing.T) { checkAll(t, "testdata") }

func checkAll(t *testing.T, dir string) {
	names, err := filepath.Glob(filepath.Join(dir, "good", "*.png"))
	if err != nil || len(names) < 25 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) { checkFile(t, name) })
	}
}

// The same images, written now by the programs that this machine has. They may
// be missing, unless NDPUSH_PEERS is set.
func TestPeers(t *testing.T) {
	const python = "/usr/bin/python3" // that of the system, which has Debian's modules
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), python, "testdata/make.py", dir).CombinedOutput(); err != nil {
		if os.Getenv("NDPUSH_PEERS") == "" {
			t.Skipf("needs python3-numpy, python3-pil and netpbm: %v", err)
		}
		t.Fatalf("%v\n%s", err, out)
	}
	checkAll(t, dir)
}

// Rows may be skipped.
func TestSkip(t *testing.T) {
	for _, name := range []string{"8-paeth.png", "16-interlaced.png", "2-paeth.png"} {
		m := open(t, readFile(t, filepath.Join("testdata/good", name)))
		var bits int
		fmt.Sscanf(name, "%d-", &bits)
		for _, box := range []image.Rectangle{image.Rect(0, 3, width, 4), image.Rect(5, 9, 9, 12), image.Rect(0, 27, width, 28)} {
			if !bytes.Equal(readBox(t, m, box), want(box, bits)) {
				t.Errorf("%s, %v: other pixels than were written", name, box)
			}
		}
	}
}

// What is not read is refused by its name, at once.
func TestRefused(t *testing.T) {
	for name, want := range map[string]string{
		"rgb.png":     "png: cannot read RGB images",
		"rgba.png":    "png: cannot read RGB and alpha images",
		"alpha.png":   "png: cannot read gray and alpha images",
		"palette.png": "png: cannot read palette images",
	} {
		p := readFile(t, filepath.Join("testdata/refused", name))
		_, err := png.Open(bytes.NewReader(p), int64(len(p)))
		if err == nil || err.Error() != want || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// A header that says what cannot be is refused before memory is taken.
func TestHeader(t *testing.T) {
	p := readFile(t, "testdata/good/8-paeth.png")
	for _, tt := range []struct {
		at   int
		put  []byte
		want string
	}{
		{16, []byte{0x80, 0, 0, 0}, " pixels, where PNG has 1 to 2147483647"},
		{16, []byte{0x7f, 0xff, 0xff, 0xff}, " pixels cannot be in a file of "},
		{16, []byte{0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff}, " pixels cannot be in a file of "},
		{20, []byte{0, 0, 0, 0}, "37×0 pixels"},
		{24, []byte{3}, "gray of 3 bits"},
		{25, []byte{5}, "colour type 5"},
		{26, []byte{1}, "cannot read compression method 1"},
		{27, []byte{1}, "cannot read filter method 1"},
		{28, []byte{2}, "cannot read interlace method 2"},
	} {
		q := bytes.Clone(p)
		copy(q[tt.at:], tt.put)
		if _, err := png.Open(bytes.NewReader(q), int64(len(q))); err == nil || !strings.Contains(err.Error(), "invalid checksum of the header") {
			t.Errorf("byte %d, its checksum as it was: %v", tt.at, err)
		}
		binary.BigEndian.PutUint32(q[29:], crc32.ChecksumIEEE(q[12:29]))
		if _, err := png.Open(bytes.NewReader(q), int64(len(q))); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("byte %d: %v, want %q", tt.at, err, tt.want)
		}
	}
}

// A wrong call is an error, and leaves the image as it was.
func TestMisuse(t *testing.T) {
	m := open(t, readFile(t, "testdata/good/8-paeth.png"))
	all := make([]byte, width*height)
	readBox(t, m, image.Rect(0, 0, width, 5))
	for _, tt := range []struct {
		n   int
		box image.Rectangle
	}{
		{width - 1, image.Rect(0, 5, width, 6)}, {width + 1, image.Rect(0, 5, width+1, 6)},
		{width, image.Rect(0, height, width, height+1)}, {width, image.Rect(0, 4, width, 5)},
	} {
		if err := m.ReadRows(t.Context(), all[:tt.n], tt.box); err == nil {
			t.Errorf("no error for %v in %d bytes", tt.box, tt.n)
		}
	}
	if box := image.Rect(0, 5, width, height); !bytes.Equal(readBox(t, m, box), want(box, 8)) {
		t.Error("other pixels than were written")
	}
}

func TestCancel(t *testing.T) {
	for _, name := range []string{"8-paeth.png", "8-interlaced.png"} {
		m := open(t, readFile(t, filepath.Join("testdata/good", name)))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := m.ReadRows(ctx, make([]byte, width), image.Rect(0, 2, width, 3))
		if _, ok := errors.AsType[*png.RowError](err); ok || !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "png: row ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A disk is a file that cannot be read from some offset on.
type disk struct {
	*bytes.Reader
	bad int64
	err error
}

func (d *disk) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > d.bad && off+int64(len(p)) < d.Size() {
		return 0, d.err
	}
	return d.Reader.ReadAt(p, off)
}

// What keeps a file from being read says nothing of its rows.
func TestNoRowError(t *testing.T) {
	p := encode(t, kind{bits: 8, width: 600, height: 600, chunk: 5000})
	on := errors.New("the disk is on fire")
	for want, bad := range map[error]error{on: on, io.ErrUnexpectedEOF: io.EOF} {
		m, err := png.Open(&disk{bytes.NewReader(p), 200_000, bad}, int64(len(p)))
		if err != nil {
			t.Fatal(err)
		}
		err = m.ReadRows(t.Context(), make([]byte, 600*600), image.Rect(0, 0, 600, 600))
		if _, ok := errors.AsType[*png.RowError](err); ok || !errors.Is(err, want) || !strings.Contains(err.Error(), "row ") {
			t.Errorf("got %v, want %v", err, want)
		}
		if again := m.ReadRows(t.Context(), nil, image.Rect(0, 600, 0, 600)); again == nil {
			t.Error("an image that broke goes on")
		}
	}
}
