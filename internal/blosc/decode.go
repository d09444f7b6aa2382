package blosc

import (
	"bytes"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// A Decoder reads frames of every codec. The zero Decoder is ready to use.
// It keeps memory between frames: two blocks of the largest block size seen and
// what the codecs need. It is not safe for concurrent use.
//
// Frames may come from anywhere: a bad one is an error, never a panic, and
// neither the memory nor the time that it takes exceeds what a good one of the
// same size and limit does.
type Decoder struct {
	filtered, tmp []byte // a block before, and halfway through, the unfilter

	zstd *zstd.Decoder
	zlib io.ReadCloser // also a zlib.Resetter
	in   bytes.Reader  // what zlib reads
	one  [1]byte       // where zlib is asked for a byte that must not be
}

// Append appends the bytes that the frame holds to dst and returns the longer
// slice. frame is one frame, whole and nothing else. A frame that holds more
// than limit bytes is an error, which is known before any memory is taken.
// frame and the room in dst do not overlap.
//
// If there is an error the slice returned is dst as it was, though its spare
// capacity may have been written to.
func (d *Decoder) Append(dst, frame []byte, limit int) ([]byte, error) {
	h, err := ParseHeader(frame)
	if err != nil {
		return dst, err
	}
	if len(frame) != h.CBytes {
		return dst, fmt.Errorf("blosc frame: %d bytes, its header says %d", len(frame), h.CBytes)
	}
	if h.NBytes > limit {
		return dst, fmt.Errorf("blosc frame: holds %d bytes, more than the limit of %d", h.NBytes, limit)
	}
	out := slices.Grow(dst, h.NBytes)[:len(dst)+h.NBytes]
	room := out[len(dst):]
	if h.Memcpyed {
		copy(room, frame[headerLen:])
		return out, nil
	}
	if err := d.blocks(room, frame, h); err != nil {
		return dst, err
	}
	return out, nil
}

// blocks decodes all blocks to dst. They may lie in any order, as C-Blosc's
// threads write them as they come, but no byte belongs to two of them: frames
// that point to one long stream many times over would take forever.
func (d *Decoder) blocks(dst, frame []byte, h Header) error {
	left := h.CBytes - h.tableEnd()
	for i := range h.blocks() {
		at := le.Uint32(frame[headerLen+4*i:])
		if at < uint32(h.tableEnd()) || at > uint32(len(frame)) {
			return fmt.Errorf("blosc frame: block %d lies at byte %d of %d", i, at, len(frame))
		}
		n, err := d.block(h.block(dst, i), frame[at:], h)
		if err != nil {
			return fmt.Errorf("blosc frame: block %d: %w", i, err)
		}
		if left -= n; left < 0 {
			return fmt.Errorf("blosc frame: block %d overlaps another", i)
		}
	}
	return nil
}

// block decodes to dst the block that src begins with and returns its length in src.
func (d *Decoder) block(dst, src []byte, h Header) (int, error) {
	to := dst
	if h.filters() {
		d.filtered = slices.Grow(d.filtered[:0], len(dst))[:len(dst)]
		to = d.filtered
	}
	streams := h.streams(len(dst))
	ne := len(dst) / streams
	pos := 0
	for i := range streams {
		size, err := d.stream(to[i*ne:][:ne], src[pos:], h.Codec)
		if err != nil {
			return 0, err
		}
		pos += size
	}
	d.unfilter(dst, to, h)
	return pos, nil
}

// unfilter writes to dst what src was before the header's filter.
func (d *Decoder) unfilter(dst, src []byte, h Header) {
	switch {
	case !h.filters():
	case h.Shuffle == ByteShuffle:
		unshuffle(dst, src, h.TypeSize)
	default:
		d.tmp = slices.Grow(d.tmp[:0], len(src))[:len(src)]
		bitUnshuffle(dst, src, d.tmp, h.TypeSize)
	}
}

// stream fills dst from the stream that src begins with and returns its length
// in src. A stream as long as what it holds is that itself. It can be longer:
// C-Blosc gives snappy the room to expand.
func (d *Decoder) stream(dst, src []byte, c Codec) (int, error) {
	if len(src) < 4 {
		return 0, fmt.Errorf("stream ends in its length")
	}
	n := le.Uint32(src)
	src = src[4:]
	if n == 0 || uint64(n) > uint64(len(src)) {
		return 0, fmt.Errorf("stream of %d bytes in %d", n, len(src))
	}
	src = src[:n]
	if len(src) == len(dst) {
		copy(dst, src)
	} else if err := d.decompress(dst, src, c); err != nil {
		return 0, fmt.Errorf("%v: %w", c, err)
	}
	return 4 + len(src), nil
}
