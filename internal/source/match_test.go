package source_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

func pattern(t testing.TB, n source.Naming) source.Pattern {
	t.Helper()
	p, err := source.ParsePattern(n)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// namings are patterns of all sorts.
var namings = []source.Naming{
	{BaseFilename: "<>"},
	{BaseFilename: "em_<p:4>", Extension: "tif"},
	{BaseFilename: "em_<p:4>", Extension: "tif", ZStep: 10},
	{BaseFilename: "<p:2>", Extension: "0", ZStep: 3},
	{BaseFilename: "<>0", Extension: "png"},
	{BaseFilename: "1<>"},
	{BaseFilename: "a-<p:3>"},
	{BaseFilename: "<p:3><>", Extension: "ome.tif"},
	{BaseFilename: "<><>"},
	{BaseFilename: "<>1<>"},
	{BaseFilename: "<ch>/<p:2>/<ch>_<>", Channel: "c.1", Extension: "tif"},
}

// Match is the reverse of Name.
func TestMatch(t *testing.T) {
	for _, n := range namings {
		p := pattern(t, n)
		for _, z := range []int{0, 1, -1, 7, 10, 11, 99, 100, 101, -100, 1111, 9999, 10000, 123456789, math.MaxInt32} {
			if got, ok := p.Match(p.Name(z)); !ok || got != z {
				t.Errorf("%+v: %s is slice %d, %v, want %d", n, p.Name(z), got, ok, z)
			}
		}
	}
	same := pattern(t, source.Naming{BaseFilename: "same", Extension: "tif"})
	if z, ok := same.Match("same.tif"); !ok || z != 0 {
		t.Errorf("the only file is slice %d, %v", z, ok)
	}
}

func TestNoMatch(t *testing.T) {
	p := pattern(t, source.Naming{BaseFilename: "em_<p:4>", Extension: "tif", ZStep: 5})
	for _, name := range []string{
		"", "em_", "em_.tif", "em_0012.tif", "em_15.tif", "em_00015.tif", "em_0015.tiff", "EM_0015.tif", "em_0015", "em_+015.tif", "em_-0015.tif",
		"em_0015.tif ", "xem_0015.tif", "em_0015.tif/0", "em_" + strings.Repeat("9", 40) + ".tif",
	} {
		if z, ok := p.Match(name); ok {
			t.Errorf("%q is slice %d", name, z)
		}
	}
}

// FuzzMatch: what matches is a name, and no name is that of two slices.
func FuzzMatch(f *testing.F) {
	for _, n := range namings {
		f.Add(n.BaseFilename, n.Extension, n.ZStep, pattern(f, n).Name(12))
	}
	f.Add("<p:4>", "tif", 5, "-0015.tiff")
	f.Add("e\x9d_<p:4>", "\x80", 1, "e\x9d_0120.tif\x80")
	f.Fuzz(func(t *testing.T, base, extension string, step int, name string) {
		p, err := source.ParsePattern(source.Naming{BaseFilename: base, Extension: extension, ZStep: step})
		if err != nil {
			return
		}
		z, ok := p.Match(name)
		if ok && p.Name(z) != name {
			t.Errorf("%q is said to be slice %d, which is %q", name, z, p.Name(z))
		}
		s := &finding{names: []string{name}, all: true}
		l, err := source.NewFiles(s, p, source.Shape{}).List(t.Context())
		if errors.Is(err, errors.ErrUnsupported) {
			return // no number
		}
		if err != nil || l.Count()+l.StrayCount+l.Others != 1 || (l.Count() == 1) != ok {
			t.Errorf("%q is counted as %+v, %v", name, l, err)
		}
	})
}

// A finding is an Opener that finds what a test says.
type finding struct {
	shelf
	names []string
	all   bool // also those that do not begin with what is asked for
	fails error
	asked []string
}

func (f *finding) Find(_ context.Context, prefix string, depth int) iter.Seq2[string, error] {
	f.asked = append(f.asked, prefix)
	return func(yield func(string, error) bool) {
		for _, name := range f.names {
			if (f.all || strings.HasPrefix(name, prefix)) && !yield(name, nil) {
				return
			}
		}
		if f.fails != nil {
			yield("", f.fails)
		}
	}
}

func list(t *testing.T, n source.Naming, names ...string) *source.Listing {
	t.Helper()
	l, err := source.NewFiles(&finding{names: names}, pattern(t, n), source.Shape{}).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Every way in which a file can miss its name has a sentence of its own.
func TestStrays(t *testing.T) {
	n := source.Naming{BaseFilename: "<ch>/s_<p:4>", Extension: "tif", Channel: "em", ZStep: 5}
	for name, want := range map[string]string{
		"em/s_12.tif":           "12 is no multiple of the z step 5",
		"em/s_15.tif":           "its number has other zeros in front, where slice 3 is em/s_0015.tif",
		"em/s_00015.tif":        "its number has other zeros in front, where slice 3 is em/s_0015.tif",
		"em/s_0015.tiff":        "its extension is .tiff, where slice 3 is em/s_0015.tif",
		"em/s_0015":             "it has no extension, where slice 3 is em/s_0015.tif",
		"em/s_15.ome.tif":       "its extension is .ome.tif, where slice 3 is em/s_0015.tif",
		"em/s_0015.TIF":         "capitals and small letters differ, where slice 3 is em/s_0015.tif",
		"em/S_0015.tif":         "capitals and small letters differ, where slice 3 is em/s_0015.tif",
		"em/s_0015.tif.part":    "a temporary or hidden file",
		"em/s_0015.tif~":        "a temporary or hidden file",
		"em/.s_0015.tif.Xb31aQ": "a temporary or hidden file", // rsync
		"em/._s_0015.tif":       "a temporary or hidden file", // macOS
		"em/s_0015_mask.tif":    "",
		"em/thumbs.db":          "",
		"em/s_.tif":             "",
	} {
		s := &finding{names: []string{name}}
		l, err := source.NewFiles(s, pattern(t, n), source.Shape{}).List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			if l.Others != 1 || l.Other != name || l.StrayCount != 0 {
				t.Errorf("%s: %+v, want another file", name, l)
			}
		} else if len(l.Strays) != 1 || l.StrayCount != 1 || l.Others != 0 || l.Strays[0].String() != name+": "+want {
			t.Errorf("%s: %+v, want %s", name, l, want)
		}
	}
	twice := source.Naming{BaseFilename: "<>/<>"}
	if l := list(t, twice, "3/3", "3/4", "3/03"); l.Count() != 1 || l.StrayCount != 2 || l.Strays[0].Reason != "its numbers differ" && l.Strays[1].Reason != "its numbers differ" {
		t.Errorf("got %+v", l)
	}
}

// Gaps, doubles and the first strays are seen whatever the order of the names.
func TestListing(t *testing.T) {
	n := source.Naming{BaseFilename: "s<p:3>", Extension: "tif"}
	names := []string{"s100.tif", "s002.tif", "s007.tif", "s001.tif", "s003.tif", "s101.tif", "s102.tif", "s-01.tif", "s2.tif", "s.tif"}
	for i := range 20 {
		names = append(names, pattern(t, source.Naming{BaseFilename: "s<p:3>", Extension: "png"}).Name(119-i))
	}
	l := list(t, n, names...)
	if want := []voxel.Range{{Min: -1, Max: 0}, {Min: 1, Max: 4}, {Min: 7, Max: 8}, {Min: 100, Max: 103}}; !slices.Equal(l.Slices, want) || l.Count() != 8 {
		t.Errorf("slices %v, want %v", l.Slices, want)
	}
	if l.StrayCount != 21 || len(l.Strays) != source.MaxStrays || l.Doubles != 4 || l.Others != 1 || l.Other != "s.tif" {
		t.Errorf("%d strays, %d of them named, %d doubles, %d others: %+v", l.StrayCount, len(l.Strays), l.Doubles, l.Others, l)
	}
	for i, want := range []string{"s2.tif", "s100.png", "s101.png", "s102.png", "s103.png"} {
		if s := l.Strays[i]; s.Name != want || s.Double != (i < 4) {
			t.Errorf("stray %d is %s, double: %v", i, s.Name, s.Double)
		}
	}
	for r, want := range map[voxel.Range][]voxel.Range{
		{Min: 0, Max: 10}:    {{Min: 0, Max: 1}, {Min: 4, Max: 7}, {Min: 8, Max: 10}},
		{Min: 1, Max: 4}:     nil,
		{Min: 2, Max: 5}:     {{Min: 4, Max: 5}},
		{Min: 200, Max: 203}: {{Min: 200, Max: 203}},
		{Min: 5, Max: 5}:     nil,
	} {
		if got := l.Missing(r); !slices.Equal(got, want) {
			t.Errorf("of %v %v are missing, want %v", r, got, want)
		}
	}
}

// What is asked for is what the names begin with, and more only if there is none.
func TestListingPrefix(t *testing.T) {
	n := source.Naming{BaseFilename: "d/s_<p:3>", Extension: "tif"}
	s := &finding{names: []string{"d/s_001.tif", "d/S_002.tif"}}
	f := source.NewFiles(s, pattern(t, n), source.Shape{})
	if l, err := f.List(t.Context()); err != nil || l.Count() != 1 || l.StrayCount != 0 || !slices.Equal(s.asked, []string{"d/s_"}) {
		t.Errorf("%+v, %v, asked for %q", l, err, s.asked)
	}
	s.asked, s.names = nil, s.names[1:]
	if l, err := f.List(t.Context()); err != nil || l.Count() != 0 || l.StrayCount != 1 || !slices.Equal(s.asked, []string{"d/s_", "d/"}) {
		t.Errorf("%+v, %v, asked for %q", l, err, s.asked)
	}
}

func TestListingErrors(t *testing.T) {
	n := source.Naming{BasePath: "/d", BaseFilename: "<>", Extension: "tif"}
	for _, tt := range []struct {
		opener source.Opener
		n      source.Naming
		want   string
		is     error
	}{
		{&shelf{}, n, "list the files like /d/0.tif: unsupported operation", errors.ErrUnsupported},
		{&finding{}, source.Naming{BaseFilename: "a"}, "list the files like a: the name holds no number: unsupported operation", errors.ErrUnsupported},
		{&finding{fails: errDenied}, n, "list the files like /d/0.tif: denied", errDenied},
	} {
		f := source.NewFiles(tt.opener, pattern(t, tt.n), source.Shape{})
		if _, err := f.List(t.Context()); err == nil || err.Error() != tt.want || !errors.Is(err, tt.is) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
		if hint := source.Hint(t.Context(), f, voxel.Range{}); hint != "" {
			t.Errorf("where nothing is known: %s", hint)
		}
	}
}

var errDenied = errors.New("denied")

// A hint names one file, and does not read a million names for that.
func TestHint(t *testing.T) {
	n := source.Naming{BaseFilename: "s_<p:4>", Extension: "tif"}
	wanted := voxel.Range{Min: 10, Max: 20}
	for want, names := range map[string][]string{
		"there are no files": nil,
		"":                   {"s_0010.tif", "s_0012.tif", "s_12.tif", "s_30.tif", "a.txt"},
		"slice 7 is there":   {"s_0007.tif", "s_0008.tif", "s_9.tif"},
		"s_11.tif is there: its number has other zeros in front, where slice 11 is s_0011.tif": {"s_0010.tif", "s_0012.tif", "s_11.tif"},
		"a.txt is there, which looks like no slice":                                            {"b.txt", "a.txt"},
		"s_0012.tiff is there: its extension is .tiff, where slice 12 is s_0012.tif":           {"s_0013.tiff", "s_0012.tiff"},
		"S_12.tif is there: its number has other zeros in front, where slice 12 is s_0012.tif": {"S_12.tif"},
	} {
		f := source.NewFiles(&finding{names: names}, pattern(t, n), source.Shape{})
		if got := source.Hint(t.Context(), f, wanted); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	s := &endless{}
	if got := source.Hint(t.Context(), source.NewFiles(s, pattern(t, n), source.Shape{}), wanted); got != "x is there, which looks like no slice" || s.n > 20000 {
		t.Errorf("after %d names: %s", s.n, got)
	}
}

// An endless place has more files than anybody counts.
type endless struct {
	shelf
	n int
}

func (e *endless) Find(context.Context, string, int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for ; yield("x", nil); e.n++ {
		}
	}
}
