package job_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/voxel"
)

// sound is a spec that breaks no rule.
func sound() job.Spec {
	return job.Spec{
		Collection: "lab", Experiment: "fly", Channel: "em",
		Type: voxel.Uint8, VoxelSize: [3]float64{4, 4, 40}, VoxelUnit: "nanometers",
		X: voxel.Range{Min: 0, Max: 1000}, Y: voxel.Range{Min: 0, Max: 800}, Z: voxel.Range{Min: 0, Max: 100},
	}
}

func TestDefaults(t *testing.T) {
	j, err := job.New(sound())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := j.Data().String(), "0:1000/0:800/0:100"; got != want {
		t.Errorf("Data = %s, want %s", got, want)
	}
	if got := j.Frame(); got != j.Data() {
		t.Errorf("Frame = %v, want the data's box", got)
	}
	if j.FrameName() != "lab_fly" || j.Path() != "lab/fly/em" || j.ChannelType() != voxel.Uint8 || j.ZStep != 1 {
		t.Errorf("FrameName %s, Path %s, ChannelType %v, ZStep %d", j.FrameName(), j.Path(), j.ChannelType(), j.ZStep)
	}
}

func TestPlace(t *testing.T) {
	for _, tt := range []struct {
		name                string
		change              func(*job.Spec)
		offset, data, frame string
		origin              string
	}{
		{"z range", func(s *job.Spec) { s.ZRange = voxel.Range{Min: 16, Max: 48} },
			"0, 0, 0", "0:1000/0:800/16:48", "0:1000/0:800/0:100", "0, 0, 0"},
		{"limits", func(s *job.Spec) {
			s.LimitX, s.LimitY, s.LimitZ = voxel.Range{Min: 100, Max: 5000}, voxel.Range{Min: 5, Max: 6}, voxel.Range{Min: -3, Max: 7}
		}, "0, 0, 0", "100:1000/5:6/0:7", "0:1000/0:800/0:100", "0, 0, 0"},
		{"negative start", func(s *job.Spec) {
			s.X, s.Z, s.OffsetExtents = voxel.Range{Min: -500, Max: 500}, voxel.Range{Min: -37, Max: 63}, true
		}, "500, 0, 37", "0:1000/0:800/0:100", "0:1000/0:800/0:100", "0, 0, 37"},
		{"positive starts stay", func(s *job.Spec) {
			s.X, s.OffsetExtents = voxel.Range{Min: 500, Max: 1500}, true
		}, "0, 0, 0", "500:1500/0:800/0:100", "0:1500/0:800/0:100", "500, 0, 0"},
		{"forced", func(s *job.Spec) {
			s.X, s.Z = voxel.Range{Min: 500, Max: 1500}, voxel.Range{Min: 37, Max: 57}
			s.ForcedOffset = &voxel.Point{X: -500, Z: -37}
		}, "-500, 0, -37", "0:1000/0:800/0:20", "0:1000/0:800/0:20", "0, 0, -37"},
		{"limits make negative extents usable", func(s *job.Spec) {
			s.X, s.LimitX = voxel.Range{Min: -500, Max: 500}, voxel.Range{Min: 0, Max: 400}
		}, "0, 0, 0", "0:400/0:800/0:100", "0:500/0:800/0:100", "-500, 0, 0"},
		{"frame", func(s *job.Spec) { s.FrameX, s.FrameZ = voxel.Range{Min: 0, Max: 2048}, voxel.Range{Min: 0, Max: 1024} },
			"0, 0, 0", "0:1000/0:800/0:100", "0:2048/0:800/0:1024", "0, 0, 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := sound()
			tt.change(&spec)
			j, err := job.New(spec)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct{ what, got, want string }{
				{"Offset", j.Offset().String(), tt.offset},
				{"Data", j.Data().String(), tt.data},
				{"Frame", j.Frame().String(), tt.frame},
				{"Origin", j.Origin().String(), tt.origin},
			} {
				if c.got != c.want {
					t.Errorf("%s = %s, want %s", c.what, c.got, c.want)
				}
			}
		})
	}
}

// What goes to BOSS comes back from it, and Origin says the same as ToBOSS.
func TestConversions(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		spec := sound()
		x, z := rnd.IntN(2000)-1000, rnd.IntN(2000)-1000
		spec.X, spec.Z = voxel.Range{Min: x, Max: x + 10}, voxel.Range{Min: z, Max: z + 10}
		spec.ForcedOffset = &voxel.Point{X: rnd.IntN(500) - x, Y: rnd.IntN(500), Z: rnd.IntN(500) - z}
		j, err := job.New(spec)
		if err != nil {
			t.Fatal(err)
		}
		source := voxel.NewBox(spec.X, spec.Y, spec.Z)
		if got := j.ToSource(j.ToBOSS(source)); got != source {
			t.Fatalf("%v came back as %v", source, got)
		}
		if got, want := j.Origin().Add(voxel.Point{Z: z}), j.ToBOSS(source).Min; got != want {
			t.Fatalf("first pixel of slice %d goes to %v, ToBOSS says %v", z, got, want)
		}
	}
}

