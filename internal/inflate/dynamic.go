package inflate

// codeOrder is the order in which the lengths of the codes for lengths come
// (RFC 1951 section 3.2.7).
var codeOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// fixed makes the tables of a block with the fixed codes (section 3.2.6), unless
// they are those of the last one.
func (r *Reader) fixed() error {
	if r.isFixed {
		return nil
	}
	r.isFixed = true
	for i := range maxLit {
		switch {
		case i < 144:
			r.lens[i] = 8
		case i < 256:
			r.lens[i] = 9
		case i < 280:
			r.lens[i] = 7
		default:
			r.lens[i] = 8
		}
	}
	for i := range maxDist {
		r.lens[maxLit+i] = 5
	}
	return r.tables(maxLit, maxDist)
}

// tables makes the tables of that many codes, whose lengths are known.
func (r *Reader) tables(lits, dists int) error {
	// A thousand symbols in pairs take so many bytes.
	const many = 1000 * 5 / 8
	if err := r.lit.build(r.lens[:lits], len(r.in)-r.pos >= many); err != nil {
		return err
	}
	return r.dist.build(r.lens[lits : lits+dists])
}

// dynamic reads the codes of a block (section 3.2.7).
func (r *Reader) dynamic() error {
	r.isFixed = false
	h, err := r.take(14)
	if err != nil {
		return err
	}
	lits, dists, codes := int(h&31)+257, int(h>>5&31)+1, int(h>>10)+4
	if lits > 286 || dists > 30 {
		return errCodes // zlib takes no more, though 31 and 32 distances could be said
	}
	var lens [19]uint8
	for _, i := range codeOrder[:codes] {
		n, err := r.take(3)
		if err != nil {
			return err
		}
		lens[i] = uint8(n)
	}
	// The table of distances is not yet in use.
	if err := r.dist.code.build(lens[:], lengthEntries[:], r.dist.table[:]); err != nil {
		return err
	}
	if err := r.lengths(lits + dists); err != nil {
		return err
	}
	if r.lens[256] == 0 {
		return errCodes // such a block would never end
	}
	return r.tables(lits, dists)
}

// lengthEntries are the symbols for lengths of codes, which are numbers.
var lengthEntries = func() (t [19]entry) {
	for i := range t {
		t[i] = entry(i) << 16
	}
	return t
}()

// lengths reads the lengths of that many codes.
func (r *Reader) lengths(all int) error {
	for i := 0; i < all; {
		e, err := r.decode(&r.dist.code, lengthEntries[:], r.dist.table[:])
		if err != nil {
			return err
		}
		r.drop(e.size())
		sym := e >> 16
		if sym < 16 {
			r.lens[i] = uint8(sym)
			i++
			continue
		}
		n, v, err := r.run(uint(sym), i)
		if err != nil {
			return err
		}
		if i+n > all {
			return errCodes
		}
		for range n {
			r.lens[i] = v
			i++
		}
	}
	return nil
}

// run reads how often which length is repeated from i on.
func (r *Reader) run(sym uint, i int) (n int, v uint8, err error) {
	least, extra := 3, uint(2)
	switch sym {
	case 16:
		if i == 0 {
			return 0, 0, errCodes
		}
		v = r.lens[i-1]
	case 17:
		extra = 3
	case 18:
		least, extra = 11, 7
	}
	more, err := r.take(extra)
	return least + int(more), v, err
}
