package png_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	stdpng "image/png"
	"math/rand/v2"
	"testing"

	"github.com/neurodata/ndpush/internal/png"
)

// A kind is what encode writes.
type kind struct {
	bits, width, height int
	interlaced          bool
	filter              int // 0 to 4; 5 for any, row by row
	chunk               int // bytes of an IDAT chunk, 0 for all in one
	before, after       []string
}

// chunk is a chunk of that name.
func chunk(name string, data []byte) string {
	p := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	p = append(append(p, name...), data...)
	return string(binary.BigEndian.AppendUint32(p, crc32.ChecksumIEEE(p[4:])))
}

// encode writes an image that no other encoder would: of random bytes, half of
// them alike, which are the pixels' differences as the filters have them.
func encode(t testing.TB, k kind) []byte {
	t.Helper()
	rnd := rand.New(rand.NewPCG(uint64(k.width), uint64(k.height)))
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	for _, pass := range k.passes() {
		for range pass[1] {
			row := make([]byte, 1+(pass[0]*k.bits+7)/8)
			if row[0] = byte(k.filter); k.filter == 5 {
				row[0] = byte(rnd.IntN(5))
			}
			for i := range row[1:] {
				row[1+i] = byte(rnd.Uint32()) | byte(rnd.Uint32()*255)
			}
			w.Write(row)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return k.pack(z.Bytes())
}

// passes are the sizes of the images that one is sent as.
func (k kind) passes() [][2]int {
	if !k.interlaced {
		return [][2]int{{k.width, k.height}}
	}
	n := func(size, first, step int) int { return max(0, (size-first+step-1)/step) }
	var all [][2]int
	for _, p := range [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
		if w := n(k.width, p[0], p[2]); w > 0 {
			all = append(all, [2]int{w, n(k.height, p[1], p[3])})
		}
	}
	return all
}

// pack makes a file of deflated pixels.
func (k kind) pack(z []byte) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(k.width)), uint32(k.height))
	head = append(head, byte(k.bits), 0, 0, 0, map[bool]byte{true: 1}[k.interlaced])
	file := png.Magic + chunk("IHDR", head)
	for _, c := range k.before {
		file += c
	}
	for n := len(z); n > 0; n = len(z) {
		if k.chunk > 0 {
			n = min(n, k.chunk)
		}
		file += chunk("IDAT", z[:n])
		z = z[n:]
	}
	for _, c := range k.after {
		file += c
	}
	return []byte(file + chunk("IEND", nil))
}

// twin is what image/png decodes, as ReadRows would give it; ok is false if that
// is no gray.
func twin(p []byte) (pix []byte, ok bool, err error) {
	img, err := stdpng.Decode(bytes.NewReader(p))
	if err != nil {
		return nil, false, err
	}
	bits, b := p[24], img.Bounds()
	for y := range b.Dy() {
		for x := range b.Dx() {
			switch img := img.(type) {
			case *image.Gray:
				// Fewer bits are scaled to eight.
				pix = append(pix, img.GrayAt(x, y).Y>>(8-bits))
			case *image.Gray16:
				v := img.Gray16At(x, y).Y
				pix = append(pix, byte(v), byte(v>>8))
			case *image.NRGBA:
				pix = append(pix, img.NRGBAAt(x, y).R>>(8-bits))
			case *image.NRGBA64:
				v := img.NRGBA64At(x, y).R
				pix = append(pix, byte(v), byte(v>>8))
			default:
				return nil, false, nil
			}
		}
	}
	return pix, p[25] == 0, nil
}

// checkTwin compares an image with its twin, in bands of some height.
func checkTwin(t *testing.T, name string, p []byte, band int) {
	t.Helper()
	pix, ok, err := twin(p)
	if !ok || err != nil {
		t.Fatalf("%s: image/png does not read it: %v", name, err)
	}
	m := open(t, p)
	w, h := m.Size()
	for y := 0; y < h; y += band {
		box := image.Rect(0, y, w, min(y+band, h))
		got := readBox(t, m, box)
		if n := len(got); !bytes.Equal(got, pix[:n]) {
			t.Fatalf("%s: rows from %d on are others", name, y)
		}
		pix = pix[len(got):]
	}
}

// Images of all kinds and small sizes are what image/png makes of them.
func TestTwin(t *testing.T) {
	for _, bits := range []int{1, 2, 4, 8, 16} {
		for _, interlaced := range []bool{false, true} {
			for filter := range 6 {
				for side := 1; side <= 21; side++ {
					k := kind{bits: bits, width: side, height: 22 - side, interlaced: interlaced, filter: filter, chunk: side % 4 * 50}
					checkTwin(t, fmt.Sprintf("%+v", k), encode(t, k), 1+side%9)
				}
				k := kind{bits: bits, width: 400, height: 90, interlaced: interlaced, filter: filter, chunk: 8192}
				checkTwin(t, fmt.Sprintf("%+v", k), encode(t, k), 64)
			}
		}
	}
}

// Chunks that say nothing of the pixels change nothing, nor do those that are
// empty or come after them.
func TestChunks(t *testing.T) {
	for name, k := range map[string]kind{
		"transparent": {before: []string{chunk("tRNS", []byte{0, 7})}},
		"gamma":       {before: []string{chunk("gAMA", []byte{0, 0, 0xb1, 0x8f}), chunk("sBIT", []byte{3}), chunk("bKGD", []byte{0, 1})}},
		"text":        {before: []string{chunk("tEXt", bytes.Repeat([]byte{'x'}, 300_000))}, after: []string{chunk("tEXt", nil)}},
		"empty":       {before: []string{chunk("IDAT", nil), chunk("IDAT", nil)}},
		"one by one":  {chunk: 1},
		"long":        {chunk: 0, width: 900, height: 900},
		"long ones":   {chunk: 300_000, width: 900, height: 900},
		"exactly":     {chunk: 256<<10 - 12, width: 900, height: 900},
		"just longer": {chunk: 256<<10 - 11, width: 900, height: 900},
		"twice":       {after: []string{chunk("IDAT", []byte("more")), chunk("tIME", nil), chunk("IDAT", nil)}},
	} {
		k.bits, k.filter = 8, 5
		if k.width == 0 {
			k.width, k.height = 50, 40
		}
		checkTwin(t, name, encode(t, k), 16)
	}
}

// deflate packs p in stored blocks.
func deflate(t testing.TB, p string) []byte {
	t.Helper()
	var z bytes.Buffer
	w, err := zlib.NewWriterLevel(&z, zlib.NoCompression)
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte(p))
	w.Close()
	return z.Bytes()
}
