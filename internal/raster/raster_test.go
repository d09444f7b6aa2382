package raster_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/raster"
	"github.com/neurodata/ndpush/internal/voxel"
)

// The images of testdata, which other programs wrote: see testdata/make.py.
const width, height = 37, 29

// want is the pixels of box as make.py calls them.
func want(box voxel.Box, t voxel.Type) *voxel.Block {
	b := voxel.NewBlock(box, t)
	p := b.Data
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			v := uint64((x*x+3*y)^(x*y)) * 0x9E3779B97F4A7C15
			p = p[copy(p[:t.Size()], binary.LittleEndian.AppendUint64(nil, v)):]
		}
	}
	return b
}

func box(x0, x1, y0, y1 int) voxel.Box {
	return voxel.NewBox(voxel.Range{Min: x0, Max: x1}, voxel.Range{Min: y0, Max: y1}, voxel.Range{Min: 5, Max: 6})
}

func open(t testing.TB, p []byte) *raster.Image {
	t.Helper()
	m, err := raster.Open(bytes.NewReader(p), int64(len(p)))
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

func checkBand(t *testing.T, m *raster.Image, b voxel.Box) {
	t.Helper()
	got := voxel.NewBlock(b, m.Type())
	if err := m.ReadRows(t.Context(), got); err != nil {
		t.Fatalf("%v: %v", b, err)
	}
	if !bytes.Equal(got.Data, want(b, m.Type()).Data) {
		t.Fatalf("%v: other voxels than were written", b)
	}
}

func checkFile(t *testing.T, name string) {
	p := readFile(t, name)
	var bits voxel.Type
	if _, err := fmt.Sscanf(filepath.Base(name), "%d-", &bits); err != nil {
		t.Fatal(err)
	}
	for _, rows := range []int{1, 7, height} {
		for _, x := range [][2]int{{0, width}, {3, 20}} {
			m := open(t, p)
			if w, h := m.Size(); w != width || h != height || m.Type() != bits/8 {
				t.Fatalf("%s is %d×%d %v", name, w, h, m.Type())
			}
			for y := 0; y < height; y += rows {
				checkBand(t, m, box(x[0], x[1], y, min(y+rows, height)))
			}
		}
	}
}

func TestGoldens(t *testing.T) {
	names, err := filepath.Glob("testdata/good/*.png")
	if err != nil || len(names) < 15 {
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
	names, err := filepath.Glob(filepath.Join(dir, "good", "*.png"))
	if err != nil || len(names) < 15 {
		t.Fatalf("make.py wrote %d images, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) { checkFile(t, name) })
	}
}

// What is not read is refused by its name, at once.
func TestRefused(t *testing.T) {
	for name, want := range map[string]string{
		"rgb.png":     "png: cannot read RGB images",
		"rgba.png":    "png: cannot read RGB and alpha images",
		"alpha.png":   "png: cannot read gray and alpha images",
		"palette.png": "png: cannot read palette images",
		"jpeg.png":    "cannot read JPEG",
		"gif.png":     "cannot read GIF",
	} {
		p := readFile(t, filepath.Join("testdata/refused", name))
		_, err := raster.Open(bytes.NewReader(p), int64(len(p)))
		if err == nil || err.Error() != want || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// What is no image at all says how it begins, which is mostly telling.
func TestNoImage(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "the file is empty",
		"II":                      "neither TIFF nor PNG: it begins with 49 49",
		"<html>":                  "neither TIFF nor PNG: it begins with 3c 68 74 6d 6c 3e",
		"\x89PNG\r\n\x1a\n":       "png: truncated: a chunk ends at offset 33, the file has 8 bytes",
		"II*\x00\x08\x00\x00":     "tiff: truncated: the header needs 8 bytes at offset 0, the file has 7",
		"\x89PNG\n\x1a\n      ":   "neither TIFF nor PNG: it begins with 89 50 4e 47 0a 1a 0a 20", // FTP as text did this
		"MM\x00*\x00\x00\x00\x08": "tiff: truncated: the directory needs 2 bytes at offset 8, the file has 8",
	} {
		_, err := raster.Open(strings.NewReader(in), int64(len(in)))
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

// An image that its file is too small for is refused before memory is taken.
func TestBomb(t *testing.T) {
	p := readFile(t, "testdata/good/8-pillow.png")
	for _, side := range [][2]uint32{{1 << 31, 1}, {1<<31 - 1, 1}, {1<<31 - 1, 1<<31 - 1}, {1 << 20, 1 << 10}, {0, 5}, {5, 0}} {
		binary.BigEndian.PutUint32(p[16:], side[0])
		binary.BigEndian.PutUint32(p[20:], side[1])
		binary.BigEndian.PutUint32(p[29:], crc32.ChecksumIEEE(p[12:29]))
		if _, err := raster.Open(bytes.NewReader(p), int64(len(p))); err == nil || !strings.Contains(err.Error(), " pixels") {
			t.Errorf("%d×%d: %v", side[0], side[1], err)
		}
	}
}

// A PNG that is damaged or cut short anywhere gives an error or the right voxels.
// That it is cut short is known before it is read.
func TestDamage(t *testing.T) {
	for _, name := range []string{"8-paeth.png", "16-interlaced.png"} {
		p := readFile(t, filepath.Join("testdata/good", name))
		for i := range p {
			p[i] ^= 0x04
			checkSane(t, fmt.Sprintf("%s, byte %d", name, i), p)
			p[i] ^= 0x04
			checkSane(t, fmt.Sprintf("%s, %d bytes", name, i), p[:i])
			if m, err := raster.Open(bytes.NewReader(p[:i]), int64(i)); err == nil && m.Damage() == nil {
				t.Errorf("%s: nothing is known to be wrong with its first %d bytes of %d", name, i, len(p))
			}
		}
	}
}

func checkSane(t *testing.T, name string, p []byte) {
	m, err := raster.Open(bytes.NewReader(p), int64(len(p)))
	if err != nil {
		return
	}
	w, h := m.Size()
	got := voxel.NewBlock(box(0, w, 0, h), m.Type())
	err = m.ReadRows(t.Context(), got)
	good := h
	if broken, ok := errors.AsType[*raster.RowError](err); ok {
		good = broken.Row
	} else if err != nil {
		t.Errorf("%s: %v, want a row", name, err)
	}
	if n := good * w * m.Type().Size(); !bytes.Equal(got.Data[:n], want(got.Box, m.Type()).Data[:n]) {
		t.Errorf("%s: other voxels in the first %d rows, %v", name, good, err)
	}
	if damage := m.Damage(); damage != nil && (err == nil || !strings.Contains(err.Error(), damage.Error())) {
		t.Errorf("%s: Damage says %v, ReadRows %v", name, damage, err)
	}
}

// What follows the end of an image is nobody's concern.
func TestTail(t *testing.T) {
	p := readFile(t, "testdata/good/8-paeth.png")
	for _, tail := range []string{"x", strings.Repeat("\x00", 4096)} {
		m := open(t, append(bytes.Clone(p), tail...))
		if err := m.Damage(); err != nil {
			t.Errorf("%d bytes behind the end: %v", len(tail), err)
		}
		checkBand(t, m, box(0, width, 0, height))
	}
}

// A copy that was stopped may have its full size, and end in zeros.
func TestZeros(t *testing.T) {
	p := readFile(t, "testdata/good/8-paeth.png")
	clear(p[len(p)-12:])
	if err := open(t, p).Damage(); err == nil || err.Error() != "png: there is no chunk at offset 1158" {
		t.Errorf("got %v", err)
	}
}

// Of a TIFF the rows above the damage are there.
func TestRowsAbove(t *testing.T) {
	p := readFile(t, "testdata/good/8-png-in-name-only.png") // the pixels come last
	m := open(t, p[:len(p)-2*width-1])
	if err := m.Damage(); err == nil || !strings.HasPrefix(err.Error(), "tiff: truncated: strip 0 needs") {
		t.Errorf("got %v", err)
	}
	checkBand(t, m, box(0, width, 0, 20))
	b := voxel.NewBlock(box(0, width, 20, height), voxel.Uint8)
	err := m.ReadRows(t.Context(), b)
	if broken, ok := errors.AsType[*raster.RowError](err); !ok || broken.Row != height-3 || err.Error() != "row 26: "+m.Damage().Error() {
		t.Fatalf("got %v", err)
	}
	if n := 6 * width; !bytes.Equal(b.Data[:n], want(b.Box, voxel.Uint8).Data[:n]) {
		t.Error("other voxels than were written")
	}
	if again := m.ReadRows(t.Context(), voxel.NewBlock(box(0, width, height, height), voxel.Uint8)); again == nil {
		t.Error("an image that broke goes on")
	}
}

// A wrong block is an error, and leaves the image as it was.
func TestMisuse(t *testing.T) {
	for _, name := range []string{"8-pillow.png", "8-png-in-name-only.png"} {
		m := open(t, readFile(t, filepath.Join("testdata/good", name)))
		short := voxel.NewBlock(box(0, width, 0, 2), voxel.Uint8)
		short.Data = short.Data[1:]
		for _, b := range []*voxel.Block{
			short,
			voxel.NewBlock(box(0, width, 0, 1), voxel.Uint16),
			voxel.NewBlock(box(0, width+1, 0, 1), voxel.Uint8),
			voxel.NewBlock(box(0, width, -1, 1), voxel.Uint8),
			voxel.NewBlock(box(0, width, 0, 1).WithZ(voxel.Range{Max: 2}), voxel.Uint8),
			{Box: box(0, width, 0, 1).WithZ(voxel.Range{}), Type: voxel.Uint8},
		} {
			if err := m.ReadRows(t.Context(), b); err == nil {
				t.Errorf("%s: no error for %v %v with %d bytes", name, b.Box, b.Type, len(b.Data))
			}
		}
		checkBand(t, m, box(0, width, 0, 5))
		checkBand(t, m, box(0, width, 5, 5))
		if err := m.ReadRows(t.Context(), voxel.NewBlock(box(0, width, 4, 6), voxel.Uint8)); err == nil {
			t.Errorf("%s: a row can be read twice", name)
		}
		checkBand(t, m, box(0, width, 5, height))
	}
}

func TestCancel(t *testing.T) {
	m := open(t, readFile(t, "testdata/good/8-pillow.png"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.ReadRows(ctx, voxel.NewBlock(box(0, width, 0, 1), voxel.Uint8)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A reader that fails is no file that is short.
type badDisk struct{}

func (badDisk) ReadAt([]byte, int64) (int, error) { return 0, errDisk }

var errDisk = errors.New("the disk is on fire")

func TestBadDisk(t *testing.T) {
	if _, err := raster.Open(badDisk{}, 1000); !errors.Is(err, errDisk) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	p := readFile(t, "testdata/good/8-pillow.png")
	r := &failing{Reader: bytes.NewReader(p)}
	m, err := raster.Open(r, int64(len(p)))
	if err != nil {
		t.Fatal(err)
	}
	r.bad = true
	err = m.ReadRows(t.Context(), voxel.NewBlock(box(0, width, 0, 1), voxel.Uint8))
	if _, ok := errors.AsType[*raster.RowError](err); ok || !errors.Is(err, errDisk) || err.Error() != "png: row 0: the disk is on fire" {
		t.Errorf("got %v", err)
	}
}

// failing reads until it is bad.
type failing struct {
	*bytes.Reader
	bad bool
}

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if f.bad {
		return 0, errDisk
	}
	return f.Reader.ReadAt(p, off)
}

// FuzzOpen reads whatever opens, in two bands: no panic, no hang, and no more
// memory than the size of the file can stand for.
func FuzzOpen(f *testing.F) {
	for _, glob := range []string{"testdata/*/*.png", "../tiff/testdata/*/*.tif"} {
		names, err := filepath.Glob(glob)
		if err != nil || len(names) == 0 {
			f.Fatal(glob, err)
		}
		for _, name := range names {
			f.Add(readFile(f, name))
		}
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		m, err := raster.Open(bytes.NewReader(p), int64(len(p)))
		if err != nil {
			return
		}
		w, h := m.Size()
		if w < 1 || h < 1 || m.Held() < 0 {
			t.Fatalf("%d×%d, %d bytes held", w, h, m.Held())
		}
		if int64(w)*int64(h)*int64(m.Type().Size()) > 1<<24 {
			return // the caller would have known that it is no such image
		}
		for _, y := range []voxel.Range{{Max: h / 2}, {Min: h / 2, Max: h}} {
			b := voxel.NewBlock(box(0, w, y.Min, y.Max), m.Type())
			if err := m.ReadRows(t.Context(), b); err != nil {
				if broken, ok := errors.AsType[*raster.RowError](err); ok && (broken.Row < 0 || broken.Row >= y.Max) {
					t.Errorf("row %d of rows %v", broken.Row, y)
				}
				return
			}
		}
		if err := m.Damage(); err != nil {
			t.Errorf("read as a whole, but %v", err)
		}
	})
}
