// Package voxel says where voxels are and what they are.
//
// A [Point] is a place, a [Range] an interval on one axis, a [Box] a volume;
// ranges and boxes are half-open: Min <= i < Max. A [Block] is a box of voxels
// in memory, x fastest, then y, then z, little-endian (C order ZYX), which is
// how BOSS stores and sends them.
//
// Everything here is a plain value; nothing touches a disk, a network or a clock.
package voxel

import (
	"cmp"
	"fmt"
	"iter"
)

// A Point is a place in voxels, or a size, or a shift. It may be negative.
type Point struct{ X, Y, Z int }

// Add returns p + q.
func (p Point) Add(q Point) Point { return Point{p.X + q.X, p.Y + q.Y, p.Z + q.Z} }

// Neg returns -p.
func (p Point) Neg() Point { return Point{-p.X, -p.Y, -p.Z} }

// Compare orders points as voxels lie in memory: by z, then y, then x. It is
// negative, 0 or positive as p comes before q, is q or comes after it.
func (p Point) Compare(q Point) int { return cmp.Or(p.Z-q.Z, p.Y-q.Y, p.X-q.X) }

// String gives "x, y, z".
func (p Point) String() string { return fmt.Sprintf("%d, %d, %d", p.X, p.Y, p.Z) }

// A Range is the half-open interval Min <= i < Max on one axis.
// One with Max <= Min is empty.
type Range struct{ Min, Max int }

// Len is the number of integers in r, 0 if it is empty.
func (r Range) Len() int { return max(0, r.Max-r.Min) }

// Empty reports whether r holds nothing.
func (r Range) Empty() bool { return r.Max <= r.Min }

// Contains reports whether all of s lies in r. An empty s lies anywhere.
func (r Range) Contains(s Range) bool { return s.Empty() || r.Min <= s.Min && s.Max <= r.Max }

// Intersect returns what r and s share; the zero Range if that is nothing.
func (r Range) Intersect(s Range) Range {
	t := Range{max(r.Min, s.Min), min(r.Max, s.Max)}
	if t.Empty() {
		return Range{}
	}
	return t
}

// Overlaps reports whether r and s have an integer in common.
func (r Range) Overlaps(s Range) bool { return max(r.Min, s.Min) < min(r.Max, s.Max) }

// Add returns r moved by d.
func (r Range) Add(d int) Range { return Range{r.Min + d, r.Max + d} }

// Pieces cuts r at the multiples of step (which lie on a grid through 0, also
// below it), in ascending order. Only the first and the last piece can be
// shorter than step. It panics if step < 1.
func (r Range) Pieces(step int) iter.Seq[Range] {
	if step < 1 {
		panic(fmt.Sprintf("voxel: step %d", step))
	}
	return func(yield func(Range) bool) {
		for lo := r.Min; lo < r.Max; {
			hi := min(r.Max, (FloorDiv(lo, step)+1)*step)
			if !yield(Range{lo, hi}) {
				return
			}
			lo = hi
		}
	}
}

// CountPieces is the number of pieces that Pieces gives.
func (r Range) CountPieces(step int) int {
	if r.Empty() {
		return 0
	}
	return FloorDiv(r.Max-1, step) - FloorDiv(r.Min, step) + 1
}

// String gives "min:max", the form of a cutout URL.
func (r Range) String() string { return fmt.Sprintf("%d:%d", r.Min, r.Max) }

// FloorDiv divides towards minus infinity, as the grid needs below 0; b > 0.
func FloorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && a < 0 {
		q--
	}
	return q
}

// A Box is the half-open volume of the points p with Min <= p < Max on each axis.
type Box struct{ Min, Max Point }

// NewBox returns the box with these ranges.
func NewBox(x, y, z Range) Box {
	return Box{Point{x.Min, y.Min, z.Min}, Point{x.Max, y.Max, z.Max}}
}

// X is the box's range in x.
func (b Box) X() Range { return Range{b.Min.X, b.Max.X} }

// Y is the box's range in y.
func (b Box) Y() Range { return Range{b.Min.Y, b.Max.Y} }

// Z is the box's range in z.
func (b Box) Z() Range { return Range{b.Min.Z, b.Max.Z} }

// WithZ returns b with another range in z.
func (b Box) WithZ(z Range) Box { return NewBox(b.X(), b.Y(), z) }

// Size is the box's length on each axis.
func (b Box) Size() Point { return Point{b.X().Len(), b.Y().Len(), b.Z().Len()} }

// Voxels is the number of points in b.
func (b Box) Voxels() int64 {
	s := b.Size()
	return int64(s.X) * int64(s.Y) * int64(s.Z)
}

// Empty reports whether b holds nothing.
func (b Box) Empty() bool { return b.X().Empty() || b.Y().Empty() || b.Z().Empty() }

// Contains reports whether all of c lies in b. An empty c lies anywhere.
func (b Box) Contains(c Box) bool {
	return c.Empty() || b.X().Contains(c.X()) && b.Y().Contains(c.Y()) && b.Z().Contains(c.Z())
}

// Intersect returns what b and c share; the zero Box if that is nothing.
func (b Box) Intersect(c Box) Box {
	d := NewBox(b.X().Intersect(c.X()), b.Y().Intersect(c.Y()), b.Z().Intersect(c.Z()))
	if d.Empty() {
		return Box{}
	}
	return d
}

// Overlaps reports whether b and c have a voxel in common.
func (b Box) Overlaps(c Box) bool {
	return b.X().Overlaps(c.X()) && b.Y().Overlaps(c.Y()) && b.Z().Overlaps(c.Z())
}

// Around returns the smallest box that contains b and c, neither of which is empty.
func (b Box) Around(c Box) Box {
	return Box{
		Point{min(b.Min.X, c.Min.X), min(b.Min.Y, c.Min.Y), min(b.Min.Z, c.Min.Z)},
		Point{max(b.Max.X, c.Max.X), max(b.Max.Y, c.Max.Y), max(b.Max.Z, c.Max.Z)},
	}
}

// Compare orders boxes by their first voxels, and then by their last.
func (b Box) Compare(c Box) int { return cmp.Or(b.Min.Compare(c.Min), b.Max.Compare(c.Max)) }

// Add returns b moved by d.
func (b Box) Add(d Point) Box { return Box{b.Min.Add(d), b.Max.Add(d)} }

// Pieces cuts b on the grid of step through the origin; x runs fastest, then y,
// then z. It panics if a step is < 1.
func (b Box) Pieces(step Point) iter.Seq[Box] {
	return func(yield func(Box) bool) {
		for z := range b.Z().Pieces(step.Z) {
			for y := range b.Y().Pieces(step.Y) {
				for x := range b.X().Pieces(step.X) {
					if !yield(NewBox(x, y, z)) {
						return
					}
				}
			}
		}
	}
}

// CountPieces is the number of pieces that Pieces gives.
func (b Box) CountPieces(step Point) int64 {
	return int64(b.X().CountPieces(step.X)) * int64(b.Y().CountPieces(step.Y)) * int64(b.Z().CountPieces(step.Z))
}

// String gives "x0:x1/y0:y1/z0:z1", the form of a cutout URL.
func (b Box) String() string { return fmt.Sprintf("%v/%v/%v", b.X(), b.Y(), b.Z()) }
