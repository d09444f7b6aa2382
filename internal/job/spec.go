// Package job says what one channel's ingest asks for.
//
// A [Spec] is what a person wrote; [New] judges it, all rules at once and
// before anything is opened, and gives a [Job], which is sound.
//
// There are three systems of coordinates. Source coordinates are those of the
// extents that a person gives; BOSS coordinates are source coordinates plus
// [Job.Offset]; pixels count from the upper left corner of an image. The
// conversions are here and nowhere else, so that posting, verifying and
// reporting cannot disagree about a sign.
package job

import (
	"fmt"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Spec is one channel's ingest as a person asks for it.
// Extents, limits and the z range are in source coordinates.
type Spec struct {
	Collection, Experiment, Channel string

	Type          voxel.Type // of the source files
	Annotation    bool       // labels, posted as uint64; implied by SourceChannel
	SourceChannel string     // the image channel that an annotation belongs to, or ""
	Res           int        // base resolution of the channel, 0..9

	Create    bool       // create what BOSS lacks, instead of posting
	VoxelSize [3]float64 // x, y, z; may be zero unless Create is set
	VoxelUnit string     // one of Units; zero: nanometers

	X, Y, Z voxel.Range // where the data lies: an image is X by Y pixels

	// What follows may be left zero.
	ZRange                 voxel.Range  // the slices of this run; zero: all of Z
	ZStep                  int          // file number = z × ZStep; zero: 1
	LimitX, LimitY, LimitZ voxel.Range  // crop to these; zero: no limit
	OffsetExtents          bool         // shift a negative start up to 0, per axis
	ForcedOffset           *voxel.Point // shift by exactly this
	FrameX, FrameY, FrameZ voxel.Range  // coordinate frame, in BOSS coordinates; zero: 0 to the end of the data
	Missing                Missing      // what becomes of a slice that cannot be read
}

// Missing is what becomes of a slice that is absent or unreadable.
type Missing int

const (
	Fail     Missing = iota // the run ends
	Zero                    // zeros are posted in its place, which BOSS skips
	Previous                // the rows of the slice before it are posted in its place
)

// ParseMissing reads the name of a policy.
func ParseMissing(name string) (Missing, error) {
	for _, m := range []Missing{Fail, Zero, Previous} {
		if m.String() == name {
			return m, nil
		}
	}
	return 0, fmt.Errorf("missing-slice policy %q: want fail, zero or previous", name)
}

// String is the name that ParseMissing reads.
func (m Missing) String() string {
	switch m {
	case Fail:
		return "fail"
	case Zero:
		return "zero"
	case Previous:
		return "previous"
	}
	return fmt.Sprintf("job.Missing(%d)", int(m))
}
