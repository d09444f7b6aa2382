package blosc

import "math/bits"

// An fseCoder codes small numbers by their frequency, in fractions of a bit
// (RFC 8878, section 4.1): here the lengths and offsets of matches.
//
// A state of it is a number from size to 2*size-1. To code a number is to write
// so many of the state's lowest bits that what is left, with the number, leads
// to another state.
type fseCoder struct {
	counts [fseSymbols]uint32

	log    uint               // size is 1<<log
	norm   [fseSymbols]uint32 // the share of each number in size
	states [1 << fseMaxLog]uint16
	steps  [fseSymbols]fseStep
}

// An fseStep says how a number is coded: state+bits has in its upper half how
// many bits to write, and what is left of the state plus from is the index of
// the next.
type fseStep struct {
	bits uint32
	from int32
}

const (
	fseSymbols = 53 // as many codes as there are of match lengths
	fseMinLog  = 6  // has room for all of them
	fseMaxLog  = 9
)

// only reports whether there is but one number, and which.
func (f *fseCoder) only() (byte, bool) {
	only, n := 0, 0
	for i, c := range f.counts {
		if c > 0 {
			only = i
			n++
		}
	}
	return byte(only), n == 1
}

// build prepares f to code what was counted, total numbers, with tables of at
// most 1<<maxLog states.
func (f *fseCoder) build(total uint32, maxLog uint) {
	f.log = max(fseMinLog, min(maxLog, uint(max(bits.Len32(total), 2)-2)))
	if only, ok := f.only(); ok { // takes no bits, and a state that never changes
		f.log = 0
		f.states[0] = 1
		f.steps[only] = fseStep{0, -1}
		return
	}
	f.normalize(total)
	f.place()
}

// normalize gives each number its share, at least one where there is any. What
// rounding gives or takes is the largest share's, who notices it least.
func (f *fseCoder) normalize(total uint32) {
	left := int(1) << f.log
	for i, c := range f.counts {
		f.norm[i] = 0
		if c > 0 {
			f.norm[i] = max(1, uint32((uint64(c)<<f.log+uint64(total)/2)/uint64(total)))
			left -= int(f.norm[i])
		}
	}
	for left != 0 {
		largest := 0
		for i, n := range f.norm {
			if n > f.norm[largest] {
				largest = i
			}
		}
		// Shares that were raised to one may add up to more than the largest has.
		by := max(left, -int(f.norm[largest]+1)/2)
		f.norm[largest] = uint32(int(f.norm[largest]) + by)
		left -= by
	}
}

// place spreads the numbers over the states, as readers do (section 4.1.1).
func (f *fseCoder) place() {
	size := 1 << f.log
	var symbols [1 << fseMaxLog]byte
	at := 0
	for s, n := range f.norm {
		for range n {
			symbols[at] = byte(s)
			at = (at + size/2 + size/8 + 3) & (size - 1)
		}
	}
	var next [fseSymbols]int
	total := 0
	for s, n := range f.norm {
		next[s] = total
		if n > 0 {
			most := uint32(f.log) - uint32(bits.Len32(n-1)-1) // bits to write
			if n == 1 {
				most = uint32(f.log)
			}
			f.steps[s] = fseStep{most<<16 - n<<most, int32(total - int(n))}
		}
		total += int(n)
	}
	for u, s := range symbols[:size] {
		f.states[next[s]] = uint16(size + u)
		next[s]++
	}
}

// first is the state after which s is read first.
func (f *fseCoder) first(s uint8) uint32 {
	if f.log == 0 {
		return 1
	}
	step := f.steps[s]
	n := (step.bits + 1<<15) >> 16
	v := n<<16 - step.bits
	return uint32(f.states[int32(v>>n)+step.from])
}

// put codes s.
func (f *fseCoder) put(w *bitWriter, state uint32, s uint8) uint32 {
	step := f.steps[s]
	n := (state + step.bits) >> 16
	w.add(state, n)
	return uint32(f.states[int32(state>>n)+step.from])
}

// putTable writes the shares, for readers to make the same states.
func (f *fseCoder) putTable(w *bitWriter) {
	last := 0
	for i, n := range f.norm {
		if n > 0 {
			last = i
		}
	}
	w.add(uint32(f.log-5), 4)
	left := uint32(1)<<f.log + 1
	for i := 0; i <= last; i++ {
		n := f.norm[i]
		width := uint32(bits.Len32(left))
		spare := uint32(1)<<width - 1 - left // so many values take a bit less
		switch v := n + 1; {
		case v < spare:
			w.add(v, width-1)
		case v < 1<<(width-1):
			w.add(v, width)
		default:
			w.add(v+spare, width)
		}
		w.flush()
		if left -= n; n > 0 {
			continue
		}
		zeros := 0
		for f.norm[i+1] == 0 { // ends before last
			zeros++
			i++
		}
		for ; zeros >= 3; zeros -= 3 {
			w.add(3, 2)
			w.flush()
		}
		w.add(uint32(zeros), 2)
		w.flush()
	}
}

// A bitWriter writes bits, lowest first.
type bitWriter struct {
	out  []byte // with room for eight bytes after what is written
	n    int    // bytes written
	word uint64
	bits uint32 // of word
}

// add adds the lowest n bits of v. 56 fit between flushes.
func (w *bitWriter) add(v, n uint32) {
	w.word |= uint64(v&(1<<n-1)) << (w.bits & 63)
	w.bits += n
}

// flush writes whole bytes.
func (w *bitWriter) flush() {
	le.PutUint64(w.out[w.n:], w.word)
	w.n += int(w.bits / 8)
	w.word >>= w.bits &^ 7 & 63
	w.bits &= 7
}

// end writes the rest.
func (w *bitWriter) end() {
	w.flush()
	if w.bits > 0 {
		w.n++
	}
	w.word, w.bits = 0, 0
}
