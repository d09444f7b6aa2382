package tiff_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/tiff"
)

// readBands reads all of m in bands, and gives the pixels, the rows that are
// good, perhaps fewer than those above the last band, and the error that ended it.
func readBands(t testing.TB, m *tiff.Image, rows int) (p []byte, good int, err error) {
	w, h := m.Size()
	p = bytes.Repeat([]byte{0xaa}, w*h*m.SampleSize())
	for y := 0; y < h; y += rows {
		box := image.Rect(0, y, w, min(y+rows, h))
		if err = m.ReadRows(t.Context(), p[y*w*m.SampleSize():][:box.Dx()*box.Dy()*m.SampleSize()], box); err != nil {
			if broken, ok := errors.AsType[*tiff.RowError](err); ok {
				if broken.Row < 0 || broken.Row >= box.Max.Y {
					t.Errorf("row %d of a band from %d to %d: %v", broken.Row, y, box.Max.Y, err)
				}
				return p, broken.Row, err
			}
			return p, y, err
		}
	}
	return p, h, nil
}

// checkSteps reads all of an image in steps of several heights, which break as
// reading it at once does: those are the pixels, the good rows, and the error.
// Another error than a RowError leaves what was read before it.
func checkSteps(t testing.TB, name string, p, all []byte, good int, err error, steps ...int) {
	t.Helper()
	_, damaged := errors.AsType[*tiff.RowError](err)
	for _, rows := range steps {
		m := open(t, p)
		got, stepGood, stepErr := readBands(t, m, rows)
		if stepGood < good || stepGood != good && damaged || fmt.Sprint(stepErr) != fmt.Sprint(err) {
			t.Errorf("%s: %d good rows in steps of %d, %v, and %d at once, %v", name, stepGood, rows, stepErr, good, err)
			continue
		}
		w, _ := m.Size()
		if n := good * w * m.SampleSize(); !bytes.Equal(got[:n], all[:n]) {
			t.Errorf("%s: other pixels in steps of %d than at once, of %d good rows", name, rows, good)
		}
	}
}

// twice is p with its pixels once more behind it, where the directory then says
// they are: cut short, it lacks pixels and nothing else.
func twice(p []byte) []byte {
	var order binary.ByteOrder = binary.LittleEndian
	if p[0] == 'M' {
		order = binary.BigEndian
	}
	uint := func(p []byte, typ uint16) uint64 { // of SHORT, LONG or LONG8
		switch typ {
		case 3:
			return uint64(order.Uint16(p))
		case 4:
			return uint64(order.Uint32(p))
		}
		return order.Uint64(p)
	}
	offset, head, entry, value := uint16(4), 2, 12, 4
	if order.Uint16(p[2:]) == 43 {
		offset, head, entry, value = 16, 8, 20, 8
	}
	q := append(bytes.Clone(p), p...)
	for e := q[int(uint(q[value:], offset))+head:]; ; e = e[entry:] {
		tag, typ := order.Uint16(e), order.Uint16(e[2:])
		if tag != 273 && tag != 324 {
			continue // each has one of them
		}
		n, at := int(uint(e[4:], offset)), e[entry-value:]
		size := map[uint16]int{3: 2, 4: 4, 16: 8}[typ]
		if n*size > value {
			at = q[uint(at, offset):]
		}
		for ; n > 0; n, at = n-1, at[size:] {
			switch v := uint(at, typ) + uint64(len(p)); size {
			case 2:
				order.PutUint16(at, uint16(v))
			case 4:
				order.PutUint32(at, uint32(v))
			case 8:
				order.PutUint64(at, v)
			}
		}
		return q
	}
}

// A file that is cut short anywhere gives the rows that it has, and never other
// pixels. What its directory tells of it is what it breaks for.
func TestTruncated(t *testing.T) {
	for _, name := range good(t) {
		p := twice(readFile(t, name))
		size := nameBits(t, name) / 8
		var broken int
		for n := 0; n <= len(p); n += 97 {
			m, err := tiff.Open(bytes.NewReader(p[:n]), int64(n))
			if err != nil {
				continue
			}
			got, rows, err := readBands(t, m, height)
			if !bytes.Equal(got[:rows*width*size], want(image.Rect(0, 0, width, rows), size)) {
				t.Errorf("%s cut to %d bytes: other pixels in the first %d rows", name, n, rows)
			}
			if err != nil && rows > 0 {
				broken++
			}
			if damage := m.Damage(); (damage == nil) != (err == nil) ||
				damage != nil && !strings.HasSuffix(err.Error(), strings.TrimPrefix(damage.Error(), "tiff: ")) {
				t.Errorf("%s cut to %d bytes: Damage says %v, ReadRows %v", name, n, damage, err)
			}
			checkSteps(t, fmt.Sprintf("%s cut to %d bytes", name, n), p[:n], got, rows, err, 1, 5, 16)
		}
		if broken < 3 {
			t.Errorf("%s was cut to %d files of which some rows are there", name, broken)
		}
	}
}

