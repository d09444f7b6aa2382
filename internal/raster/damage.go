package raster

import (
	"context"
	"errors"
	"fmt"
	"image"

	"github.com/neurodata/ndpush/internal/png"
	"github.com/neurodata/ndpush/internal/tiff"
)

// A RowError is an image that breaks at a row: its file is damaged, or ends. The
// rows above Row are as they were written. Row may lie above the rows that were
// asked for: then those that earlier calls gave from Row on are not as they were
// written, either. Row depends on the file and on which of a TIFF's strips and
// tiles were wanted, for the others are not looked at, but not on how many rows
// were asked for at a time nor on the moment: what keeps a file from being read is
// another error.
type RowError struct {
	Row int
	Err error // names the format, not the row
}

// Error names the row and the reason.
func (e *RowError) Error() string { return fmt.Sprintf("row %d: %v", e.Row, e.Err) }

// Unwrap gives the reason.
func (e *RowError) Unwrap() error { return e.Err }

// Damage says what is missing of the image, if its headers tell; nil if all
// seems to be there. ReadRows gives the rows above, and then fails for this
// reason.
func (m *Image) Damage() error { return m.rows.Damage() }

// A tiffImage is a TIFF file.
type tiffImage struct{ *tiff.Image }

// ReadRows implements rows.
func (m tiffImage) ReadRows(ctx context.Context, dst []byte, box image.Rectangle) error {
	err := m.Image.ReadRows(ctx, dst, box)
	if broken, ok := errors.AsType[*tiff.RowError](err); ok {
		return &RowError{broken.Row, fmt.Errorf("tiff: %w", broken.Err)}
	}
	return err
}

// A pngImage is a PNG file.
type pngImage struct{ *png.Image }

// ReadRows implements rows.
func (m pngImage) ReadRows(ctx context.Context, dst []byte, box image.Rectangle) error {
	err := m.Image.ReadRows(ctx, dst, box)
	if broken, ok := errors.AsType[*png.RowError](err); ok {
		return &RowError{broken.Row, fmt.Errorf("png: %w", broken.Err)}
	}
	return err
}
