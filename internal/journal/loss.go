package journal

import (
	"cmp"
	"maps"
	"slices"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Loss is what of a slice was not carried: something else stands in its place.
type Loss struct {
	Z    int           // source coordinates
	Rows []voxel.Range // of pixels, ascending and apart from each other
	Why  string        // of the first rows
}

// Losses gives, in ascending z, the slices of which rows are lost in cuboids that
// are posted or empty. Rows that a later run carried are not among them.
func (s *State) Losses() []Loss {
	type part struct {
		rows voxel.Range
		why  uint32
	}
	parts := make(map[int][]part)
	for c, list := range s.cells {
		for i := range list {
			e := &list[i]
			if e.lost == 0 || !e.fate.done() {
				continue
			}
			origin := s.files[e.file].Header.Origin
			for slab := range s.slabs(c, e) {
				z := slab.box.Min.Z - origin.Z
				for _, b := range visible(c, list[i+1:], slab.box) {
					p := part{b.Y().Add(-origin.Y), slab.why}
					if !slices.Contains(parts[z], p) {
						parts[z] = append(parts[z], p)
					}
				}
			}
		}
	}
	var losses []Loss
	for _, z := range slices.Sorted(maps.Keys(parts)) {
		list := parts[z]
		slices.SortFunc(list, func(a, b part) int {
			return cmp.Or(a.rows.Min-b.rows.Min, a.rows.Max-b.rows.Max, int(a.why)-int(b.why))
		})
		var rows []voxel.Range
		for _, p := range list {
			rows = append(rows, p.rows)
		}
		losses = append(losses, Loss{Z: z, Rows: voxel.Join(rows), Why: s.whys[list[0].why]})
	}
	return losses
}
