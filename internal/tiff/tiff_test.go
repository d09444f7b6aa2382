package tiff_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/neurodata/ndpush/internal/tiff"
	ximage "golang.org/x/image/tiff"
)

// The images of testdata, which other programs wrote: see testdata/make.py.
const width, height = 37, 29

// pixels is what make.py calls pixels, of size bytes each, little-endian.
func pixels(size int) []byte {
	var p []byte
	for y := range height {
		for x := range width {
			v := uint64((x*x+3*y)^(x*y)) * 0x9E3779B97F4A7C15
			p = append(p, binary.LittleEndian.AppendUint64(nil, v)[:size]...)
		}
	}
	return p
}

// images are the pixels of each size, made once.
var images = sync.OnceValue(func() map[int][]byte {
	return map[int][]byte{1: pixels(1), 2: pixels(2), 4: pixels(4), 8: pixels(8)}
})

// want is the pixels of box.
func want(box image.Rectangle, size int) []byte {
	var p []byte
	for y := box.Min.Y; y < box.Max.Y; y++ {
		p = append(p, images()[size][(y*width+box.Min.X)*size:(y*width+box.Max.X)*size]...)
	}
	return p
}

// nameBits is the number of bits that begins a file's name.
func nameBits(t testing.TB, name string) int {
	var bits int
	if _, err := fmt.Sscanf(filepath.Base(name), "%d-", &bits); err != nil {
		t.Fatal(err)
	}
	return bits
}

