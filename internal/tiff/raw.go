package tiff

import (
	"context"
	"io"
)

const (
	// maxRun bounds one read of the file, so that ctx is looked at now and then.
	maxRun = 16 << 20

	// scratchBytes is the size of a read on the way to rows that do not lie in
	// dst as they lie in the file: it fits the second-level cache.
	scratchBytes = 256 << 10
)

// A rawReader reads pixels that are stored as they are.
type rawReader struct {
	*layout
	r       io.ReaderAt
	scratch []byte
}

// rawHeld is the most that a rawReader allocates.
func (l *layout) rawHeld() int64 { return max(scratchBytes, int64(l.rowBytes())) }

// read fills v. With an error it gives the row that failed.
func (m *rawReader) read(ctx context.Context, v view) (y int, err error) {
	for y = v.box.Min.Y; y < v.box.Max.Y; {
		n := m.run(y, v.box.Max.Y)
		for column := v.box.Min.X / m.segWidth; column*m.segWidth < v.box.Max.X; column++ {
			if err := ctx.Err(); err != nil {
				return y, err
			}
			if good, err := m.readRun(v, column, y, n); err != nil {
				return y + good, err
			}
		}
		y += n
	}
	return y, nil
}

// run is the number of rows from y up to end that one read can bring: those
// that follow each other in the file. Strips mostly do, whatever their height.
func (m *rawReader) run(y, end int) int {
	i := y / m.segHeight
	to := (i + 1) * m.segHeight
	for !m.tiled && to < end && m.segments[i+1].offset == m.segments[i].offset+int64(m.segHeight*m.rowBytes()) {
		i++
		to += m.segHeight
	}
	return min(to, end, y+max(1, maxRun/m.rowBytes())) - y
}

// readRun fills rows y to y+n of v with what they share with that column of
// segments. With an error it gives the number of rows before the one that failed.
func (m *rawReader) readRun(v view, column, y, n int) (good int, err error) {
	i := y/m.segHeight*m.across + column
	offset := m.segments[i].offset + int64(y%m.segHeight*m.rowBytes())
	left := column * m.segWidth
	if left == v.box.Min.X && m.segWidth == v.box.Dx() {
		p := v.rows(y, y+n)
		good, err = m.readAt(p, offset)
		m.littleEndian(p)
		return good, err
	}
	return m.readPart(v, left, y, n, offset)
}

// readPart is readRun for rows of which v wants a part.
func (m *rawReader) readPart(v view, left, y, n int, offset int64) (good int, err error) {
	for good < n {
		k := min(n-good, max(1, scratchBytes/m.rowBytes()))
		if m.scratch == nil {
			m.scratch = make([]byte, m.rawHeld())
		}
		p := m.scratch[:k*m.rowBytes()]
		if more, err := m.readAt(p, offset); err != nil {
			return good + more, err
		}
		m.littleEndian(p)
		v.put(y+good, left, p, m.rowBytes())
		good += k
		offset += int64(len(p))
	}
	return good, nil
}

// readAt fills p from offset. With an error it gives the number of whole rows.
func (m *rawReader) readAt(p []byte, offset int64) (good int, err error) {
	n, err := m.r.ReadAt(p, offset)
	if n == len(p) {
		return 0, nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return n / m.rowBytes(), err
}
