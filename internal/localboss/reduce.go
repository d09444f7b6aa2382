package localboss

import (
	"encoding/binary"

	"github.com/neurodata/ndpush/internal/voxel"
)

// How BOSS makes one voxel of four or eight (boss-tools,
// lambda/downsample_volume.py; spdb, c_lib/c_version/addData.c).

// reduceImage halves the slices of src, leaving out all but every step'th of
// them, as Pillow's resize does it with BILINEAR: each axis for itself, x first,
// by a triangle four voxels wide that is cut off at the edges. It returns how
// many bytes of dst it wrote.
func reduceImage(dst []byte, src *voxel.Block, step int) (n int) {
	size, t := src.Box.Size(), src.Type
	in := make([]uint64, size.X)
	out := make([]uint64, size.X/2)
	var ring [4][]uint64 // the rows around one of dst, already halved in x
	for i := range ring {
		ring[i] = make([]uint64, size.X/2)
	}
	for z := src.Box.Min.Z; z < src.Box.Max.Z; z += step {
		if size := len(out) * size.Y / 2 * t.Size(); voxel.IsZero(src.Slice(z).Data) {
			clear(dst[n : n+size])
			n += size
			continue
		}
		ready := 0
		for y := range size.Y / 2 {
			for ; ready < min(2*y+3, size.Y); ready++ {
				load(in, src.Row(src.Box.Min.Y+ready, z), t)
				halve(ring[ready%4], in)
			}
			a, b, c, d := ring[(2*y+3)%4], ring[2*y%4], ring[(2*y+1)%4], ring[(2*y+2)%4]
			switch {
			case y == 0:
				for i := range out {
					out[i] = atEdge(b[i], c[i], d[i])
				}
			case 2*y+2 == size.Y:
				for i := range out {
					out[i] = atEdge(c[i], b[i], a[i])
				}
			default:
				for i := range out {
					out[i] = triangle(a[i], b[i], c[i], d[i])
				}
			}
			n += save(dst[n:], out, t)
		}
	}
	return n
}

// halve makes half as many voxels of an even number, at least 4, of them.
func halve(dst, src []uint64) {
	last := len(dst) - 1
	dst[0] = atEdge(src[0], src[1], src[2])
	for i := 1; i < last; i++ {
		p := src[2*i-1:]
		dst[i] = triangle(p[0], p[1], p[2], p[3])
	}
	p := src[2*last-1:]
	dst[last] = atEdge(p[2], p[1], p[0])
}

// triangle is the weighted mean, rounded, of the two voxels in the middle and
// those next to them.
func triangle(a, b, c, d uint64) uint64 { return (a + 3*(b+c) + d + 4) / 8 }

// atEdge is triangle where the outer neighbour of a is missing.
func atEdge(a, b, c uint64) uint64 { return (2*(3*(a+b)+c) + 7) / 14 }

// reduceLabels makes one label of each square of four, and if step is 2 of those
// of the next slice where the first have none.
func reduceLabels(dst []byte, src *voxel.Block, step int) (n int) {
	size, t := src.Box.Size(), src.Type
	upper, lower := make([]uint64, size.X), make([]uint64, size.X)
	out := make([]uint64, size.X/2)
	for z := src.Box.Min.Z; z < src.Box.Max.Z; z += step {
		for y := src.Box.Min.Y; y < src.Box.Max.Y; y += 2 {
			clear(out)
			for dz := range step {
				if voxel.IsZero(src.Rows(z+dz, voxel.Range{Min: y, Max: y + 2}).Data) {
					continue
				}
				load(upper, src.Row(y, z+dz), t)
				load(lower, src.Row(y+1, z+dz), t)
				for i, v := range out {
					if v == 0 {
						out[i] = pick(upper[2*i], upper[2*i+1], lower[2*i], lower[2*i+1])
					}
				}
			}
			n += save(dst[n:], out, t)
		}
	}
	return n
}

// pick is the label of the square a b, c d: one that occurs twice, else the
// first. BOSS loses a label that is in d alone.
func pick(a, b, c, d uint64) uint64 {
	v := a
	if v == 0 {
		v = b
	}
	if c != 0 && (v == 0 || c == a || c == b) {
		v = c
	}
	if d != 0 && v != 0 && (d == a || d == b || d == c) {
		v = d
	}
	return v
}

// load reads the voxels of a row.
func load(dst []uint64, row []byte, t voxel.Type) {
	le := binary.LittleEndian
	for i := range dst {
		switch t {
		case voxel.Uint8:
			dst[i] = uint64(row[i])
		case voxel.Uint16:
			dst[i] = uint64(le.Uint16(row[2*i:]))
		default:
			dst[i] = le.Uint64(row[8*i:])
		}
	}
}

// save writes the voxels of a row and returns how many bytes they are.
func save(dst []byte, row []uint64, t voxel.Type) int {
	le := binary.LittleEndian
	for i, v := range row {
		switch t {
		case voxel.Uint8:
			dst[i] = byte(v)
		case voxel.Uint16:
			le.PutUint16(dst[2*i:], uint16(v))
		default:
			le.PutUint64(dst[8*i:], v)
		}
	}
	return len(row) * t.Size()
}
