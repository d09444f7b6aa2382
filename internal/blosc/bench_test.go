package blosc_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/neurodata/ndpush/internal/blosc"
)

// What the benchmarks compress: eight 512×512 slices, which hold the structure
// and the noise that microscopes give, made up.
const width, height, depth = 512, 512, 8

type volume struct {
	name string
	size int // bytes of a voxel
	data []byte
}

func volumes() []volume {
	return []volume{
		{"em8", 1, em(9, false)},
		{"em8-soft", 1, em(2, false)},
		{"em8-masked", 1, em(5, true)},
		{"em16", 2, em16(300, 40)},
		{"light12", 2, light(1)},
		{"light16", 2, light(12)},
		{"labels64-sparse", 8, cells(0.3, 40)},
		{"labels64-dense", 8, cells(1, 16)},
	}
}

// fill calls f for each voxel, x fastest, and stores what it gives in items of size bytes.
func fill(size int, f func(x, y, z float64) uint64) []byte {
	var p []byte
	for z := range depth {
		for y := range height {
			for x := range width {
				var item [8]byte
				binary.LittleEndian.PutUint64(item[:], f(float64(x), float64(y), float64(z)))
				p = append(p, item[:size]...)
			}
		}
	}
	return p
}

// tissue is dark membranes around brighter cytoplasm, from 0 to 1.
func tissue(x, y, z float64) float64 {
	a := math.Sin(x/23+math.Sin(y/31)+z/40) + math.Sin(y/19+math.Sin(x/47)-z/30)
	b := math.Sin(x/7+y/11) * math.Sin(y/5-x/13)
	return math.Tanh(4*math.Abs(a))*0.8 + 0.1*b + 0.1
}

// em is electron microscopy: noise of sigma gray values, and black outside a disk if masked.
func em(sigma float64, masked bool) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	return fill(1, func(x, y, z float64) uint64 {
		noise := rnd.NormFloat64() * sigma
		if masked && math.Hypot(x-width/2, y-height/2) > 0.495*width {
			return 0
		}
		return uint64(min(max(70+110*tissue(x, y, z)+noise, 1), 255))
	})
}

// em16 is electron microscopy of so many gray values more, noise of sigma among them.
func em16(sigma, gain float64) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	return fill(2, func(x, y, z float64) uint64 {
		return uint64(min(max((70+110*tissue(x, y, z))*gain+rnd.NormFloat64()*sigma, 1), 65535))
	})
}

// light is light microscopy: shot noise on a dim background and some bright
// cells. A camera of 12 bits has a gain of 1, one of 16 bits 12.
func light(gain float64) []byte {
	rnd := rand.New(rand.NewPCG(3, 4))
	return fill(2, func(x, y, z float64) uint64 {
		v := 100 + 30*tissue(x/3, y/3, z) + 4000*math.Pow(max(0, math.Sin(x/41)*math.Sin(y/37)), 8)
		return uint64(gain * (v + rnd.NormFloat64()*math.Sqrt(v/2)))
	})
}

// cells are the labels of a segmentation, of which a share is not 0, about
// size voxels across.
func cells(share, size float64) []byte {
	rnd := rand.New(rand.NewPCG(5, 6))
	ids := make([]uint64, 64*64)
	for i := range ids {
		if rnd.Float64() < share {
			ids[i] = 1 + rnd.Uint64N(5_000_000)
		}
	}
	return fill(8, func(x, y, z float64) uint64 {
		jitter := rnd.Float64() / size // ragged by a voxel, as membranes are
		i := int(x/size+math.Sin(y/(1.4*size)+z/9)/2+4+jitter) & 63
		j := int(y/size+math.Sin(x/(1.7*size)-z/7)/2+4+jitter) & 63
		return ids[64*j+i]
	})
}

// encodings are what a caller might ask for.
func encodings() []blosc.Options {
	return []blosc.Options{
		{Codec: blosc.LZ4},
		{Codec: blosc.LZ4, Shuffle: blosc.NoShuffle},
		{Codec: blosc.LZ4, Shuffle: blosc.ByteShuffle},
		{Codec: blosc.LZ4, Shuffle: blosc.BitShuffle},
		{Codec: blosc.Zstd},
		{Codec: blosc.Zstd, Shuffle: blosc.NoShuffle},
		{Codec: blosc.Zstd, Shuffle: blosc.ByteShuffle},
		{Codec: blosc.Zstd, Shuffle: blosc.BitShuffle},
		{Codec: blosc.None},
	}
}

// BenchmarkEncode also gives the ratio. The defaults for shuffle, level and
// block size come from it.
func BenchmarkEncode(b *testing.B) {
	for _, v := range volumes() {
		for _, opts := range encodings() {
			b.Run(fmt.Sprintf("%s/%v/%v", v.name, opts.Codec, opts.Shuffle), func(b *testing.B) {
				e, err := blosc.NewEncoder(opts)
				if err != nil {
					b.Fatal(err)
				}
				var frame []byte
				b.SetBytes(int64(len(v.data)))
				for b.Loop() {
					if frame, err = e.Append(frame[:0], v.data, v.size); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(v.data))/float64(len(frame)), "ratio")
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, v := range volumes() {
		for _, opts := range encodings() {
			b.Run(fmt.Sprintf("%s/%v/%v", v.name, opts.Codec, opts.Shuffle), func(b *testing.B) {
				e, err := blosc.NewEncoder(opts)
				if err != nil {
					b.Fatal(err)
				}
				frame, err := e.Append(nil, v.data, v.size)
				if err != nil {
					b.Fatal(err)
				}
				var d blosc.Decoder
				var got []byte
				b.SetBytes(int64(len(v.data)))
				for b.Loop() {
					if got, err = d.Append(got[:0], frame, len(v.data)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