func TestAnnotation(t *testing.T) {
	spec := sound()
	spec.SourceChannel, spec.Channel, spec.Type = "em", "labels", voxel.Uint32
	j, err := job.New(spec)
	if err != nil {
		t.Fatal(err)
	}
	if !j.Annotation || j.ChannelType() != voxel.Uint64 {
		t.Errorf("Annotation %v, ChannelType %v, want true and uint64", j.Annotation, j.ChannelType())
	}
}

// Each rule, broken alone, gives one sentence that says what is wrong.
func TestRules(t *testing.T) {
	long := strings.Repeat("a", 200)
	for _, tt := range []struct {
		change func(*job.Spec)
		want   string
	}{
		{func(s *job.Spec) { s.Collection = "" }, "collection has no name"},
		{func(s *job.Spec) { s.Experiment = "fly one" }, `experiment name "fly one": only letters`},
		{func(s *job.Spec) { s.Channel = "em.v2" }, `channel name "em.v2"`},
		{func(s *job.Spec) { s.Channel = "é" }, `channel name "é"`},
		{func(s *job.Spec) { s.Collection, s.Experiment = long, long }, "coordinate frame name <collection>_<experiment> has 401 characters"},
		{func(s *job.Spec) { s.SourceChannel = "em" }, "is its own source channel"},
		{func(s *job.Spec) { s.SourceChannel = "e m" }, `source channel name "e m"`},
		{func(s *job.Spec) { s.Type = 0 }, "datatype is missing"},
		{func(s *job.Spec) { s.Type = voxel.Uint64 }, "datatype uint64: BOSS stores images as uint8 or uint16 only"},
		{func(s *job.Spec) { s.Res = 10 }, "resolution 10"},
		{func(s *job.Spec) { s.ZStep = -1 }, "z step -1"},
		{func(s *job.Spec) { s.Missing = 7 }, "missing-slice policy"},
		{func(s *job.Spec) { s.VoxelSize[2] = 0 }, "voxel size 0 in z"},
		{func(s *job.Spec) { s.Create, s.VoxelSize = true, [3]float64{} }, "voxel size is missing"},
		{func(s *job.Spec) { s.VoxelUnit = "nm" }, `voxel unit "nm"`},
		{func(s *job.Spec) { s.X = voxel.Range{} }, "x extent is missing"},
		{func(s *job.Spec) { s.Y = voxel.Range{Min: 10, Max: 10} }, "y extent 10:10 is empty"},
		{func(s *job.Spec) { s.X.Max = math.MaxInt }, "want numbers within"},
		{func(s *job.Spec) { s.LimitX = voxel.Range{Min: 9, Max: 3} }, "x limit 9:3 is empty"},
		{func(s *job.Spec) { s.LimitY = voxel.Range{Min: 800, Max: 900} }, "y limit 800:900 overlaps nothing"},
		{func(s *job.Spec) { s.ZRange = voxel.Range{Min: 50, Max: 101} }, "z range 50:101 lies outside the z extent 0:100"},
		{func(s *job.Spec) { s.ZRange, s.LimitZ = voxel.Range{Min: 0, Max: 5}, voxel.Range{Min: 5, Max: 9} }, "z limit 5:9 overlaps nothing of the z range 0:5"},
		{func(s *job.Spec) { s.OffsetExtents, s.ForcedOffset = true, &voxel.Point{} }, "exclude each other"},
		{func(s *job.Spec) { s.X.Min = -1 }, "x would start at -1 in BOSS"},
		{func(s *job.Spec) { s.ForcedOffset = &voxel.Point{Z: -1} }, "z would start at -1 in BOSS"},
		{func(s *job.Spec) { s.FrameY = voxel.Range{Min: 0, Max: 799} }, "y 0:800 in BOSS coordinates lies outside the coordinate frame's y extent 0:799"},
		{func(s *job.Spec) { s.FrameZ = voxel.Range{Min: 5, Max: 5} }, "z extent of the coordinate frame 5:5 is empty"},
		{func(s *job.Spec) { s.ForcedOffset = &voxel.Point{X: 1<<31 - 1} }, "x would end at"},
	} {
		spec := sound()
		tt.change(&spec)
		_, err := job.New(spec)
		if err == nil {
			t.Errorf("no error, want %q", tt.want)
			continue
		}
		if got := err.Error(); !strings.Contains(got, tt.want) || strings.Contains(got, "\n") {
			t.Errorf("got %q, want one line with %q", got, tt.want)
		}
	}
}

// A person with three mistakes hears of three.
func TestAllRulesTogether(t *testing.T) {
	spec := sound()
	spec.Collection, spec.Type, spec.Z = "a b", 0, voxel.Range{Min: 3, Max: 2}
	_, err := job.New(spec)
	if err == nil {
		t.Fatal("no error")
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 3 {
		t.Errorf("got %d lines, want 3:\n%v", len(lines), err)
	}
}

func TestParseMissing(t *testing.T) {
	for _, m := range []job.Missing{job.Fail, job.Zero, job.Previous} {
		if got, err := job.ParseMissing(m.String()); got != m || err != nil {
			t.Errorf("ParseMissing(%q) = %v, %v", m, got, err)
		}
	}
	if _, err := job.ParseMissing("skip"); err == nil {
		t.Error("ParseMissing accepts skip")
	}
}
