package job

import (
	"github.com/neurodata/ndpush/internal/voxel"
)

// A Job is a Spec that is sound. It does not change.
type Job struct {
	Spec
	offset voxel.Point
	frame  voxel.Box
	data   voxel.Box
	whole  voxel.Box
}

// New judges spec and returns the job, or an error that lists every rule that
// spec breaks, one to a line (see [errors.Join]).
func New(spec Spec) (*Job, error) {
	if spec.ZStep == 0 {
		spec.ZStep = 1
	}
	if spec.VoxelUnit == "" {
		spec.VoxelUnit = Units()[0]
	}
	spec.Annotation = spec.Annotation || spec.SourceChannel != ""
	j := &Job{Spec: spec}
	j.offset = spec.offset()
	j.frame = spec.frame(j.offset)
	j.data = j.ToBOSS(spec.wanted(spec.ZRange))
	j.whole = j.ToBOSS(spec.wanted(voxel.Range{}))
	if err := j.check(); err != nil {
		return nil, err
	}
	return j, nil
}

// wanted is the box that is read: extents, cropped by limits and a z range.
func (s *Spec) wanted(z voxel.Range) voxel.Box {
	crop := func(r voxel.Range, limits ...voxel.Range) voxel.Range {
		for _, l := range limits {
			if l != (voxel.Range{}) {
				r = r.Intersect(l)
			}
		}
		return r
	}
	return voxel.NewBox(crop(s.X, s.LimitX), crop(s.Y, s.LimitY), crop(s.Z, s.LimitZ, z))
}

func (s *Spec) offset() voxel.Point {
	switch {
	case s.ForcedOffset != nil:
		return *s.ForcedOffset
	case s.OffsetExtents:
		return voxel.Point{X: max(0, -s.X.Min), Y: max(0, -s.Y.Min), Z: max(0, -s.Z.Min)}
	}
	return voxel.Point{}
}

// frame is the coordinate frame to create. A frame cannot be changed later and
// BOSS has no voxels below 0, so it starts at 0 unless the person says otherwise,
// as BossDB's operators advise.
func (s *Spec) frame(offset voxel.Point) voxel.Box {
	axis := func(asked, extent voxel.Range, offset int) voxel.Range {
		if asked != (voxel.Range{}) {
			return asked
		}
		return voxel.Range{Min: 0, Max: extent.Max + offset}
	}
	return voxel.NewBox(axis(s.FrameX, s.X, offset.X), axis(s.FrameY, s.Y, offset.Y), axis(s.FrameZ, s.Z, offset.Z))
}

// Offset is what is added to source coordinates to give BOSS coordinates.
func (j *Job) Offset() voxel.Point { return j.offset }

// ToBOSS converts a box from source to BOSS coordinates.
func (j *Job) ToBOSS(source voxel.Box) voxel.Box { return source.Add(j.offset) }

// ToSource converts a box from BOSS to source coordinates.
func (j *Job) ToSource(boss voxel.Box) voxel.Box { return boss.Add(j.offset.Neg()) }

// Origin is the place, in BOSS coordinates, of the first pixel of slice 0.
// What is at pixel x, y of slice z goes to Origin + (x, y, z).
func (j *Job) Origin() voxel.Point {
	return j.offset.Add(voxel.Point{X: j.X.Min, Y: j.Y.Min})
}

// Data is the box that this run posts, in BOSS coordinates.
func (j *Job) Data() voxel.Box { return j.data }

// Whole is the box that all runs of the job together post: Data, if there is no
// z range. In BOSS coordinates.
func (j *Job) Whole() voxel.Box { return j.whole }

// Frame is the coordinate frame to create, in BOSS coordinates.
// One that exists already must only contain Data.
func (j *Job) Frame() voxel.Box { return j.frame }

// FrameName is the name of the coordinate frame to create.
func (j *Job) FrameName() string { return j.Collection + "_" + j.Experiment }

// ImageSize is the width and height of each slice of the source, in pixels.
func (j *Job) ImageSize() (width, height int) { return j.X.Len(), j.Y.Len() }

// ChannelType is the datatype of the BOSS channel: uint64 for annotations,
// whatever the files hold; else the type of the files.
func (j *Job) ChannelType() voxel.Type {
	if j.Annotation {
		return voxel.Uint64
	}
	return j.Type
}

// Path names the channel as people and logs do: collection/experiment/channel.
func (j *Job) Path() string { return j.Collection + "/" + j.Experiment + "/" + j.Channel }
