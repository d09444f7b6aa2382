// Package raster gives the rows of an image file as voxels.
//
// What a file is, its first bytes say, not its name: TIFF or PNG. Gray images
// of unsigned integers are read exactly as they are stored, those of less than
// eight bits as bytes; everything else (colour, palettes, signed and
// floating-point numbers, stacks) is refused by its name, and nothing is
// converted. A file that is damaged or cut short is an error, never other voxels;
// it leaves the rows above the damage.
package raster

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/neurodata/ndpush/internal/png"
	"github.com/neurodata/ndpush/internal/tiff"
	"github.com/neurodata/ndpush/internal/voxel"
)

// An Image is a gray image, read downwards. One goroutine uses it at a time.
type Image struct {
	width, height int
	typ           voxel.Type
	rows          rows
	next          int // the row below the last one read
	failed        error
}

// rows is what a format gives: the pixels of box, little-endian, in dst. The
// box lies within the image, and below those before it.
type rows interface {
	ReadRows(ctx context.Context, dst []byte, box image.Rectangle) error
	Step() int
	Held() int64
	Damage() error
}

// Open reads what the file of that many bytes says of itself; no pixel is read,
// and memory for pixels is only taken by ReadRows. So compare Size with what is
// expected first. A file that is cut short behind its headers opens: see
// [Image.Damage]. The image goes on reading from r, and never closes it.
//
// An image that is sound but of a kind that is not read wraps
// errors.ErrUnsupported.
func Open(r io.ReaderAt, size int64) (*Image, error) {
	var head [8]byte
	if _, err := r.ReadAt(head[:min(8, max(0, size))], 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the first bytes: %w", err)
	}
	switch kind := string(head[:4]); {
	case size == 0:
		return nil, errors.New("the file is empty")
	case string(head[:]) == png.Magic:
		return openPNG(r, size)
	case kind == "II*\x00" || kind == "MM\x00*" || kind == "II+\x00" || kind == "MM\x00+":
		return openTIFF(r, size)
	}
	if name := sniff(head[:]); name != "" {
		return nil, unsupported(name)
	}
	return nil, fmt.Errorf("neither TIFF nor PNG: it begins with % x", head[:min(8, size)])
}

// openTIFF opens a TIFF or BigTIFF file.
func openTIFF(r io.ReaderAt, size int64) (*Image, error) {
	m, err := tiff.Open(r, size)
	if err != nil {
		return nil, err
	}
	width, height := m.Size()
	return &Image{width: width, height: height, typ: voxel.Type(m.SampleSize()), rows: tiffImage{m}}, nil
}

// openPNG opens a PNG file.
func openPNG(r io.ReaderAt, size int64) (*Image, error) {
	m, err := png.Open(r, size)
	if err != nil {
		return nil, err
	}
	width, height := m.Size()
	return &Image{width: width, height: height, typ: voxel.Type(m.SampleSize()), rows: pngImage{m}}, nil
}

// Size is the image's width and height in pixels; neither is 0.
func (m *Image) Size() (width, height int) { return m.width, m.height }

// Type is what its voxels are.
func (m *Image) Type() voxel.Type { return m.typ }

// Step is how many rows are best read at a time, or a multiple of it: the height
// of a tile, counted from row 0, or 1.
func (m *Image) Step() int { return m.rows.Step() }

// Held is the most memory in bytes that the image takes beside ReadRows' dst:
// little, but for an interlaced PNG, which is held as a whole.
func (m *Image) Held() int64 { return m.rows.Held() }

// ReadRows fills dst with the pixels that dst.Box says: x within the width, y
// within the height, both from 0; z is not looked at, but dst is one deep. Rows
// may be skipped, but never go back. Whatever else dst is, is an error that
// leaves the image as it was; after an error half-way, which names the row, the
// image gives no more. If the image is to blame, that is a [*RowError]; after any
// other error nothing in dst can be used.
func (m *Image) ReadRows(ctx context.Context, dst *voxel.Block) error {
	if err := m.check(dst); err != nil {
		return err
	}
	if m.failed != nil || dst.Box.Empty() {
		return m.failed
	}
	box := image.Rect(dst.Box.Min.X, dst.Box.Min.Y, dst.Box.Max.X, dst.Box.Max.Y)
	m.failed = m.rows.ReadRows(ctx, dst.Data, box)
	m.next = dst.Box.Max.Y
	return m.failed
}

// check is what every caller has to keep to.
func (m *Image) check(dst *voxel.Block) error {
	all := voxel.NewBox(voxel.Range{Max: m.width}, voxel.Range{Max: m.height}, dst.Box.Z())
	switch {
	case dst.Type != m.typ:
		return fmt.Errorf("voxels of %v into a block of %v", m.typ, dst.Type)
	case dst.Box.Z().Len() != 1:
		return fmt.Errorf("a block of %v, which is not one deep", dst.Box)
	case !all.Contains(dst.Box):
		return fmt.Errorf("a block of %v lies outside the image of %d×%d", dst.Box, m.width, m.height)
	case int64(len(dst.Data)) != dst.Box.Voxels()*int64(m.typ.Size()):
		return fmt.Errorf("a block of %v with %d bytes", dst.Box, len(dst.Data))
	case dst.Box.Min.Y < m.next && !dst.Box.Empty():
		return fmt.Errorf("row %d was passed", dst.Box.Min.Y)
	}
	return nil
}

// sniff names formats that people try, by their first bytes.
func sniff(head []byte) string {
	for _, f := range []struct{ magic, name string }{
		{"\xff\xd8\xff", "JPEG"},
		{"GIF8", "GIF"},
		{"BM", "BMP"},
		{"\x89HDF", "HDF5"},
		{"\x1f\x8b", "gzip"},
		{"PK\x03\x04", "ZIP"},
		{"\x00\x00\x00\x0cjP  ", "JPEG 2000"},
	} {
		if string(head[:min(len(head), len(f.magic))]) == f.magic {
			return f.name
		}
	}
	return ""
}

// An unsupported error is a kind of image that is not read, by its name.
type unsupported string

func (u unsupported) Error() string { return "cannot read " + string(u) }

// Is makes the error one of errors.ErrUnsupported.
func (u unsupported) Is(target error) bool { return target == errors.ErrUnsupported }
