package blosc

import (
	"fmt"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// Options say how an [Encoder] writes. The zero Options are a good choice: LZ4,
// with the shuffle that pays for the item size.
type Options struct {
	// Codec is LZ4, Zstd or None. Zero is LZ4; the codec whose number that is,
	// BloscLZ, is one that cannot be written.
	Codec Codec

	// Shuffle is the filter. BitShuffle applies only to a whole number of
	// 8 items, as older C-Blosc (1.11) reads others wrongly; the encoder takes
	// ByteShuffle instead where it does not.
	Shuffle Shuffle

	// Level is how hard to try, from 1 (fastest) to 9. Zero is what suits the
	// codec. Zstd tries in three ways only: 1 to 3, 4 to 6, and 7 to 9 are alike.
	// The first is about C's level 1.
	Level int

	// BlockSize is the number of bytes to filter and compress at a time, at
	// least 128. It is rounded to a whole number of items. Zero is what suits
	// the codec.
	BlockSize int
}

// What suits the codecs; see BenchmarkEncode. Higher levels take up to twice
// (LZ4) or eight times (Zstd) as long on images for 2 % fewer bytes. Shorter
// blocks cost LZ4 speed on noise; longer ones gain nothing and leave the cache.
const (
	levelLZ4         = 5
	levelZstd        = 1
	defaultBlockSize = 512 << 10
)

// An Encoder writes frames. It keeps memory between frames: 1 MiB with LZ4, 3.3
// with Zstd up to level 3, the same with both in turn (TestEncoderMemory). Longer
// blocks than usual and higher levels of Zstd take more. It is not safe for
// concurrent use.
type Encoder struct {
	asked Options // with a zero Level that suits each codec

	codec     Codec
	shuffle   Shuffle
	blockSize int

	lz4          lz4Writer
	acceleration int           // of LZ4
	hasty        *zstdWriter   // Zstd in haste, or
	zstd         *zstd.Encoder // at leisure

	filtered, tmp []byte // a block after, and halfway through, the filter
}

// NewEncoder returns an encoder that writes as opts say.
func NewEncoder(opts Options) (*Encoder, error) {
	e := &Encoder{asked: opts}
	if err := e.Switch(opts.Codec); err != nil {
		return nil, err
	}
	return e, nil
}

// Switch has frames written with another codec from now on, otherwise as the
// Options said. To switch back and forth takes no time, and less memory than two
// encoders.
func (e *Encoder) Switch(c Codec) (err error) {
	opts := e.asked
	opts.Codec = c
	opts = opts.withDefaults()
	switch {
	case opts.Codec != LZ4 && opts.Codec != Zstd && opts.Codec != None:
		return fmt.Errorf("blosc: cannot write %v, only lz4, zstd and none", opts.Codec)
	case opts.Shuffle > BitShuffle:
		return fmt.Errorf("blosc: unknown shuffle %v", opts.Shuffle)
	case opts.Level < 1 || opts.Level > 9:
		return fmt.Errorf("blosc: level %d, want 1 to 9", opts.Level)
	case opts.BlockSize < minCompress || opts.BlockSize > maxBlockSize:
		return fmt.Errorf("blosc: blocks of %d bytes, want %d to %d", opts.BlockSize, minCompress, maxBlockSize)
	}
	if opts.Codec == Zstd && e.hasty == nil && e.zstd == nil {
		if opts.Level <= 3 {
			e.hasty = new(zstdWriter)
		} else if e.zstd, err = newZstd(opts.Level); err != nil {
			return err
		}
	}
	e.codec, e.shuffle, e.blockSize = opts.Codec, opts.Shuffle, opts.BlockSize
	e.acceleration = 10 - opts.Level // as C-Blosc does
	return nil
}

func (o Options) withDefaults() Options {
	if o.Codec == BloscLZ {
		o.Codec = LZ4
	}
	switch {
	case o.Level != 0:
	case o.Codec == Zstd:
		o.Level = levelZstd
	default:
		o.Level = levelLZ4
	}
	if o.BlockSize == 0 {
		o.BlockSize = defaultBlockSize
	}
	return o
}

// newZstd returns an encoder for streams of at most one block.
//
// Microscope images are noise to a matcher, yet their bytes are far from
// equally likely: without entropy coding of all literals they are stored at
// full size. A checksum would be one that C-Blosc's streams do not have.
func newZstd(level int) (*zstd.Encoder, error) {
	speed := zstd.SpeedDefault
	if level > 6 {
		speed = zstd.SpeedBetterCompression
	}
	return zstd.NewWriter(nil,
		zstd.WithEncoderLevel(speed),
		zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false),
		zstd.WithSingleSegment(true),
		zstd.WithAllLitEntropyCompression(true),
	)
}

