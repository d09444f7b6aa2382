package journal

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/voxel"
)

// grid is what boxes are pieces of.
var grid = voxel.Point{X: plan.CuboidX, Y: plan.CuboidY, Z: plan.CuboidZ}

// limit bounds coordinates, so that cells fit their type and nothing overflows.
const limit = 1 << 30

// A cell is a place in the grid of cuboids.
type cell struct{ z, y, x int32 }

// cellOf is the cell of p, a point within the limit.
func cellOf(p voxel.Point) cell {
	return cell{
		int32(voxel.FloorDiv(p.Z, plan.CuboidZ)),
		int32(voxel.FloorDiv(p.Y, plan.CuboidY)),
		int32(voxel.FloorDiv(p.X, plan.CuboidX)),
	}
}

// corner is the cell's first voxel.
func (c cell) corner() voxel.Point {
	return voxel.Point{X: int(c.x) * plan.CuboidX, Y: int(c.y) * plan.CuboidY, Z: int(c.z) * plan.CuboidZ}
}

// compare orders cells by z, then y, then x.
func (c cell) compare(d cell) int {
	for _, diff := range [3]int32{c.z - d.z, c.y - d.y, c.x - d.x} {
		if diff != 0 {
			return int(diff)
		}
	}
	return 0
}

// A local is a box within a cell, in little memory.
type local struct {
	x0, x1, y0, y1 uint16
	z0, z1         uint8
}

// The constants fit a local, and the slices of a cell an entry's lost.
const (
	_ = uint16(plan.CuboidX)
	_ = uint16(plan.CuboidY)
	_ = uint(16 - plan.CuboidZ)
)

func localOf(b voxel.Box, c cell) local {
	b = b.Add(c.corner().Neg())
	return local{
		uint16(b.Min.X), uint16(b.Max.X), uint16(b.Min.Y), uint16(b.Max.Y),
		uint8(b.Min.Z), uint8(b.Max.Z),
	}
}

func (l local) box(c cell) voxel.Box {
	return voxel.NewBox(
		voxel.Range{Min: int(l.x0), Max: int(l.x1)},
		voxel.Range{Min: int(l.y0), Max: int(l.y1)},
		voxel.Range{Min: int(l.z0), Max: int(l.z1)},
	).Add(c.corner())
}

// parseBox reads what [voxel.Box.String] writes; the box is not empty and its
// coordinates are within the limit.
func parseBox(s string) (voxel.Box, error) {
	var r [3]voxel.Range
	rest := s
	for i := range r {
		text, after, more := strings.Cut(rest, "/")
		if more != (i < 2) {
			return voxel.Box{}, fmt.Errorf("box %q: want x0:x1/y0:y1/z0:z1", s)
		}
		var err error
		if r[i], err = parseRange(text); err != nil {
			return voxel.Box{}, fmt.Errorf("box %q: %w", s, err)
		}
		rest = after
	}
	return voxel.NewBox(r[0], r[1], r[2]), nil
}

// parseRange reads what [voxel.Range.String] writes, not empty and within the limit.
func parseRange(s string) (voxel.Range, error) {
	lo, hi, ok := strings.Cut(s, ":")
	from, err := strconv.Atoi(lo)
	to, err2 := strconv.Atoi(hi)
	r := voxel.Range{Min: from, Max: to}
	if !ok || err != nil || err2 != nil || r.Empty() || !within(r) {
		return voxel.Range{}, fmt.Errorf("%q is not a range", s)
	}
	return r, nil
}

func within(r voxel.Range) bool { return -limit < r.Min && r.Max < limit }

// checkBox says what is wrong with a box that is not empty, has sound
// coordinates, lies in data and in one cell.
func checkBox(b, data voxel.Box) error {
	switch {
	case b.Empty() || !within(b.X()) || !within(b.Y()) || !within(b.Z()):
		return fmt.Errorf("box %v is not one of voxels", b)
	case !data.Contains(b):
		return fmt.Errorf("box %v is not in the data %v of its journal", b, data)
	case b.CountPieces(grid) != 1:
		return fmt.Errorf("box %v is not a piece of one cuboid", b)
	}
	return nil
}

func overlap(a, b voxel.Box) bool { return !a.Intersect(b).Empty() }

// subtract gives what is left of the boxes outside b. The result is a new
// slice unless none of them overlaps b.
func subtract(from []voxel.Box, b voxel.Box) []voxel.Box {
	var left []voxel.Box
	for i, a := range from {
		hole := a.Intersect(b)
		if hole.Empty() {
			if left != nil {
				left = append(left, a)
			}
			continue
		}
		if left == nil {
			left = append(make([]voxel.Box, 0, len(from)+5), from[:i]...)
		}
		left = appendRest(left, a, hole)
	}
	if left == nil {
		return from
	}
	return left
}

// appendRest appends what is left of a outside hole, which lies in it: at most
// six boxes, two for each axis.
func appendRest(left []voxel.Box, a, hole voxel.Box) []voxel.Box {
	for _, piece := range [6]voxel.Box{
		a.WithZ(voxel.Range{Min: a.Min.Z, Max: hole.Min.Z}),
		a.WithZ(voxel.Range{Min: hole.Max.Z, Max: a.Max.Z}),
		voxel.NewBox(a.X(), voxel.Range{Min: a.Min.Y, Max: hole.Min.Y}, hole.Z()),
		voxel.NewBox(a.X(), voxel.Range{Min: hole.Max.Y, Max: a.Max.Y}, hole.Z()),
		voxel.NewBox(voxel.Range{Min: a.Min.X, Max: hole.Min.X}, hole.Y(), hole.Z()),
		voxel.NewBox(voxel.Range{Min: hole.Max.X, Max: a.Max.X}, hole.Y(), hole.Z()),
	} {
		if !piece.Empty() {
			left = append(left, piece)
		}
	}
	return left
}
