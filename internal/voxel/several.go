package voxel

import "slices"

// Join gives the fewest ranges that together hold what those of list hold, in
// ascending order: ranges that touch become one, empty ones none. It leaves list
// as it is.
func Join(list []Range) []Range {
	var joined []Range
	for _, r := range slices.SortedFunc(slices.Values(list), func(a, b Range) int { return a.Min - b.Min }) {
		n := len(joined)
		switch {
		case r.Empty():
		case n > 0 && r.Min <= joined[n-1].Max:
			joined[n-1].Max = max(joined[n-1].Max, r.Max)
		default:
			joined = append(joined, r)
		}
	}
	return joined
}

// Subtract gives what is left of the boxes outside b; if they had no voxel in
// common, what is left has none either. It leaves from as it is, and gives it back
// if none of the boxes overlaps b.
func Subtract(from []Box, b Box) []Box {
	i := slices.IndexFunc(from, b.Overlaps)
	if i < 0 {
		return from
	}
	left := append(make([]Box, 0, len(from)+5), from[:i]...)
	for _, a := range from[i:] {
		if hole := a.Intersect(b); !hole.Empty() {
			left = appendAround(left, a, hole)
		} else {
			left = append(left, a)
		}
	}
	return left
}

// appendAround appends what is left of a around a hole in it: at most six boxes,
// two for each axis.
func appendAround(left []Box, a, hole Box) []Box {
	for _, piece := range [6]Box{
		a.WithZ(Range{a.Min.Z, hole.Min.Z}),
		a.WithZ(Range{hole.Max.Z, a.Max.Z}),
		NewBox(a.X(), Range{a.Min.Y, hole.Min.Y}, hole.Z()),
		NewBox(a.X(), Range{hole.Max.Y, a.Max.Y}, hole.Z()),
		NewBox(Range{a.Min.X, hole.Min.X}, hole.Y(), hole.Z()),
		NewBox(Range{hole.Max.X, a.Max.X}, hole.Y(), hole.Z()),
	} {
		if !piece.Empty() {
			left = append(left, piece)
		}
	}
	return left
}
