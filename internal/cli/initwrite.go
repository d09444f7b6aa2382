package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/discover"
	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/voxel"
)

// judged is the job as far as it is known, with names for those that are not.
func (o *initOptions) judged(s *sighting) (*job.Job, error) {
	spec := o.spec
	for _, n := range []*string{&spec.Collection, &spec.Experiment, &spec.Channel} {
		*n = cmp.Or(*n, "unknown")
	}
	spec.Type = cmp.Or(spec.Type, s.typ, voxel.Uint8)
	spec.Annotation = spec.Annotation || spec.Type > voxel.Uint16
	for _, axis := range []struct {
		asked *voxel.Range
		found voxel.Range
	}{{&spec.X, s.box.X()}, {&spec.Y, s.box.Y()}, {&spec.Z, s.box.Z()}} {
		if *axis.asked == (voxel.Range{}) {
			*axis.asked = axis.found
		}
	}
	if below := spec.X.Min < 0 || spec.Y.Min < 0 || spec.Z.Min < 0; below && spec.ForcedOffset == nil {
		spec.OffsetExtents = true
	}
	j, err := job.New(spec)
	return j, usage(err)
}

// frame is the coordinate frame that BossDB's operators advise: from 0 to whole
// stored cubes, rather too large than too small, for it can never be changed.
func frame(data voxel.Box) voxel.Box {
	up := func(n, step int) voxel.Range { return voxel.Range{Max: -voxel.FloorDiv(-n, step) * step} }
	return voxel.NewBox(up(data.Max.X, plan.CuboidX/2), up(data.Max.Y, plan.CuboidY/2), up(data.Max.Z, plan.CuboidZ))
}

// A jobText is a job file that is being written.
type jobText struct {
	strings.Builder
	o       *initOptions
	written map[string]string // the values by flag
}

// comment writes lines.
func (t *jobText) comment(format string, args ...any) {
	for line := range strings.Lines(fmt.Sprintf(format, args...)) {
		t.WriteString("# " + human.Line(line) + "\n")
	}
}

// set writes what a person gave for a flag or else what was found.
func (t *jobText) set(name, found string) {
	if flag := t.o.flags.Lookup(name); flag.Changed {
		found = flag.Value.String()
	}
	t.written[name] = cmp.Or(found, unknownValue)
	fmt.Fprintf(t, "%-20s = %s\n", name, t.written[name])
}

// suggest writes a setting as a comment, unless a person gave it.
func (t *jobText) suggest(name, value string) {
	if t.o.flags.Changed(name) {
		t.set(name, value)
		return
	}
	fmt.Fprintf(t, "# %-18s = %s\n", name, value)
}

// write gives the job file's text.
func (o *initOptions) write(s *sighting, out string) (string, error) {
	j, err := o.judged(s)
	if err != nil {
		return "", err
	}
	t := &jobText{o: o, written: make(map[string]string)}
	t.comment("A job of ndpush: one flag to a line, lines like this are comments.\nndpush init wrote what it found. Correct what is wrong, and put what is right\nin place of each ?. Then run the commands ndpush check --job FILE and\nndpush ingest --job FILE; flags that these are given count more than this file.")
	t.writeSource(s)
	t.writePixels(s, j)
	t.writeNames(s)
	t.writeFrame(j)
	t.writeRest(s, j)
	return t.String(), t.check(out)
}

func (t *jobText) writeSource(s *sighting) {
	o := t.o
	t.WriteString("\n")
	for _, line := range s.files {
		t.comment("%s", line)
	}
	if o.datasource != "local" {
		t.set("datasource", o.datasource)
	}
	if o.datasource == "render" {
		t.set("render-baseurl", o.render.BaseURL)
		t.set("render-owner", o.render.Owner)
		t.set("render-project", o.render.Project)
		t.set("render-stack", o.render.Stack)
		return
	}
	if o.datasource == "s3" {
		t.set("s3-bucket-name", o.s3.Bucket)
	}
	if o.naming.BasePath != "" {
		t.set("base-path", o.naming.BasePath)
	}
	t.set("base-filename", s.series.BaseFilename)
	if s.series.Extension != "" {
		t.set("extension", s.series.Extension)
	}
	if s.series.ZStep > 1 {
		t.comment("The number in a file's name is z times this.")
		t.set("z-step", fmt.Sprint(s.series.ZStep))
	}
}