func open(t testing.TB, p []byte) *tiff.Image {
	t.Helper()
	m, err := tiff.Open(bytes.NewReader(p), int64(len(p)))
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

func good(t testing.TB) []string {
	names, err := filepath.Glob("testdata/good/*.tif")
	if err != nil || len(names) == 0 {
		t.Fatal("no images", err)
	}
	return names
}

// checkFile reads an image in bands of several heights, whole and cropped.
func checkFile(t *testing.T, name string) {
	p := readFile(t, name)
	size := nameBits(t, name) / 8
	for _, rows := range []int{1, 5, 16, 20, height} {
		for _, x := range [][2]int{{0, width}, {0, 1}, {16, 32}, {15, width}} {
			m := open(t, p)
			if w, h := m.Size(); w != width || h != height || m.SampleSize() != size {
				t.Fatalf("%s is %d×%d of %d bytes", name, w, h, m.SampleSize())
			}
			for y := 0; y < height; y += rows {
				checkBand(t, m, image.Rect(x[0], y, x[1], min(y+rows, height)))
			}
			// Rows of the first and of the last band only.
			m = open(t, p)
			checkBand(t, m, image.Rect(x[0], 2, x[1], 3))
			checkBand(t, m, image.Rect(x[0], height-rows/2-1, x[1], height))
		}
	}
}

func checkBand(t *testing.T, m *tiff.Image, box image.Rectangle) {
	t.Helper()
	got := bytes.Repeat([]byte{0xaa}, box.Dx()*box.Dy()*m.SampleSize())
	if err := m.ReadRows(t.Context(), got, box); err != nil {
		t.Fatalf("%v: %v", box, err)
	}
	if !bytes.Equal(got, want(box, m.SampleSize())) {
		t.Fatalf("%v: other pixels than were written", box)
	}
}

func TestGoldens(t *testing.T) {
	for _, name := range good(t) {
		t.Run(filepath.Base(name), func(t *testing.T) { checkFile(t, name) })
	}
}

// Tiles are best read a row of them at a time, however they are stored, and an
// image that is no higher than its tiles at once.
func TestStep(t *testing.T) {
	for _, name := range good(t) {
		step := 1
		if strings.Contains(name, "-tiles-") {
			step = 16
		}
		if got := open(t, readFile(t, name)).Step(); got != step {
			t.Errorf("%s: %d rows, want %d", name, got, step)
		}
	}
	p := readFile(t, "testdata/good/8-tiffcp-none-tiles-L.tif")
	const low = 9
	binary.LittleEndian.PutUint16(entryAt(t, p, 257)[8:], low)
	for _, tag := range []uint16{324, 325} {
		binary.LittleEndian.PutUint16(entryAt(t, p, tag)[4:], 3)
	}
	if got := open(t, p).Step(); got != low {
		t.Errorf("tiles higher than the image: %d rows, want %d", got, low)
	}
}

// Segments of more than a MiB, in bands that cut them, whole and cropped.
func TestLarge(t *testing.T) {
	const width, height = 1000, 900
	names, err := filepath.Glob("testdata/large/*.tif")
	if err != nil || len(names) == 0 {
		t.Fatal("no images", err)
	}
	for _, name := range names {
		p := readFile(t, name)
		for _, rows := range []int{100, 256, height} {
			for _, x := range [][2]int{{0, width}, {300, 500}} {
				m := open(t, p)
				for y := 0; y < height; y += rows {
					box := image.Rect(x[0], y, x[1], min(y+rows, height))
					got := make([]byte, 2*box.Dx()*box.Dy())
					if err := m.ReadRows(t.Context(), got, box); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					var want []byte
					for y := box.Min.Y; y < box.Max.Y; y++ {
						for x := box.Min.X; x < box.Max.X; x++ {
							want = binary.LittleEndian.AppendUint16(want, uint16((x>>4)*(y>>4)))
						}
					}
					if !bytes.Equal(got, want) {
						t.Errorf("%s: other pixels in %v", name, box)
					}
				}
			}
		}
	}
}

// Each page of a stack can be asked for, and only those that are there.
func TestPages(t *testing.T) {
	names, err := filepath.Glob("testdata/pages/*.tif")
	if err != nil || len(names) == 0 {
		t.Fatal("no images", err)
	}
	for _, name := range names {
		p := readFile(t, name)
		if _, err := tiff.Open(bytes.NewReader(p), int64(len(p))); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: Open says %v", name, err)
		}
		for page := range 3 {
			m, err := tiff.OpenPage(bytes.NewReader(p), int64(len(p)), page)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, _, err := readBands(t, m, 10)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			want := bytes.Clone(images()[1])
			for i := range want {
				want[i] += byte(page)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: other pixels in page %d", name, page)
			}
		}
		for page, want := range map[int]string{3: "page 3, counted from 0: the file has", -1: "page -1, counted from 0: there is none"} {
			if _, err := tiff.OpenPage(bytes.NewReader(p), int64(len(p)), page); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q", name, err, want)
			}
		}
	}
}

// A page behind a loop of directories is not there.
func TestPagesLoop(t *testing.T) {
	p := readFile(t, "testdata/good/8-none-strips-II-classic-p1.tif")
	le := binary.LittleEndian
	dir := le.Uint32(p[4:])
	le.PutUint32(p[int(dir)+2+12*int(le.Uint16(p[dir:])):], dir)
	const want = "tiff: page 1, counted from 0: a loop of directories"
	if _, err := tiff.OpenPage(bytes.NewReader(p), int64(len(p)), 1); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Reading takes no more memory than Held says.
func TestHeld(t *testing.T) {
	names, err := filepath.Glob("testdata/large/*.tif")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, good(t)...) {
		file := readFile(t, name)
		most := open(t, file).Held() + 16<<10
		got := taken(t, file)
		for tries := 1; got > most && tries < 5; tries++ {
			got = min(got, taken(t, file)) // others of this process take memory too, now and then
		}
		if got > most {
			t.Errorf("%s: %d bytes taken, want at most %d", name, got, most)
		}
	}
}

