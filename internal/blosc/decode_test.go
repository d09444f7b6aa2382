package blosc_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/blosc"
)

// twoBlocks is a frame of two blocks of 4096 bytes, one stream each, whose
// offset table is at byte 16 and whose first stream is at byte 24.
func twoBlocks(t *testing.T, codec blosc.Codec) []byte {
	t.Helper()
	e, err := blosc.NewEncoder(blosc.Options{Codec: codec, Shuffle: blosc.NoShuffle, BlockSize: 4096})
	if err != nil {
		t.Fatal(err)
	}
	frame, err := e.Append(nil, labels(8192, 8), 8)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

func TestDecodeRefuses(t *testing.T) {
	put := func(at int, v uint32) func([]byte) []byte {
		return func(p []byte) []byte { binary.LittleEndian.PutUint32(p[at:], v); return p }
	}
	set := func(at int, v byte) func([]byte) []byte {
		return func(p []byte) []byte { p[at] = v; return p }
	}
	for _, tt := range []struct {
		name   string
		change func([]byte) []byte
		want   string // in the error
	}{
		{"nothing", func(p []byte) []byte { return nil }, "0 bytes"},
		{"part of a header", func(p []byte) []byte { return p[:15] }, "15 bytes"},
		{"a header alone", func(p []byte) []byte { return p[:16] }, "its header says"},
		{"cut", func(p []byte) []byte { return p[:len(p)-1] }, "its header says"},
		{"trailing byte", func(p []byte) []byte { return append(p, 0) }, "its header says"},
		{"format version", set(0, 3), "versions 3.1"},
		{"codec version", set(1, 2), "versions 2.2"},
		{"reserved flag", func(p []byte) []byte { p[2] |= 8; return p }, "flags"},
		{"two shuffles", func(p []byte) []byte { p[2] |= 5; return p }, "two shuffles"},
		{"codec", set(2, 5<<5|0x10), "flags"},
		{"item size", set(3, 0), "item size 0"},
		{"bytes", put(4, math.MaxUint32), "more than a frame can hold"},
		{"bytes over the limit", put(4, 8193), "the limit of 8192"},
		{"fewer bytes", put(4, 4097), "block 1: "},
		{"no blocks", put(8, 0), "blocks of 0 bytes"},
		{"block longer than all", put(8, 8193), "blocks of 8193 bytes"},
		{"blocks of single bytes", put(8, 1), "no room for 8192 blocks"},
		{"compressed to nothing", put(12, 15), "compressed to 15"},
		{"compressed to more", put(12, 8192+17), "compressed to 8209"},
		{"memcpyed", func(p []byte) []byte { p[2] |= 2; return p }, "stored in"},
		{"split between items", func(p []byte) []byte { p[2] &^= 0x10; p[3] = 15; return p }, "split into 15"},
		{"block in the table", put(16, 23), "block 0 lies at byte 23"},
		{"block at the end", func(p []byte) []byte { return put(20, uint32(len(p)))(p) }, "ends in its length"},
		{"block far away", put(20, 1<<31), "block 1 lies at byte 2147483648"},
		{"stream of nothing", put(24, 0), "stream of 0 bytes"},
		{"stream over the end", put(24, 8192), "stream of 8192 bytes"},
		{"stream of negative length", put(24, math.MaxUint32), "stream of 4294967295 bytes"},
	} {
		for _, codec := range []blosc.Codec{blosc.LZ4, blosc.Zstd} {
			frame := tt.change(twoBlocks(t, codec))
			var d blosc.Decoder
			got, err := d.Append([]byte("before"), frame, 8192)
			if string(got) != "before" || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, %s: %d bytes, error %v, want %q", codec, tt.name, len(got), err, tt.want)
			}
		}
	}
}

// A cut frame is an error even if its header is cut to match.
func TestDecodeCut(t *testing.T) {
	var d blosc.Decoder
	for _, g := range goldens(t) {
		for n := 16; n < len(g.frame); n += 1 + len(g.frame)/20 {
			cut := slices.Clone(g.frame[:n])
			binary.LittleEndian.PutUint32(cut[12:], uint32(n))
			if _, err := d.Append(nil, cut, len(g.want)); err == nil {
				t.Errorf("%s cut to %d bytes: no error", g.name, n)
			}
		}
	}
}

