package png

import (
	"errors"
	"fmt"
	"io"

	"github.com/neurodata/ndpush/internal/inflate"
)

const (
	// groupRows is how many rows are decoded before their filters are undone: rows
	// of Paeth's filter go in pairs, see unfilter.
	groupRows = 8
	// scratchRows is how many they are on the way to where they do not lie as they
	// do in the file.
	scratchRows = 2
)

var errFilter = errors.New("a row with a filter that there is not")

// A rowReader decodes rows. Its zero value is ready for start.
type rowReader struct {
	dec     inflate.Reader
	bytes   int // of a row, as it is packed
	left    int // how many bytes lie between a byte and the one left of it
	above   []byte
	scratch []byte
	filters [groupRows]byte
}

// rowsHeld is the most that a rowReader allocates, for rows of so many pixels.
func rowsHeld(width, bits int) int64 {
	return inflate.Held + (1+scratchRows)*rowBytes(width, bits)
}

// rowBytes is how many bytes a row of so many pixels takes (7.2).
func rowBytes(width, bits int) int64 { return (int64(width)*int64(bits) + 7) / 8 }

// start makes d read the rows of an image that width is not yet known of.
func (d *rowReader) start(src inflate.Source) { d.dec.Reset(src) }

// image makes the next row the first of an image of that width.
func (d *rowReader) image(width, bits int) {
	d.bytes, d.left = int(rowBytes(width, bits)), max(1, bits/8)
	if cap(d.above) < d.bytes {
		d.above, d.scratch = make([]byte, d.bytes), make([]byte, scratchRows*d.bytes)
	}
	d.above, d.scratch = d.above[:d.bytes], d.scratch[:scratchRows*d.bytes]
	clear(d.above)
}

// read fills p with rows, at most groupRows, as they are packed. With an error it
// gives how many there are.
func (d *rowReader) read(p []byte) (rows int, err error) {
	for rest := p; len(rest) > 0; rest = rest[d.bytes:] {
		if _, err = io.ReadFull(&d.dec, d.filters[rows:rows+1]); err != nil {
			break
		}
		if d.filters[rows] > paeth {
			err = fmt.Errorf("%w: %d", errFilter, d.filters[rows])
			break
		}
		if _, err = io.ReadFull(&d.dec, rest[:d.bytes]); err != nil {
			break
		}
		rows++
	}
	p = p[:rows*d.bytes]
	unfilter(p, d.above, d.filters[:rows], d.left)
	if rows > 0 {
		copy(d.above, p[(rows-1)*d.bytes:])
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // the stream is complete, and too short
	}
	return rows, err
}

// end checks that the pixels end here.
func (d *rowReader) end() error {
	var p [1]byte
	n, err := d.dec.Read(p[:])
	if n > 0 || errors.Is(err, io.EOF) && d.dec.Unused() > 0 {
		return errTooMuch
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

var errTooMuch = errors.New("more data than its pixels take")