// Append appends one frame that holds src, whose items are typeSize bytes each,
// to dst, and returns the longer slice. The frame is never longer than
// MaxLen(len(src)), and dst does not move if it has that much room. src and the
// room in dst do not overlap.
//
// typeSize is 1 to MaxTypeSize; it only guides the filter, so any is right,
// and len(src) need not be a multiple of it. len(src) is at most MaxBytes.
func (e *Encoder) Append(dst, src []byte, typeSize int) ([]byte, error) {
	dst, stored, err := e.AppendShort(dst, src, typeSize)
	if stored {
		dst = append(dst, src...)
	}
	return dst, err
}

// AppendShort is Append, but for a frame that stores src as it is: of that it
// appends only the header, and says stored. src is the rest of the frame, and
// whoever sends it saves a copy of what may be megabytes.
func (e *Encoder) AppendShort(dst, src []byte, typeSize int) (_ []byte, stored bool, err error) {
	if typeSize < 1 || typeSize > MaxTypeSize {
		return dst, false, fmt.Errorf("blosc: items of %d bytes, want 1 to %d", typeSize, MaxTypeSize)
	}
	if len(src) > MaxBytes {
		return dst, false, fmt.Errorf("blosc: %d bytes, more than a frame can hold (%d)", len(src), MaxBytes)
	}
	tries, room := e.codec != None && len(src) >= minCompress, headerLen
	if tries {
		room = MaxLen(len(src))
	}
	dst = slices.Grow(dst, room)
	frame := dst[len(dst):][:room]
	h := e.header(len(src), typeSize)
	if tries {
		if e.shuffle == AutoShuffle && h.filters() {
			h = e.quicker(frame, src, h)
		}
		h.CBytes = e.blocks(frame, src, h)
	}
	n := h.CBytes
	if n == 0 {
		h.Memcpyed, h.CBytes, n = true, MaxLen(len(src)), headerLen
	}
	h.put(frame)
	return dst[:len(dst)+n], h.Memcpyed, nil
}

// quicker is h, or with the other shuffle if that is quicker and a sample from the
// middle of src comes out as short. tmp is memory for more than a sample.
//
// Zstd is quicker with bits: where upper bytes are noisy too, as a bright image of
// 16 bits has them, it seeks and finds many matches in them that are worth next to
// nothing. LZ4 is quicker with bytes where bits gain nothing, as of a dim image.
func (e *Encoder) quicker(tmp, src []byte, h Header) Header {
	const sample = 64 << 10
	unit := 8 * h.TypeSize
	if len(src) < 16*sample || len(src)%unit != 0 || h.BlockSize%unit != 0 || e.codec == Zstd && e.hasty == nil {
		return h
	}
	other := h
	if other.Shuffle = ByteShuffle; h.Shuffle == ByteShuffle {
		other.Shuffle = BitShuffle
	}
	other.Split = e.splits(other)
	src = src[len(src)/2:][:sample]
	size := func(h Header) int {
		h.BlockSize = sample
		return e.block(tmp, src, h, false)
	}
	if n := size(h); size(other) <= n+n/64 {
		return other
	}
	return h
}

// header is the header of a frame for n bytes, but for what is known only once
// they are compressed.
func (e *Encoder) header(n, typeSize int) Header {
	h := Header{Codec: e.codec, Shuffle: e.shuffleFor(n, typeSize), TypeSize: typeSize, NBytes: n}
	if e.codec == None { // a header has to name one
		h.Codec, h.Shuffle = LZ4, NoShuffle
	}
	unit := typeSize
	if h.Shuffle == BitShuffle {
		unit *= 8
	}
	if h.BlockSize = min(n, max(unit, e.blockSize)); h.BlockSize > unit {
		h.BlockSize -= h.BlockSize % unit
	}
	h.BlockSize = max(1, h.BlockSize) // what C-Blosc writes where there is nothing to put in a block
	h.Split = e.splits(h)
	return h
}

// splits reports whether blocks are split. After a shuffle the parts of an item
// lie apart, and differ so much that LZ4 does better with one stream for each. So
// does Zstd in haste: streams without matches need not be searched. Only blocks
// that are long enough are split, as C-Blosc does.
func (e *Encoder) splits(h Header) bool {
	switch h.Split = true; e.codec {
	case LZ4:
		return h.Shuffle != NoShuffle && h.streams(h.BlockSize) > 1
	case Zstd:
		return h.Shuffle == ByteShuffle && e.hasty != nil && h.streams(h.BlockSize) > 1
	}
	return false
}

// shuffleFor is the filter for n bytes in items of typeSize.
func (e *Encoder) shuffleFor(n, typeSize int) Shuffle {
	s := e.shuffle
	if s == AutoShuffle {
		s = autoShuffle(e.codec, typeSize)
	}
	if s == BitShuffle && n%(8*typeSize) != 0 {
		s = ByteShuffle
	}
	if s == ByteShuffle && typeSize == 1 {
		s = NoShuffle
	}
	return s
}

