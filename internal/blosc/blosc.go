// Package blosc reads and writes Blosc 1 frames, the form in which BOSS sends
// and takes voxels.
//
// A frame is a [Header], then either the bytes as they are or blocks that were
// filtered and compressed each on their own. The filter (see [Shuffle]) puts
// bytes that resemble each other side by side; the compressor is one of five
// (see [Codec]). An [Encoder] writes frames with LZ4 or Zstandard, a [Decoder]
// reads every frame that C-Blosc 1 writes.
//
// The format is that of C-Blosc's README_CHUNK_FORMAT.rst. Where the document
// and the C code differ the code is followed: block offsets count from the
// first byte of the frame, not from the end of the offset table.
//
// C-Blosc itself would need cgo, and ndpush is one static binary. The
// codecs come from pure Go modules instead, but for the quick ways to write LZ4
// and Zstandard, which are our own. BenchmarkYardEncode and BenchmarkYardDecode
// hold them against C-Blosc on images and labels.
//
// Nothing here starts a goroutine. Many frames at a time need as many encoders
// or decoders, one for each goroutine.
package blosc

import "fmt"

const (
	headerLen = 16

	// MaxTypeSize is the largest item size, in bytes, that a header can hold.
	MaxTypeSize = 255

	// MaxBytes is the largest number of bytes in one frame before compression:
	// the compressed size, which can be headerLen more, is a signed 32-bit
	// number too (BLOSC_MAX_BUFFERSIZE).
	MaxBytes = 1<<31 - 1 - headerLen

	// maxBlockSize is BLOSC_MAX_BLOCKSIZE: C readers take memory for three
	// blocks and a table in one piece whose size is a signed 32-bit number.
	maxBlockSize = (1<<31 - 1 - 4*MaxTypeSize) / 3

	// minCompress is MIN_BUFFERSIZE: fewer bytes than this are stored as they are.
	minCompress = 128
)

// MaxLen is the largest number of bytes of a frame that holds n bytes: bytes
// that do not compress are stored as they are, after the header.
func MaxLen(n int) int { return n + headerLen }

// A Codec is the compressor of a frame's blocks, numbered as on the wire.
// Only LZ4, Zstd and None can be written; all of them can be read.
type Codec uint8

// The codecs of C-Blosc 1. LZ4HC is another way to write LZ4 streams; its
// frames say LZ4.
const (
	BloscLZ Codec = 0
	LZ4     Codec = 1
	Snappy  Codec = 2
	Zlib    Codec = 3
	Zstd    Codec = 4

	// None asks an [Encoder] for frames that hold the bytes as they are. It is
	// not on the wire: such a frame is one whose header says Memcpyed.
	None Codec = 255
)

// String is the name that C-Blosc uses.
func (c Codec) String() string {
	names := [...]string{"blosclz", "lz4", "snappy", "zlib", "zstd"}
	switch {
	case int(c) < len(names):
		return names[c]
	case c == None:
		return "none"
	}
	return fmt.Sprintf("blosc.Codec(%d)", uint8(c))
}

// A Shuffle is what was done to a block's items before it was compressed.
type Shuffle uint8

const (
	// AutoShuffle lets the Encoder choose by codec and item size. No Header has it.
	AutoShuffle Shuffle = iota
	// NoShuffle leaves the items as they are.
	NoShuffle
	// ByteShuffle puts the first bytes of all items first, then the second ones, and so on.
	// It does nothing to items of one byte.
	ByteShuffle
	// BitShuffle does with bits what ByteShuffle does with bytes.
	BitShuffle
)

// String is a word for s: auto, none, byte or bit.
func (s Shuffle) String() string {
	names := [...]string{"auto", "none", "byte", "bit"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("blosc.Shuffle(%d)", uint8(s))
}
