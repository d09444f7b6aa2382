package blosc_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/neurodata/ndpush/internal/blosc"
)

// labels is n bytes of little-endian items of ts bytes, in steps of 64, some of
// them one higher. testdata/make_goldens.py makes the same.
func labels(n, ts int) []byte {
	p := make([]byte, n)
	noise := uint32(12345)
	for i := range (n + ts - 1) / ts {
		noise = noise*1664525 + 1013904223
		v := uint32(i/64) * 2654435761 >> 20
		if noise>>28 == 0 {
			v++
		}
		for j := 0; j < min(ts, 4) && i*ts+j < n; j++ {
			p[i*ts+j] = byte(v >> (8 * j))
		}
	}
	return p
}

// noise is n bytes that do not compress.
func noise(n int) []byte {
	p := make([]byte, n)
	x := uint32(2463534242)
	for i := range p {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		p[i] = byte(x >> 11)
	}
	return p
}

// options are the ways to encode that the round trips go through.
func options() []blosc.Options {
	all := []blosc.Options{{Codec: blosc.None}}
	for _, c := range []blosc.Codec{blosc.LZ4, blosc.Zstd} {
		for _, s := range []blosc.Shuffle{blosc.AutoShuffle, blosc.NoShuffle, blosc.ByteShuffle, blosc.BitShuffle} {
			for _, size := range []int{0, 1000} {
				all = append(all, blosc.Options{Codec: c, Shuffle: s, BlockSize: size})
			}
		}
	}
	return all
}

// roundTrip encodes, in both ways, and decodes, all behind bytes that are there
// already.
func roundTrip(t *testing.T, e *blosc.Encoder, d *blosc.Decoder, src []byte, ts int) {
	t.Helper()
	prefix := []byte("before")
	frame, err := e.Append(slices.Clone(prefix), src, ts)
	if err != nil {
		t.Fatalf("encode %d bytes in items of %d: %v", len(src), ts, err)
	}
	if !bytes.HasPrefix(frame, prefix) {
		t.Fatalf("encode %d bytes in items of %d: what was in dst is gone", len(src), ts)
	}
	frame = frame[len(prefix):]
	if len(frame) > blosc.MaxLen(len(src)) {
		t.Fatalf("%d bytes in items of %d take %d", len(src), ts, len(frame))
	}
	short, stored, err := e.AppendShort(slices.Clone(prefix), src, ts)
	if err != nil {
		t.Fatalf("encode %d bytes in items of %d: %v", len(src), ts, err)
	}
	if short = short[len(prefix):]; stored {
		if len(short) != 16 {
			t.Fatalf("%d bytes in items of %d are stored, and %d are appended", len(src), ts, len(short))
		}
		short = append(short, src...)
	}
	if h, err := blosc.ParseHeader(frame); !bytes.Equal(short, frame) || err != nil || h.Memcpyed != stored {
		t.Fatalf("%d bytes in items of %d: the short frame is another, stored %v", len(src), ts, stored)
	}
	got, err := d.Append(slices.Clone(prefix), frame, len(src))
	if err != nil {
		t.Fatalf("decode %d bytes in items of %d: %v", len(src), ts, err)
	}
	if !bytes.Equal(got, append(prefix, src...)) {
		t.Fatalf("%d bytes in items of %d come back as others", len(src), ts)
	}
}

func TestRoundTrip(t *testing.T) {
	sizes := []int{0, 1, 2, 15, 16, 127, 128, 129, 255, 256, 257, 1000, 1023, 1024, 2048, 4097}
	var d blosc.Decoder
	for _, opts := range options() {
		t.Run(fmt.Sprintf("%v/%v/%d", opts.Codec, opts.Shuffle, opts.BlockSize), func(t *testing.T) {
			e, err := blosc.NewEncoder(opts)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range sizes {
				for _, ts := range []int{1, 2, 3, 4, 8, 16, 17, 64, 255} {
					roundTrip(t, e, &d, labels(n, ts), ts)
				}
			}
		})
	}
}

// Every item size, with one encoder and decoder for all of them.
func TestRoundTripItems(t *testing.T) {
	e, err := blosc.NewEncoder(blosc.Options{BlockSize: 2048})
	if err != nil {
		t.Fatal(err)
	}
	var d blosc.Decoder
	for ts := 1; ts <= blosc.MaxTypeSize; ts++ {
		roundTrip(t, e, &d, labels(5000, ts), ts)
	}
}

// A mix of what compresses and what does not must not grow by a byte either.
func TestMaxLen(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var d blosc.Decoder
	for _, opts := range options() {
		e, err := blosc.NewEncoder(opts)
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			src := noise(rnd.IntN(10000))
			clear(src[len(src)-min(len(src), rnd.IntN(200)):])
			roundTrip(t, e, &d, src, 1+rnd.IntN(9))
		}
	}
}

