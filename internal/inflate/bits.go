package inflate

import "encoding/binary"

// fill makes n at least want, at most 56, if the data have so many bits: with an
// error there are fewer.
func (r *Reader) fill(want uint) error {
	if r.n >= want {
		return nil
	}
	r.bits &= 1<<r.n - 1
	if r.pos <= len(r.in)-8 {
		r.bits |= binary.LittleEndian.Uint64(r.in[r.pos:]) << r.n
		r.pos += int(63-r.n) >> 3
		r.n |= 56
		return nil
	}
	for r.n < want {
		if r.pos == len(r.in) {
			if err := r.next(); err != nil {
				return err
			}
			continue
		}
		r.bits |= uint64(r.in[r.pos]) << r.n
		r.pos++
		r.n += 8
	}
	return nil
}

// drop passes k bits, of those that are there.
func (r *Reader) drop(k uint) {
	r.bits >>= k & 63
	r.n -= k
}

// take gives the next k bits, at most 32.
func (r *Reader) take(k uint) (uint32, error) {
	if err := r.fill(k); err != nil {
		return 0, err
	}
	v := uint32(r.bits & (1<<k - 1))
	r.drop(k)
	return v, nil
}
