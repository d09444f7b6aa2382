package preview

import (
	"encoding/binary"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A shrinker makes a small picture of rows: each of its pixels is the mean of a
// box of them or, of labels, the one in the box's middle.
type shrinker struct {
	width, height int // of the picture
	step          int // side of a box
	typ           voxel.Type
	labels        bool
	columns, rows int // of the slice
	row           int // that comes next
	sums          []uint64
	counts        []uint32 // of the pixels in each sum
}

func newShrinker(width, height int, t voxel.Type, o Options) *shrinker {
	s := &shrinker{typ: t, labels: o.Labels, columns: width, rows: height}
	s.step = max(1, (max(width, height)+o.Side-1)/o.Side)
	s.width, s.height = (width+s.step-1)/s.step, (height+s.step-1)/s.step
	s.sums, s.counts = make([]uint64, s.width*s.height), make([]uint32, s.width*s.height)
	return s
}

// add takes the next row.
func (s *shrinker) add(row []byte) {
	y := s.row / s.step
	middle := min(y*s.step+s.step/2, s.rows-1)
	at := s.row
	s.row++
	if s.labels && at != middle {
		return
	}
	sums, counts := s.sums[y*s.width:][:s.width], s.counts[y*s.width:][:s.width]
	for i := range sums {
		lo := i * s.step
		hi := min(lo+s.step, s.columns)
		if s.labels {
			lo = min(lo+s.step/2, s.columns-1)
			hi = lo + 1
		}
		sums[i] += sum(row, lo, hi, s.typ)
		counts[i] += uint32(hi - lo)
	}
}

// sum adds the values of columns lo to hi of a row. Those of 64 bits may wrap,
// which is no matter: they are labels, or a picture that makes no sense.
func sum(row []byte, lo, hi int, t voxel.Type) (n uint64) {
	if t == voxel.Uint8 {
		for _, v := range row[lo:hi] {
			n += uint64(v)
		}
		return n
	}
	for i := lo; i < hi; i++ {
		n += value(row, i, t)
	}
	return n
}

// value is pixel i of a row.
func value(row []byte, i int, t voxel.Type) uint64 {
	le := binary.LittleEndian
	switch t {
	case voxel.Uint8:
		return uint64(row[i])
	case voxel.Uint16:
		return uint64(le.Uint16(row[2*i:]))
	case voxel.Uint32:
		return uint64(le.Uint32(row[4*i:]))
	}
	return le.Uint64(row[8*i:])
}

// at is a pixel of the picture; not ok where no row was.
func (s *shrinker) at(x, y int) (v uint64, ok bool) {
	i := y*s.width + x
	if s.counts[i] == 0 {
		return 0, false
	}
	return s.sums[i] / uint64(s.counts[i]), true
}
