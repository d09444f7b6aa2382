package localboss

import (
	"encoding/binary"

	"github.com/neurodata/ndpush/internal/voxel"
)

// merge lays the voxels of src over those of dst where they are not zero:
// BOSS's rule for every datatype. Zeros never erase. Both are whole voxels of
// that type, and as many.
func merge(dst, src []byte, t voxel.Type) {
	le := binary.LittleEndian
	low, high := lanes(t)
	n := len(src) &^ 7
	for i := 0; i < n; i += 8 {
		v := le.Uint64(src[i:])
		switch {
		case v == 0:
		case (v-low)&^v&high == 0: // no lane is zero
			le.PutUint64(dst[i:], v)
		default:
			mergeVoxels(dst[i:i+8], src[i:i+8], t.Size())
		}
	}
	mergeVoxels(dst[n:], src[n:], t.Size())
}

// lanes are the lowest and the highest bit of each voxel in 8 bytes. With them
// (v-low)&^v&high is not 0 exactly if some voxel of v is 0, the old trick from
// finding the end of C strings.
func lanes(t voxel.Type) (low, high uint64) {
	switch t {
	case voxel.Uint8:
		low = 0x0101010101010101
	case voxel.Uint16:
		low = 0x0001000100010001
	case voxel.Uint32:
		low = 0x0000000100000001
	default:
		low = 1
	}
	return low, low << (8*t.Size() - 1)
}

func mergeVoxels(dst, src []byte, size int) {
	if size == 1 {
		for i, v := range src {
			if v != 0 {
				dst[i] = v
			}
		}
		return
	}
	for i := 0; i < len(src); i += size {
		if !voxel.IsZero(src[i : i+size]) {
			copy(dst[i:i+size], src[i:i+size])
		}
	}
}
