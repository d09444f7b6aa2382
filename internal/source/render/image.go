package render

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/url"
	"strconv"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/raster"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A kind is what a service draws, as the end of the request's path.
type kind string

const (
	// RGBA of 8 bits. Gray tiles have the same red, green and blue; where there is
	// no tile all are 0, and so is alpha.
	kindPNG kind = "png-image"
	// Gray of 16 bits, since January 2018; not compressed.
	kindTIFF16 kind = "tiff16-image"
	// Gray of 16 bits, in all services since July 2019.
	kindPNG16 kind = "png16-image"
)

// kindsOf are the kinds with all bits of t, the preferred first: TIFF takes less
// of a service's time.
func kindsOf(t voxel.Type) []kind {
	if t == voxel.Uint8 {
		return []kind{kindPNG}
	}
	return []kind{kindTIFF16, kindPNG16}
}

// headers is the most that an image has beside its pixels: chunks and tags.
const headers = 64 << 10

// maxBody is the most bytes that an image of that size takes on its way. Deflate
// adds five to 16 KiB that it cannot compress (RFC 1951 section 3.2.4), and PNG
// twelve to each of its chunks, which are 32 KiB in PNGJ.
func (k kind) maxBody(width, height int) int64 {
	w, h := int64(width), int64(height)
	raw := h * (2*w + 1)
	if k == kindPNG {
		raw = h * (4*w + 1)
	}
	return raw + raw/512 + headers
}

// decoded is what the image takes when it is decoded; TIFF goes straight to where
// it is wanted.
func (k kind) decoded(width, height int) int64 {
	n := int64(width) * int64(height)
	switch k {
	case kindPNG:
		return 4*n + headers
	case kindPNG16:
		return 2*n + 2*headers
	}
	return headers
}

// maxTiles is how many tiles a service may draw for a box. Of more it would draw
// the outlines and call that a success. Its own limit may be as low as its
// operators like, this is above any; 0 stands for none of them, and numbers
// below it for debugging.
const maxTiles = 1000000

// query is what is said beside the path.
func (s *Stack) query() string {
	q := url.Values{"maxTileSpecsToRender": {strconv.Itoa(maxTiles)}}
	if s.options.Channel != "" {
		q.Set("channels", s.options.Channel)
	}
	if w := s.options.Window; w != nil {
		q.Set("minIntensity", strconv.Itoa(w[0]))
		q.Set("maxIntensity", strconv.Itoa(w[1]))
	}
	return q.Encode()
}

// A slot is leave to have one request on its way, and the memory for its answer.
type slot struct{ body []byte }

// findKind asks for a small image of each kind, until there is one.
func (s *Stack) findKind(ctx context.Context) error {
	b := box{s.corner(s.Extent().X()), s.corner(s.Extent().Y()), s.sections[0]}
	dst := voxel.NewBlock(voxel.NewBox(b.x, b.y, voxel.Range{Max: 1}), s.options.Type)
	for _, s.kind = range kindsOf(s.options.Type) {
		err := s.fetch(ctx, b, dst)
		var e *Error
		switch {
		case errors.As(err, &e) && (e.Status == http.StatusNotFound || e.Status == http.StatusNotAcceptable):
			continue
		case errors.As(err, &e) && !e.Fatal():
			return nil // this box may be damaged, but that was understood
		}
		return err
	}
	return fmt.Errorf("the service draws no %v images (it has none of %v)", s.options.Type, kindsOf(s.options.Type))
}

// corner is the least that can be asked for where r begins.
func (s *Stack) corner(r voxel.Range) voxel.Range {
	return s.grid.align(voxel.Range{Min: r.Min, Max: r.Min + 1})
}