// Each block, the short last one included, is noise or zeros. Noise alone is
// stored as it is; other blocks find what noise came before them in place.
func TestNoiseAndZeros(t *testing.T) {
	const blocks, size, short = 5, 512, 200
	var d blosc.Decoder
	e, err := blosc.NewEncoder(blosc.Options{BlockSize: size})
	if err != nil {
		t.Fatal(err)
	}
	var frame []byte // full of the frame before
	for zeros := range 1 << blocks {
		src := noise((blocks-1)*size + short)
		for i := range blocks {
			if zeros>>i&1 == 1 {
				clear(src[i*size : min((i+1)*size, len(src))])
			}
		}
		if frame, err = e.Append(frame[:0], src, 1); err != nil {
			t.Fatal(err)
		}
		if h, err := blosc.ParseHeader(frame); err != nil || h.Memcpyed != (zeros == 0) {
			t.Errorf("zeros in blocks %05b: memcpyed %v, error %v", zeros, h.Memcpyed, err)
		}
		if got, err := d.Append(nil, frame, len(src)); err != nil || !bytes.Equal(got, src) {
			t.Errorf("zeros in blocks %05b: %d bytes come back as %d others, error %v", zeros, len(src), len(got), err)
		}
	}
}

func TestEncoderRefuses(t *testing.T) {
	for _, opts := range []blosc.Options{
		{Codec: blosc.Snappy}, {Codec: blosc.Zlib}, {Codec: 5}, {Shuffle: 4},
		{Level: -1}, {Level: 10}, {BlockSize: -1}, {BlockSize: 127}, {BlockSize: 1 << 30},
	} {
		if _, err := blosc.NewEncoder(opts); err == nil {
			t.Errorf("NewEncoder(%+v) gives no error", opts)
		}
	}
	e, err := blosc.NewEncoder(blosc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, ts := range []int{-1, 0, 256} {
		if got, err := e.Append([]byte("x"), noise(200), ts); err == nil || string(got) != "x" {
			t.Errorf("items of %d bytes: %d bytes, error %v", ts, len(got), err)
		}
	}
}

// The choices that BenchmarkEncode led to, as a frame's header shows them.
func TestDefaults(t *testing.T) {
	for _, tt := range []struct {
		opts     blosc.Options
		typeSize int
		bytes    int
		want     blosc.Header
	}{
		{blosc.Options{}, 1, 1 << 20, blosc.Header{Codec: blosc.LZ4, Shuffle: blosc.NoShuffle, BlockSize: 1 << 19}},
		{blosc.Options{}, 2, 1<<20 - 16, blosc.Header{Codec: blosc.LZ4, Shuffle: blosc.BitShuffle, Split: true, BlockSize: 1 << 19}},
		{blosc.Options{}, 2, 1<<20 + 2, blosc.Header{Codec: blosc.LZ4, Shuffle: blosc.ByteShuffle, Split: true, BlockSize: 1 << 19}},
		{blosc.Options{}, 8, 1 << 20, blosc.Header{Codec: blosc.LZ4, Shuffle: blosc.NoShuffle, BlockSize: 1 << 19}},
		{blosc.Options{Codec: blosc.Zstd}, 1, 1 << 20, blosc.Header{Codec: blosc.Zstd, Shuffle: blosc.NoShuffle, BlockSize: 1 << 19}},
		{blosc.Options{Codec: blosc.Zstd}, 2, 1 << 20, blosc.Header{Codec: blosc.Zstd, Shuffle: blosc.ByteShuffle, Split: true, BlockSize: 1 << 19}},
		{blosc.Options{Codec: blosc.Zstd, Level: 4}, 2, 1 << 20, blosc.Header{Codec: blosc.Zstd, Shuffle: blosc.ByteShuffle, BlockSize: 1 << 19}},
		{blosc.Options{Shuffle: blosc.BitShuffle, BlockSize: 999}, 8, 6400, blosc.Header{Codec: blosc.LZ4, Shuffle: blosc.BitShuffle, BlockSize: 960}},
		{blosc.Options{Codec: blosc.None}, 2, 6400, blosc.Header{Codec: blosc.LZ4, Shuffle: blosc.NoShuffle, Memcpyed: true, BlockSize: 6400}},
		{blosc.Options{Shuffle: blosc.ByteShuffle, BlockSize: 128}, 200, 6400, blosc.Header{Codec: blosc.LZ4, Shuffle: blosc.ByteShuffle, BlockSize: 200}},
	} {
		e, err := blosc.NewEncoder(tt.opts)
		if err != nil {
			t.Fatal(err)
		}
		frame, err := e.Append(nil, steps(tt.bytes, 1), tt.typeSize)
		if err != nil {
			t.Fatal(err)
		}
		got, err := blosc.ParseHeader(frame)
		tt.want.TypeSize, tt.want.NBytes, tt.want.CBytes = tt.typeSize, tt.bytes, len(frame)
		if got != tt.want || err != nil {
			t.Errorf("%+v, %d bytes in items of %d: header %+v, error %v", tt.opts, tt.bytes, tt.typeSize, got, err)
		}
	}
}

// The encoder looks at what two bytes hold before it chooses.
func TestAutoShuffle(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	type options = blosc.Options
	leisurely := options{Codec: blosc.Zstd, Level: 4}
	for _, tt := range []struct {
		name        string
		mean, sigma float64
		want        map[options]blosc.Shuffle
	}{
		{"12 bits, the upper byte the same", 128, 30, map[options]blosc.Shuffle{
			{}: blosc.ByteShuffle, {Codec: blosc.Zstd}: blosc.ByteShuffle, leisurely: blosc.ByteShuffle}},
		{"16 bits, edges in the upper byte", 2000, 40, map[options]blosc.Shuffle{
			{}: blosc.BitShuffle, {Codec: blosc.Zstd}: blosc.BitShuffle, leisurely: blosc.ByteShuffle}},
	} {
		var src []byte
		for i := range 1 << 19 {
			v := tt.mean * (1 + 0.15*math.Sin(float64(i)/100))
			src = binary.LittleEndian.AppendUint16(src, uint16(max(0, v+tt.sigma*rnd.NormFloat64())))
		}
		for opts, want := range tt.want {
			e, err := blosc.NewEncoder(opts)
			if err != nil {
				t.Fatal(err)
			}
			frame, err := e.Append(nil, src, 2)
			if err != nil {
				t.Fatal(err)
			}
			if h, err := blosc.ParseHeader(frame); err != nil || h.Shuffle != want {
				t.Errorf("%s, %v, level %d: %v shuffle, error %v, want %v", tt.name, opts.Codec, opts.Level, h.Shuffle, err, want)
			}
		}
	}
}

// Frame after frame takes no new memory. Zstd's pools do, under the race
// detector only, so it is left out.
func TestAllocs(t *testing.T) {
	src := labels(1<<20, 2)
	e, err := blosc.NewEncoder(blosc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var d blosc.Decoder
	var frame, back []byte
	if n := testing.AllocsPerRun(5, func() {
		frame, _ = e.Append(frame[:0], src, 2)
		back, _ = d.Append(back[:0], frame, len(src))
	}); n > 0 {
		t.Errorf("%v allocations for a frame there and back", n)
	}
}

// Codecs can be switched between frames: each is as from an encoder of its own.
func TestSwitch(t *testing.T) {
	e, err := blosc.NewEncoder(blosc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	src := labels(1<<20, 2)
	for _, codec := range []blosc.Codec{blosc.Zstd, blosc.None, blosc.LZ4, blosc.Zstd, blosc.LZ4} {
		own, err := blosc.NewEncoder(blosc.Options{Codec: codec})
		if err != nil {
			t.Fatal(err)
		}
		want, err := own.Append(nil, src, 2)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Switch(codec); err != nil {
			t.Fatal(err)
		}
		if got, err := e.Append(nil, src, 2); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%v after another: %d bytes, error %v, want %d", codec, len(got), err, len(want))
		}
	}
	if err := e.Switch(blosc.Zlib); err == nil {
		t.Error("a switch to zlib gives no error")
	}
}

// An encoder keeps to the memory that its comment tells, whatever the data.
func TestEncoderMemory(t *testing.T) {
	const mib = 1 << 20
	for _, tt := range []struct {
		codecs []blosc.Codec
		most   int
	}{
		{[]blosc.Codec{blosc.LZ4}, 1280 << 10},
		{[]blosc.Codec{blosc.Zstd}, 3600 << 10},
		{[]blosc.Codec{blosc.LZ4, blosc.Zstd}, 3600 << 10},
	} {
		frame := make([]byte, 0, blosc.MaxLen(mib))
		srcs := [][]byte{labels(mib, 2), halfNoise(mib, 8), noise(mib)}
		before := heap()
		e, err := blosc.NewEncoder(blosc.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, codec := range tt.codecs {
			e.Switch(codec)
			for _, src := range srcs {
				for _, ts := range []int{1, 2, 8} {
					e.Append(frame, src, ts)
				}
			}
		}
		took := heap() - before
		runtime.KeepAlive(e)
		runtime.KeepAlive(frame)
		runtime.KeepAlive(srcs)
		t.Logf("%v: %d KiB", tt.codecs, took>>10)
		if took > tt.most {
			t.Errorf("%v take %d KiB, want at most %d", tt.codecs, took>>10, tt.most>>10)
		}
	}
}

// heap is the memory in use.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
