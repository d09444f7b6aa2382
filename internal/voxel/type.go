package voxel

import "fmt"

// A Type is what a voxel is: an unsigned integer of 1, 2, 4 or 8 bytes.
// The zero Type is none of them.
type Type uint8

// The types that BOSS knows. The value is the size in bytes.
const (
	Uint8  Type = 1
	Uint16 Type = 2
	Uint32 Type = 4
	Uint64 Type = 8
)

// ParseType reads the name of a type as BOSS spells it.
func ParseType(name string) (Type, error) {
	switch name {
	case "uint8":
		return Uint8, nil
	case "uint16":
		return Uint16, nil
	case "uint32":
		return Uint32, nil
	case "uint64":
		return Uint64, nil
	}
	return 0, fmt.Errorf("voxel type %q: want uint8, uint16, uint32 or uint64", name)
}

// Size is the number of bytes of one voxel.
func (t Type) Size() int { return int(t) }

// String is the name that ParseType reads.
func (t Type) String() string {
	switch t {
	case Uint8, Uint16, Uint32, Uint64:
		return fmt.Sprintf("uint%d", 8*t)
	}
	return fmt.Sprintf("voxel.Type(%d)", uint8(t))
}
