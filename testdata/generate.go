//go:build ignore

// Generate makes the stacks that package testdata describes. Run it in the
// module's root: go run testdata/generate.go
//
// It is its own TIFF encoder: the one of golang.org/x/image writes neither
// 64-bit samples nor tiles, nor more than one strip.
package main

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	log.SetFlags(0)
	if err := generate("testdata"); err != nil {
		log.Fatal(err)
	}
}

func generate(dir string) error {
	for _, sub := range []string{"em", "labels", "counts"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	t := newTissue()
	for z := range depth {
		em, labels := t.section(z)
		if err := os.WriteFile(fmt.Sprintf("%s/em/em_%04d.tif", dir, z), strips(em), 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(fmt.Sprintf("%s/labels/labels_%04d.tif", dir, z), tiles(labels), 0o644); err != nil {
			return err
		}
	}
	for z := 3; z < 11; z++ {
		if err := writePNG(fmt.Sprintf("%s/counts/c%04d.png", dir, z), counts(z)); err != nil {
			return err
		}
	}
	return nil
}

// The tissue.

// The section is a little larger than a cuboid, 1024×1024×16, on each axis.
const (
	width, height, depth = 1100, 1060, 20

	spacing = 150 // pixels from the middle of one cell to the next
	columns = width/spacing + 3
	rows    = height/spacing + 3
)

// A cell is a place that slowly wanders with z, and what its inside looks like.
type cell struct {
	x, y, dx, dy float64
	gray         uint8
	label        uint64
	mito         float64 // angle of its mitochondrion, negative if it has none
}

// A tissue is a net of cells that begins one cell outside of the image.
type tissue [rows][columns]cell

func newTissue() *tissue {
	rnd := rand.New(rand.NewPCG(2018, 1))
	jitter := func() float64 { return (rnd.Float64() - 0.5) * 0.8 * spacing }
	var t tissue
	for j := range t {
		for i := range t[j] {
			n := uint64(j*columns + i + 1)
			t[j][i] = cell{
				x: float64(i-1)*spacing + jitter(), y: float64(j-1)*spacing + jitter(),
				dx: jitter() / depth, dy: jitter() / depth,
				gray: uint8(150 + 8*rnd.IntN(7)), label: n, mito: -1,
			}
			if n%2 == 0 {
				t[j][i].label = n<<32 | n
			}
			if rnd.IntN(3) > 0 {
				t[j][i].mito = rnd.Float64() * math.Pi
			}
		}
	}
	t[rows/2][columns/2].label = 1<<63 | 7 // unlike an int64 or a float64
	return &t
}

// section draws slice z, as the microscope sees it and as its labels.
func (t *tissue) section(z int) (em []uint8, labels []uint64) {
	em, labels = make([]uint8, width*height), make([]uint64, width*height)
	for y := range height {
		for x := range width {
			if inside(x, y) {
				em[y*width+x], labels[y*width+x] = t.at(float64(x), float64(y), float64(z))
			}
		}
	}
	return em, labels
}

// inside reports whether a pixel lies in the section's outline, a rounded
// rectangle that leaves the part beyond 1024, 1024 empty.
func inside(x, y int) bool {
	dx, dy := (float64(x)-545)/550, (float64(y)-525)/530
	return dx*dx*dx*dx+dy*dy*dy*dy < 1
}

func (t *tissue) at(x, y, z float64) (gray uint8, label uint64) {
	// A net of straight walls, bent.
	wx := x + 11*math.Sin(y/31+z/7) + 5*math.Sin(y/13-x/29)
	wy := y + 11*math.Sin(x/37-z/9) + 5*math.Sin(x/17+y/23)
	c, wall, rx, ry := t.nearest(wx, wy, z)
	switch {
	case wall < 3:
		return 48, 0
	case wall < 5:
		return 96, c.label
	}
	if m := c.organelle(rx, ry); m > 0 {
		return m, c.label
	}
	return c.gray + cytoplasm(x, y, z), c.label
}

// nearest gives the cell around x, y, how far its wall is, and where in the
// cell x, y lies.
func (t *tissue) nearest(x, y, z float64) (c *cell, wall, rx, ry float64) {
	first, second := math.Inf(1), math.Inf(1)
	i, j := int(math.Round(x/spacing))+1, int(math.Round(y/spacing))+1
	for row := max(0, j-2); row < min(rows, j+3); row++ {
		for col := max(0, i-2); col < min(columns, i+3); col++ {
			other := &t[row][col]
			dx, dy := x-other.x-z*other.dx, y-other.y-z*other.dy
			switch d := dx*dx + dy*dy; {
			case d < first:
				first, second = d, first
				c, rx, ry = other, dx, dy
			case d < second:
				second = d
			}
		}
	}
	return c, math.Sqrt(second) - math.Sqrt(first), rx, ry
}

// organelle is the gray of what lies at x, y from the middle of the cell: a dark
// mitochondrion with its folds, or a vesicle; 0 for neither.
func (c *cell) organelle(x, y float64) uint8 {
	if c.mito < 0 {
		if math.Hypot(x-14, y+9) < 6 || math.Hypot(x+11, y-4) < 5 {
			return 72
		}
		return 0
	}
	sin, cos := math.Sincos(c.mito)
	u, v := x*cos+y*sin, y*cos-x*sin
	switch r := math.Hypot(u/27, v/13); {
	case r > 1:
		return 0
	case r > 0.85 || int(u+100)%8 < 3:
		return 72
	}
	return 104
}

// cytoplasm is smooth noise in few steps, which deflate packs well.
func cytoplasm(x, y, z float64) uint8 {
	s := math.Sin(x/29+z/3+2*math.Sin(y/61)) + math.Sin(y/31-z/4+2*math.Sin(x/73))
	return uint8(math.Floor(s)+2) * 9
}

// counts is a slice of glowing spots. A count is a multiple of 311, the gain of
// the detector, so that low bytes and high bytes both vary.
func counts(z int) *image.Gray16 {
	const width, height, spots = 300, 200, 12
	rnd := rand.New(rand.NewPCG(2018, 2)) // the same spots in every slice
	sum := make([]float64, width*height)
	for range spots {
		x, y, mid := rnd.Float64()*width, rnd.Float64()*height, 3+rnd.Float64()*8
		r, peak := 5+rnd.Float64()*20, 20+rnd.Float64()*300
		peak *= math.Exp(-(float64(z) - mid) * (float64(z) - mid) / 8)
		for i := range sum {
			dx, dy := float64(i%width)-x, float64(i/width)-y
			sum[i] += peak * math.Exp(-(dx*dx+dy*dy)/(2*r*r))
		}
	}
	img := image.NewGray16(image.Rect(0, 0, width, height))
	for i, s := range sum {
		img.SetGray16(i%width, i/width, color.Gray16{Y: uint16(min(311*math.Floor(s), math.MaxUint16))})
	}
	return img
}

// The files.

func writePNG(name string, img image.Image) error {
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	if err := enc.Encode(&b, img); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}

// strips encodes a uint8 image in strips of 64 rows.
func strips(pix []uint8) []byte {
	const perStrip = 64
	var pieces [][]byte
	for strip := range slices.Chunk(pix, perStrip*width) {
		pieces = append(pieces, deflate(strip))
	}
	return encode(pieces, 8, field{tag: stripOffsets}, field{stripByteCounts, sizes(pieces)}, field{rowsPerStrip, []uint32{perStrip}})
}

// tiles encodes a uint64 image in tiles; those at the edges are filled up with
// zeros.
func tiles(pix []uint64) []byte {
	const side = 256
	var pieces [][]byte
	for y0 := 0; y0 < height; y0 += side {
		for x0 := 0; x0 < width; x0 += side {
			tile := make([]byte, side*side*8)
			for y := y0; y < min(y0+side, height); y++ {
				for x := x0; x < min(x0+side, width); x++ {
					binary.LittleEndian.PutUint64(tile[((y-y0)*side+x-x0)*8:], pix[y*width+x])
				}
			}
			pieces = append(pieces, deflate(tile))
		}
	}
	return encode(pieces, 64, field{tag: tileOffsets}, field{tileByteCounts, sizes(pieces)},
		field{tileWidth, []uint32{side}}, field{tileLength, []uint32{side}})
}

func deflate(p []byte) []byte {
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, zlib.BestCompression) // the level is sound
	w.Write(p)                                            // a Buffer takes all
	w.Close()
	return b.Bytes()
}

func sizes(pieces [][]byte) []uint32 {
	var n []uint32
	for _, p := range pieces {
		n = append(n, uint32(len(p)))
	}
	return n
}

// Tags of TIFF 6.0, and two values of them.
const (
	imageWidth      = 256
	imageLength     = 257
	bitsPerSample   = 258
	compression     = 259
	photometric     = 262
	stripOffsets    = 273
	samplesPerPixel = 277
	rowsPerStrip    = 278
	stripByteCounts = 279
	tileWidth       = 322
	tileLength      = 323
	tileOffsets     = 324
	tileByteCounts  = 325
	sampleFormat    = 339

	adobeDeflate = 8
	blackIsZero  = 1
	unsigned     = 1
)

// A field is an entry of the image file directory. One without values is for
// the offsets of the pieces.
type field struct {
	tag    uint16
	values []uint32
}

// kind is the number of the field's type. TIFF 6.0 leaves a choice only for
// counts and sizes.
func (f field) kind() uint16 {
	const short, long = 3, 4
	switch f.tag {
	case bitsPerSample, compression, photometric, samplesPerPixel, sampleFormat:
		return short
	}
	return long
}

// encode lays out a little-endian TIFF: header, directory, the lists that do not
// fit into the directory, pieces.
func encode(pieces [][]byte, bits uint32, layout ...field) []byte {
	fields := append(layout,
		field{imageWidth, []uint32{width}},
		field{imageLength, []uint32{height}},
		field{bitsPerSample, []uint32{bits}},
		field{compression, []uint32{adobeDeflate}},
		field{photometric, []uint32{blackIsZero}},
		field{samplesPerPixel, []uint32{1}},
		field{sampleFormat, []uint32{unsigned}},
	)
	slices.SortFunc(fields, func(a, b field) int { return cmp.Compare(a.tag, b.tag) })

	const header, entry = 8, 12
	lists := uint32(header + 2 + entry*len(fields) + 4)
	at := lists + 2*4*uint32(len(pieces)) // two lists: offsets and sizes
	for i := range fields {
		if fields[i].values == nil {
			fields[i].values = offsets(at, pieces)
		}
	}
	return append(directory(fields, lists), slices.Concat(pieces...)...)
}

// offsets says where the pieces lie if the first lies at.
func offsets(at uint32, pieces [][]byte) []uint32 {
	var list []uint32
	for _, p := range pieces {
		list = append(list, at)
		at += uint32(len(p))
	}
	return list
}

// directory is the start of the file up to the pieces; lists is where in it the
// long lists begin.
func directory(fields []field, lists uint32) []byte {
	le := binary.LittleEndian
	b := append([]byte("II*\x00"), 8, 0, 0, 0)
	b = le.AppendUint16(b, uint16(len(fields)))
	var tail []byte
	for _, f := range fields {
		b = le.AppendUint16(b, f.tag)
		b = le.AppendUint16(b, f.kind())
		b = le.AppendUint32(b, uint32(len(f.values)))
		if len(f.values) == 1 { // a SHORT lies at the left, as it does here
			b = le.AppendUint32(b, f.values[0])
			continue
		}
		b = le.AppendUint32(b, lists+uint32(len(tail)))
		for _, v := range f.values {
			tail = le.AppendUint32(tail, v)
		}
	}
	b = le.AppendUint32(b, 0) // no further image
	return append(b, tail...)
}
