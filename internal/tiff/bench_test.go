package tiff_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/neurodata/ndpush/internal/tiff"
	ximage "golang.org/x/image/tiff"
)

// A page is what build writes.
type page struct {
	side, bytes int
	rows        int // per strip, or of a tile
	tile        int // width of a tile; 0 for strips
	order       binary.AppendByteOrder
	deflated    bool
	predictor   int
}

func (p page) String() string {
	s := fmt.Sprintf("u%d-%s", 8*p.bytes, map[bool]string{true: "deflate", false: "none"}[p.deflated])
	if p.predictor == 2 {
		s += "-p2"
	}
	if p.order == binary.AppendByteOrder(binary.BigEndian) {
		s += "-MM"
	}
	if p.tile != 0 {
		return s + "-tiles"
	}
	return fmt.Sprintf("%s-strips-%d", s, p.rows)
}

// texture is what electron microscopes see, roughly: soft shapes under noise.
func texture(side, size int) []byte {
	rnd := rand.New(rand.NewPCG(5, 6))
	p := make([]byte, 0, side*side*size)
	for y := range side {
		for x := range side {
			v := 128 + 60*math.Sin(float64(x)/37)*math.Cos(float64(y)/23) + 8*rnd.NormFloat64()
			p = append(p, binary.LittleEndian.AppendUint64(nil, uint64(v)*257)[:size]...)
		}
	}
	return p
}

// build writes the texture as p says.
func build(b *testing.B, p page) []byte {
	b.Helper()
	pix := texture(p.side, p.bytes)
	width := p.tile
	if width == 0 {
		width = p.side
	}
	file := []byte("II*\x00\x00\x00\x00\x00")
	if p.order == binary.AppendByteOrder(binary.BigEndian) {
		file = []byte("MM\x00*\x00\x00\x00\x00")
	}
	var offsets, counts []byte
	var n int
	for y := 0; y < p.side; y += p.rows {
		for x := 0; x < p.side; x += width {
			seg := segment(p, pix, x, y, width)
			offsets = p.order.AppendUint32(offsets, uint32(len(file)))
			counts = p.order.AppendUint32(counts, uint32(len(seg)))
			file = append(file, seg...)
			n++
		}
	}
	at := len(file)
	file = append(append(file, offsets...), counts...)
	copy(file[4:], p.order.AppendUint32(nil, uint32(len(file))))
	return append(file, directory(p, n, at)...)
}

// segment is a strip or tile, as it lies in the file.
func segment(p page, pix []byte, x, y, width int) []byte {
	var seg []byte
	for r := y; r < min(y+p.rows, p.side); r++ {
		row := bytes.Clone(pix[(r*p.side+x)*p.bytes:][:width*p.bytes])
		for i := len(row) - p.bytes; p.predictor == 2 && i >= p.bytes; i -= p.bytes {
			switch p.bytes {
			case 1:
				row[i] -= row[i-1]
			case 2:
				binary.LittleEndian.PutUint16(row[i:], binary.LittleEndian.Uint16(row[i:])-binary.LittleEndian.Uint16(row[i-2:]))
			}
		}
		for i := 0; p.order == binary.AppendByteOrder(binary.BigEndian) && i < len(row); i += p.bytes {
			for a, z := i, i+p.bytes-1; a < z; a, z = a+1, z-1 {
				row[a], row[z] = row[z], row[a]
			}
		}
		seg = append(seg, row...)
	}
	if p.deflated {
		var out bytes.Buffer
		w := zlib.NewWriter(&out)
		w.Write(seg)
		w.Close()
		return out.Bytes()
	}
	return seg
}

// directory describes n segments whose offsets and counts lie at that offset.
func directory(p page, n, at int) []byte {
	compression := map[bool]int{false: 1, true: 8}[p.deflated]
	fields := [][3]int{{256, 1, p.side}, {257, 1, p.side}, {258, 1, 8 * p.bytes}, {259, 1, compression}, {262, 1, 1}}
	segments := [][3]int{{273, n, at}, {278, 1, p.rows}, {279, n, at + 4*n}, {317, 1, p.predictor}}
	if p.tile != 0 {
		segments = [][3]int{{317, 1, p.predictor}, {322, 1, p.tile}, {323, 1, p.rows}, {324, n, at}, {325, n, at + 4*n}}
	}
	fields = append(fields, segments...)
	d := p.order.AppendUint16(nil, uint16(len(fields)))
	for _, f := range fields {
		if f[1] == 1 && f[2] == at+4*n {
			f[2] = at - 8 // the count of a single segment, which begins at 8
		} else if f[1] == 1 && f[2] == at {
			f[2] = 8
		}
		typ := uint16(4)
		if f[0] == 258 || f[0] == 259 || f[0] == 262 || f[0] == 317 {
			typ = 3
		}
		d = p.order.AppendUint16(p.order.AppendUint16(d, uint16(f[0])), typ)
		d = p.order.AppendUint32(d, uint32(f[1]))
		if typ == 3 {
			d = p.order.AppendUint16(p.order.AppendUint16(d, uint16(f[2])), 0)
		} else {
			d = p.order.AppendUint32(d, uint32(f[2]))
		}
	}
	return p.order.AppendUint32(d, 0)
}

// BenchmarkBands reads images of 4096² pixels from a file in bands of 1024 rows.
func BenchmarkBands(b *testing.B) {
	le, be := binary.LittleEndian, binary.BigEndian
	for _, p := range []page{
		{4096, 1, 4096, 0, be, false, 1},
		{4096, 1, 2, 0, le, false, 1},
		{4096, 1, 512, 512, le, false, 1},
		{4096, 2, 4096, 0, le, false, 1},
		{4096, 2, 4096, 0, be, false, 1},
		{4096, 1, 4096, 0, le, true, 1},
		{4096, 1, 2, 0, le, true, 1},
		{4096, 1, 16, 0, le, true, 2},
		{4096, 1, 512, 512, le, true, 1},
		{4096, 2, 16, 0, le, true, 1},
		{4096, 2, 16, 0, be, true, 2},
	} {
		b.Run(p.String(), func(b *testing.B) { benchBands(b, p) })
	}
}

func benchBands(b *testing.B, p page) {
	name := filepath.Join(b.TempDir(), "a.tif")
	data := build(b, p)
	if err := os.WriteFile(name, data, 0o666); err != nil {
		b.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	dst := make([]byte, 1024*p.side*p.bytes)
	b.SetBytes(int64(p.side * p.side * p.bytes))
	b.ReportAllocs()
	for b.Loop() {
		m, err := tiff.Open(f, int64(len(data)))
		if err != nil {
			b.Fatal(err)
		}
		for y := 0; y < p.side; y += 1024 {
			if err := m.ReadRows(b.Context(), dst, image.Rect(0, y, p.side, y+1024)); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.StopTimer()
	if !bytes.Equal(dst, texture(p.side, p.bytes)[3*1024*p.side*p.bytes:]) {
		b.Fatal("other pixels")
	}
}

// BenchmarkTwin is x/image/tiff on two of the same images, which it decodes whole.
func BenchmarkTwin(b *testing.B) {
	for _, p := range []page{{4096, 1, 4096, 0, binary.BigEndian, false, 1}, {4096, 1, 16, 0, binary.LittleEndian, true, 2}} {
		b.Run(p.String(), func(b *testing.B) {
			data := build(b, p)
			b.SetBytes(int64(p.side * p.side * p.bytes))
			for b.Loop() {
				if _, err := ximage.Decode(bytes.NewReader(data)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
