package provision

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/voxel"
)

// disagreements returns an [*Error] that lists them all, or nil. What is missing
// is one of them unless it may be created.
func (s *state) disagreements(j *job.Job, create bool) error {
	list := slices.Clone(s.deleted)
	if !create {
		list = append(list, s.lacking(j)...)
	}
	for _, compare := range []func(*job.Job) []Disagreement{
		s.compareFrame, s.compareExperiment, s.compareOffsets, s.compareChannel, s.compareSource,
	} {
		list = append(list, compare(j)...)
	}
	if len(list) == 0 {
		return nil
	}
	return &Error{list}
}

// lacking lists what is missing; what was deleted is said to be already.
func (s *state) lacking(j *job.Job) []Disagreement {
	var list []Disagreement
	for _, n := range s.needs(j) {
		what := n.Kind + " " + n.Name
		if n.Kind == kindOffsets {
			what = fmt.Sprintf("the record of the %s with experiment %s", what, experimentName(j))
		}
		deleted := func(d Disagreement) bool { return d.What == what }
		if !n.there && !slices.ContainsFunc(s.deleted, deleted) {
			list = append(list, Disagreement{What: what, Missing: true, Do: "create it first"})
		}
	}
	return list
}

func (s *state) compareFrame(j *job.Job) (list []Disagreement) {
	if s.frame == nil {
		return nil
	}
	const fixed = "choose another experiment name, for BOSS never changes a frame"
	if data := j.Data(); !s.frame.Extent.Contains(data) {
		list = append(list, Disagreement{
			What:  "the extent of coordinate frame " + s.frame.Name,
			Found: s.frame.Extent.String(), Want: "one that contains the data at " + data.String(),
			Do: "correct the extents or offsets, or " + fixed,
		})
	}
	if j.VoxelSize != [3]float64{} && !sameVoxels(s.frame.VoxelSize, s.frame.VoxelUnit, j.VoxelSize, j.VoxelUnit) {
		list = append(list, Disagreement{
			What:  "the voxel size of coordinate frame " + s.frame.Name,
			Found: voxelText(s.frame.VoxelSize, s.frame.VoxelUnit), Want: voxelText(j.VoxelSize, j.VoxelUnit),
			Do: "correct the voxel size, or " + fixed,
		})
	}
	return list
}

func (s *state) compareExperiment(j *job.Job) (list []Disagreement) {
	if s.experiment == nil {
		return nil
	}
	if s.experiment.Levels < 1 {
		list = append(list, Disagreement{
			What:  "the number of resolution levels of experiment " + experimentName(j),
			Found: strconv.Itoa(s.experiment.Levels), Want: "1 or more, without which BOSS takes no data",
			Do: "correct it in BOSS, or choose another experiment name",
		})
	}
	return list
}

// compareOffsets compares the shifts. All channels of an experiment share one,
// so a job without an offset disagrees with an experiment that has one.
func (s *state) compareOffsets(j *job.Job) []Disagreement {
	if s.offsets == nil {
		return nil
	}
	if found, ok := parseOffsets(*s.offsets); ok && found == j.Offset() {
		return nil
	}
	return []Disagreement{{
		What:  "the record of the offsets with experiment " + experimentName(j),
		Found: *s.offsets, Want: offsetsText(j.Offset()),
		Do: "correct the offsets, so that the channels of the experiment lie over each other, or choose another experiment name",
	}}
}

func (s *state) compareChannel(j *job.Job) (list []Disagreement) {
	ch := s.channel
	if ch == nil {
		return nil
	}
	differ := func(what, found, want, do string) {
		if found != want {
			list = append(list, Disagreement{What: "the " + what + " of channel " + j.Path(), Found: found, Want: want, Do: do})
		}
	}
	const other = "or choose another channel name, for BOSS never changes it"
	differ("type", ch.Type, channelType(j), "say whether these are labels, "+other)
	differ("datatype", ch.Datatype, j.ChannelType().String(), "correct the datatype, "+other)
	differ("base resolution", strconv.Itoa(ch.BaseResolution), strconv.Itoa(j.Res), "correct the resolution, or choose another channel name")
	if ch.StorageType != "" { // servers of old do not say
		differ("storage type", ch.StorageType, "spdb", "choose another channel name: BOSS would take the data and never show them")
	}
	return list
}

func (s *state) compareSource(j *job.Job) []Disagreement {
	if s.channel == nil || j.SourceChannel == "" || slices.Contains(s.channel.Sources, j.SourceChannel) {
		return nil
	}
	found := "none"
	if len(s.channel.Sources) > 0 {
		found = strings.Join(s.channel.Sources, ", ")
	}
	return []Disagreement{{
		What:  "the source channel of channel " + j.Path(),
		Found: found, Want: j.SourceChannel,
		Do: "correct the source channel, or choose another channel name",
	}}
}

func channelType(j *job.Job) string {
	if j.Annotation {
		return "annotation"
	}
	return "image"
}

// nanometers are the lengths of BOSS's units.
var nanometers = map[string]float64{"nanometers": 1, "micrometers": 1e3, "millimeters": 1e6, "centimeters": 1e7}

// sameVoxels reports whether two voxel sizes are the same length, in whatever
// units; a millionth is what decimal fractions may lose on their way.
func sameVoxels(a [3]float64, unitA string, b [3]float64, unitB string) bool {
	if nanometers[unitA] == 0 || nanometers[unitB] == 0 {
		return a == b && unitA == unitB
	}
	for i := range a {
		x, y := a[i]*nanometers[unitA], b[i]*nanometers[unitB]
		if math.Abs(x-y) > 1e-6*math.Max(math.Abs(x), math.Abs(y)) {
			return false
		}
	}
	return true
}

func voxelText(size [3]float64, unit string) string {
	return fmt.Sprintf("%v×%v×%v %s", size[0], size[1], size[2], unit)
}

func needsOffsets(j *job.Job) bool { return j.Offset() != voxel.Point{} }

// offsetsText is p as a Python list, in which form the record has always been.
func offsetsText(p voxel.Point) string { return fmt.Sprintf("[%v]", p) }

// parseOffsets reads the record, however it is spaced.
func parseOffsets(text string) (p voxel.Point, ok bool) {
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "[") || !strings.HasSuffix(text, "]") {
		return p, false
	}
	parts := strings.Split(text[1:len(text)-1], ",")
	if len(parts) != 3 {
		return p, false
	}
	for i, axis := range []*int{&p.X, &p.Y, &p.Z} {
		n, err := strconv.Atoi(strings.TrimSpace(parts[i]))
		if err != nil {
			return voxel.Point{}, false
		}
		*axis = n
	}
	return p, true
}
