package preview

import (
	"fmt"
	"math/bits"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/voxel"
)

// Stats are numbers about the voxels of a slice.
type Stats struct {
	Voxels   int64
	Zeros    int64
	Min, Max uint64
	Mean     float64
	Counts   []int64 // how often each value occurs, of uint8 and uint16; else nil
	Used     uint64  // the bits that any voxel has

	rows int
	sum  float64
	near rough // neighbors in a row
	far  rough // voxels half a row apart
}

// rough is how much voxels differ from others on average, as they are and with
// their bytes swapped.
type rough struct{ plain, swapped float64 }

// sampledRows is every how many rows neighbors are compared.
const sampledRows = 8

// add counts a row. Of uint8 and uint16 each value is counted, and the rest
// follows from that in the end.
func (s *Stats) add(row []byte, t voxel.Type) {
	n := len(row) / t.Size()
	switch {
	case t > voxel.Uint16:
		s.addWide(row, n, t)
	case s.Counts == nil:
		s.Counts = make([]int64, 1<<(8*t.Size()))
	}
	s.Voxels += int64(n)
	switch t {
	case voxel.Uint8:
		for _, v := range row {
			s.Counts[v]++
		}
	case voxel.Uint16:
		for i := 0; i < len(row); i += 2 {
			s.Counts[uint16(row[i])|uint16(row[i+1])<<8]++
		}
		if s.rows%sampledRows == 0 {
			s.near.add(row, n, 1)
			s.far.add(row, n, max(2, n/2))
		}
	}
	s.rows++
}

// addWide counts a row of values of which there may be too many to count each.
func (s *Stats) addWide(row []byte, n int, t voxel.Type) {
	for i := range n {
		s.note(value(row, i, t), 1, s.Voxels == 0 && i == 0)
	}
}

// note counts a value that occurs so often.
func (s *Stats) note(v uint64, times int64, first bool) {
	if first || v < s.Min {
		s.Min = v
	}
	s.Max, s.Used = max(s.Max, v), s.Used|v
	s.sum += float64(v) * float64(times)
	if v == 0 {
		s.Zeros += times
	}
}

// finish finds what follows from the counts.
func (s *Stats) finish() {
	first := true
	for v, n := range s.Counts {
		if n > 0 {
			s.note(uint64(v), n, first)
			first = false
		}
	}
	s.Mean = s.sum / float64(max(1, s.Voxels))
}

// add compares voxels that are so far apart.
func (r *rough) add(row []byte, n, apart int) {
	diff := func(a, b uint16) float64 { return float64(max(a, b) - min(a, b)) }
	for i := 0; i+apart < n; i++ {
		a, b := uint16(value(row, i, voxel.Uint16)), uint16(value(row, i+apart, voxel.Uint16))
		r.plain += diff(a, b)
		r.swapped += diff(bits.ReverseBytes16(a), bits.ReverseBytes16(b))
	}
}

// clipped is the part of the voxels that the picture of 16 bits makes black and,
// again, white: a few hot pixels would make everything else black.
const clipped = 0.001

// window gives the values that become black and white.
func (s *Stats) window() (from, to uint64) {
	if s.Counts == nil {
		return s.Min, max(s.Max, s.Min+1)
	}
	most := int64(clipped * float64(s.Voxels-s.Zeros))
	lo, hi := 1, len(s.Counts)-1 // zeros are mostly where there is no image
	for n := s.Counts[lo]; n <= most && lo < hi; n += s.Counts[lo] {
		lo++
	}
	for n := s.Counts[hi]; n <= most && hi > lo; n += s.Counts[hi] {
		hi--
	}
	return uint64(lo), uint64(max(hi, lo+1))
}

// Different is how many values occur; not ok if that was not counted.
func (s *Stats) Different() (n int, ok bool) {
	for _, c := range s.Counts {
		if c > 0 {
			n++
		}
	}
	return n, s.Counts != nil
}

// ZeroShare is the part of the voxels that are zero.
func (s *Stats) ZeroShare() float64 { return float64(s.Zeros) / float64(max(1, s.Voxels)) }

// A slice of noise differs between neighbors as much as anywhere. Images do not:
// their neighbors differ by less than smooth times what voxels far apart do.
// Swapped, the low bytes, which are noise, count most.
const (
	noisy  = 0.6
	smooth = 0.5
)

// swappedLooksBetter reports whether the voxels make an image only with their
// bytes swapped.
func (s *Stats) swappedLooksBetter() bool {
	if s.far.plain == 0 || s.far.swapped == 0 {
		return false
	}
	plain, swapped := s.near.plain/s.far.plain, s.near.swapped/s.far.swapped
	return plain > noisy && swapped < smooth*plain
}

// saturated is the part of the voxels at the largest value from which on a window
// that is too narrow is likelier than bright tissue.
const saturated = 0.05

// Notes are sentences about what looks wrong with an image, or labels.
func (s *Slice) Notes(labels bool) (list []string) {
	note := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if s.Voxels == 0 {
		return nil
	}
	width := 8 * s.Type.Size()
	used, below := bits.Len64(s.Used), bits.TrailingZeros64(s.Used)
	top := uint64(1)<<(width-1)<<1 - 1
	switch {
	case s.Max == 0:
		note("All voxels are 0: nothing of this slice would be posted.")
		return list
	case s.Min == s.Max:
		note("All voxels are %d.", s.Max)
		return list
	case labels:
		if n, ok := s.Different(); ok && n > 200 && s.swappedLooksBetter() {
			note("The bytes of these labels seem to be in the wrong order.")
		}
		return list
	}
	switch {
	case s.Type == voxel.Uint16 && s.swappedLooksBetter():
		note("The bytes seem to be in the wrong order: neighbors differ as noise does, and with their bytes swapped they do not.")
	case s.Type == voxel.Uint16 && below >= 8:
		note("All values are multiples of %d: these are %s, shifted up or with their bytes in the wrong order.", uint64(1)<<below, human.Count(used-below, "bit"))
	case below > 0:
		note("All values are multiples of %d: the lowest %s are not used.", uint64(1)<<below, human.Count(below, "bit"))
	case used < width:
		note("Only %d of the %d bits are used: no value is above %d. A viewer that shows all of them shows a dark image.", used, width, s.Max)
	}
	if s.Counts != nil && s.Max == top {
		if share := float64(s.Counts[top]) / float64(s.Voxels); share > saturated {
			note("%.0f %% of the voxels are %d, the largest value: the window may be too narrow, or the image is inverted.", 100*share, top)
		}
	}
	if n, ok := s.Different(); ok && s.Voxels > 10_000 && n <= 16 {
		note("There are only %d different values: are these labels?", n)
	}
	return list
}
