package blosc

import (
	"math/bits"
	"unsafe"
)

// What every LZ4 stream keeps to (lz4_Block_format.md).
const (
	minMatch     = 4         // bytes of the shortest match
	maxDistance  = 1<<16 - 1 // from a match back to what it repeats
	lastLiterals = 5         // bytes at the end that no match reaches
	lastMatch    = 12        // bytes at the end among which no match begins
)

// How matches are sought.
const (
	hashLog = 12 // a table of 16 KiB, half of a first-level cache
	skipLog = 6  // after 1<<skipLog misses steps get longer by a byte

	// A stream that gained nothing by hopeless bytes is likely noise, in which
	// the few short matches there are cost time and gain nothing. From then on
	// an impatient search begins each time as if it had missed so often that its
	// steps are hasty bytes long, until it finds a match that is worth it.
	//
	// Where noise lies between black margins, a row is about as long as the one
	// before. So after a match that is worth it, an impatient search begins with
	// steps longer by a byte for each far bytes that came to nothing before it.
	hopeless = 64 << 10
	hasty    = 64
	worthIt  = 12
	far      = 64
)

// An lz4Writer writes LZ4 streams. It searches as LZ4_compress_fast of the C
// library does streams of 64 KiB and more, so what it writes is the same, but
// for runs of a byte and what patience changes. lz4.CompressorCCompat writes what
// the library does, and takes up to four times as long where there is more to find
// than in noise (BenchmarkLZ4).
//
// Half of that is due to loads without bounds checks. load32 and load64 are all
// that is unsafe here; why they stay within src is said where they are called,
// and the tests put a fence behind it.
type lz4Writer struct {
	// seen is where the five bytes that hash to the index were last; what it
	// says is verified.
	seen [1 << hashLog]uint32
}

// hash5 is an index of seen for the lower five bytes of v.
func hash5(v uint64) uint64 { return v << 24 * 889523592379 >> (64 - hashLog) }

// compress writes src to dst as one stream and returns its length, or 0 if it
// does not fit; nor need one that leaves less than 32 bytes of dst unused.
// src is at most MaxBytes long. Every acceleration more skips a byte more after
// each miss. impatient says that src is of one kind throughout: what did not
// compress so far will not do so later.
func (z *lz4Writer) compress(dst, src []byte, acceleration int, impatient bool) int {
	clear(z.seen[:])
	p := unsafe.SliceData(src)
	end, stop := len(src)-lastMatch, len(src)-lastLiterals
	haste := acceleration
	di, anchor := 0, 0 // of dst and src, what is done

	// All loads of eight bytes begin from 0 to end+4, or end before stop; all
	// of four are at what was seen, which is before ip.
	for ip := 1; ip <= end; ip++ {
		var ref int
		if ip, ref = z.find(p, ip, end, haste); ip > end {
			break
		}
		// A run repeats the byte before to its end. What was seen is an earlier run,
		// and if that is shorter it takes another match.
		if v := load64(p, ip); ip < end && load64(p, ip+worthIt-8) == v && bits.RotateLeft64(v, 8) == v {
			ref = ip
			ip++
		}
		for ip > anchor && ref > 0 && src[ip-1] == src[ref-1] {
			ip--
			ref--
		}
		for matches := true; matches; {
			distance := ip - ref
			m := matchEnd(src, ip+minMatch, distance, stop)
			lit, n := ip-anchor, m-ip-minMatch
			if di+lit+(lit+n)/128+24 > len(dst) { // a byte for each 255, and stores of 8
				return 0
			}
			dst[di] = byte(min(lit, 15)<<4 | min(n, 15))
			di++
			if lit >= 15 {
				di = putLength(dst, di, lit-15)
			}
			switch {
			case lit == 0:
			case lit <= 8:
				le.PutUint64(dst[di:], load64(p, anchor)) // anchor < ip <= end
			case lit <= 16:
				le.PutUint64(dst[di:], load64(p, anchor))
				le.PutUint64(dst[di+lit-8:], load64(p, ip-8))
			default:
				copy(dst[di:], src[anchor:ip])
			}
			di += lit
			le.PutUint16(dst[di:], uint16(distance))
			di += 2
			if n >= 15 {
				di = putLength(dst, di, n-15)
			}

			haste = acceleration
			if impatient && lit >= far {
				if m-ip >= worthIt {
					haste = min(acceleration+lit/far, hasty)
				} else if m > hopeless && di >= m {
					haste = hasty
				}
			}
			ip, anchor = m, m
			if ip > end {
				return putLast(dst, di, src[anchor:])
			}
			z.seen[hash5(load64(p, ip-2))] = uint32(ip - 2)
			v := load64(p, ip)
			h := hash5(v)
			ref = int(z.seen[h])
			z.seen[h] = uint32(ip)
			matches = load32(p, ref) == uint32(v) && ip-ref <= maxDistance
		}
	}
	return putLast(dst, di, src[anchor:])
}

// find returns where, from ip on, a match begins, and where what it repeats does;
// or that it is beyond end.
func (z *lz4Writer) find(p *byte, ip, end, haste int) (at, ref int) {
	v := load64(p, ip)
	for tries, step := haste<<skipLog, 1; ; tries++ {
		next := ip + step
		if next > end+1 {
			return next, 0
		}
		h := hash5(v)
		ref = int(z.seen[h])
		z.seen[h] = uint32(ip)
		first := uint32(v)
		v = load64(p, next)
		if load32(p, ref) == first && ip-ref <= maxDistance {
			return ip, ref
		}
		step = tries >> skipLog
		ip = next
	}
}

// putLast writes the literals that end a stream to dst[di:] and returns its
// length, or 0 if they do not fit.
func putLast(dst []byte, di int, literals []byte) int {
	n := len(literals)
	if di+n+n/255+2 > len(dst) {
		return 0
	}
	dst[di] = byte(min(n, 15) << 4)
	di++
	if n >= 15 {
		di = putLength(dst, di, n-15)
	}
	return di + copy(dst[di:], literals)
}

// putLength writes what is left of a length that does not fit in a token to
// dst[i:], and returns where it ends.
func putLength(dst []byte, i, n int) int {
	for ; n >= 255; n -= 255 {
		dst[i] = 255
		i++
	}
	dst[i] = byte(n)
	return i + 1
}

// load64 is the eight bytes at p+i as a number.
func load64(p *byte, i int) uint64 {
	return le.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(p), i))[:])
}

// load32 is the four bytes at p+i as a number.
func load32(p *byte, i int) uint32 {
	return le.Uint32((*[4]byte)(unsafe.Add(unsafe.Pointer(p), i))[:])
}

// store64 makes v the eight bytes at p+i.
func store64(p *byte, i int, v uint64) {
	le.PutUint64((*[8]byte)(unsafe.Add(unsafe.Pointer(p), i))[:], v)
}
