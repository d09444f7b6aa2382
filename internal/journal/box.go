package journal

import (
	"fmt"

	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/voxel"
)

// grid is what boxes are pieces of.
var grid = voxel.Point{X: plan.CuboidX, Y: plan.CuboidY, Z: plan.CuboidZ}

// A cell is a place in the grid of cuboids.
type cell struct{ z, y, x int32 }

// cellOf is the cell of p, whose coordinates are near: see [voxel.Far].
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

// checkBox says what is wrong with a box that is not empty, has sound
// coordinates, lies in data and in one cell.
func checkBox(b, data voxel.Box) error {
	switch {
	case b.Empty() || !b.X().Near() || !b.Y().Near() || !b.Z().Near():
		return fmt.Errorf("box %v is not one of voxels", b)
	case !data.Contains(b):
		return fmt.Errorf("box %v is not in the data %v of its journal", b, data)
	case b.CountPieces(grid) != 1:
		return fmt.Errorf("box %v is not a piece of one cuboid", b)
	}
	return nil
}
