package blosc

import (
	"encoding/binary"
	"fmt"
)

var le = binary.LittleEndian

// A Header is the first 16 bytes of a frame. All sizes are in bytes.
type Header struct {
	Codec    Codec
	Shuffle  Shuffle // NoShuffle, ByteShuffle or BitShuffle
	Memcpyed bool    // the bytes follow as they are: no blocks, no filter
	Split    bool    // blocks may be compressed as TypeSize streams each

	TypeSize  int // of one item, 1 to MaxTypeSize
	NBytes    int // before compression
	BlockSize int // of all blocks but the last, before compression
	CBytes    int // of the whole frame
}

// Version bytes: of the format, and of every codec's stream.
const (
	formatVersion = 2
	codecVersion  = 1
)

// Bits of the flag byte. The three highest are the codec.
const (
	flagByteShuffle = 1 << iota
	flagMemcpyed
	flagBitShuffle
	flagReserved
	flagUnsplit
	codecShift = 5
)

// ParseHeader reads the header of the frame that p begins with. p can be the
// header alone: that the rest is there is for [Decoder.Append] to see.
// A header that no frame can have is an error, so the sizes of one that comes
// without an error are in range and agree with each other.
func ParseHeader(p []byte) (Header, error) {
	if len(p) < headerLen {
		return Header{}, fmt.Errorf("blosc header: %d bytes, want %d", len(p), headerLen)
	}
	if p[0] != formatVersion || p[1] != codecVersion {
		return Header{}, fmt.Errorf("blosc header: versions %d.%d, want %d.%d", p[0], p[1], formatVersion, codecVersion)
	}
	flags := p[2]
	h := Header{
		Codec:    Codec(flags >> codecShift),
		Shuffle:  NoShuffle,
		Memcpyed: flags&flagMemcpyed != 0,
		Split:    flags&flagUnsplit == 0,
		TypeSize: int(p[3]),
	}
	switch flags & (flagByteShuffle | flagBitShuffle) {
	case flagByteShuffle:
		h.Shuffle = ByteShuffle
	case flagBitShuffle:
		h.Shuffle = BitShuffle
	case flagByteShuffle | flagBitShuffle: // in Blosc 2 the mark of a longer header
		return Header{}, fmt.Errorf("blosc header: flags %#02x ask for two shuffles", flags)
	}
	if flags&flagReserved != 0 || h.Codec > Zstd {
		return Header{}, fmt.Errorf("blosc header: unknown flags %#02x", flags)
	}
	if err := h.parseSizes(p); err != nil {
		return Header{}, err
	}
	return h, nil
}

// parseSizes reads the three sizes and holds them against each other. They are
// compared unsigned, as some do not fit the int of a 32-bit machine.
func (h *Header) parseSizes(p []byte) error {
	nbytes, blockSize, cbytes := le.Uint32(p[4:]), le.Uint32(p[8:]), le.Uint32(p[12:])
	switch {
	case h.TypeSize == 0:
		return fmt.Errorf("blosc header: item size 0")
	case nbytes > MaxBytes:
		return fmt.Errorf("blosc header: %d bytes, more than a frame can hold", nbytes)
	case nbytes > 0 && (blockSize == 0 || blockSize > nbytes || blockSize > maxBlockSize):
		return fmt.Errorf("blosc header: blocks of %d bytes in %d", blockSize, nbytes)
	case cbytes < headerLen || cbytes > nbytes+headerLen:
		return fmt.Errorf("blosc header: %d bytes compressed to %d", nbytes, cbytes)
	case h.Memcpyed && cbytes != nbytes+headerLen:
		return fmt.Errorf("blosc header: %d bytes stored in %d", nbytes, cbytes)
	}
	h.NBytes, h.BlockSize, h.CBytes = int(nbytes), int(blockSize), int(cbytes)
	if !h.Memcpyed && h.blocks() > (h.CBytes-headerLen)/4 {
		return fmt.Errorf("blosc header: %d bytes have no room for %d blocks", h.CBytes, h.blocks())
	}
	if !h.Memcpyed && h.streams(h.BlockSize) > 1 && h.BlockSize%h.TypeSize != 0 {
		return fmt.Errorf("blosc header: blocks of %d bytes split into %d", h.BlockSize, h.TypeSize)
	}
	return nil
}

// put writes the header to the first 16 bytes of p.
func (h Header) put(p []byte) {
	flags := byte(h.Codec) << codecShift
	switch h.Shuffle {
	case ByteShuffle:
		flags |= flagByteShuffle
	case BitShuffle:
		flags |= flagBitShuffle
	}
	if h.Memcpyed {
		flags |= flagMemcpyed
	}
	if !h.Split {
		flags |= flagUnsplit
	}
	p[0], p[1], p[2], p[3] = formatVersion, codecVersion, flags, byte(h.TypeSize)
	le.PutUint32(p[4:], uint32(h.NBytes))
	le.PutUint32(p[8:], uint32(h.BlockSize))
	le.PutUint32(p[12:], uint32(h.CBytes))
}

// blocks is the number of blocks, the shorter last one included.
func (h Header) blocks() int {
	if h.NBytes == 0 {
		return 0
	}
	return (h.NBytes-1)/h.BlockSize + 1
}

// block is block i of the frame's bytes before compression.
func (h Header) block(p []byte, i int) []byte {
	lo := i * h.BlockSize
	return p[lo:min(lo+h.BlockSize, h.NBytes)]
}

// tableEnd is where the first byte after the table of block offsets lies.
func (h Header) tableEnd() int { return headerLen + 4*h.blocks() }

// streams is the number of streams of a block of n bytes: C-Blosc splits a
// block by the bytes of its items if there are few of them and each stream is
// long enough to be worth it, and never the shorter last block.
func (h Header) streams(n int) int {
	const maxSplits, minStream = 16, 128 // MAX_SPLITS, MIN_BUFFERSIZE
	if h.Split && h.TypeSize <= maxSplits && n == h.BlockSize && n/h.TypeSize >= minStream {
		return h.TypeSize
	}
	return 1
}

// filters reports whether the blocks were changed before they were compressed.
func (h Header) filters() bool {
	return h.Shuffle == BitShuffle || h.Shuffle == ByteShuffle && h.TypeSize > 1
}
