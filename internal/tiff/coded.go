package tiff

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
)

// A codedReader reads pixels that are compressed. Its state is where the last
// band ended: in the midst of a strip, or with the rest of a row of tiles kept.
type codedReader struct {
	*layout
	r io.ReaderAt

	in   segmentReader
	dec  decoder
	open bool   // seg is being decoded
	seg  int    // the segment that is
	next int    // its next row
	pix  []byte // rows of a segment, on their way

	kept view // the rows of the last row of tiles that lie below the last band
}

// batchBytes is how much is decoded before its pixels are put in order: it fits
// the second-level cache.
const batchBytes = 256 << 10

// batch is how many rows of a segment are decoded at once.
func (l *layout) batch() int { return min(max(1, batchBytes/l.rowBytes()), l.segHeight) }

// codedHeld is the most that a codedReader allocates: a decoder, a batch, and of
// tiles the rows that a band leaves over, at most all but one.
func (l *layout) codedHeld() int64 {
	held := l.decoderHeld() + int64(l.batch())*int64(l.rowBytes())
	if l.tiled {
		held += int64(l.width*l.bytes) * int64(min(l.segHeight, l.height)-1)
	}
	return held
}

// read fills v. With an error it gives the row that failed.
func (m *codedReader) read(ctx context.Context, v view) (y int, err error) {
	if m.tiled {
		return m.readTiles(ctx, v)
	}
	return m.readStrips(ctx, v)
}

// readStrips fills v, straight from the decoder where it wants whole rows. A
// strip is decoded once however the bands cut it, also if it is the whole image.
func (m *codedReader) readStrips(ctx context.Context, v view) (y int, err error) {
	whole := v.box.Dx() == m.width
	for y = v.box.Min.Y; y < v.box.Max.Y; {
		if err := m.seek(ctx, y); err != nil {
			return y, err
		}
		n := min(m.batch(), m.rows(m.seg)-m.next, v.box.Max.Y-y)
		var p []byte
		if whole {
			p = v.rows(y, y+n)
		} else {
			p = m.scratch(n)
		}
		good, err := m.readRows(ctx, p)
		if !whole {
			v.put(y, 0, p[:good*m.rowBytes()], m.rowBytes())
		}
		if y += good; err != nil {
			return y, err
		}
	}
	return y, nil
}

// seek makes y the next row of its strip.
func (m *codedReader) seek(ctx context.Context, y int) error {
	if i := y / m.segHeight; !m.open || m.seg != i {
		if err := m.start(i); err != nil {
			return err
		}
	}
	for m.next < y%m.segHeight {
		n := min(m.batch(), y%m.segHeight-m.next)
		if _, err := m.readRows(ctx, m.scratch(n)); err != nil {
			return err
		}
	}
	return nil
}

// readTiles fills v with rows of tiles. Each is decoded once: what a band does
// not want of it is kept for the next.
func (m *codedReader) readTiles(ctx context.Context, v view) (y int, err error) {
	for y = m.readKept(v); y < v.box.Max.Y; y = y - y%m.segHeight + m.segHeight {
		m.keep(v.box, y)
		for column := v.box.Min.X / m.segWidth; column*m.segWidth < v.box.Max.X; column++ {
			if row, err := m.readTile(ctx, v, y/m.segHeight, column); err != nil {
				return min(max(y, row), v.box.Max.Y-1), err
			}
		}
	}
	return y, nil
}

// readKept fills v with the rows that were kept and gives the row after them.
// Other columns than those were not kept, and are decoded again.
func (m *codedReader) readKept(v view) (y int) {
	y = v.box.Min.Y
	k := m.kept.box
	if v.box.Min.X < k.Min.X || v.box.Max.X > k.Max.X || y < k.Min.Y {
		return y
	}
	end := min(v.box.Max.Y, k.Max.Y)
	if y < end {
		v.put(y, k.Min.X, m.kept.rows(y, end), k.Dx()*m.bytes)
		y = end
	}
	return y
}