// All rows that lie before the end are there, but of tiles only those whose tiles
// are all there, and of what is compressed those that come before the end.
func TestTruncatedRows(t *testing.T) {
	for name, want := range map[string]func(missing int) (least, most int){
		"8-none-strips-II-classic-p1.tif": func(missing int) (int, int) {
			rows := (width*height - missing) / width
			return rows, rows
		},
		"8-none-single-MM-big-p1.tif": func(missing int) (int, int) {
			rows := (width*height - missing) / width
			return rows, rows
		},
		"8-8-tiles-II-big-p1.tif":           func(int) (int, int) { return 16, 16 },
		"16-none-tiles-MM-classic-p1.tif":   func(int) (int, int) { return 16, 16 },
		"16-8-single-MM-classic-p2.tif":     func(int) (int, int) { return height / 2, height - 1 },
		"16-32946-strips-II-classic-p1.tif": func(int) (int, int) { return height / 2, height - 1 },
	} {
		p := readFile(t, filepath.Join("testdata/good", name)) // the pixels come last
		for _, missing := range []int{1, width, 2*width + 1, len(p) / 5} {
			n := len(p) - missing
			_, rows, err := readBands(t, open(t, p[:n]), 10)
			if least, most := want(missing); err == nil || rows < least || rows > most {
				t.Errorf("%s cut to %d of %d bytes: %d rows, want %d to %d, %v", name, n, len(p), rows, least, most, err)
			}
		}
	}
}

// What is missing is said in the same words before and while the rows are read.
func TestTruncatedSentence(t *testing.T) {
	p := readFile(t, "testdata/good/8-none-strips-II-classic-p1.tif")
	m := open(t, p[:len(p)-1])
	const want = "truncated: strip 5 needs 148 bytes at offset 1165, the file has 1312"
	if got := m.Damage(); got == nil || got.Error() != "tiff: "+want {
		t.Errorf("got  %v\nwant tiff: %s", got, want)
	}
	for range 2 {
		err := m.ReadRows(t.Context(), make([]byte, width*height), image.Rect(0, 0, width, height))
		if broken, ok := errors.AsType[*tiff.RowError](err); !ok || broken.Row != height-1 || err.Error() != "tiff: row 28: "+want {
			t.Errorf("got %v", err)
		}
	}
	if got := open(t, p).Damage(); got != nil {
		t.Errorf("a file that is whole: %v", got)
	}
}

