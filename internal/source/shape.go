package source

import (
	"fmt"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Shape is what all slices of a channel have in common: width and height in
// pixels, and the type of a voxel.
type Shape struct {
	Width, Height int
	Type          voxel.Type
}

// ShapeOf is the shape of s.
func ShapeOf(s Slice) Shape {
	w, h := s.Size()
	return Shape{w, h, s.Type()}
}

// String gives "640×480 uint8".
func (s Shape) String() string { return fmt.Sprintf("%d×%d %v", s.Width, s.Height, s.Type) }

// A MismatchError says that a slice exists and can be read, but is not what the
// job says. Its voxels are never cut, padded or cast to fit, and unlike a
// missing slice it is no candidate for zeros: the job or the data is wrong.
type MismatchError struct {
	Name      string // the file, or whatever the source calls the slice
	Got, Want Shape
}

// Error names the slice, what was found and what was expected.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s is %v, the job says %v", e.Name, e.Got, e.Want)
}
