package job

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/neurodata/ndpush/internal/voxel"
)

// Limits of the BOSS server.
const (
	maxName  = 255           // characters of a resource's name
	maxRes   = 9             // one digit in a cutout URL
	maxCoord = math.MaxInt32 // a coordinate frame's stop is a 32-bit column
)

// namePattern is the rule of BOSS's models. Its URLs are laxer: they cut a name
// at the first other character and go on with what is left of it.
var namePattern = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

// CheckName returns an error if BOSS would refuse or mangle the name;
// what is the kind of thing that is named.
func CheckName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%s has no name", what)
	case len(name) > maxName:
		return fmt.Errorf("%s name has %d characters: at most %d are allowed", what, len(name), maxName)
	case !namePattern.MatchString(name):
		return fmt.Errorf("%s name %q: only letters a-z and A-Z, digits, _ and - are allowed", what, name)
	}
	return nil
}

// Units are the voxel units that BOSS knows.
func Units() []string {
	return []string{"nanometers", "micrometers", "millimeters", "centimeters"}
}

// A MissingError says that something a job needs was not given.
type MissingError struct {
	What string // such as "x extent"
	Hint string // what to do, or ""
}

func (e *MissingError) Error() string {
	if e.Hint == "" {
		return e.What + " is missing"
	}
	return e.What + " is missing: " + e.Hint
}

// violations gathers what is wrong.
type violations []error

func (v *violations) add(format string, args ...any) { *v = append(*v, fmt.Errorf(format, args...)) }

func (v *violations) addError(err error) {
	if err != nil {
		*v = append(*v, err)
	}
}

func (j *Job) check() error {
	var v violations
	j.checkNames(&v)
	j.checkType(&v)
	j.checkVoxels(&v)
	j.checkExtents(&v)
	if len(v) == 0 { // what follows is about ranges that make sense
		j.checkPlace(&v)
	}
	return errors.Join(v...)
}

func (j *Job) checkNames(v *violations) {
	v.addError(CheckName("collection", j.Collection))
	v.addError(CheckName("experiment", j.Experiment))
	v.addError(CheckName("channel", j.Channel))
	if j.SourceChannel != "" {
		v.addError(CheckName("source channel", j.SourceChannel))
		if j.SourceChannel == j.Channel {
			v.add("channel %q is its own source channel: name the image channel that the labels were drawn on", j.Channel)
		}
	}
	if n := len(j.FrameName()); n > maxName {
		v.add("coordinate frame name <collection>_<experiment> has %d characters: at most %d are allowed", n, maxName)
	}
}

func (j *Job) checkType(v *violations) {
	switch {
	case j.Type == 0:
		v.addError(&MissingError{"datatype", "say what the image files hold, uint8 or uint16 (for annotations also uint32 or uint64)"})
	case !j.Annotation && j.Type != voxel.Uint8 && j.Type != voxel.Uint16:
		v.add("datatype %v: BOSS stores images as uint8 or uint16 only; if these are labels, make the channel an annotation", j.Type)
	}
	if j.Res < 0 || j.Res > maxRes {
		v.add("resolution %d: want 0 to %d", j.Res, maxRes)
	}
	if j.ZStep < 1 {
		v.add("z step %d: want 1 or more", j.ZStep)
	}
	switch j.Missing {
	case Fail, Zero, Previous:
	default:
		v.add("missing-slice policy %v is unknown", j.Missing)
	}
}

func (j *Job) checkVoxels(v *violations) {
	if j.VoxelSize == [3]float64{} {
		if j.Create {
			v.addError(&MissingError{"voxel size", "a coordinate frame cannot be created without it, nor be changed later"})
		}
	} else {
		for i, axis := range []string{"x", "y", "z"} {
			if s := j.VoxelSize[i]; !(s > 0) || math.IsInf(s, 0) {
				v.add("voxel size %v in %s: want a positive length", s, axis)
			}
		}
	}
	if !slices.Contains(Units(), j.VoxelUnit) {
		v.add("voxel unit %q: want one of %s", j.VoxelUnit, strings.Join(Units(), ", "))
	}
}

func (j *Job) checkExtents(v *violations) {
	for _, axis := range []struct {
		name                 string
		extent, limit, frame voxel.Range
	}{
		{"x", j.X, j.LimitX, j.FrameX},
		{"y", j.Y, j.LimitY, j.FrameY},
		{"z", j.Z, j.LimitZ, j.FrameZ},
	} {
		if axis.extent == (voxel.Range{}) {
			v.addError(&MissingError{What: axis.name + " extent"})
			continue
		}
		checkRange(v, axis.name+" extent", axis.extent)
		checkRange(v, axis.name+" limit", axis.limit)
		checkRange(v, axis.name+" extent of the coordinate frame", axis.frame)
		if usable(axis.extent) && usable(axis.limit) && axis.extent.Intersect(axis.limit).Empty() {
			v.add("%s limit %v overlaps nothing of the %s extent %v", axis.name, axis.limit, axis.name, axis.extent)
		}
	}
	checkRange(v, "z range", j.ZRange)
	if usable(j.Z) && usable(j.ZRange) && !j.Z.Contains(j.ZRange) {
		v.add("z range %v lies outside the z extent %v", j.ZRange, j.Z)
	}
	if usable(j.ZRange) && usable(j.LimitZ) && j.ZRange.Intersect(j.LimitZ).Empty() {
		v.add("z limit %v overlaps nothing of the z range %v", j.LimitZ, j.ZRange)
	}
	if j.OffsetExtents && j.ForcedOffset != nil {
		v.add("offset-extents and forced-offsets exclude each other: the one finds the offset, the other gives it")
	}
}

// usable reports whether r was given and holds something.
func usable(r voxel.Range) bool { return !r.Empty() }

// checkRange objects to a range that was given and is empty or out of bounds.
func checkRange(v *violations, what string, r voxel.Range) {
	switch {
	case r == voxel.Range{}:
	case r.Empty():
		v.add("%s %v is empty: ranges are half-open, the second number is the first that is not part of it", what, r)
	case r.Min < -maxCoord || r.Max > maxCoord:
		v.add("%s %v: want numbers within ±%d", what, r, maxCoord)
	}
}

// checkPlace looks at where the data comes to lie in BOSS.
func (j *Job) checkPlace(v *violations) {
	for _, axis := range []struct {
		name        string
		data, frame voxel.Range
	}{
		{"x", j.data.X(), j.frame.X()},
		{"y", j.data.Y(), j.frame.Y()},
		{"z", j.data.Z(), j.frame.Z()},
	} {
		switch {
		case axis.data.Min < 0:
			v.add("%s would start at %d in BOSS, which has nothing below 0: shift it with offset-extents or forced-offsets", axis.name, axis.data.Min)
		case axis.data.Max > maxCoord:
			v.add("%s would end at %d in BOSS, whose frames end at %d", axis.name, axis.data.Max, maxCoord)
		case !axis.frame.Contains(axis.data):
			v.add("%s %v in BOSS coordinates lies outside the coordinate frame's %s extent %v", axis.name, axis.data, axis.name, axis.frame)
		}
	}
}
