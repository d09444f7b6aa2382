package localboss

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"net/http"
	"strings"

	"github.com/neurodata/ndpush/internal/voxel"
)

// Pictures of slices are at /v1/image/, by the ranges of two axes and a place on
// the third, and at /v1/tile/, by the index of a square (bosstiles/views.py). A
// tile that the frame ends in is refused, so pictures of all of a channel are
// made with the first.

// getImage serves /v1/image/.
func (s *Server) getImage(c *call) reply {
	ranges := [3]voxel.Range{}
	malformed, flat := false, false
	for i, text := range c.names[5:8] {
		one := !strings.Contains(text, ":")
		if i == normal(c.names[3]) {
			malformed = malformed || !one // int() of it fails
		} else {
			flat = flat || one
		}
		ranges[i] = parseRange(text)
	}
	at := place{
		level: c.names[4], times: c.names[8],
		box:  voxel.NewBox(ranges[0], ranges[1], ranges[2]),
		text: strings.Join(c.names[4:8], "/"), malformed: malformed,
	}
	if flat && !malformed {
		at.box, at.text = voxel.Box{}, strings.Join(c.names[5:8], "/")
	}
	return s.picture(c, at)
}

// getTile serves /v1/tile/.
func (s *Server) getTile(c *call) reply {
	size := parseNumber(c.names[4])
	ranges := [3]voxel.Range{}
	for i, text := range c.names[6:9] {
		n, step := parseNumber(text), size
		if i == normal(c.names[3]) {
			step = 1
		}
		ranges[i] = voxel.Range{Min: n * step, Max: (n + 1) * step}
	}
	return s.picture(c, place{
		level: c.names[5], times: c.names[9],
		box:  voxel.NewBox(ranges[0], ranges[1], ranges[2]),
		text: strings.Join(c.names[5:9], "/"),
	})
}

// normal is the axis that a plane has one place on: 0 for x, 1 for y, 2 for z.
func normal(plane string) int {
	switch plane {
	case "yz":
		return 0
	case "xz":
		return 1
	}
	return 2
}

// picture answers with a slice. The first axis of the plane's name runs to the
// right, the second downwards.
func (s *Server) picture(c *call, at place) reply {
	if !c.accessMode() {
		return page(http.StatusInternalServerError)
	}
	cut, p, ok := s.judge(c, at)
	if !ok {
		return p
	}
	if cut.bytes() > maxCutout {
		return bossError(tooLarge, "Cutout request is over 1GB when uncompressed. Reduce cutout dimensions.")
	}
	colours := cut.datatype == voxel.Uint64
	if cut.unreadable() || colours && c.accept == jpegType { // JPEG knows no transparency
		return page(http.StatusInternalServerError)
	}
	return s.render(c, cut, packPicture)
}

// packPicture is the packer of the services of pictures.
func packPicture(body []byte, c *call, cut cutout, voxels []byte) ([]byte, error) {
	width, height := cut.box.Size().X, cut.box.Size().Y
	switch c.names[3] {
	case "xz":
		height = cut.box.Size().Z
	case "yz":
		width, height = cut.box.Size().Y, cut.box.Size().Z
	}
	var m image.Image
	switch cut.datatype {
	case voxel.Uint8:
		m = grayImage(voxels, width, height)
	case voxel.Uint16:
		m = grayImage(highBytes(voxels), width, height)
	default:
		m = labelImage(voxels, width, height)
	}
	if c.accept == jpegType {
		return appendJPEG(body, m, 75) // Pillow's default
	}
	b := bytes.NewBuffer(body)
	err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(b, m)
	return b.Bytes(), err
}

func appendJPEG(body []byte, m image.Image, quality int) ([]byte, error) {
	b := bytes.NewBuffer(body)
	err := jpeg.Encode(b, m, &jpeg.Options{Quality: quality})
	return b.Bytes(), err
}

func grayImage(pix []byte, width, height int) *image.Gray {
	return &image.Gray{Pix: pix, Stride: width, Rect: image.Rect(0, 0, width, height)}
}

// highBytes are the high bytes of uint16 voxels: a picture has 8 bits.
func highBytes(voxels []byte) []byte {
	high := make([]byte, len(voxels)/2)
	for i := range high {
		high[i] = voxels[2*i+1]
	}
	return high
}

// labelImage gives labels colours; 0 is transparent.
func labelImage(voxels []byte, width, height int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	colours := labelColours()
	for i := 0; i < len(voxels); i += 8 {
		if id := binary.LittleEndian.Uint64(voxels[i:]); id != 0 {
			c := colours[id%uint64(len(colours))]
			copy(m.Pix[i/2:], []byte{c.R, c.G, c.B, c.A})
		}
	}
	return m
}

// labelColours are those of spdb (c_lib/rgbColor.py and recolor): hues a golden
// ratio of the circle apart, so that the colours of close ids are far apart. It
// writes blue where red is read.
func labelColours() (colours [217]color.NRGBA) {
	const first, step = 0.32494, math.Phi - 1
	for i := range colours {
		_, hue := math.Modf(first + float64(i)*step)
		r, g, b := pastel(hue)
		colours[i] = color.NRGBA{R: b, G: g, B: r, A: 255}
	}
	return colours
}

// pastel is the colour of a hue with half of the saturation and nearly all of
// the brightness.
func pastel(hue float64) (r, g, b uint8) {
	const high, low = 0.95, 0.475
	sector, part := math.Modf(6 * hue)
	up, down := low+(high-low)*part, high-(high-low)*part
	of := func(r, g, b float64) (uint8, uint8, uint8) { return uint8(256 * r), uint8(256 * g), uint8(256 * b) }
	switch sector {
	case 0:
		return of(high, up, low)
	case 1:
		return of(down, high, low)
	case 2:
		return of(low, high, up)
	case 3:
		return of(low, down, high)
	case 4:
		return of(up, low, high)
	}
	return of(high, low, down)
}
