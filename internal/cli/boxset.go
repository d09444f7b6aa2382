package cli

import (
	"slices"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A boxSet is a set of voxels, made of boxes in BOSS coordinates.
type boxSet map[voxel.Point][]voxel.Box // by their place in the grid of cuboids

// newBoxSet is the set of the voxels of boxes.
func newBoxSet(boxes []voxel.Box) boxSet {
	s := make(boxSet)
	for _, box := range boxes {
		for piece := range box.Pieces(grid) {
			c := cellOf(piece)
			s[c] = append(s[c], piece)
		}
	}
	return s
}

// overlaps reports whether the set has any voxel of a cuboid or a piece of one.
func (s boxSet) overlaps(box voxel.Box) bool {
	return slices.ContainsFunc(s[cellOf(box)], box.Overlaps)
}
