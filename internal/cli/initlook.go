package cli

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/neurodata/ndpush/internal/discover"
	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/local"
	"github.com/neurodata/ndpush/internal/source/s3"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A filePlace can be listed, and they can be opened.
type filePlace interface {
	source.Opener
	source.Finder
}

var (
	_ filePlace = local.Dir("")
	_ filePlace = (*s3.Bucket)(nil)
)

// openPlace opens the directory or the bucket, and says what reading there takes.
func (o *initOptions) openPlace(ctx context.Context) (filePlace, input, error) {
	if o.datasource == "local" {
		return local.Dir(o.naming.BasePath), localInput(nil), nil
	}
	bucket, err := s3.New(ctx, o.s3)
	if err != nil {
		return nil, input{}, err
	}
	return bucket, bucketInput(nil, bucket), nil
}

// address is the place, for people.
func (o *initOptions) address() string {
	if o.datasource == "s3" {
		return "s3://" + o.s3.Bucket + "/" + o.s3.Prefix
	}
	return o.naming.BasePath
}

// lookAtFiles looks at a directory or a bucket.
func (a *app) lookAtFiles(ctx context.Context, o *initOptions) (*sighting, error) {
	at, in, err := o.openPlace(ctx)
	if err != nil {
		return nil, err
	}
	found, err := discover.Find(ctx, at)
	if err != nil {
		return nil, err
	}
	series, err := o.choose(found)
	if err != nil {
		return nil, err
	}
	if err := o.chooseChannel(series); err != nil {
		return nil, err
	}
	pattern, err := series.Pattern(o.naming.BasePath, o.spec.Channel)
	if err != nil {
		return nil, withHint(fmt.Errorf("the files are called %s: %w", series, err), "angle brackets in the names of files cannot be said: make links without them")
	}
	heads, err := discover.Look(ctx, at, pattern, series.Sample(a.Rand))
	if err != nil {
		return nil, withHint(err, "a few files like %s in %s were opened, and none can be read", series, o.address())
	}
	s := &sighting{series: series, heads: heads, input: in, typ: heads.Shape.Type, size: heads.Size, gaps: series.Gaps()}
	s.box = voxel.NewBox(voxel.Range{Max: heads.Shape.Width}, voxel.Range{Max: heads.Shape.Height}, series.Z())
	s.nameAfter(o.address())
	s.describeFiles(o, found, pattern)
	return s, nil
}

// chooseChannel takes the first of the channels that lie side by side, unless a flag
// names one; the file names the others.
func (o *initOptions) chooseChannel(s *discover.Series) error {
	switch {
	case len(s.Channels) == 0 || slices.Contains(s.Channels, o.spec.Channel):
		return nil
	case o.spec.Channel == "":
		return o.flags.Set("channel", s.Channels[0])
	}
	var names []string
	for _, ch := range firstOf(s.Channels, told) {
		names = append(names, strings.ReplaceAll(s.String(), "<ch>", ch))
	}
	return usage(withHint(fmt.Errorf("there are the files of %s, %s, and none of --channel %s", human.Count(len(s.Channels), "channel"), strings.Join(names, ", "), o.spec.Channel),
		"--pattern '%s' takes these files, for a channel of any name", names[0]))
}

// choose takes the likeliest series, or the one that --pattern names.
func (o *initOptions) choose(found *discover.Finding) (*discover.Series, error) {
	switch {
	case len(found.Series) == 0 && found.Changing > 0:
		return nil, withHint(fmt.Errorf("%s: the names of the %d files, like %s, hold several numbers that change from slice to slice", o.address(), found.Changing, found.ChangingName),
			"a file's name can hold only the slice's number: rename the files, or make links to them in another directory")
	case len(found.Series) == 0 && found.Long > 0:
		return nil, withHint(fmt.Errorf("%s: the numbers in the names of %s, like %s, are too long to count slices", o.address(), human.Count(found.Long, "file"), found.LongName),
			"a slice's number has 9 digits at most: rename the files, or make links to them in another directory")
	case found.Files == 0:
		return nil, fmt.Errorf("%s has no files", o.address())
	case len(found.Series) == 0:
		return nil, fmt.Errorf("%s: none of the %d files, like %s, looks like a slice, whose name holds its number", o.address(), found.Files, found.Other)
	case o.pattern == "":
		return found.Series[0], nil
	}
	if s, ok := found.Choose(o.pattern); ok {
		return s, nil
	}
	var names []string
	for _, s := range firstOf(found.Series, told) {
		names = append(names, s.String())
	}
	return nil, usage(fmt.Errorf("--pattern %q: there are no such files, but %s", o.pattern, strings.Join(names, ", ")))
}

