package png_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/png"
)

// readBands reads all of m in bands, and gives the pixels, the rows that are
// good, perhaps fewer than those above the last band, and the error that ended it.
func readBands(t testing.TB, m *png.Image, rows int) (p []byte, good int, err error) {
	t.Helper()
	w, h := m.Size()
	p = bytes.Repeat([]byte{0xaa}, w*h*m.SampleSize())
	for y := 0; y < h; y += rows {
		box := image.Rect(0, y, w, min(y+rows, h))
		if err = m.ReadRows(t.Context(), p[y*w*m.SampleSize():][:box.Dx()*box.Dy()*m.SampleSize()], box); err != nil {
			if broken, ok := errors.AsType[*png.RowError](err); ok {
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
func checkSteps(t testing.TB, name string, p, all []byte, good int, err error, steps ...int) {
	t.Helper()
	for _, rows := range steps {
		m := open(t, p)
		got, stepGood, stepErr := readBands(t, m, rows)
		if stepGood != good || fmt.Sprint(stepErr) != fmt.Sprint(err) {
			t.Errorf("%s: %d good rows in steps of %d, %v, and %d at once, %v", name, stepGood, rows, stepErr, good, err)
			continue
		}
		w, _ := m.Size()
		if n := good * w * m.SampleSize(); !bytes.Equal(got[:n], all[:n]) {
			t.Errorf("%s: other pixels in steps of %d than at once, of %d good rows", name, rows, good)
		}
	}
}

// small is an image in chunks that are checked before they are decoded; long one
// in a chunk that is not.
var (
	small = kind{bits: 8, width: 300, height: 200, filter: 5, chunk: 4096}
	long  = kind{bits: 8, width: 900, height: 900, filter: 5}
)

// A file that is cut short anywhere gives the rows whose chunks are there, and
// those of a long chunk up to its end. That it is cut short is known before it
// is read, and is what it breaks for.
func TestTruncated(t *testing.T) {
	for name, k := range map[string]kind{"small": small, "long": long} {
		p := encode(t, k)
		pix, _, err := twin(p)
		if err != nil {
			t.Fatal(err)
		}
		for n := 1200; n < len(p); n += 1 + len(p)/60 {
			m := open(t, p[:n])
			got, rows, err := readBands(t, m, k.height)
			if !bytes.Equal(got[:rows*k.width], pix[:rows*k.width]) {
				t.Errorf("%s cut to %d bytes: other pixels in the first %d rows", name, n, rows)
			}
			// Deflate and the file's other chunks are a part of the difference.
			if least := (n-10000)*k.height/len(p) - 5; rows < least {
				t.Errorf("%s cut to %d of %d bytes: %d rows, want %d", name, n, len(p), rows, least)
			}
			if damage := m.Damage(); damage == nil || err == nil || !strings.HasSuffix(err.Error(), strings.TrimPrefix(damage.Error(), "png: ")) {
				t.Errorf("%s cut to %d bytes: Damage says %v, ReadRows %v", name, n, damage, err)
			}
			checkSteps(t, fmt.Sprintf("%s cut to %d bytes", name, n), p[:n], got, rows, err, 1, 7, 64)
		}
	}
}

// Only the end of a file is missing: all rows but the last are there.
func TestNoEnd(t *testing.T) {
	for _, k := range []kind{small, long} {
		p := encode(t, k)
		for missing := 1; missing <= 12; missing++ {
			_, rows, err := readBands(t, open(t, p[:len(p)-missing]), 64)
			if rows != k.height-1 || err == nil || !strings.Contains(err.Error(), "truncated: a chunk ends at offset ") {
				t.Errorf("%d bytes are missing: %d rows, %v", missing, rows, err)
			}
		}
	}
}

// One wrong byte is found, wherever it is, or changes no pixel; and no row that
// it may have spoiled is given for a good one, however many are read at a time.
func TestDamage(t *testing.T) {
	for name, k := range map[string]kind{"small": small, "long": long, "interlaced": {bits: 16, width: 40, height: 30, interlaced: true, chunk: 100}} {
		p := encode(t, k)
		pix, _, err := twin(p)
		if err != nil {
			t.Fatal(err)
		}
		var kept, tries int
		for i := 0; i < len(p); i += 1 + len(p)/120 {
			p[i] ^= 0x10
			m, err := png.Open(bytes.NewReader(p), int64(len(p)))
			p[i] ^= 0x10
			if err != nil {
				continue
			}
			p[i] ^= 0x10
			got, rows, err := readBands(t, m, k.height)
			checkSteps(t, fmt.Sprintf("%s, byte %d", name, i), p, got, rows, err, 1+i%80)
			p[i] ^= 0x10
			if n := rows * len(pix) / k.height; !bytes.Equal(got[:n], pix[:n]) {
				t.Errorf("%s: byte %d of %d is wrong, and %d rows are said to be right: %v", name, i, len(p), rows, err)
			}
			kept += rows
			tries++
		}
		half := kept*5/2 > tries*k.height && tries > 50
		if half != (name == "small") {
			t.Errorf("%s: %d rows are kept in %d tries", name, kept, tries)
		}
	}
}

// Of a chunk too long to be checked ahead no row is good, and of those before it
// all that are whole, however few are read at a time: deflated data are decoded
// ahead of the rows.
func TestLongChunks(t *testing.T) {
	for _, k := range []kind{
		{bits: 8, width: 900, height: 900, filter: 5, chunk: 300_000},
		{bits: 16, width: 30_000, height: 15, filter: 5, chunk: 300_000},
		{bits: 16, width: 900, height: 300, filter: 2, chunk: 300_000},
	} {
		p := encode(t, k)
		pix, _, err := twin(p)
		if err != nil {
			t.Fatal(err)
		}
		var some int
		for at := range 4 {
			i := 100 + at*(len(p)-200)/3
			p[i] ^= 1
			got, rows, err := readBands(t, open(t, p), k.height)
			if n := rows * len(pix) / k.height; err == nil || !bytes.Equal(got[:n], pix[:n]) {
				t.Errorf("%+v, byte %d is wrong: %d rows, %v", k, i, rows, err)
			}
			checkSteps(t, fmt.Sprintf("%+v, byte %d", k, i), p, got, rows, err, 1, 7, 64)
			p[i] ^= 1
			if rows > 0 {
				some++
			}
		}
		if some == 0 {
			t.Errorf("%+v: no row is ever kept", k)
		}
	}
}

// The bytes that a chunk is said to have may be more than it has.
func TestLength(t *testing.T) {
	for i := range 4 {
		for _, k := range []kind{small, long} {
			p := encode(t, k)
			pix, _, err := twin(p)
			if err != nil {
				t.Fatal(err)
			}
			at := bytes.Index(p, []byte("IDAT"))
			p[at-1-i] ^= 0x24
			got, rows, err := readBands(t, open(t, p), k.height)
			checkSteps(t, fmt.Sprintf("byte %d of a length", i), p, got, rows, err, 1, 7, 64)
			if err == nil || !bytes.Equal(got[:rows*k.width], pix[:rows*k.width]) {
				t.Errorf("byte %d of a length: %d rows, %v", i, rows, err)
			}
		}
	}
}

// What is wrong is said in a sentence, and which rows there are.
func TestErrors(t *testing.T) {
	z := func(rows ...string) []byte { return deflate(t, strings.Join(rows, "")) }
	row := "\x00abcd"
	wrong := z(row, row)
	wrong[len(wrong)-1] ^= 1
	k := kind{bits: 8, width: 4, height: 2}
	for _, tt := range []struct {
		z    []byte
		want string
	}{
		{z(row), "png: row 1: fewer data than its pixels take"},
		{z(row, row[:3]), "png: row 1: fewer data than its pixels take"},
		{z(row, row)[:12], "png: row 1: fewer data than its pixels take"},
		{z(row, row, "x"), "png: row 0: more data than its pixels take"},
		{append(z(row, row), 1), "png: row 0: more data than its pixels take"},
		{z(row, "\x05abcd"), "png: row 0: a row with a filter that there is not: 5"},
		{wrong, "png: row 0: the Adler-32 checksum is wrong"},
		{[]byte("\x1f\x8b"), "png: row 0: no zlib header"},
		{z(row, row)[:4], "png: row 0: fewer data than its pixels take"},
	} {
		for range 2 {
			err := open(t, k.pack(tt.z)).ReadRows(t.Context(), make([]byte, 8), image.Rect(0, 0, 4, 2))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		}
	}
	p := k.pack(z(row, row))
	p[bytes.Index(p, []byte("IEND"))-5] ^= 1
	_, _, err := readBands(t, open(t, p), 1)
	if want := "png: row 0: invalid checksum of the IDAT chunk at offset 33"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Reading takes no more memory than Held says.
func TestHeld(t *testing.T) {
	for _, k := range []kind{
		small, long, {bits: 16, width: 30000, height: 40, filter: 4, chunk: 8192},
		{bits: 1, width: 30000, height: 100}, {bits: 16, width: 500, height: 500, interlaced: true},
	} {
		m := open(t, encode(t, k))
		dst := make([]byte, k.width*m.SampleSize())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for y := range k.height {
			if err := m.ReadRows(t.Context(), dst, image.Rect(0, y, k.width, y+1)); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		const classes = 10 // sizes of allocations are rounded up, by an eighth at most
		got := int64(after.TotalAlloc - before.TotalAlloc)
		if got > m.Held()*(100+classes)/100+4096 {
			t.Errorf("%+v: %d bytes are taken, Held says %d", k, got, m.Held())
		}
		if all := int64(k.width * k.height * m.SampleSize()); !k.interlaced && m.Held() > 512<<10+3*int64(len(dst)) || k.interlaced && m.Held() > all+600<<10 {
			t.Errorf("%+v: Held is %d", k, m.Held())
		}
	}
}

// FuzzOpen reads whatever opens: no panic, no hang; what image/png makes of it or
// an error, and the same in bands as at once, also where it breaks.
func FuzzOpen(f *testing.F) {
	names, err := filepath.Glob("testdata/*/*.png")
	if err != nil || len(names) == 0 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		f.Add(readFile(f, name), uint8(6))
	}
	for _, bits := range []int{2, 8, 16} {
		f.Add(encode(f, kind{bits: bits, width: 30, height: 20, filter: 5, chunk: 200}), uint8(3))
		f.Add(encode(f, kind{bits: bits, width: 30, height: 20, filter: 5, interlaced: true}), uint8(9))
	}
	f.Fuzz(func(t *testing.T, p []byte, rows uint8) {
		m, err := png.Open(bytes.NewReader(p), int64(len(p)))
		if err != nil {
			if _, gray, twinErr := twin(p); gray && twinErr == nil {
				t.Fatalf("%v, and image/png reads it", err)
			}
			return
		}
		w, h := m.Size()
		if int64(w)*int64(h) > 1<<20 {
			return // the caller would have known that it is no such image
		}
		all, good, err := readBands(t, m, h)
		if m.Damage() != nil && err == nil {
			t.Errorf("read as a whole, but %v", m.Damage())
		}
		pix, _, twinErr := twin(p)
		if twinErr == nil && (err != nil || !bytes.Equal(all, pix)) {
			t.Errorf("%v, or other pixels than image/png reads", err)
		}
		checkSteps(t, "fuzzed", p, all, good, err, 1+int(rows))
	})
}
