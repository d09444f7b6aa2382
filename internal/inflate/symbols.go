package inflate

import "encoding/binary"

// symbols decodes symbols until the block ends or the limit is reached.
func (r *Reader) symbols() error {
	for r.end < r.limit {
		r.fast()
		if r.end >= r.limit {
			break
		}
		done, err := r.symbol()
		if err != nil {
			return err
		}
		if done {
			r.step = (*Reader).block
			break
		}
	}
	return nil
}

// fastGo decodes symbols while there are words of input, and stops before what it
// does not know.
//
// A word that is or'd to the buffer brings more bits than are counted; the same
// ones come again with the next word. What an entry has above its size is taken
// from n with it, and only the low six bits of n are looked at. Of a pair of
// literals the second is always written, and is overwritten if it is none.
func (r *Reader) fastGo() {
	const litMask, distMask = 1<<litBits - 1, 1<<distBits - 1
	in, pos, b, n := r.in, r.pos, r.bits, r.n
	buf, end, limit := r.buf, uint(r.end), uint(r.limit)
	lit, dist := &r.lit.table, &r.dist.table

	for last := len(in) - 16; pos <= last && end < limit; {
		b |= binary.LittleEndian.Uint64(in[pos:]) << (n & 63)
		pos += int((^n & 63) >> 3)
		n |= 56
		e := lit[b&litMask]
		if e&isLiteral != 0 {
			buf[end], buf[end+1] = byte(e>>16), byte(e>>24)
			end += uint(e >> 8 & 3)
			b >>= e & 63
			n -= uint(e)
			e = lit[b&litMask]
			if e&isLiteral != 0 {
				buf[end], buf[end+1] = byte(e>>16), byte(e>>24)
				end += uint(e >> 8 & 3)
				b >>= e & 63
				n -= uint(e)
				e = lit[b&litMask]
				if e&isLiteral != 0 {
					buf[end], buf[end+1] = byte(e>>16), byte(e>>24)
					end += uint(e >> 8 & 3)
					b >>= e & 63
					n -= uint(e)
					e = lit[b&litMask]
					if e&isLiteral != 0 {
						buf[end], buf[end+1] = byte(e>>16), byte(e>>24)
						end += uint(e >> 8 & 3)
						b >>= e & 63
						n -= uint(e)
						continue
					}
				}
			}
			b |= binary.LittleEndian.Uint64(in[pos:]) << (n & 63)
			pos += int((^n & 63) >> 3)
			n |= 56
		}
		if e&isOther != 0 {
			break
		}
		rest := b >> (e & 63)
		d := dist[rest&distMask]
		distance := uint(d>>16) + uint(rest&(1<<(d&63)-1)>>(d>>8&15))
		if d&isOther != 0 || distance > end {
			break
		}
		length := uint(e>>16) + uint(b&(1<<(e&63)-1)>>(e>>8&15))
		b = rest >> (d & 63)
		n -= uint(e&63 + d&63)
		match(buf, int(end), int(distance), int(length))
		end += length
	}
	r.pos, r.bits, r.n, r.end = pos, b, n&63, int(end)
}

// match copies a match to end, word by word, and up to ten bytes behind it.
func match(buf []byte, end, distance, length int) {
	if distance >= length && length > 64 {
		copy(buf[end:end+length], buf[end-distance:])
		return
	}
	to := end
	// What has a period of a few bytes has one of eight to fourteen, too.
	for period := distance; distance < 8; distance += period {
		for range period {
			buf[to] = buf[to-period]
			to++
		}
	}
	for end += length; to < end; to += 8 {
		*(*[8]byte)(buf[to:]) = [8]byte(buf[to-distance:])
	}
}

// repeat makes p all of its first period bytes, again and again.
func repeat(p []byte, period int) {
	for n := period; n < len(p); n *= 2 {
		copy(p[n:], p[:n])
	}
}

// symbol decodes one symbol, with its distance, from however few bits there are.
func (r *Reader) symbol() (done bool, err error) {
	e, err := r.decode(&r.lit.code, litEntries[:], r.lit.table[:])
	switch {
	case err != nil:
		return false, err
	case e&isLiteral != 0:
		// Of two literals the bits of the second may not be there.
		binary.LittleEndian.PutUint16(r.buf[r.end:], uint16(e>>16))
		if e.size() > r.n {
			r.end++
			r.drop(uint(e >> 10 & 15))
			return false, nil
		}
		r.end += int(e >> 8 & 3)
		r.drop(e.size())
		return false, nil
	case e&kinds == endOfBlock:
		r.drop(e.size())
		return true, nil
	}
	length, err := r.extra(e)
	if err != nil {
		return false, err
	}
	d, err := r.decode(&r.dist.code, distEntries[:], r.dist.table[:])
	if err != nil {
		return false, err
	}
	distance, err := r.extra(d)
	if err != nil {
		return false, err
	}
	if distance > r.end {
		return false, errDistance
	}
	repeat(r.buf[r.end-distance:r.end+length], distance)
	r.end += length
	return false, nil
}

// decode finds the entry of the next bits, of which those of its code are there.
func (r *Reader) decode(c *code, meaning, table []entry) (entry, error) {
	err := r.fill(maxCode)
	word := r.bits & (1<<r.n - 1)
	e := table[word&uint64(len(table)-1)]
	if e == longCode {
		e = c.long(word, meaning)
	}
	need := e.size()
	switch {
	case e&isLiteral != 0:
		need = uint(e >> 10 & 15)
	case e&isOther == 0:
		need = uint(e >> 8 & 15)
	}
	switch {
	case need > r.n || need == 0 && err != nil:
		return 0, err
	case e&kinds == noSymbol:
		return 0, errSymbol
	}
	return e, nil
}

// extra passes a length or a distance, and adds its extra bits.
func (r *Reader) extra(e entry) (int, error) {
	size := e >> 8 & 15
	if err := r.fill(e.size()); err != nil {
		return 0, err
	}
	v := int(e>>16) + int(r.bits&(1<<e.size()-1)>>size)
	r.drop(e.size())
	return v, nil
}