// describeFiles puts what was found into words: the summary for a person now,
// and the comments of the file.
func (s *sighting) describeFiles(o *initOptions, found *discover.Finding, pattern source.Pattern) {
	z := s.series.Z()
	all := fmt.Sprintf("%s, %s to %s", human.Count(s.series.Count(), "slice"), pattern.Name(z.Min), pattern.Name(z.Max-1))
	if n := len(s.series.Channels); n > 0 {
		all += fmt.Sprintf(", of each of %s: %s", human.Count(n, "channel"), strings.Join(s.series.Channels, ", "))
	}
	s.files = []string{all + "."}
	if len(s.gaps) > 0 {
		s.files = append(s.files, fmt.Sprintf("%s: %s.", human.Count(len(s.gaps), "gap"), rangesWords(s.gaps)))
	}
	if few, most, ok := s.series.Apart(); ok && !o.flags.Changed("z-extent") {
		s.files = append(s.files, fmt.Sprintf("Is z %s of this stack? It is far from the others: --z-extent %v leaves it out.", slicesWord(few), most))
	}
	if s.series.Odd > 0 {
		s.files = append(s.files, fmt.Sprintf("Not read: %s whose numbers have other zeros in front, like %s.", human.Count(s.series.Odd, "file"), s.series.OddName))
	}
	others := slices.DeleteFunc(slices.Clone(found.Series), func(other *discover.Series) bool { return other == s.series })
	for _, other := range firstOf(others, told) {
		s.files = append(s.files, fmt.Sprintf("Not read: %s like %s; --pattern '%s' chooses them.", human.Count(other.Count(), "file"), other, other))
	}
	if n := len(others) - told; n > 0 {
		s.files = append(s.files, fmt.Sprintf("Nor %d more such series.", n))
	}
	if found.Changing > 0 {
		s.files = append(s.files, fmt.Sprintf("Not read: %s whose names hold several numbers that change, like %s.", human.Count(found.Changing, "file"), found.ChangingName))
	}
	if found.Long > 0 {
		s.files = append(s.files, fmt.Sprintf("Not read: %s whose numbers are too long to count slices, like %s.", human.Count(found.Long, "file"), found.LongName))
	}
	if found.Others > 0 {
		s.files = append(s.files, fmt.Sprintf("Not read: %s that look like no slice, like %s.", human.Count(found.Others, "file"), found.Other))
	}
	s.kind = []string{fmt.Sprintf("The heads of %s were read, and ndpush check reads all: %v.", human.Count(s.heads.Looked, "file"), s.heads.Shape)}
	for _, odd := range s.heads.Odd {
		s.kind = append(s.kind, "But "+odd+".")
	}
	s.summary = append(append(s.summary, s.files...), s.kind...)
}

// lookAtStack looks at a stack of a render web service.
func (a *app) lookAtStack(ctx context.Context, o *initOptions) (*sighting, error) {
	given := o.spec.Type
	o.spec.Type = cmp.Or(given, voxel.Uint8) // to ask; the stack does not know of types
	spec := o.spec
	err := o.askStack(ctx, &a.retries)
	o.spec = spec
	o.spec.Type = given
	if err != nil {
		return nil, err
	}
	stack := o.stack
	s := &sighting{box: stack.Extent(), typ: given, input: stackInput(nil, stack)}
	s.gaps = (&source.Listing{Slices: source.Ranges(slices.Clone(stack.Sections()))}).Missing(s.box.Z())
	if r := stack.Resolution(); r[0] > 0 && r[1] > 0 && r[2] > 0 {
		s.size = discover.VoxelSize{X: r[0], Y: r[1], Z: r[2], From: "the stack"}
	}
	s.nameAfter(strings.Join([]string{o.render.Owner, o.render.Project, o.render.Stack}, "/"))
	s.files = []string{fmt.Sprintf("%s of the render stack %s (%s): %v at scale %v.", human.Count(len(stack.Sections()), "section"), stack.Name(), stack.State(), s.box, stack.Scale())}
	if len(s.gaps) > 0 {
		s.files = append(s.files, fmt.Sprintf("%s: %s.", human.Count(len(s.gaps), "gap"), rangesWords(s.gaps)))
	}
	if n := len(stack.Fractional()); n > 0 {
		s.files = append(s.files, fmt.Sprintf("Not read: %s between the integers, such as z %v.", human.Count(n, "section"), stack.Fractional()[0]))
	}
	s.kind = []string{"The service draws uint8, where render-window says which intensities become 0 and\n255, or uint16, the values as they are."}
	s.summary = s.files
	return s, nil
}

// notInName is what a name in BOSS may not hold.
var notInName = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// nameAfter proposes names: a stack is often in a directory called as its channel,
// in one of the experiment, in one of the collection.
func (s *sighting) nameAfter(path string) {
	words := strings.Split(strings.Trim(strings.TrimPrefix(filepath.ToSlash(path), "s3://"), "/"), "/")
	s.parents = []string{"", "", ""}
	for i := range min(len(words), 3) {
		name := strings.Trim(notInName.ReplaceAllString(words[len(words)-1-i], "_"), "_")
		if job.CheckName("", name) == nil {
			s.parents[2-i] = name
		}
	}
	s.name = cmp.Or(s.parents[2], "stack")
}