// taken is how much memory is taken while a file is read.
func taken(t *testing.T, file []byte) int64 {
	m := open(t, file)
	w, h := m.Size()
	dst := make([]byte, w*m.SampleSize())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for y := range h {
		if err := m.ReadRows(t.Context(), dst, image.Rect(0, y, w, y+1)); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// Every combination, written now by the programs that this machine has. They
// may be missing, unless NDPUSH_PEERS is set.
func TestPeers(t *testing.T) {
	const python = "/usr/bin/python3" // that of the system, which has Debian's modules
	dir := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), python, "testdata/make.py", dir, "all").CombinedOutput(); err != nil {
		if os.Getenv("NDPUSH_PEERS") == "" {
			t.Skipf("needs python3-tifffile, python3-pil and libtiff-tools: %v", err)
		}
		t.Fatalf("%v\n%s", err, out)
	}
	names, err := filepath.Glob(filepath.Join(dir, "good", "*.tif"))
	if err != nil || len(names) < 400 {
		t.Fatalf("make.py wrote %d images, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) { checkFile(t, name) })
	}
}

// What is not read is refused by its name.
func TestRefused(t *testing.T) {
	for name, want := range map[string]string{
		"signed.tif":              "cannot read signed samples of 16 bits",
		"float.tif":               "cannot read floating-point samples of 32 bits",
		"rgb.tif":                 "cannot read RGB images",
		"planar.tif":              "cannot read RGB images",
		"alpha.tif":               "cannot read 2 samples per pixel",
		"palette.tif":             "cannot read palette images",
		"bilevel.tif":             "cannot read bilevel images",
		"jpeg.tif":                "cannot read JPEG compression",
		"stack.tif":               "cannot read a stack of images in one file (page 2",
		"imagej-stack.tif":        "cannot read a stack of 3 images in one file",
		"imagej-hidden-stack.tif": "cannot read a stack of 3 images in one file",
		"ome-stack.ome.tif":       "cannot read a stack of images in one file (page 2",
	} {
		p := readFile(t, filepath.Join("testdata/refused", name))
		_, err := tiff.Open(bytes.NewReader(p), int64(len(p)))
		if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestMinIsWhite(t *testing.T) {
	if !open(t, readFile(t, "testdata/good/16-miniswhite.tif")).MinIsWhite() {
		t.Error("an image whose 0 is white does not say so")
	}
	if open(t, readFile(t, "testdata/good/16-imagej.tif")).MinIsWhite() {
		t.Error("an image whose 0 is black says it is white")
	}
}

// entryAt finds the entry of tag in a classic little-endian file.
func entryAt(t *testing.T, p []byte, tag uint16) []byte {
	le := binary.LittleEndian
	dir := p[le.Uint32(p[4:]):]
	for i := range int(le.Uint16(dir)) {
		if e := dir[2+12*i:]; le.Uint16(e) == tag {
			return e[:12]
		}
	}
	t.Fatalf("no tag %d", tag)
	return nil
}

// A header that lies is refused with a sentence of its own.
func TestHeaders(t *testing.T) {
	le := binary.LittleEndian
	set := func(tag uint16, v uint32) func(*testing.T, []byte) {
		return func(t *testing.T, p []byte) {
			e := entryAt(t, p, tag)
			le.PutUint16(e[2:], 4)
			le.PutUint32(e[8:], v)
		}
	}
	for _, tt := range []struct {
		name string
		lie  func(t *testing.T, p []byte)
		want string
	}{
		{"no height", set(257, 0), "ImageLength is 0"},
		{"huge width", set(256, 1<<31), "ImageWidth is 2147483648"},
		{"wide", set(256, 38), "strip 0 has 185 bytes, too few for 5 rows of 38 bytes"},
		{"tall", set(257, 1<<20), "strip offsets: tag 273 has 6 values, want 209716"},
		{"few strips", set(278, 29), "strip offsets: tag 273 has 6 values, want 1"},
		{"no rows per strip", set(278, 0), "RowsPerStrip is 0"},
		{"12 bits", set(258, 12), "cannot read 12 bits per sample"},
		{"WebP", set(259, 50001), "cannot read WebP compression"},
		{"LZMA", set(259, 34925), "cannot read LZMA compression"},
		{"YCbCr", set(262, 6), "cannot read YCbCr images"},
		{"unknown codec", set(259, 4711), "cannot read compression 4711"},
		{"fill order", func(t *testing.T, p []byte) {
			le.PutUint16(entryAt(t, p, 277), 266)
			set(266, 2)(t, p)
		}, "cannot read fill order 2"},
		{"predictor", func(t *testing.T, p []byte) {
			le.PutUint16(entryAt(t, p, 277), 317)
			set(317, 2)(t, p)
		}, "cannot read predictor 2 with neither deflate, LZW nor Zstandard"},
		{"loop", func(t *testing.T, p []byte) {
			dir := le.Uint32(p[4:])
			le.PutUint32(p[int(dir)+2+12*int(le.Uint16(p[dir:])):], dir)
		}, "cannot read a stack"},
		{"directory outside", func(_ *testing.T, p []byte) { le.PutUint32(p[4:], 1<<30) }, "truncated: the directory needs 2 bytes at offset 1073741824"},
		{"empty directory", func(_ *testing.T, p []byte) { le.PutUint32(p[4:], 6) }, "a directory of 0 entries"},
		{"text for a width", func(t *testing.T, p []byte) { le.PutUint16(entryAt(t, p, 256)[2:], 2) }, "tag 256 is of type 2"},
		{"offsets outside", func(t *testing.T, p []byte) { le.PutUint32(entryAt(t, p, 273)[8:], 1<<30) }, "strip offsets: truncated: tag 273 needs"},
		{"sparse", func(t *testing.T, p []byte) {
			at := le.Uint32(entryAt(t, p, 273)[8:])
			clear(p[at : at+4])
		}, "strip 0 has no data"},
		{"no offsets", func(t *testing.T, p []byte) { le.PutUint16(entryAt(t, p, 273), 60000) }, "no strip offsets"},
		{"PNG", func(_ *testing.T, p []byte) { copy(p, "\x89PNG") }, "not a TIFF file"},
	} {
		p := readFile(t, "testdata/good/8-none-strips-II-classic-p1.tif")
		tt.lie(t, p)
		_, err := tiff.Open(bytes.NewReader(p), int64(len(p)))
		if err == nil || !strings.HasPrefix(err.Error(), "tiff: "+tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// Strips of pixels as they are need no byte counts.
func TestNoByteCounts(t *testing.T) {
	p := readFile(t, "testdata/good/8-none-strips-II-classic-p1.tif")
	binary.LittleEndian.PutUint16(entryAt(t, p, 279), 60000)
	checkBand(t, open(t, p), image.Rect(0, 0, width, height))
}

// The short last strip may claim the bytes of a full one, beyond the file's end.
func TestLongLastStrip(t *testing.T) {
	p := readFile(t, "testdata/good/8-none-strips-II-classic-p1.tif")
	e := entryAt(t, p, 279)
	le := binary.LittleEndian
	if le.Uint16(e[2:]) != 3 {
		t.Fatalf("counts of type %d, want SHORT", le.Uint16(e[2:]))
	}
	le.PutUint16(p[le.Uint32(e[8:])+5*2:], 5*width)
	checkBand(t, open(t, p), image.Rect(0, 0, width, height))
}

// A few bytes that claim to be a large image cost no memory.
func TestBomb(t *testing.T) {
	p := readFile(t, "testdata/good/8-tiffcp-zip-single-B.tif")
	be := binary.BigEndian
	for e := p[be.Uint32(p[4:])+2:]; ; e = e[12:] {
		if tag := be.Uint16(e); tag == 256 || tag == 257 || tag == 278 {
			be.PutUint16(e[2:], 4)
			be.PutUint32(e[8:], 1<<27)
		} else if tag > 278 {
			break
		}
	}
	if _, err := tiff.Open(bytes.NewReader(p), int64(len(p))); err == nil || !strings.Contains(err.Error(), "too few for") {
		t.Errorf("got %v", err)
	}
}

// Misuse is an error, and so is what follows an error.
func TestMisuse(t *testing.T) {
	p := readFile(t, "testdata/good/16-8-tiles-MM-classic-p2.tif")
	m := open(t, p)
	for _, tt := range []struct {
		box  image.Rectangle
		n    int
		want string
	}{
		{image.Rect(0, 0, width+1, 1), 2 * (width + 1), "outside"},
		{image.Rect(0, -1, width, 1), 4 * width, "outside"},
		{image.Rect(0, 0, width, 1), width, "want 74"},
	} {
		if err := m.ReadRows(t.Context(), make([]byte, tt.n), tt.box); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v", tt.box, err)
		}
	}
	checkBand(t, m, image.Rect(0, 3, width, 7))
	if err := m.ReadRows(t.Context(), make([]byte, 2*width), image.Rect(0, 6, width, 7)); err == nil {
		t.Error("a row can be read twice")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		err := m.ReadRows(ctx, make([]byte, 24*width), image.Rect(0, 8, width, 20))
		if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "tiff: row 16:") {
			t.Errorf("cancelled: %v", err)
		}
		ctx = t.Context()
	}
}

// counting counts the bytes that are read, and the largest read.
type counting struct {
	io.ReaderAt
	bytes, calls int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	c.bytes += int64(len(p))
	c.calls++
	return c.ReaderAt.ReadAt(p, off)
}

// However small the bands, no part of the file is read or decoded twice.
func TestOnePass(t *testing.T) {
	for _, name := range good(t) {
		p := readFile(t, name)
		r := &counting{ReaderAt: bytes.NewReader(p)}
		m, err := tiff.Open(r, int64(len(p)))
		if err != nil {
			t.Fatal(err)
		}
		r.bytes = 0
		for y := range height {
			checkBand(t, m, image.Rect(0, y, width, y+1))
		}
		if r.bytes > int64(len(p)) {
			t.Errorf("%s: %d bytes read of %d", name, r.bytes, len(p))
		}
	}
}

// Strips that follow each other come in one read, however low they are.
func TestOneRead(t *testing.T) {
	p := readFile(t, "testdata/good/8-none-strips-II-classic-p1.tif")
	r := &counting{ReaderAt: bytes.NewReader(p)}
	m, err := tiff.Open(r, int64(len(p)))
	if err != nil {
		t.Fatal(err)
	}
	r.calls = 0
	checkBand(t, m, image.Rect(0, 3, width, height))
	if r.calls != 1 {
		t.Errorf("%d reads of strips in a row, want 1", r.calls)
	}
}

// x/image/tiff is the slow twin for what it reads too.
func TestTwin(t *testing.T) {
	var n int
	for _, name := range good(t) {
		p := readFile(t, name)
		img, err := ximage.Decode(bytes.NewReader(p))
		if err != nil {
			continue
		}
		n++
		m := open(t, p)
		got := make([]byte, width*height*m.SampleSize())
		if err := m.ReadRows(t.Context(), got, image.Rect(0, 0, width, height)); err != nil {
			t.Fatal(err)
		}
		for i := range width * height {
			var v uint64
			if m.SampleSize() == 1 {
				v = uint64(img.(*image.Gray).Pix[i])
			} else {
				v = uint64(img.(*image.Gray16).Gray16At(i%width, i/width).Y)
				if m.MinIsWhite() {
					v = 0xffff - v // it inverts
				}
			}
			if g := append(got[i*m.SampleSize():][:m.SampleSize():m.SampleSize()], make([]byte, 8)...); binary.LittleEndian.Uint64(g) != v {
				t.Fatalf("%s: pixel %d is %d, x/image says %d", name, i, g, v)
			}
		}
	}
	if n < 10 {
		t.Errorf("%d images compared", n)
	}
}