func (t *jobText) writePixels(s *sighting, j *job.Job) {
	t.WriteString("\n")
	for _, line := range s.kind {
		t.comment("%s", line)
	}
	typ := ""
	if s.typ != 0 {
		typ = s.typ.String()
	}
	t.set("datatype", typ)
	if j.Annotation && j.SourceChannel == "" {
		if !t.o.spec.Annotation {
			t.comment("BOSS stores images as uint8 or uint16 only, so these are labels.")
		}
		t.set("annotation", "true")
	} else if j.SourceChannel == "" {
		t.comment("Are these labels, numbers of segments, and no image? Then take the # away:")
		t.suggest("annotation", "true")
	}
	t.WriteString("\n")
	t.comment("Where the data lies. Ranges are half-open: 0:20 is 0 to 19.")
	t.set("x-extent", j.X.String())
	t.set("y-extent", j.Y.String())
	t.set("z-extent", j.Z.String())
	if j.OffsetExtents {
		t.comment("BOSS has nothing below 0: what begins there is shifted, by %v.", j.Offset())
		t.set("offset-extents", "true")
	}
	if len(s.gaps) > 0 {
		t.comment("There are gaps: %s. They end an ingest, unless a # is taken away: their place stays empty, or the slice before is repeated.", rangesWords(s.gaps))
		t.suggest("missing", "zero")
	}
	t.WriteString("\n")
	switch {
	case t.o.flags.Changed("voxel-size"):
	case s.size.From == "":
		t.comment("The size of a voxel in x, y and z: nothing here says it.")
	case s.size.Z == 0:
		t.comment("The size of a voxel in x, y and z: %s has x and y.", s.size.From)
	default:
		t.comment("The size of a voxel in x, y and z, as %s has it.", s.size.From)
	}
	t.set("voxel-size", sizeText(s.size.In(t.o.spec.VoxelUnit)))
	t.set("voxel-unit", "nanometers")
}

// sizeText is a voxel size as a flag has it, with a ? for what is not known.
func sizeText(s discover.VoxelSize) string {
	if s.From == "" {
		return ""
	}
	var words []string
	for _, v := range []float64{s.X, s.Y, s.Z} {
		if v == 0 {
			words = append(words, unknownValue)
		} else {
			words = append(words, fmt.Sprint(v))
		}
	}
	return strings.Join(words, ":")
}

func (t *jobText) writeNames(s *sighting) {
	t.WriteString("\n")
	t.comment("How it is called in BOSS: letters, digits, _ and -. The names of collections and\nframes are unique in all of BOSS, and a name that was used once stays taken.")
	t.set("collection", t.o.spec.Collection)
	t.set("experiment", t.o.spec.Experiment)
	if s.series != nil && len(s.series.Channels) > 0 {
		t.comment("There are the files of %s, by <ch>: %s.\n--channel NAME on the command line is another of them.", human.Count(len(s.series.Channels), "channel"), strings.Join(s.series.Channels, ", "))
	}
	t.set("channel", t.o.spec.Channel)
	t.comment("ndpush ingest creates what is missing of these, and then posts.")
	// The flag is one of ingest and check.
	t.WriteString("ensure-resources     = true\n")
}

func (t *jobText) writeFrame(j *job.Job) {
	f := frame(j.Whole())
	t.WriteString("\n")
	t.comment("The coordinate frame to create. It can never be changed: rather too large than too\nsmall. These are the data, rounded up to BOSS's cubes of 512×512×16.")
	t.set("coord-frame-x-extent", f.X().String())
	t.set("coord-frame-y-extent", f.Y().String())
	t.set("coord-frame-z-extent", f.Z().String())
}

// writeRest writes what else was given, and what the ingest takes.
func (t *jobText) writeRest(s *sighting, j *job.Job) {
	var rest []string
	t.o.flags.VisitAll(func(f *pflag.Flag) {
		if _, ok := t.written[f.Name]; f.Changed && !ok && f.Name != "out" && f.Name != "force" && f.Name != "pattern" {
			rest = append(rest, f.Name)
		}
	})
	if len(rest) > 0 {
		t.WriteString("\n")
		t.comment("As given to ndpush init.")
	}
	for _, name := range rest {
		t.set(name, "")
	}
	p := s.input.plan(j, j.Data(), t.o.boss.workers, false)
	if s.heads != nil {
		p.Slice = plan.Slice{Held: s.heads.Held, Step: s.heads.Step}
	}
	t.WriteString("\n")
	t.comment("It takes: %s of at most %d×%d×%d voxels, %s before compression;\n%s of memory at most, with %s.",
		human.Count(p.CountCuboids(), "cuboid"), p.Cuboid.X, p.Cuboid.Y, p.Cuboid.Z, human.Size(p.Bytes()), human.Size(p.Memory().Total()), human.Count(p.Workers, "worker"))
}

// check reads the text as the other commands will: a name of a file may hold what
// a job file cannot say.
func (t *jobText) check(out string) error {
	for _, name := range slices.Sorted(maps.Keys(t.written)) {
		if strings.ContainsAny(t.written[name], "\r\n") {
			return cannotSay(name, t.written[name])
		}
	}
	lines, err := parseJobFile(out, []byte(t.String()))
	if err != nil {
		return err
	}
	for _, l := range lines {
		if want, ok := t.written[l.key]; ok && l.value != want {
			return cannotSay(l.key, want)
		}
	}
	return nil
}

func cannotSay(key, value string) error {
	return fmt.Errorf("%s = %q cannot be said in a job file: make a link with a plain name", key, value)
}
