package png

import "encoding/binary"

// expanded are the pixels of a byte that holds eight of 1 bit, four of 2 or two
// of 4, the first one lowest. With them masks are read at five times the speed
// of a shift for each pixel (see BenchmarkLibpng).
var expanded = [...][256]uint64{1: makeExpanded(1), 2: makeExpanded(2), 4: makeExpanded(4)}

func makeExpanded(bits int) (t [256]uint64) {
	for v := range t {
		for x := range 8 / bits {
			t[v] |= uint64(pixel([]byte{byte(v)}, x, bits)) << (8 * x)
		}
	}
	return t
}

// pixel is the one at x of less than a byte.
func pixel(row []byte, x, bits int) byte {
	at := x * bits
	return row[at/8] >> (8 - bits - at%8) & (1<<bits - 1)
}

// expand is unpack for pixels of less than a byte.
func expand(dst, row []byte, x, bits int) {
	t, each := &expanded[bits], 8/bits
	for len(dst) > 0 && x%each != 0 {
		dst[0] = pixel(row, x, bits)
		dst = dst[1:]
		x++
	}
	row = row[x/each:]
	// What is written behind a byte's pixels is written again with the next one's.
	for len(dst) >= 8 {
		binary.LittleEndian.PutUint64(dst, t[row[0]])
		dst, row = dst[each:], row[1:]
	}
	for x := range dst {
		dst[x] = pixel(row, x, bits)
	}
}
