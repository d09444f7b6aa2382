package tiff

import (
	"errors"
	"fmt"
	"io"
)

// A RowError is an image that breaks at a row: its pixels are damaged, or its
// file ends. The rows above Row are as they were written. Row may lie above the
// rows that were asked for: then those that earlier calls gave from Row on are not
// as they were written, either. Row depends on the file and on which of its strips
// and tiles were wanted, for the others are not looked at, but not on the heights
// of boxes nor on the moment: what keeps a file from being read is another error.
//
// A strip whose bytes end early gives the rows above the end. One whose bytes
// are all there and make no sense gives none: an error comes to light at the
// damage or after it, and with deflate as late as in the checksum at the end, so
// the rows before may be wrong. Of tiles a whole row of them is lost either way.
type RowError struct {
	Row int
	Err error
}

// Error names the row and the reason.
func (e *RowError) Error() string { return fmt.Sprintf("row %d: %v", e.Row, e.Err) }

// Unwrap gives the reason.
func (e *RowError) Unwrap() error { return e.Err }

// A damage is what the directory and the file's size tell: the image ends above
// row, for the reason err. A strip that is cut off may end earlier still.
type damage struct {
	segment int
	row     int
	err     error
}

// Damage says what is missing if the file is too small for what its directory
// says, or the directory leaves out strips or tiles; nil if all seems to be
// there. ReadRows gives the rows above, and then fails for this reason.
func (m *Image) Damage() error {
	if m.layout.damage == nil {
		return nil
	}
	return fmt.Errorf("tiff: %w", m.layout.damage.err)
}

// breakAt makes segment i, of which avail bytes are there, the one where the
// image ends.
func (l *layout) breakAt(i int, avail int64, err error) {
	rows := avail * l.codec.ratio() / int64(l.rowBytes()) // at most
	switch {
	case l.tiled:
		rows = 0
	case l.codec != codecNone:
		// Behind a strip's last row there may be a checksum, which is not there.
		rows = min(rows, int64(l.rows(i)-1))
	}
	l.damage = &damage{i, i/l.across*l.segHeight + int(min(rows, int64(l.rows(i)))), err}
}

// there is how many rows of the image the file can have.
func (l *layout) there() int {
	if l.damage == nil {
		return l.height
	}
	return l.damage.row
}

// cut is the part of v that lies in the first rows of the image.
func (v view) cut(rows int) view {
	end := min(v.box.Max.Y, max(v.box.Min.Y, rows))
	v.pix = v.rows(v.box.Min.Y, end)
	v.box.Max.Y = end
	return v
}

// broken is the error of a segment that cannot be decoded: as a rule, its rows
// are lost as a whole. See [RowError].
func (m *codedReader) broken(err error) *RowError {
	first := m.seg / m.across * m.segHeight
	if d := m.damage; d != nil && d.segment == m.seg && errors.Is(err, io.ErrUnexpectedEOF) {
		return &RowError{first + m.next, d.err}
	}
	return &RowError{first, fmt.Errorf("%s %d: %w", m.kind(), m.seg, err)}
}
