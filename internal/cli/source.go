package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/local"
	"github.com/neurodata/ndpush/internal/source/render"
	"github.com/neurodata/ndpush/internal/source/s3"
	"github.com/neurodata/ndpush/internal/voxel"
)

// sourceFlags are the flags that say where the slices are.
type sourceFlags struct {
	datasource string // local, s3 or render
	naming     source.Naming
	s3         s3.Options
	render     render.Options

	stack *render.Stack // once it was asked
}

func (f *jobFlags) bindSource() {
	f.datasource = "local"
	f.flags.Var(&value{name: "datasource", kind: "where", text: f.datasource, problems: &f.problems,
		parse: parseOneOf(&f.datasource, "local", "s3", "render")},
		"datasource", "where the slices are: local, s3 or render")
	f.text(&f.naming.BasePath, "base-path", "", "directory or key prefix of the slices; <ch> in it is replaced by the channel's name")
	f.text(&f.naming.BaseFilename, "base-filename", "", "file name without extension: <p:4> is z padded to 4 digits, <> is z as it is, <ch> the channel")
	f.text(&f.naming.Extension, "extension", "", "file name extension: tif, png, ome.tif …")
	f.spec.ZStep = 1
	f.integer(&f.spec.ZStep, "z-step", 1, "the number in a file's name is z times this")
	f.value("datatype", "type", "what the files hold: uint8 or uint16; for annotations also uint32 or uint64", parseWith(&f.spec.Type, voxel.ParseType))
	f.value("missing", "policy", "a missing or unreadable slice: fail ends the run, zero leaves its place empty, previous repeats the slice before it (default fail)",
		parseWith(&f.missing, job.ParseMissing))
	f.flags.BoolVar(&f.warnMissing, "warn-missing-files", false, "the same as --missing zero")
}

func (f *jobFlags) bindS3() {
	f.text(&f.s3.Bucket, "s3-bucket-name", "", "S3: the bucket")
	f.text(&f.s3.Profile, "aws-profile", "", "S3: profile of ~/.aws to use (default: AWS_PROFILE, the environment, the profile default, or the machine's role)")
	f.text(&f.s3.Region, "s3-region", "", "S3: region of the bucket (default: the bucket is asked)")
	f.text(&f.s3.Endpoint, "s3-endpoint", "", "S3: URL of a store that is not Amazon's")
	f.flags.BoolVar(&f.s3.PathStyle, "s3-path-style", false, "S3: the bucket is part of the path, as most other stores want it")
	f.flags.BoolVar(&f.s3.Anonymous, "s3-anonymous", false, "S3: send no credentials, for open data")
}

func (f *jobFlags) bindRender() {
	f.text(&f.render.BaseURL, "render-baseurl", "", "render: URL of the service, ending in /render-ws/v1/")
	f.text(&f.render.Owner, "render-owner", "", "render: owner of the stack")
	f.text(&f.render.Project, "render-project", "", "render: its project")
	f.text(&f.render.Stack, "render-stack", "", "render: its name")
	f.text(&f.render.Channel, "render-channel", "", "render: its channel, if it has several")
	f.value("render-scale", "scale", "render: scale of the images, above 0 and up to 1; extents are in scaled pixels (default 1)", parseFraction(&f.render.Scale))
	f.value("render-window", "min:max", "render: intensities that become 0 and 255 in uint8", parsePair(&f.render.Window))
}

// checkSource looks at what the datasource needs.
func (f *jobFlags) checkSource() error {
	var p problems
	need := func(value, flag string) {
		if value == "" {
			p.add("--%s is missing: --datasource %s needs it", flag, f.datasource)
		}
	}
	switch f.datasource {
	case "s3":
		need(f.s3.Bucket, "s3-bucket-name")
	case "render":
		need(f.render.BaseURL, "render-baseurl")
		need(f.render.Owner, "render-owner")
		need(f.render.Project, "render-project")
		need(f.render.Stack, "render-stack")
	}
	return errors.Join(p...)
}

// checkNaming looks at the names of files for a job that has other faults.
func (f *jobFlags) checkNaming(channel string) error {
	if f.datasource == "render" {
		return nil
	}
	naming := f.naming
	naming.Channel = channel
	_, err := source.ParsePattern(naming)
	return err
}

// checkDistinct objects to channels that would all be made of the same files.
func (f *jobFlags) checkDistinct(channels []string) error {
	if len(channels) < 2 || strings.Contains(f.naming.BasePath+f.naming.BaseFilename, "<ch>") {
		return nil
	}
	return fmt.Errorf("%d channels would all hold the same images: put <ch>, which stands for the channel's name, into --base-path or --base-filename", len(channels))
}

// pattern names the files of j.
func (f *jobFlags) pattern(j *job.Job) (source.Pattern, error) {
	naming := f.naming
	naming.Channel, naming.ZStep = j.Channel, j.ZStep
	p, err := source.ParsePattern(naming)
	if err != nil {
		return p, err
	}
	return p, p.Covers(j.ToSource(j.Data()).Z())
}