// keep makes room for the rows below box that the row of tiles at y has.
func (m *codedReader) keep(box image.Rectangle, y int) {
	end := min(y-y%m.segHeight+m.segHeight, m.height)
	box.Min.Y, box.Max.Y = box.Max.Y, max(box.Max.Y, end)
	n := box.Dx() * box.Dy() * m.bytes
	if cap(m.kept.pix) < n {
		m.kept.pix = make([]byte, n) // exactly, as Held says
	}
	m.kept = view{m.kept.pix[:n], box, m.bytes}
}

// readTile decodes a tile and puts its rows where they are wanted or kept. With
// an error it gives the row that failed.
func (m *codedReader) readTile(ctx context.Context, v view, row, column int) (y int, err error) {
	y = row * m.segHeight
	if err := m.start(row*m.across + column); err != nil {
		return y, err
	}
	x := column * m.segWidth
	for m.open {
		p, inPlace := m.place(v, x, y, min(m.batch(), m.segHeight-m.next))
		good, err := m.readRows(ctx, p)
		if !inPlace {
			v.put(y, x, p[:good*m.rowBytes()], m.rowBytes())
			m.kept.put(y, x, p[:good*m.rowBytes()], m.rowBytes())
		}
		if y += good; err != nil {
			return y, err
		}
	}
	return y, nil
}

// place is memory for up to n rows of a tile: where they are wanted or kept, if
// that has its columns and no others.
func (m *codedReader) place(v view, x, y, n int) (p []byte, inPlace bool) {
	for _, to := range []view{v, m.kept} {
		if to.box.Min.X == x && to.box.Dx() == m.segWidth && to.box.Min.Y <= y && y < to.box.Max.Y {
			return to.rows(y, min(y+n, to.box.Max.Y)), true
		}
	}
	return m.scratch(n), false
}

// scratch is memory for n rows that are on their way elsewhere, or nowhere.
func (m *codedReader) scratch(n int) []byte {
	if m.pix == nil {
		m.pix = make([]byte, m.batch()*m.rowBytes())
	}
	return m.pix[:n*m.rowBytes()]
}

// start begins with the first row of segment i.
func (m *codedReader) start(i int) error {
	m.open, m.seg, m.next = true, i, 0
	m.in = segmentReader{r: m.r, segment: m.segments[i]}
	m.dec.layout = m.layout
	return m.wrap(m.dec.reset(&m.in))
}

// readRows decodes the next rows of the segment, as many as p has room for, and
// after the last one checks that the segment ends there. It gives how many rows
// are good.
func (m *codedReader) readRows(ctx context.Context, p []byte) (good int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(m.dec.out, p)
	good = n / m.rowBytes()
	m.order(p[:good*m.rowBytes()])
	m.next += good
	if err != nil {
		return good, m.wrap(err)
	}
	if m.next < m.rows(m.seg) {
		return good, nil
	}
	m.open = false
	// Writers may fill up the last strip.
	padding := int64(m.segHeight-m.rows(m.seg)) * int64(m.rowBytes())
	return good, m.wrap(m.dec.end(padding))
}

// order makes pixels of decoded rows.
func (m *codedReader) order(p []byte) {
	m.littleEndian(p)
	if !m.differences {
		return
	}
	for row := range bytesOf(p, m.rowBytes()) {
		sum(row, m.bytes)
	}
}

// wrap says which segment an error is about, and whether it is to blame.
func (m *codedReader) wrap(err error) error {
	switch {
	case err == nil:
		return nil
	case m.in.err != nil:
		return fmt.Errorf("%s %d: %w", m.kind(), m.seg, m.in.err)
	case errors.Is(err, errors.ErrUnsupported):
		return fmt.Errorf("%s %d: %w", m.kind(), m.seg, err)
	}
	return m.broken(unexpected(err))
}

// A segmentReader reads the bytes of a segment.
type segmentReader struct {
	r       io.ReaderAt
	segment       // what is left of it
	err     error // why r could not be read, which is no fault of the segment's
}

// Read implements io.Reader.
func (s *segmentReader) Read(p []byte) (int, error) {
	if s.n == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), s.n)]
	n, err := s.r.ReadAt(p, s.offset)
	s.offset += int64(n)
	s.n -= int64(n)
	if n == len(p) {
		return n, nil
	}
	if s.err = unexpected(err); err == nil {
		s.err = io.ErrUnexpectedEOF
	}
	return n, s.err
}