// autoShuffle is the filter that pays for items of that size, by
// BenchmarkEncode. It takes what BOSS stores for granted: two bytes are an
// intensity, eight are a label.
//
//   - One byte: without a filter LZ4 gives up early on noise, at memory speed.
//     Zstd codes the bytes by their frequency, which a bit shuffle spoils. After
//     one LZ4 gains half of what Zstd does, at a fraction of its speed on noise.
//   - Two bytes: the upper bytes change little, which any shuffle brings out.
//     The lower bytes are mostly noise, but not all of their bits: LZ4 finds
//     the ones that are not only after a bit shuffle; Zstd weighs them anyway
//     and mostly does better with whole bytes (but see quicker).
//   - More: labels lie in runs of the same item. Unfiltered a run is one match;
//     shuffled it is one for each byte that is not 0, and twice to four times
//     the work for half the ratio.
func autoShuffle(c Codec, typeSize int) Shuffle {
	switch {
	case typeSize != 2:
		return NoShuffle
	case c == LZ4:
		return BitShuffle
	default:
		return ByteShuffle
	}
}

// blocks writes the offset table and the blocks of src after the header and
// returns the length of the frame, or 0 if it does not fit or no block gets
// shorter. What is noise mostly is noise to the end, so blocks at the beginning
// wait to be copied until one gets shorter.
func (e *Encoder) blocks(frame, src []byte, h Header) int {
	pos := h.tableEnd()
	waits := h.Shuffle == NoShuffle
	for i := range h.blocks() {
		if pos >= len(frame) {
			return 0
		}
		le.PutUint32(frame[headerLen+4*i:], uint32(pos))
		block := h.block(src, i)
		n := e.block(frame[pos:], block, h, waits)
		if n == 0 {
			return 0
		}
		if waits && n < 4+len(block) {
			waits = false
			for j := range i {
				at := le.Uint32(frame[headerLen+4*j:])
				le.PutUint32(frame[at:], uint32(copy(frame[at+4:], h.block(src, j))))
			}
		}
		pos += n
	}
	if waits {
		return 0
	}
	return pos
}

// block filters and compresses src to dst and returns the number of bytes that
// takes, or 0 if they do not fit. What does not get shorter is not written if it
// waits.
func (e *Encoder) block(dst, src []byte, h Header, waits bool) int {
	src = e.filter(src, h)
	n := len(src) / h.streams(len(src))
	pos := 0
	for ; len(src) > 0; src = src[n:] {
		if len(dst)-pos < 4 {
			return 0
		}
		size := e.stream(dst[pos+4:], src[:n], h, waits)
		if size == 0 {
			return 0
		}
		le.PutUint32(dst[pos:], uint32(size))
		pos += 4 + size
	}
	return pos
}

// filter returns src after the header's filter, in e's memory.
func (e *Encoder) filter(src []byte, h Header) []byte {
	if h.Shuffle == NoShuffle {
		return src
	}
	e.filtered = slices.Grow(e.filtered[:0], len(src))[:len(src)]
	if h.Shuffle == ByteShuffle {
		shuffle(e.filtered, src, h.TypeSize)
		return e.filtered
	}
	e.tmp = slices.Grow(e.tmp[:0], len(src))[:len(src)]
	bitShuffle(e.filtered, src, e.tmp, h.TypeSize)
	return e.filtered
}

// stream compresses src to dst and returns the number of bytes that takes, or 0
// if they do not fit. A stream as long as src is src itself: that is how a
// reader tells, so one that only comes out as long is not good enough.
func (e *Encoder) stream(dst, src []byte, h Header, waits bool) int {
	if n := e.compress(dst[:min(len(dst), len(src)-1)], src, h); n > 0 {
		return n
	}
	if len(dst) < len(src) {
		return 0
	}
	if waits {
		return len(src)
	}
	return copy(dst, src)
}

// compress writes the codec's stream for src to dst and returns its length, or
// 0 if it does not fit. Shuffled blocks that are not split end in what compresses
// best, so there noise at the beginning says nothing.
func (e *Encoder) compress(dst, src []byte, h Header) int {
	if e.codec == LZ4 {
		return e.lz4.compress(dst, src, e.acceleration, h.Shuffle == NoShuffle || bytesAlike(len(src), h))
	}
	if e.hasty != nil {
		return e.hasty.compress(dst, src, bytesAlike(len(src), h))
	}
	out := e.zstd.EncodeAll(src, dst[:0:len(dst)])
	if len(out) > len(dst) {
		return 0 // somewhere else, as it did not fit
	}
	return copy(dst, out)
}

// bytesAlike reports whether the bytes of a stream of n are of one kind, and not
// the upper and lower ones of items.
func bytesAlike(n int, h Header) bool {
	if h.TypeSize == 1 {
		return h.Shuffle == NoShuffle
	}
	return h.Shuffle == ByteShuffle && n == h.BlockSize/h.TypeSize
}
