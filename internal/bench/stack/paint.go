package stack

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
)

// A painter gives a row of pixels of an image of side² at z, into dst.
type painter func(dst []byte, y, z, side int)

// pixels paints slice z, little-endian.
func (k Kind) pixels(side, z int) []byte {
	p := make([]byte, side*side*k.ItemSize)
	row := side * k.ItemSize
	for y := range side {
		k.paint(p[y*row:][:row], y, z, side)
	}
	return p
}

// period is after how many pixels the soft shapes come again.
const period = 4096

var (
	coarse = waves(40, 3, 7, 11)    // what is large in a slice
	fine   = waves(18, 41, 67, 113) // and what is small
	gauss  = quantiles()
)

// waves is a period of a sum of sines, between -amplitude and amplitude.
func waves(amplitude float64, turns ...float64) (w [period]int32) {
	for i := range w {
		sum := 0.0
		for _, n := range turns {
			sum += math.Sin(2*math.Pi*n*float64(i)/period + n)
		}
		w[i] = int32(amplitude * sum / float64(len(turns)))
	}
	return w
}

// quantiles are the normal distribution, of sigma 256, in steps of equal chance.
func quantiles() (q [256]int32) {
	for i := range q {
		q[i] = int32(256 * math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/256-1))
	}
	return q
}

// soft gives the shapes, from -116 to 116.
func soft(x, y, z int) int32 {
	return coarse[(x+5*z)%period] + coarse[(y+3*z)%period] + fine[(x+y)%period] + fine[(x-y+z+1024*period)%period]
}

// noise calls f for each of n pixels with a sample of the normal distribution of
// sigma 256, the same for each row always.
func noise(n, y, z int, f func(x int, sample int32)) {
	rnd := rand.NewPCG(uint64(z)<<32|uint64(y), 1)
	for x := 0; x < n; x += 8 {
		bits := rnd.Uint64()
		for i := x; i < min(n, x+8); i++ {
			f(i, gauss[bits&0xff])
			bits >>= 8
		}
	}
}

// em is electron microscopy: soft shapes, and noise of some ten gray values. None is 0.
func em(dst []byte, y, z, _ int) {
	noise(len(dst), y, z, func(x int, sample int32) {
		dst[x] = byte(min(255, max(1, 128+soft(x, y, z)/2+sample/24)))
	})
}

// sparse is em in a disk that is a tenth of the image, and else 0.
func sparse(dst []byte, y, z, side int) {
	em(dst, y, z, side)
	radius := float64(side) * math.Sqrt(0.1/math.Pi)
	dy := float64(y) - float64(side)/2
	half := int(math.Sqrt(max(0, radius*radius-dy*dy)))
	clear(dst[:side/2-half])
	clear(dst[side/2+half:])
}

// light is light microscopy of 12 bit: little signal, and noise that grows with it.
func light(dst []byte, y, z, _ int) {
	noise(len(dst)/2, y, z, func(x int, sample int32) {
		signal := 150 + max(0, soft(x, y, z))*12
		binary.LittleEndian.PutUint16(dst[2*x:], uint16(max(1, signal+sample*(20+signal/16)/256)))
	})
}

// labels are cells of some 64 pixels with wavy borders and large numbers, a
// quarter of them empty.
func labels(dst []byte, y, z, _ int) {
	for x := range len(dst) / 8 {
		column := uint64(int32(x)+fine[y%period]+1<<10) / 64
		row := uint64(int32(y)+fine[x%period]+1<<10) / 64
		binary.LittleEndian.PutUint64(dst[8*x:], label(column, row, uint64(z)/8))
	}
}

// label is the number of a cell, or 0: a hash of its place (the finalizer of MurmurHash3).
func label(x, y, z uint64) uint64 {
	h := x | y<<20 | z<<40
	for _, factor := range []uint64{0xff51afd7ed558ccd, 0xc4ceb9fe1a85ec53} {
		h ^= h >> 33
		h *= factor
	}
	h ^= h >> 33
	if h%4 == 0 {
		return 0
	}
	return h >> 24
}
