// Package discover finds out what a place holds.
//
// [Find] looks at the names of files and tells which of them are slices of one
// stack: a [Series], files whose names differ in one number. Names alone decide,
// so that a directory of a hundred thousand files is quick. [Look] then
// opens a few of the files and says what they have in common. What neither can
// know stays unknown: nothing is guessed that would push voxels to a wrong place.
package discover

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A Series is files that differ in one number, which counts slices.
type Series struct {
	BaseFilename string // as source.Naming has it
	Extension    string
	ZStep        int           // the number in a file's name is z times this
	Slices       []voxel.Range // the z of those that are there, ascending, with gaps between
	Channels     []string      // what <ch> in the base filename stands for; none if it is not there

	Odd     int    // files that are called the same but for the zeros in front of their number
	OddName string // one of them
}

// String is how the files are called, like "em_<p:4>.tif".
func (s *Series) String() string {
	if s.Extension == "" {
		return s.BaseFilename
	}
	return s.BaseFilename + "." + s.Extension
}

// Count is how many slices there are of each channel.
func (s *Series) Count() (n int) {
	for _, r := range s.Slices {
		n += r.Len()
	}
	return n
}

// Z is from the first slice to the last.
func (s *Series) Z() voxel.Range {
	return voxel.Range{Min: s.Slices[0].Min, Max: s.Slices[len(s.Slices)-1].Max}
}

// Gaps are the z that lie between slices and are not there.
func (s *Series) Gaps() (gaps []voxel.Range) {
	for i := 1; i < len(s.Slices); i++ {
		gaps = append(gaps, voxel.Range{Min: s.Slices[i-1].Max, Max: s.Slices[i].Min})
	}
	return gaps
}

// Apart gives the slices that lie so far from most of them that the gap between is
// longer than all there are, such as 5000 after 0 to 99, and most of them; ok is
// false if there are none.
func (s *Series) Apart() (few, most voxel.Range, ok bool) {
	n, before, z := s.Count(), 0, s.Z()
	for i, gap := range s.Gaps() {
		before += s.Slices[i].Len()
		if gap.Len() <= n {
			continue
		}
		low, high := voxel.Range{Min: z.Min, Max: gap.Min}, voxel.Range{Min: gap.Max, Max: z.Max}
		if before < n-before {
			return low, high, true
		}
		return high, low, true
	}
	return voxel.Range{}, voxel.Range{}, false
}

// Pattern names the files of a channel in base.
func (s *Series) Pattern(base, channel string) (source.Pattern, error) {
	return source.ParsePattern(source.Naming{BasePath: base, BaseFilename: s.BaseFilename, Extension: s.Extension, Channel: channel, ZStep: s.ZStep})
}

// A Finding is what there is in a place.
type Finding struct {
	Series []*Series // the likeliest stack first
	Files  int       // that were looked at

	// Others are files that are in no series, and Other is the name of one.
	Others int
	Other  string

	// Changing are files with two numbers that both change from file to file, which
	// no pattern can say, and ChangingName is the name of one.
	Changing     int
	ChangingName string

	// Long are files whose numbers change and are too long for a slice's, and LongName
	// is the name of one.
	Long     int
	LongName string
}

// deep is how many directories below a place are looked into if it has no slices
// of its own: a directory for each channel, or for each slice.
const deep = 1

// Find looks at the names in a place.
func Find(ctx context.Context, place source.Finder) (*Finding, error) {
	for depth := 0; ; depth++ {
		var names []string
		for name, err := range place.Find(ctx, "", depth) {
			if err != nil {
				return nil, err
			}
			names = append(names, name)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f := Names(names)
		if depth == deep || len(f.Series) > 0 && isImage(f.Series[0].Extension) || f.Changing+f.Long > 0 {
			return f, nil
		}
	}
}

// Names sorts names into series.
func Names(names []string) *Finding {
	f := &Finding{Files: len(names)}
	groups := make(map[string]*group)
	for _, name := range names {
		form, numbers := parse(name)
		if isJunk(name) || len(numbers) == 0 && !isImage(form.extension) {
			f.other(name)
			continue
		}
		key := form.key()
		if groups[key] == nil {
			groups[key] = &group{form: form}
		}
		groups[key].files = append(groups[key].files, file{name, numbers})
	}
	for _, g := range groups {
		f.Series = append(f.Series, g.series(f)...)
	}
	f.sort() // channels are merged the same way each time
	f.Series = mergeChannels(f.Series)
	f.sort()
	return f
}

// sort puts the likeliest first: images, and of these the most.
func (f *Finding) sort() {
	slices.SortFunc(f.Series, func(a, b *Series) int {
		rank := func(s *Series) int {
			if isImage(s.Extension) {
				return 0
			}
			return 1
		}
		return cmp.Or(rank(a)-rank(b), b.Count()-a.Count(), strings.Compare(a.String(), b.String()))
	})
}

func (f *Finding) other(name string) {
	if f.Others++; f.Others == 1 || name < f.Other {
		f.Other = name
	}
}

// change counts files that no pattern can name.
func (f *Finding) change(files []file) { tally(&f.Changing, &f.ChangingName, files) }

// long counts files with numbers that are too long.
func (f *Finding) long(files []file) { tally(&f.Long, &f.LongName, files) }

// tally adds files to n; first is the name of the first of all.
func tally(n *int, first *string, files []file) {
	for _, file := range files {
		if *n++; *n == 1 || file.name < *first {
			*first = file.name
		}
	}
}

// Choose gives the series that is called pattern, with or without its extension. Of
// channels side by side one may be chosen; then each is a series of its own in f.
func (f *Finding) Choose(pattern string) (*Series, bool) {
	called := func(s *Series) bool { return s.String() == pattern || s.BaseFilename == pattern }
	for i, s := range f.Series {
		if called(s) {
			return s, true
		}
		alone := s.alone()
		if at := slices.IndexFunc(alone, called); at >= 0 {
			f.Series = slices.Replace(f.Series, i, i+1, alone...)
			return alone[at], true
		}
	}
	return nil, false
}

// isImage reports whether an extension is one that images of ours have.
func isImage(extension string) bool {
	switch strings.ToLower(extension) {
	case "tif", "tiff", "ome.tif", "ome.tiff", "ome", "btf", "tf2", "tf8", "png":
		return true
	}
	return false
}

// isJunk reports whether a name is one of those that systems, editors and
// copying programs leave behind.
func isJunk(name string) bool {
	base := strings.ToLower(path.Base(name))
	switch {
	case strings.HasPrefix(base, "."), strings.HasPrefix(base, "~"), strings.HasPrefix(base, "#"):
		return true
	case base == "thumbs.db", base == "desktop.ini":
		return true
	}
	for _, end := range []string{"~", ".tmp", ".part", ".partial", ".crdownload", ".swp", ".bak", ".lock"} {
		if strings.HasSuffix(base, end) {
			return true
		}
	}
	return false
}
