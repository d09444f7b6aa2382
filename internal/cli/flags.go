package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/voxel"
)

// jobFlags are the flags that say what to ingest: those of the Python tool, and
// what it lacked.
type jobFlags struct {
	flags    *pflag.FlagSet
	problems problems

	sourceFlags
	spec         job.Spec
	channelsFile string
	warnMissing  bool
	missing      job.Missing

	shard  string
	shards int
	part   string // the share that was found, as file names have it; "" is all
	maxMem int64  // bytes; 0: as much as the plan takes

	file     string          // a job file
	fromFile map[string]bool // flags that it set
	lenient  bool            // what is not known yet, a ? in the file, is no fault
}

func (f *jobFlags) bind(flags *pflag.FlagSet) {
	f.flags = flags
	flags.SortFlags = false
	f.bindSource()
	f.bindS3()
	f.bindRender()
	f.bindNames()
	f.bindPlace()
	f.bindShares()
	f.bindMemory()
}

// text, number and so on bind one flag.

func (f *jobFlags) text(s *string, name, preset, help string) {
	f.flags.StringVar(s, name, preset, help)
}

func (f *jobFlags) value(name, kind, help string, parse func(string) error) {
	f.flags.Var(&value{name: name, kind: kind, parse: parse, problems: &f.problems}, name, help)
}

func (f *jobFlags) extent(r *voxel.Range, name, help string) {
	f.value(name, "from:to", help, parseRange(r))
}

// integer binds a flag whose preset is what i holds.
func (f *jobFlags) integer(i *int, name string, low int, help string) {
	v := &value{name: name, kind: "int", text: fmt.Sprint(*i), parse: parseInt(i, low), problems: &f.problems}
	f.flags.Var(v, name, help)
}

func (f *jobFlags) bindNames() {
	f.text(&f.spec.Collection, "collection", "", "BOSS collection")
	f.text(&f.spec.Experiment, "experiment", "", "BOSS experiment")
	f.text(&f.spec.Channel, "channel", "", "BOSS channel")
	f.text(&f.channelsFile, "channels-list-file", "", "a file with one channel name a line, instead of --channel")
	f.flags.BoolVar(&f.spec.Annotation, "annotation", false, "the channel holds labels, which are stored as uint64")
	f.text(&f.spec.SourceChannel, "source-channel", "", "the image channel that the labels were drawn on; implies --annotation")
	f.integer(&f.spec.Res, "res", 0, "base resolution of the channel")
}

func (f *jobFlags) bindPlace() {
	s := &f.spec
	f.value("voxel-size", "x:y:z", "size of a voxel, like 4:4:40", parseSize(&s.VoxelSize))
	f.text(&s.VoxelUnit, "voxel-unit", "nanometers", strings.Join(job.Units(), ", "))
	f.extent(&s.X, "x-extent", "where the data lies in x, half-open: an image has as many columns")
	f.extent(&s.Y, "y-extent", "where the data lies in y, half-open: an image has as many rows")
	f.extent(&s.Z, "z-extent", "where the data lies in z, half-open: the stack has as many slices")
	f.extent(&s.ZRange, "z-range", "slices of this run (default all of --z-extent)")
	f.extent(&s.LimitX, "limit-x", "crop to these columns")
	f.extent(&s.LimitY, "limit-y", "crop to these rows")
	f.extent(&s.LimitZ, "limit-z", "crop to these slices")
	f.flags.BoolVar(&s.OffsetExtents, "offset-extents", false, "shift an extent with a negative start so that it starts at 0")
	f.value("forced-offsets", "x:y:z", "shift by exactly this on the way to BOSS", parsePoint(&s.ForcedOffset))
	f.extent(&s.FrameX, "coord-frame-x-extent", "coordinate frame to create, in x (default from 0 to the end of the data)")
	f.extent(&s.FrameY, "coord-frame-y-extent", "the same in y")
	f.extent(&s.FrameZ, "coord-frame-z-extent", "the same in z")
}