// fetch asks for b and fills what dst shares with it. dst is in scaled source
// coordinates; other boxes may fill other parts of it meanwhile.
func (s *Stack) fetch(ctx context.Context, b box, dst *voxel.Block) error {
	var slot *slot
	select {
	case slot = <-s.slots:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.slots <- slot }()
	path := s.path + s.grid.path(b, s.kind)
	return s.client.do(ctx, path, s.query(), func(resp *http.Response) (err error) {
		limit := s.kind.maxBody(b.x.Len(), b.y.Len())
		if slot.body, err = s.client.readBody(path, resp, slot.body, limit); err == nil {
			err = s.decode(ctx, slot.body, b, dst)
		}
		if err == nil {
			s.note(resp.Header.Get("ETag"))
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return explain(path, err)
	})
}

// explain says what an image that cannot be used means: that it came only in
// part, that it is another than was asked for, or that it is damaged.
func explain(path string, err error) error {
	var network *Error
	var other *AnswerError
	switch {
	case errors.As(err, &network):
		return network
	case errors.As(err, &other):
		other.Path = path
		return other
	}
	return &Error{Path: path, Status: http.StatusOK, Message: "the image is damaged: " + human.Message(err.Error()), class: damage}
}

// An AnswerError says that a service gave an image of another kind or size than
// was asked for. Like a file of a kind that is not read, it is no candidate for
// zeros, and wraps errors.ErrUnsupported.
type AnswerError struct {
	Path string // of the request, below the service's root: it names the box
	Says string // what came instead, and what to do
}

// Error gives one sentence.
func (e *AnswerError) Error() string { return "GET " + e.Path + ": " + e.Says }

// Is makes the error one of errors.ErrUnsupported.
func (e *AnswerError) Is(target error) bool { return target == errors.ErrUnsupported }

// other is an AnswerError whose path is not yet known.
func other(format string, args ...any) *AnswerError {
	return &AnswerError{Says: fmt.Sprintf(format, args...)}
}

// outlines is the error of an image that shows where tiles are.
func outlines(what string) *AnswerError {
	return other("%s: most likely outlines of tiles, which render draws when a box has more than it is allowed to draw"+
		" (webService.maxTileSpecsToRender): ask the service's operators to raise that, or read smaller boxes or at a larger scale;"+
		" if the stack is in colour, it cannot be read", what)
}

// decode reads the image of b.
func (s *Stack) decode(ctx context.Context, body []byte, b box, dst *voxel.Block) error {
	if s.kind == kindPNG {
		return decodeRGBA(body, b, dst)
	}
	return decodeGray(ctx, body, b, dst)
}

// decodeRGBA reads a PNG whose red, green and blue are the same.
func decodeRGBA(body []byte, b box, dst *voxel.Block) error {
	config, err := png.DecodeConfig(bytes.NewReader(body))
	if err != nil {
		return notImage(body, err)
	}
	if config.Width != b.x.Len() || config.Height != b.y.Len() {
		return wrongSize(config.Width, config.Height, b)
	}
	if m := config.ColorModel; m != color.NRGBAModel && m != color.RGBAModel && m != color.GrayModel {
		return other("a PNG that has not 8 bits of red, green and blue, which is no answer of render to this")
	}
	img, err := png.Decode(bytes.NewReader(body))
	if err != nil {
		return err
	}
	switch img := img.(type) {
	case *image.NRGBA:
		return copyRed(img.Pix, img.Stride, 4, b, dst)
	case *image.RGBA:
		return copyRed(img.Pix, img.Stride, 4, b, dst)
	case *image.Gray:
		return copyRed(img.Pix, img.Stride, 1, b, dst)
	}
	return other("a PNG that decodes as %T", img)
}

// copyRed copies the first of n bytes per pixel, after a look at the others: all
// are the same in a gray image, but for alpha.
func copyRed(pix []byte, stride, n int, b box, dst *voxel.Block) error {
	for y := range b.y.Len() {
		for i, row := 0, pix[y*stride:]; n == 4 && i < 4*b.x.Len(); i += 4 {
			if row[i] != row[i+1] || row[i] != row[i+2] {
				return outlines(fmt.Sprintf("colour at pixel %d, %d of the image", i/4, y))
			}
		}
	}
	x, rows := b.x.Intersect(dst.Box.X()), b.y.Intersect(dst.Box.Y())
	for y := rows.Min; y < rows.Max; y++ {
		to := dst.Row(y, dst.Box.Min.Z)[x.Min-dst.Box.Min.X : x.Max-dst.Box.Min.X]
		from := pix[(y-b.y.Min)*stride+(x.Min-b.x.Min)*n:]
		for i := range to {
			to[i] = from[i*n]
		}
	}
	return nil
}

// decodeGray reads a TIFF or PNG of 16 bits. Outlines come in colour, of 8 bits.
func decodeGray(ctx context.Context, body []byte, b box, dst *voxel.Block) error {
	img, err := raster.Open(bytes.NewReader(body), int64(len(body)))
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return outlines(err.Error())
	case err != nil:
		return notImage(body, err)
	}
	if w, h := img.Size(); w != b.x.Len() || h != b.y.Len() {
		return wrongSize(w, h, b)
	}
	if img.Type() != voxel.Uint16 {
		return other("an image of %v, where 16 bits were asked for", img.Type())
	}
	if err := img.Damage(); err != nil {
		return err // also if dst has no use for what is missing
	}
	x, rows := b.x.Intersect(dst.Box.X()), b.y.Intersect(dst.Box.Y())
	for y := rows.Min; y < rows.Max; y++ {
		to := dst.Row(y, dst.Box.Min.Z)[2*(x.Min-dst.Box.Min.X) : 2*(x.Max-dst.Box.Min.X)]
		row := voxel.NewBox(x.Add(-b.x.Min), voxel.Range{Min: y - b.y.Min, Max: y - b.y.Min + 1}, voxel.Range{Max: 1})
		if err := img.ReadRows(ctx, &voxel.Block{Box: row, Type: voxel.Uint16, Data: to}); err != nil {
			return err
		}
	}
	return nil
}

// wrongSize is the error of an image of another size than b.
func wrongSize(w, h int, b box) *AnswerError {
	return other("an image of %d×%d pixels, where %d×%d were asked for: the service rounds in a way of its own, so its pixels cannot be placed",
		w, h, b.x.Len(), b.y.Len())
}

// notImage is the error of an answer that is no sound image: one that begins as
// an image does is damaged, anything else is another kind of answer.
func notImage(body []byte, err error) error {
	for _, magic := range []string{"\x89PNG", "II", "MM"} {
		if bytes.HasPrefix(body, []byte(magic)) {
			return err
		}
	}
	return other("no image but %q", human.Message(string(body[:min(len(body), 200)])))
}