// A file that has none of its rows does not open.
func TestTruncatedAtOnce(t *testing.T) {
	p := readFile(t, "testdata/good/8-none-strips-II-classic-p1.tif")
	n := len(p) - width*height + width - 1
	_, err := tiff.Open(bytes.NewReader(p[:n]), int64(n))
	const want = "tiff: truncated: strip 0 needs 185 bytes at offset 240, the file has 276"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// A writer that was stopped may leave strips without a place; those above are
// there.
func TestSparse(t *testing.T) {
	p := readFile(t, "testdata/good/8-none-strips-II-classic-p1.tif")
	le := binary.LittleEndian
	at := le.Uint32(entryAt(t, p, 273)[8:])
	clear(p[at+3*4 : at+4*4])
	m := open(t, p)
	got, rows, err := readBands(t, m, height)
	checkSteps(t, "sparse", p, got, rows, err, 1, 4, 7)
	if rows != 15 || err == nil || err.Error() != "tiff: row 15: strip 3 has no data" || m.Damage() == nil {
		t.Errorf("%d rows, %v, %v", rows, err, m.Damage())
	}
	if !bytes.Equal(got[:rows*width], want(image.Rect(0, 0, width, rows), 1)) {
		t.Error("other pixels than were written")
	}
}

// One wrong byte in deflated pixels is found, wherever it is, and no row that
// it may have spoiled is given for a good one.
func TestDamage(t *testing.T) {
	for _, name := range []string{"8-8-tiles-II-big-p1.tif", "16-8-single-MM-classic-p2.tif", "16-32946-strips-II-classic-p1.tif"} {
		p := readFile(t, filepath.Join("testdata/good", name))
		size := nameBits(t, name) / 8
		var found, kept int
		for i := range p {
			p[i] ^= 0x10
			if m, err := tiff.Open(bytes.NewReader(p), int64(len(p))); err != nil {
				found++
			} else if w, h := m.Size(); w == width && h == height && m.SampleSize() == size && !m.MinIsWhite() {
				got, rows, err := readBands(t, m, height)
				if err != nil {
					found++
					if i > 400 { // behind the directory
						kept += rows
					}
				}
				checkSteps(t, fmt.Sprintf("%s, byte %d", name, i), p, got, rows, err, 1+i%16)
				if !bytes.Equal(got[:rows*width*size], want(image.Rect(0, 0, width, rows), size)) && i > 400 {
					t.Errorf("%s: byte %d of %d is wrong, and %d rows are said to be right", name, i, len(p), rows)
				}
			}
			p[i] ^= 0x10
		}
		if found < len(p)/2 {
			t.Errorf("%s: %d of %d wrong bytes found", name, found, len(p))
		}
		if single := strings.Contains(name, "single"); (kept == 0) != single {
			t.Errorf("%s: %d rows kept of all damaged images", name, kept)
		}
	}
}

// Strips and tiles of more than a batch break at the same row however many are
// read at a time, wherever a byte is wrong or the file ends.
func TestLargeDamage(t *testing.T) {
	names, err := filepath.Glob("testdata/large/*.tif")
	if err != nil || len(names) == 0 {
		t.Fatal("no images", err)
	}
	var wrong, cut int
	for _, name := range names {
		p := readFile(t, name)
		for i := 1; i < 6; i++ {
			at := len(p) * i / 6
			p[at] ^= 0x10
			wrong += checkBroken(t, fmt.Sprintf("%s, byte %d", name, at), p)
			p[at] ^= 0x10
			cut += checkBroken(t, fmt.Sprintf("%s cut by %d bytes", name, len(p)-at), twice(p)[:len(p)+at])
		}
	}
	if wrong == 0 || cut == 0 {
		t.Errorf("%d break with a wrong byte, %d that are cut", wrong, cut)
	}
}

// checkBroken is checkSteps of what opens, and counts what breaks.
func checkBroken(t *testing.T, name string, p []byte) (broken int) {
	t.Helper()
	m, err := tiff.Open(bytes.NewReader(p), int64(len(p)))
	if err != nil {
		return 0
	}
	_, h := m.Size()
	all, good, err := readBands(t, m, h)
	checkSteps(t, name, p, all, good, err, 1, 7, 64)
	if err == nil {
		return 0
	}
	return 1
}

// Rows that are damaged are so for whoever asks for those below only.
func TestDamageAbove(t *testing.T) {
	p := readFile(t, "testdata/good/16-8-single-MM-classic-p2.tif")
	end := len(p) - 1 // of the only strip
	p[end] ^= 1
	for _, y := range []int{0, 1, height - 1} {
		box := image.Rect(0, y, width, height)
		err := open(t, p).ReadRows(t.Context(), make([]byte, 2*box.Dx()*box.Dy()), box)
		if broken, ok := errors.AsType[*tiff.RowError](err); !ok || broken.Row != 0 {
			t.Errorf("from row %d on: %v", y, err)
		}
	}
	// What has no place in the file ends where it ends.
	p = readFile(t, "testdata/good/8-none-strips-II-classic-p1.tif")
	m := open(t, p[:len(p)-3*width])
	err := m.ReadRows(t.Context(), make([]byte, width), image.Rect(0, height-1, width, height))
	if broken, ok := errors.AsType[*tiff.RowError](err); !ok || broken.Row != height-3 {
		t.Errorf("the last row of a file without the last three: %v", err)
	}
}

// A disk is a file that cannot be read from some offset on.
type disk struct {
	*bytes.Reader
	bad int64
}

func (d *disk) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > d.bad {
		return 0, errDisk
	}
	return d.Reader.ReadAt(p, off)
}

var errDisk = errors.New("the disk is on fire")

// What keeps a file from being read says nothing of its rows, and neither does a
// file that becomes shorter while it is read.
func TestNoRowError(t *testing.T) {
	for _, name := range []string{"8-none-strips-II-classic-p1.tif", "16-8-single-MM-classic-p2.tif", "8-8-tiles-II-big-p1.tif"} {
		p := readFile(t, filepath.Join("testdata/good", name))
		for want, r := range map[error]io.ReaderAt{
			errDisk:             &disk{bytes.NewReader(p), int64(len(p) - 40)},
			io.ErrUnexpectedEOF: bytes.NewReader(p[:len(p)-40]),
		} {
			m, err := tiff.Open(r, int64(len(p)))
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = readBands(t, m, 10)
			if _, ok := errors.AsType[*tiff.RowError](err); ok || !errors.Is(err, want) || !strings.Contains(err.Error(), "row ") {
				t.Errorf("%s: got %v, want %v", name, err, want)
			}
		}
	}
}
