package render

import (
	"fmt"
	"iter"
	"math"
	"strconv"

	"github.com/neurodata/ndpush/internal/voxel"
)

// maxPeriod is the most columns of a stack after which a column of the scaled
// image begins where one of the stack does. Scales of three decimals keep to it.
const maxPeriod = 1000

// maxSide is about the longest side of a box in pixels of the stack. A service
// counts a box's pixels in 32 bits, and refuses one that meets 50000 tiles.
const maxSide = 32 << 10

// A grid is where boxes may begin and end: every unit scaled pixels, which are
// period pixels of the stack.
type grid struct {
	scale        float64
	unit, period int
	width, rows  int // the largest box, in scaled pixels
}

// newGrid makes boxes of about side × side scaled pixels, fewer where that would
// be a large part of a stack. Bands as high as side are one box high wherever they
// begin.
func newGrid(scale float64, side int) (grid, error) {
	if !(scale > 0 && scale <= 1) {
		return grid{}, fmt.Errorf("render scale %v: want more than 0, and at most 1, which is the stack as it is", scale)
	}
	unit, period := fraction(scale)
	if near := float64(unit) / float64(period); math.Abs(near-scale) > 1e-9*scale {
		return grid{}, fmt.Errorf("render scale %v: no box of up to %d pixels is whole pixels at that scale; at %v, one of %d is", scale, maxPeriod, near, period)
	}
	side = max(1, min(side, int(maxSide*scale)))
	g := grid{scale: scale, unit: unit, period: period}
	g.width = max(unit, side/unit*unit)
	g.rows = g.align(voxel.Range{Min: unit - 1, Max: unit - 1 + side}).Len()
	return g, nil
}

// fraction is the fraction nearest to scale whose denominator is at most maxPeriod.
func fraction(scale float64) (unit, period int) {
	best := math.Inf(1)
	for q := 1; q <= maxPeriod; q++ {
		p := max(1, math.Round(scale*float64(q)))
		if d := math.Abs(p/float64(q) - scale); d < best-1e-15 {
			best, unit, period = d, int(p), q
		}
	}
	return unit, period
}

// scaled are the scaled pixels that show anything of r, pixels of the stack.
func (g *grid) scaled(r voxel.Range) voxel.Range {
	return voxel.Range{Min: voxel.FloorDiv(r.Min*g.unit, g.period), Max: -voxel.FloorDiv(-r.Max*g.unit, g.period)}
}

// align widens r to where boxes may begin and end.
func (g *grid) align(r voxel.Range) voxel.Range {
	return voxel.Range{Min: voxel.FloorDiv(r.Min, g.unit) * g.unit, Max: -voxel.FloorDiv(-r.Max, g.unit) * g.unit}
}

// full is the least width in pixels of the stack that a service makes n scaled
// ones of. Its product may be a little less than it should: 0.29·100 is
// 28.999999999999996, and cut off that is 28.
func (g *grid) full(n int) int {
	w := n / g.unit * g.period
	for int(g.scale*float64(w)) < n {
		w++
	}
	return w
}

// largest is the size of the largest box.
func (g *grid) largest() (width, height int) { return g.width, g.rows }

// A box is a part of a section, in scaled pixels, that is asked for at once.
type box struct {
	x, y voxel.Range
	z    int
}

// boxes covers x and y of section z with boxes, from left to right, then down.
func (g *grid) boxes(x, y voxel.Range, z int) iter.Seq[box] {
	return func(yield func(box) bool) {
		for down := range cut(g.align(y), g.rows) {
			for right := range cut(g.align(x), g.width) {
				if !yield(box{right, down, z}) {
					return
				}
			}
		}
	}
}

// cut gives pieces of r, each of length n but for the last.
func cut(r voxel.Range, n int) iter.Seq[voxel.Range] {
	return func(yield func(voxel.Range) bool) {
		for at := r.Min; at < r.Max; at += n {
			if !yield(voxel.Range{Min: at, Max: min(at+n, r.Max)}) {
				return
			}
		}
	}
}

// path is how a service is asked for b, below the stack.
func (g *grid) path(b box, k kind) string {
	return fmt.Sprintf("/z/%d/box/%d,%d,%d,%d,%s/%s", b.z, b.x.Min/g.unit*g.period, b.y.Min/g.unit*g.period,
		g.full(b.x.Len()), g.full(b.y.Len()), strconv.FormatFloat(g.scale, 'f', -1, 64), k)
}
