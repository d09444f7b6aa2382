package rendertest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"net/http"
	"net/url"
	"strconv"
)

// A drawing is an image that is asked for.
type drawing struct {
	stack         *Stack
	box           box
	kind          string
	at            func(x, y, z int) uint16
	width, height int // of the image
	low, high     float64
	outlines      bool // of tiles, instead of what is in them
	overlay       bool // a line for debugging is drawn across it
}

// read takes the query's parameters (RenderQueryParameters).
func (d *drawing) read(query url.Values, s *Server) (err error) {
	number := func(name string, otherwise float64) float64 {
		v, e := strconv.ParseFloat(query.Get(name), 64)
		if query.Has(name) && e != nil {
			err = fmt.Errorf("%s is %q", name, query.Get(name))
		}
		if e != nil {
			return otherwise
		}
		return v
	}
	d.low = number("minIntensity", 0)
	d.high = number("maxIntensity", float64(int(1)<<d.stack.Bits-1))
	d.box.scale = number("scale", d.box.scale)
	limit := int(number("maxTileSpecsToRender", float64(s.limit())))
	if s.Deaf {
		limit = s.limit()
	}
	tiles := d.stack.tiles(d.box.x, d.box.y, float64(d.box.width), float64(d.box.height), d.box.z)
	d.outlines = limit >= 0 && tiles > limit
	d.overlay = limit < 0 && tiles < 40
	if d.at = d.stack.At; query.Has("channels") {
		if d.at = d.stack.Channels[query.Get("channels")]; d.at == nil {
			return fmt.Errorf("channel %q does not exist", query.Get("channels"))
		}
	}
	// Cut off, as in RenderParameters.
	d.width, d.height = int(d.box.scale*float64(d.box.width)), int(d.box.scale*float64(d.box.height))
	switch {
	case err != nil:
		return err
	case tiles > 50000:
		return fmt.Errorf("query matches %d tiles, which is more than 50000", tiles)
	case d.width < 1 || d.height < 1 || d.width*d.height >= math.MaxInt32/4:
		return errors.New("Width (" + strconv.Itoa(d.width) + ") and height (" + strconv.Itoa(d.height) + ") must be > 0")
	}
	return nil
}

func (s *Server) limit() int {
	if s.Limit == 0 {
		return 20
	}
	return s.Limit
}

// body is the answer's.
func (s *Server) body(d *drawing, w http.ResponseWriter) []byte {
	if d.kind == "tiff16-image" {
		w.Header().Set("Content-Type", "image/tiff")
		if d.outlines {
			return tiff(d.rows(3, d.outline), d.width, d.height, 3, 8)
		}
		return tiff(d.rows(2, d.gray16), d.width, d.height, 1, 16)
	}
	w.Header().Set("Content-Type", "image/png")
	switch {
	case d.outlines:
		return s.png(d.rows(4, d.outline), d.width, d.height, 8, 6)
	case d.kind == "png16-image":
		return s.png(d.rows(2, d.gray16), d.width, d.height, 16, 0)
	}
	return s.png(d.rows(4, d.rgba), d.width, d.height, 8, 6)
}

// rows are the bytes of all pixels, n for each.
func (d *drawing) rows(n int, pixel func(p []byte, i, j int)) []byte {
	p := make([]byte, n*d.width*d.height)
	for j := range d.height {
		for i := range d.width {
			pixel(p[n*(j*d.width+i):][:n], i, j)
		}
	}
	return p
}

// sample is the pixel in column i and row j, and whether a tile shows it.
func (d *drawing) sample(i, j int) (uint16, bool) {
	if !d.stack.has(d.box.z) {
		return 0, false
	}
	x := int(math.Floor(d.box.x + (float64(i)+0.5)/d.box.scale))
	y := int(math.Floor(d.box.y + (float64(j)+0.5)/d.box.scale))
	return d.stack.pixel(d.at, x, y, d.box.z)
}

// rgba gives 8 bits: the same for red, green and blue, and alpha 0 where there
// is no tile. 16 bits become 8 as in ImageJ (TypeConverter.convertShortToByte).
func (d *drawing) rgba(p []byte, i, j int) {
	v, ok := d.sample(i, j)
	if !ok {
		return
	}
	gray := v
	if d.stack.Bits == 16 {
		scaled := math.Floor((float64(v)-d.low)*256/(d.high-d.low+1) + 0.5)
		gray = uint16(min(255, max(0, scaled)))
	}
	p[0], p[1], p[2], p[3] = byte(gray), byte(gray), byte(gray), 255
	if d.overlay && j == 0 {
		p[0], p[1], p[2] = 0, 255, 0
	}
}