// warnings are what a person should know who gave these flags.
func (f *jobFlags) warnings() (list []string) {
	f.flags.Visit(func(flag *pflag.Flag) {
		of, _, _ := strings.Cut(flag.Name, "-")
		if (of == "s3" || of == "render") && of != f.datasource {
			list = append(list, fmt.Sprintf("--%s has no effect with --datasource %s", flag.Name, f.datasource))
		}
	})
	return list
}

// jobs judges the flags and gives one job for each channel. The error lists
// everything that is wrong. Only then, and only if the slices come from a render
// web service, that is asked for what the flags leave open.
func (f *jobFlags) jobs(ctx context.Context, again *retries) ([]*job.Job, error) {
	p := slices.Clone(f.problems)
	p.addAll(f.checkSource())
	f.spec.Missing = f.missing
	if f.warnMissing {
		if f.flags.Changed("missing") && f.missing != job.Zero {
			p.add("--warn-missing-files means --missing zero, and --missing %v is given too", f.missing)
		}
		f.spec.Missing = job.Zero
	}
	channels, err := f.channels()
	p.addAll(err)
	jobs, err := f.jobsOf(channels)
	p.addAll(err)
	if len(p) > 0 || f.datasource != "render" {
		return jobs, usage(errors.Join(p...))
	}
	if err := f.askStack(ctx, again); err != nil {
		return nil, err
	}
	jobs, err = f.jobsOf(channels)
	return jobs, usage(err)
}

// jobsOf judges the flags for each channel.
func (f *jobFlags) jobsOf(channels []string) (jobs []*job.Job, err error) {
	if err := f.checkDistinct(channels); err != nil {
		return nil, err
	}
	for _, ch := range channels {
		j, err := f.job(ch)
		if err != nil {
			return nil, err // the others have the same faults
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// job judges the flags for one channel. What a stack has yet to tell is no fault.
func (f *jobFlags) job(channel string) (*job.Job, error) {
	spec := f.spec
	spec.Channel = channel
	j, err := job.New(spec)
	if err != nil {
		return nil, errors.Join(f.unlessKnown(err), f.checkNaming(channel))
	}
	if f.datasource == "render" {
		return j, nil
	}
	_, err = f.pattern(j)
	return j, err
}

// unlessKnown drops of the errors in err those that follow from a value that
// could not be read, and extents that a stack will tell: an extent in the wrong
// form is not also missing.
func (f *jobFlags) unlessKnown(err error) error {
	all, ok := err.(interface{ Unwrap() []error }) // see job.New
	if !ok {
		return err
	}
	var list []error
	for _, err := range all.Unwrap() {
		var m *job.MissingError
		if !errors.As(err, &m) || !f.known(m.What) {
			list = append(list, err)
		}
	}
	return errors.Join(list...)
}

// known reports whether what a job lacks was given, if in the wrong form, or is
// for a stack to tell. Flags are called as what they give.
func (f *jobFlags) known(what string) bool {
	told := f.datasource == "render" && f.stack == nil && strings.HasSuffix(what, " extent")
	return told || f.flags.Changed(strings.ReplaceAll(what, " ", "-"))
}

// channels are the names that --channel or --channels-list-file gives.
func (f *jobFlags) channels() ([]string, error) {
	if f.channelsFile == "" {
		return []string{f.spec.Channel}, nil
	}
	if f.spec.Channel != "" {
		return nil, errors.New("--channel and --channels-list-file exclude each other")
	}
	text, err := readText(f.channelsFile)
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // as some editors begin a file
	if err != nil {
		return nil, fmt.Errorf("read the list of channels: %w", err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		name := strings.TrimSpace(line)
		if slices.Contains(names, name) {
			return nil, fmt.Errorf("%s names the channel %q twice", f.channelsFile, name)
		}
		if name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s names no channel: want one a line", f.channelsFile)
	}
	return names, nil
}
