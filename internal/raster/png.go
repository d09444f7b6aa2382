package raster

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"

	"github.com/neurodata/ndpush/internal/voxel"
)

// pngMagic begins every PNG file (PNG Specification, Third Edition, 5.2).
const pngMagic = "\x89PNG\r\n\x1a\n"

// pngColours names the colour types that are not plain gray (11.2.1).
var pngColours = map[byte]string{2: "RGB", 3: "palette", 4: "gray and alpha", 6: "RGB and alpha"}

// A pngImage is a PNG file, which image/png decodes as a whole at the first row:
// of one that is damaged it gives nothing, so all rows are lost. The image is let
// go with its last row.
type pngImage struct {
	r             io.ReaderAt
	size          int64
	width, height int
	bytes         int // per pixel
	interlaced    bool
	damage        error // what is missing, if that is known

	pix    []byte // little-endian, once decoded
	stride int
}

// openPNG reads the chunks before the pixels: IHDR first, which image/png would
// believe without a look at the file's size, and those after it.
func openPNG(r io.ReaderAt, size int64) (*Image, error) {
	m := &pngImage{r: r, size: size}
	if err := m.header(); err != nil {
		return nil, fmt.Errorf("png: %w", err)
	}
	pixels, err := m.findPixels()
	if err == nil {
		err = m.findEnd(pixels)
	}
	if err != nil {
		return nil, fmt.Errorf("png: %w", err)
	}
	return &Image{width: m.width, height: m.height, typ: voxel.Type(m.bytes), rows: m}, nil
}

// header reads IHDR (11.2.1): width, height, bits, colour type, compression,
// filter and interlace methods.
func (m *pngImage) header() error {
	var p [25]byte // the length, "IHDR", 13 bytes, a checksum
	if err := m.readAt(p[:], int64(len(pngMagic))); err != nil {
		return err
	}
	if string(p[:8]) != "\x00\x00\x00\rIHDR" {
		return errors.New("the first chunk is not IHDR")
	}
	width, height := binary.BigEndian.Uint32(p[8:]), binary.BigEndian.Uint32(p[12:])
	bits, colour := p[16], p[17]
	name, ok := pngColours[colour]
	switch {
	case ok:
		return unsupported(name + " images")
	case colour != 0:
		return fmt.Errorf("colour type %d", colour)
	case bits != 8 && bits != 16:
		return unsupported(fmt.Sprintf("gray of %d bits", bits))
	case width == 0 || height == 0 || width > 1<<31-1 || height > 1<<31-1:
		return fmt.Errorf("%d×%d pixels, where PNG has 1 to 2147483647 each way", width, height)
	}
	m.width, m.height, m.bytes = int(width), int(height), int(bits/8)
	m.interlaced = p[20] != 0
	return m.plausible()
}

// plausible refuses an image that the file is too small for: deflate makes at
// most 1032 bytes of one (258 of two bits, RFC 1951 section 3.2.5). So a short
// file cannot ask for much memory.
func (m *pngImage) plausible() error {
	if int64(m.width)*int64(m.bytes) > m.size*1032/int64(m.height) {
		return fmt.Errorf("%d×%d pixels cannot be in a file of %d bytes", m.width, m.height, m.size)
	}
	return nil
}

// maxChunks bounds the walk to the pixels; real files have a dozen at most.
const maxChunks = 1000

// findPixels walks over the chunks between IHDR and the first IDAT, and gives
// where that is. A colour to take for transparent would make image/png give
// another kind of image.
func (m *pngImage) findPixels() (at int64, err error) {
	at = int64(len(pngMagic) + 25)
	for range maxChunks {
		var p [8]byte // its length and its name
		if err := m.readAt(p[:], at); err != nil {
			return 0, err
		}
		switch string(p[4:]) {
		case "IDAT":
			return at, nil
		case "tRNS":
			return 0, unsupported("gray with a transparent value (tRNS)")
		}
		at += 12 + int64(binary.BigEndian.Uint32(p[:]))
	}
	return 0, fmt.Errorf("no pixels within %d chunks", maxChunks)
}

// readAt fills p from offset.
func (m *pngImage) readAt(p []byte, offset int64) error {
	if end := offset + int64(len(p)); end > m.size {
		return m.truncated(end)
	}
	n, err := m.r.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	return unexpected(err)
}

// Held is the image; image/png decodes the passes of an interlaced one apart.
func (m *pngImage) Held() int64 {
	pixels := int64(m.width) * int64(m.height) * int64(m.bytes)
	if m.interlaced {
		pixels *= 2
	}
	return pixels + 2*int64(m.width)*int64(m.bytes) + decoderBytes
}

// decoderBytes is image/png's state, and the buffer before it.
const decoderBytes = readAhead + 64<<10

// readAhead is how much of the file is read at once.
const readAhead = 64 << 10

// ReadRows implements rows.
func (m *pngImage) ReadRows(ctx context.Context, dst []byte, box image.Rectangle) error {
	err := m.damage
	if err == nil {
		err = m.decode(ctx)
	}
	if _, ok := errors.AsType[*readError](err); ok || errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("png: row %d: %w", box.Min.Y, err)
	}
	if err != nil {
		return &RowError{box.Min.Y, fmt.Errorf("png: %w (all rows are decoded at once)", err)}
	}
	n := box.Dx() * m.bytes
	for y := box.Min.Y; y < box.Max.Y; y++ {
		row := m.pix[y*m.stride+box.Min.X*m.bytes:]
		copy(dst[:n], row[:n])
		dst = dst[n:]
	}
	if box.Max.Y == m.height {
		m.pix = nil
	}
	return nil
}

// decode makes pix the pixels, little-endian.
func (m *pngImage) decode(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return &readError{err}
	}
	if m.pix != nil {
		return nil
	}
	file := &reader{ctx: ctx, r: m.r, size: m.size}
	img, err := png.Decode(bufio.NewReaderSize(file, readAhead))
	if format, ok := errors.AsType[png.FormatError](err); ok {
		err = errors.New(string(format)) // without "png: invalid format: "
	}
	if file.err != nil {
		return file.err
	}
	if err != nil {
		return unexpected(err)
	}
	switch img := img.(type) {
	case *image.Gray:
		m.pix, m.stride = img.Pix, img.Stride
	case *image.Gray16:
		m.pix, m.stride = img.Pix, img.Stride
		for i := 0; i+1 < len(m.pix); i += 2 {
			m.pix[i], m.pix[i+1] = m.pix[i+1], m.pix[i]
		}
	default:
		return unsupported(fmt.Sprintf("what decodes as %T", img))
	}
	return nil
}

// A readError is why a file cannot be read, which is no fault of the image's.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// A reader reads a file from its first byte. It stops when its ctx is done:
// image/png knows no contexts.
type reader struct {
	ctx      context.Context
	r        io.ReaderAt
	at, size int64
	err      error // a *readError, once there was one
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if r.at == r.size {
		return 0, io.EOF
	}
	if err := r.ctx.Err(); err != nil {
		r.err = &readError{err}
		return 0, r.err
	}
	p = p[:min(int64(len(p)), r.size-r.at)]
	n, err := r.r.ReadAt(p, r.at)
	if r.at += int64(n); n == len(p) {
		return n, nil
	}
	r.err = &readError{unexpected(err)}
	return n, r.err
}

// unexpected makes the end of the file, where more should be, an error that
// nobody takes for the end of the work.
func unexpected(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
