package png

import (
	"context"
	"image"
)

// passes are where the pixels of Adam7's passes lie: the first column and row,
// and the steps from one to the next (8.2).
var passes = [7]struct{ x, y, dx, dy int }{
	{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2},
}

// readWhole is read for an interlaced image, which is decoded at its first row
// and let go with its last.
func (m *Image) readWhole(ctx context.Context, dst []byte, box image.Rectangle) error {
	size := m.SampleSize()
	if m.whole == nil {
		m.whole = make([]byte, m.width*m.height*size)
		for i := range passes {
			if err := m.readPass(ctx, i); err != nil {
				return err
			}
		}
		m.row = m.height
	}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		n := copy(dst[:box.Dx()*size], m.whole[(y*m.width+box.Min.X)*size:])
		dst = dst[n:]
	}
	if box.Max.Y == m.height {
		m.whole = nil
	}
	return nil
}

// readPass reads a pass, which is an image of its own.
func (m *Image) readPass(ctx context.Context, i int) error {
	pass, size := passes[i], m.SampleSize()
	width := (m.width - pass.x + pass.dx - 1) / pass.dx
	if width <= 0 {
		return nil
	}
	m.rows.image(width, m.bits)
	row := make([]byte, width*size)
	for y := pass.y; y < m.height; y += pass.dy {
		if err := ctx.Err(); err != nil {
			return &readError{err}
		}
		p := m.rows.scratch[:m.rows.bytes]
		if _, err := m.rows.read(p); err != nil {
			return err
		}
		unpack(row, p, 0, m.bits)
		to := m.whole[(y*m.width+pass.x)*size:]
		for x := range width {
			copy(to[x*pass.dx*size:], row[x*size:(x+1)*size])
		}
	}
	return nil
}