// gray16 gives 16 bits as they are, whatever the intensities.
func (d *drawing) gray16(p []byte, i, j int) {
	v, _ := d.sample(i, j)
	binary.BigEndian.PutUint16(p, v)
}

// outline gives the edges of the image and of tiles in green, on black.
func (d *drawing) outline(p []byte, i, j int) {
	tile := d.stack.Tile
	x, y := int(math.Floor(d.box.x+float64(i)/d.box.scale))-d.stack.X.Min, int(math.Floor(d.box.y+float64(j)/d.box.scale))-d.stack.Y.Min
	if i == 0 || j == 0 || tile > 0 && (x%tile == 0 || y%tile == 0) {
		p[1] = 255
	}
	if len(p) == 4 {
		p[3] = 255
	}
}

// png packs rows as PNGJ does by default: each row by Paeth's filter (PNG
// Specification, 9.4), all in chunks of 32 KiB.
func (s *Server) png(rows []byte, width, height, bits, colour int) []byte {
	n := len(rows) / (width * height)
	var packed bytes.Buffer
	z, ok := s.packers.Get().(*zlib.Writer) // a new one takes a megabyte
	if !ok {
		z = zlib.NewWriter(nil)
	}
	defer s.packers.Put(z)
	z.Reset(&packed)
	above, line := make([]byte, width*n), make([]byte, width*n+1)
	for ; len(rows) > 0; rows = rows[width*n:] {
		line[0] = 4
		for i := range width * n {
			var left, upperLeft int
			if i >= n {
				left, upperLeft = int(rows[i-n]), int(above[i-n])
			}
			line[i+1] = rows[i] - paeth(left, int(above[i]), upperLeft)
		}
		z.Write(line)
		copy(above, rows)
	}
	z.Close()
	out := []byte("\x89PNG\r\n\x1a\n")
	head := binary.BigEndian.AppendUint32(nil, uint32(width))
	head = binary.BigEndian.AppendUint32(head, uint32(height))
	out = chunk(out, "IHDR", append(head, byte(bits), byte(colour), 0, 0, 0))
	for p := packed.Bytes(); len(p) > 0; {
		m := min(len(p), 32<<10)
		out = chunk(out, "IDAT", p[:m])
		p = p[m:]
	}
	return chunk(out, "IEND", nil)
}

func chunk(out []byte, name string, data []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
	body := append([]byte(name), data...)
	return binary.BigEndian.AppendUint32(append(out, body...), crc32.ChecksumIEEE(body))
}

// paeth is whichever of left, above and upper left is nearest to their sum.
func paeth(a, b, c int) byte {
	away := func(v int) int { return max(a+b-c-v, v-(a+b-c)) }
	switch {
	case away(a) <= away(b) && away(a) <= away(c):
		return byte(a)
	case away(b) <= away(c):
		return byte(b)
	}
	return byte(c)
}

// tiff packs rows as ImageJ does (ij.io.TiffEncoder): big-endian, one strip,
// nothing compressed, the pixels at 768.
func tiff(rows []byte, width, height, samples, bits int) []byte {
	const directory, extra, pixels = 8, 512, 768
	out := make([]byte, pixels, pixels+len(rows))
	copy(out, "MM\x00*\x00\x00\x00\x08")
	be := binary.BigEndian
	photometric, depth := 1, bits<<16 // a short stands left in its field
	if samples == 3 {
		photometric, depth = 2, extra
		for i := range samples {
			be.PutUint16(out[extra+2*i:], uint16(bits))
		}
	}
	entries := [][4]int{ // tag, type (3 short, 4 long), count, value
		{254, 4, 1, 0}, {256, 4, 1, width}, {257, 4, 1, height}, {258, 3, samples, depth}, {262, 3, 1, photometric << 16},
		{273, 4, 1, pixels}, {277, 3, 1, samples << 16}, {278, 4, 1, height}, {279, 4, 1, len(rows)},
	}
	be.PutUint16(out[directory:], uint16(len(entries)))
	for i, e := range entries {
		at := out[directory+2+12*i:]
		be.PutUint16(at, uint16(e[0]))
		be.PutUint16(at[2:], uint16(e[1]))
		be.PutUint32(at[4:], uint32(e[2]))
		be.PutUint32(at[8:], uint32(e[3]))
	}
	return append(out, rows...)
}