// askStack asks the render web service about the stack. What the flags leave
// open of the extents is what the stack has.
func (f *jobFlags) askStack(ctx context.Context, again *retries) (err error) {
	f.render.Type, f.render.Version, f.render.OnRetry = f.spec.Type, version(), again.render
	if f.stack, err = render.Open(ctx, f.render); err != nil {
		return err
	}
	has := f.stack.Extent()
	for _, axis := range []struct {
		asked *voxel.Range
		has   voxel.Range
	}{{&f.spec.X, has.X()}, {&f.spec.Y, has.Y()}, {&f.spec.Z, has.Z()}} {
		if *axis.asked == (voxel.Range{}) {
			*axis.asked = axis.has
		}
	}
	return nil
}

// An input is the slices of a job, and what it takes to read them.
type input struct {
	source.Source
	fetch   int64 // bytes that are on their way
	readers int   // slices to read side by side, see plan.Plan
	piece   int64 // bytes to read of each at one time, see plan.Plan
}

// What is read at one time. Of a file on a disk it is what stays in the cache of
// a core until it is in the cuboids, and as many slices as there are cores, for
// decoding is computing. Over a network reading is waiting: all slices of a chunk,
// and of a file in a bucket what comes in two of its requests at once.
const (
	localPiece  = 256 << 10
	bucketPiece = 4 << 20
)

func localInput(slices source.Source) input {
	return input{slices, 0, runtime.GOMAXPROCS(0), localPiece}
}

func bucketInput(slices source.Source, b *s3.Bucket) input {
	return input{slices, b.Memory(), plan.CuboidZ, bucketPiece}
}

func stackInput(slices source.Source, s *render.Stack) input {
	return input{slices, s.Memory(), plan.CuboidZ, 0}
}

// input opens the source of j's slices.
func (f *jobFlags) input(ctx context.Context, j *job.Job) (input, error) {
	if f.datasource == "render" {
		return stackInput(f.stack.Slices(j.X, j.Y), f.stack), nil
	}
	pattern, err := f.pattern(j)
	if err != nil {
		return input{}, err
	}
	w, h := j.ImageSize()
	shape := source.Shape{Width: w, Height: h, Type: j.Type}
	if f.datasource == "local" {
		return localInput(source.NewFiles(local.Dir(pattern.Base()), pattern, shape)), nil
	}
	o := f.s3
	o.Prefix = pattern.Base()
	bucket, err := s3.New(ctx, o)
	if err != nil {
		return input{}, err
	}
	return bucketInput(source.NewFiles(bucket, pattern, shape), bucket), nil
}

// plan is how one process carries j's data from in, before it is known what it
// takes to read a slice. Comparing all of it takes more.
func (in input) plan(j *job.Job, data voxel.Box, workers int, compare bool) plan.Plan {
	p := plan.New(data, j.Type, j.ChannelType(), workers)
	p.Readers, p.Piece, p.Fetch, p.Compare, p.Note = in.readers, in.piece, in.fetch, compare, journal.Bytes
	return p
}

// facts are what a person should know of the source beforehand.
func (f *jobFlags) facts() (list []string) {
	if f.stack == nil {
		return nil
	}
	s := f.stack
	list = append(list, fmt.Sprintf("render stack %s (%s): %v of %s at scale %v, see %s", s.Name(), s.State(), s.Extent(), s.Kind(), s.Scale(), s.View()))
	if n := len(s.Fractional()); n > 0 {
		list = append(list, fmt.Sprintf("warning: %d sections of the stack lie between the integers and are not read: z %v …", n, s.Fractional()[0]))
	}
	return list
}

// changed says that the source was edited while it was read, or is "".
func (f *jobFlags) changed() string {
	if f.stack == nil {
		return ""
	}
	return f.stack.Changed()
}

// hintTime is how long to look for what there is instead of a slice.
const hintTime = 5 * time.Second

// explainReading adds to the error of a run what to do, if it is about a slice
// that is damaged or was taken away meanwhile.
func (c *channelIngest) explainReading(ctx context.Context, err error) error {
	var broken *source.RowError
	if errors.As(err, &broken) || errors.Is(err, fs.ErrNotExist) {
		return c.options.explainSource(ctx, err, c.input, c.job)
	}
	return err
}

// explainSource adds to an error about j's slices, which in has, what to do.
func (f *jobFlags) explainSource(ctx context.Context, err error, in input, j *job.Job) error {
	var mismatch *source.MismatchError
	var fatal interface{ Fatal() bool }
	switch {
	case errors.As(err, &fatal) && fatal.Fatal():
		return err // a place that cannot be read at all, and it says why
	case errors.As(err, &mismatch):
		return withHint(err, "--x-extent and --y-extent give an image's width and height, --datatype its type; nothing is cropped or cast to fit")
	case f.datasource == "render":
		return withHint(err, "--missing zero or previous goes on without a section")
	}
	instead := ""
	if errors.Is(err, fs.ErrNotExist) {
		ctx, cancel := context.WithTimeout(ctx, hintTime)
		defer cancel()
		instead = source.Hint(ctx, in.Source, j.ToSource(j.Data()).Z())
	}
	if instead != "" {
		instead += "; "
	}
	return withHint(err, "%s--base-path, --base-filename, --extension, --z-step and --z-range say which files are read; --missing zero or previous goes on without a slice", instead)
}