// Blocks that all point to one long stream would take forever: this megabyte
// would be as much work as 100 GB.
func TestDecodeOverlap(t *testing.T) {
	const blocks, blockSize = 100_000, 16
	stream := make([]byte, 1<<20) // a zstd frame to be skipped, then one of 16 times 'x'
	copy(stream, []byte{0x50, 0x2A, 0x4D, 0x18})
	binary.LittleEndian.PutUint32(stream[4:], uint32(len(stream)-8))
	stream = append(stream, 0x28, 0xB5, 0x2F, 0xFD, 0x20, blockSize, blockSize<<3|1<<1|1, 0, 0, 'x')

	frame := []byte{2, 1, 4<<5 | 0x10, 1}
	for _, v := range []int{blocks * blockSize, blockSize, 16 + 4*blocks + 4 + len(stream)} {
		frame = binary.LittleEndian.AppendUint32(frame, uint32(v))
	}
	for range blocks {
		frame = binary.LittleEndian.AppendUint32(frame, 16+4*blocks)
	}
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(stream)))
	frame = append(frame, stream...)
	var d blosc.Decoder
	if _, err := d.Append(nil, frame, blocks*blockSize); err == nil || !strings.Contains(err.Error(), "block 1 overlaps") {
		t.Errorf("error %v", err)
	}
}

// The memory that a bad frame takes has a bound, whatever its sizes say.
func TestDecodeMemory(t *testing.T) {
	snappy := []byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0, 'x'}                  // holds 4 GiB
	window := []byte{0x28, 0xB5, 0x2F, 0xFD, 0, 0xff, 3<<3 | 1, 0, 0, 1, 2} // 3.75 TiB of window
	big := make([]byte, 16)
	copy(big, []byte{2, 1, 0x12, 1, 0, 0, 0, 0x40, 0, 0, 0, 0x10, 16, 0, 0, 0x40}) // 1 GiB stored
	for name, frame := range map[string][]byte{
		"snappy": oneStream(2, snappy),
		"zstd":   oneStream(4, window),
		"stored": big,
	} {
		var d blosc.Decoder
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := d.Append(nil, frame, 1<<16)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; err == nil || took > 4<<20 {
			t.Errorf("%s: took %d bytes, error %v", name, took, err)
		}
	}
}

// oneStream is a frame of one block of 200 bytes that is this stream.
func oneStream(codec byte, stream []byte) []byte {
	frame := []byte{2, 1, codec<<5 | 0x10, 1, 200, 0, 0, 0, 200, 0, 0, 0, byte(24 + len(stream)), 0, 0, 0, 20, 0, 0, 0}
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(stream)))
	return append(frame, stream...)
}

func TestBloscLZRefuses(t *testing.T) {
	for name, stream := range map[string][]byte{
		"literals cut":         {31, 1, 2},
		"match before all":     {0, 1, 1 << 5, 1},
		"match cut":            {0, 1, 1 << 5},
		"length cut":           {0, 1, 7 << 5, 255},
		"distance cut":         {0, 1, 1<<5 | 31, 255, 0},
		"match over the end":   {0, 1, 7 << 5, 255, 0, 0},
		"literals over it too": append([]byte{0, 1, 7 << 5, 188, 0, 5}, make([]byte, 6)...),
		"too little":           {0, 1, 1 << 5, 0},
	} {
		var d blosc.Decoder
		if _, err := d.Append(nil, oneStream(0, stream), 200); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	want := bytes.Repeat([]byte{1}, 200)
	got, err := new(blosc.Decoder).Append(nil, oneStream(0, []byte{0, 1, 7 << 5, 190, 0}), 200)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("a match that repeats itself: %v, error %v", got, err)
	}
}

// A limit that is too small or negative is an error, one that fits is not.
func TestDecodeLimit(t *testing.T) {
	frame := twoBlocks(t, blosc.LZ4)
	for limit, ok := range map[int]bool{-1: false, 0: false, 8191: false, 8192: true, math.MaxInt: true} {
		var d blosc.Decoder
		if _, err := d.Append(nil, frame, limit); (err == nil) != ok {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

// A decoder is as good after an error as before.
func TestDecodeAfterError(t *testing.T) {
	var d blosc.Decoder
	for _, g := range goldens(t) {
		bad := slices.Clone(g.frame)
		for i := 16; i < len(bad); i += 37 {
			bad[i] ^= 0x55
		}
		d.Append(nil, bad, len(g.want)) // may even succeed: not every stream has a checksum
		if got, err := d.Append(nil, g.frame, len(g.want)); err != nil || !bytes.Equal(got, g.want) {
			t.Errorf("%s, after a bad frame: error %v", g.name, err)
		}
	}
}
