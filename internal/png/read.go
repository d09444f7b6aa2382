package png

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
)

// A RowError is an image that breaks at a row: its pixels are damaged, or its
// file ends. The rows above Row are as they were written. Row may lie above the
// rows that were asked for: then those that earlier calls gave from Row on are not
// as they were written, either. Row depends on the file only, not on the boxes nor
// on the moment: what keeps a file from being read is another error.
//
// The rows whose chunks are there with their checksums are good, and those of a
// chunk too long to be checked before it is decoded if it is only cut off. If
// the chunks make no sense in spite of their checksums, no row is.
type RowError struct {
	Row int
	Err error
}

// Error names the row and the reason.
func (e *RowError) Error() string { return fmt.Sprintf("row %d: %v", e.Row, e.Err) }

// Unwrap gives the reason.
func (e *RowError) Unwrap() error { return e.Err }

// read fills dst with the rows of box.
func (m *Image) read(ctx context.Context, dst []byte, box image.Rectangle) error {
	if !m.began {
		m.began = true
		m.chunks = chunks{r: m.r, size: m.size, at: m.pixels, longer: m.rememberSure}
		m.rows.start(&m.chunks)
		m.rows.image(m.width, m.bits)
	}
	var err error
	if m.interlaced {
		err = m.readWhole(ctx, dst, box)
	} else {
		err = m.readBand(ctx, dst, box)
	}
	if err == nil && box.Max.Y == m.height {
		err = m.end()
	}
	if err != nil {
		return m.broken(box, err)
	}
	return nil
}

// rememberSure notes the rows that are decoded when a chunk begins that cannot be
// checked beforehand: all of them come from those before it.
func (m *Image) rememberSure() {
	m.sure = int(m.rows.dec.Decoded() / int64(1+m.rows.bytes))
}

// readBand is read for rows that come one after another.
func (m *Image) readBand(ctx context.Context, dst []byte, box image.Rectangle) error {
	width := box.Dx() * m.SampleSize()
	for m.row < box.Max.Y {
		if err := ctx.Err(); err != nil {
			return &readError{err}
		}
		var err error
		switch at := (m.row - box.Min.Y) * width; {
		case m.row < box.Min.Y:
			err = m.readPart(nil, box, min(scratchRows, box.Min.Y-m.row))
		case box.Dx() < m.width || m.bits < 8:
			n := min(scratchRows, box.Max.Y-m.row)
			err = m.readPart(dst[at:at+n*width], box, n)
		default:
			n := min(groupRows, box.Max.Y-m.row)
			err = m.readInPlace(dst[at : at+n*width])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readInPlace fills dst with whole rows.
func (m *Image) readInPlace(dst []byte) error {
	n, err := m.rows.read(dst)
	m.row += n
	if m.bits == 16 {
		swap(dst[:n*m.rows.bytes])
	}
	return err
}

// readPart reads n rows, and fills dst with what box has of them; dst may be nil.
func (m *Image) readPart(dst []byte, box image.Rectangle, n int) error {
	p := m.rows.scratch[:n*m.rows.bytes]
	n, err := m.rows.read(p)
	m.row += n
	for ; n > 0 && dst != nil; n-- {
		k := box.Dx() * m.SampleSize()
		unpack(dst[:k], p[:m.rows.bytes], box.Min.X, m.bits)
		dst, p = dst[k:], p[m.rows.bytes:]
	}
	return err
}

// end checks what comes behind the last row.
func (m *Image) end() error {
	if err := m.rows.end(); err != nil {
		return err
	}
	if m.chunks.long.left > 0 {
		return errTooMuch
	}
	if err := m.chunks.finish(); err != nil {
		return err
	}
	return m.damage // which lies behind the pixels
}

// broken is the error of an image that breaks behind the rows that were read.
func (m *Image) broken(box image.Rectangle, err error) error {
	if _, ok := errors.AsType[*readError](err); ok {
		return fmt.Errorf("row %d: %w", max(m.row, box.Min.Y), err)
	}
	row := 0
	_, cut := errors.AsType[missing](err)
	_, sum := errors.AsType[wrongSum](err)
	switch {
	case cut && m.damage != nil:
		row, err = m.row, m.damage
	case cut || sum:
		row = m.row
		if m.chunks.long.open {
			row = m.sure
		}
	case errors.Is(err, io.ErrUnexpectedEOF):
		row, err = m.row, errors.New("fewer data than its pixels take")
	}
	if m.interlaced {
		row = 0
	}
	return &RowError{min(row, m.height-1), err} // what breaks behind the last row takes it along
}

// swap makes integers of two bytes little-endian.
func swap(p []byte) {
	const even = 0x00ff00ff00ff00ff
	for le := binary.LittleEndian; len(p) >= 8; p = p[8:] {
		v := le.Uint64(p)
		le.PutUint64(p, v&even<<8|v>>8&even)
	}
	for ; len(p) >= 2; p = p[2:] {
		p[0], p[1] = p[1], p[0]
	}
}

// unpack fills dst with the pixels of row from x on: those of less than a byte
// come from the highest bits down (7.2).
func unpack(dst, row []byte, x, bits int) {
	switch bits {
	case 16:
		copy(dst, row[2*x:])
		swap(dst)
	case 8:
		copy(dst, row[x:])
	default:
		expand(dst, row, x, bits)
	}
}
