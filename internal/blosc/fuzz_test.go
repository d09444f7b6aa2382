package blosc_test

import (
	"bytes"
	"testing"

	"github.com/neurodata/ndpush/internal/blosc"
)

// Whatever the bytes, decoding ends without a panic and within the limit, and
// what comes out goes in and comes out again.
func FuzzDecode(f *testing.F) {
	for _, g := range goldens(f) {
		f.Add(g.frame)
	}
	e, err := blosc.NewEncoder(blosc.Options{BlockSize: 1024})
	if err != nil {
		f.Fatal(err)
	}
	const limit = 1 << 16
	var d blosc.Decoder
	f.Fuzz(func(t *testing.T, frame []byte) {
		got, err := d.Append(nil, frame, limit)
		if err != nil {
			if len(got) != 0 {
				t.Fatalf("%d bytes and error %v", len(got), err)
			}
			return
		}
		h, err := blosc.ParseHeader(frame)
		if err != nil || len(got) != h.NBytes || len(got) > limit {
			t.Fatalf("%d bytes, header %+v, error %v", len(got), h, err)
		}
		again, err := e.Append(nil, got, h.TypeSize)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := d.Append(nil, again, limit); err != nil || !bytes.Equal(back, got) {
			t.Fatalf("%d bytes come back as %d, error %v", len(got), len(back), err)
		}
	})
}

// Whatever the bytes and the options, what goes in comes out, and is never
// longer than promised.
func FuzzRoundTrip(f *testing.F) {
	f.Add(labels(1000, 8), byte(1), byte(3), byte(0), 8, 256)
	f.Add(labels(4097, 2), byte(4), byte(2), byte(9), 2, 1000)
	f.Add(halfNoise(2048, 2), byte(1), byte(2), byte(1), 2, 0)
	f.Add(noise(300), byte(4), byte(0), byte(4), 1, 0)
	var d blosc.Decoder
	f.Fuzz(func(t *testing.T, src []byte, codec, shuffle, level byte, typeSize, blockSize int) {
		opts := blosc.Options{
			Codec: blosc.Codec(codec), Shuffle: blosc.Shuffle(shuffle), Level: int(level), BlockSize: blockSize,
		}
		e, err := blosc.NewEncoder(opts)
		if err != nil {
			return
		}
		frame, err := e.Append(nil, src, typeSize)
		if err != nil {
			return
		}
		if len(frame) > blosc.MaxLen(len(src)) {
			t.Fatalf("%d bytes take %d", len(src), len(frame))
		}
		if got, err := d.Append(nil, frame, len(src)); err != nil || !bytes.Equal(got, src) {
			t.Fatalf("%d bytes come back as %d, error %v", len(src), len(got), err)
		}
	})
}
