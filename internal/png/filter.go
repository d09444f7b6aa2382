package png

import "encoding/binary"

// The filters of rows (9.2).
const (
	none = iota
	sub
	up
	average
	paeth
)

// unfilter undoes the filters of rows in p, below the row above, in place. left
// is how many bytes lie between a byte and the one left of it, 1 or 2.
//
// What Paeth's filter adds to a byte is known only when the byte left of it is:
// some eight cycles for each, in which the machine could do three times as much.
// So two such rows go at once, the lower one a byte behind; with two bytes to a
// pixel, those are the two.
func unfilter(p, above []byte, filters []byte, left int) {
	n := len(above)
	for i := 0; i < len(filters); i++ {
		row := p[:n]
		p = p[n:]
		switch f := filters[i]; {
		case f == sub:
			undoSub(row, left)
		case f == up:
			undoUp(row, above)
		case f == average:
			undoAverage(row, above, left)
		case f == paeth && left == 2:
			undoPaeth16(row, above)
		case f == paeth && i+1 < len(filters) && filters[i+1] == paeth:
			undoPaethPair(row, p[:n], above)
			i++
			row, p = p[:n], p[n:]
		case f == paeth:
			undoPaeth(row, above, 0, 0)
		}
		above = row
	}
}

func undoSub(row []byte, left int) {
	if left == 1 {
		var v byte
		for i, d := range row {
			v += d
			row[i] = v
		}
		return
	}
	var v, w byte
	for i := 1; i < len(row); i += 2 {
		v += row[i-1]
		w += row[i]
		row[i-1], row[i] = v, w
	}
}

// undoUp adds eight bytes at a time: without their highest bits none carries into
// the next, and these are added without a carry.
func undoUp(row, above []byte) {
	const low = 0x7f7f7f7f7f7f7f7f
	le := binary.LittleEndian
	for len(row) >= 8 && len(above) >= 8 {
		a, b := le.Uint64(row), le.Uint64(above)
		le.PutUint64(row, (a&low+b&low)^(a^b)&^low)
		row, above = row[8:], above[8:]
	}
	for i, b := range above {
		row[i] += b
	}
}

func undoAverage(row, above []byte, left int) {
	above = above[:len(row)]
	if left == 1 {
		var v byte
		for i, d := range row {
			v = d + byte((int(v)+int(above[i]))/2)
			row[i] = v
		}
		return
	}
	var v, w byte
	for i := 1; i < len(row); i += 2 {
		v = row[i-1] + byte((int(v)+int(above[i-1]))/2)
		w = row[i] + byte((int(w)+int(above[i]))/2)
		row[i-1], row[i] = v, w
	}
}

// undoPaeth undoes a row of which a and c are the last byte that is done and the
// one above it.
func undoPaeth(row, above []byte, a, c int) {
	above = above[:len(row)]
	for i, d := range row {
		b := int(above[i])
		a = int(d + predict(a, b, c))
		row[i] = byte(a)
		c = b
	}
}

// undoPaethPair undoes two rows.
func undoPaethPair(row, next, above []byte) {
	n := len(row)
	above, next = above[:n], next[:n]
	var a, c, nextA, nextC int
	for i := range n {
		// Of row byte i; of next byte i-1, below what is a.
		b := int(above[i])
		v := int(row[i] + predict(a, b, c))
		if i > 0 {
			w := int(next[i-1] + predict(nextA, a, nextC))
			next[i-1] = byte(w)
			nextA, nextC = w, a
		}
		row[i] = byte(v)
		a, c = v, b
	}
	undoPaeth(next[n-1:], row[n-1:], nextA, nextC)
}

// undoPaeth16 undoes a row of two bytes to a pixel.
func undoPaeth16(row, above []byte) {
	above = above[:len(row)]
	var a0, a1, c0, c1 int
	for i := 1; i < len(row); i += 2 {
		b0, b1 := int(above[i-1]), int(above[i])
		a0 = int(row[i-1] + predict(a0, b0, c0))
		a1 = int(row[i] + predict(a1, b1, c1))
		row[i-1], row[i] = byte(a0), byte(a1)
		c0, c1 = b0, b1
	}
}

// predict is which of left, above and above left is nearest to left + above -
// above left, in this order if it is several (9.4), without a branch and with
// little to wait for after a: as in Fabian Giesen's for stb_image. If a and b lie
// apart on either side of it, that is c.
func predict(a, b, c int) byte {
	t := 3*c - a - b
	lo, hi := min(a, b), max(a, b)
	v := c
	if hi <= t {
		v = lo
	}
	if t <= lo {
		v = hi
	}
	return byte(v)
}
