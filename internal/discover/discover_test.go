package discover_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/discover"
)

// names gives the names that a format makes of numbers.
func names(format string, numbers ...int) (list []string) {
	for _, n := range numbers {
		list = append(list, fmt.Sprintf(format, n))
	}
	return list
}

// upTo are the numbers from lo to below hi.
func upTo(lo, hi int) (list []int) {
	for n := lo; n < hi; n++ {
		list = append(list, n)
	}
	return list
}

// say writes what was found as lines like "em_<p:4>.tif /1 [0:20] 2 odd <ch>: a b".
func say(f *discover.Finding) string {
	var lines []string
	for _, s := range f.Series {
		line := fmt.Sprintf("%s /%d %v", s, s.ZStep, s.Slices)
		if s.Odd > 0 {
			line += fmt.Sprintf(" %d odd, %s", s.Odd, s.OddName)
		}
		if len(s.Channels) > 0 {
			line += " <ch>: " + strings.Join(s.Channels, " ")
		}
		lines = append(lines, line)
	}
	if f.Others > 0 {
		lines = append(lines, fmt.Sprintf("%d others, %s", f.Others, f.Other))
	}
	if f.Changing > 0 {
		lines = append(lines, fmt.Sprintf("%d changing", f.Changing))
	}
	if f.Long > 0 {
		lines = append(lines, fmt.Sprintf("%d long, %s", f.Long, f.LongName))
	}
	return strings.Join(lines, "\n")
}

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		what  string
		names []string
		want  string
	}{
		{"nothing", nil, ""},
		{"padded", names("em_%04d.tif", upTo(0, 20)...), "em_<p:4>.tif /1 [0:20]"},
		{"only numbers", names("%02d.tif", upTo(0, 20)...), "<p:2>.tif /1 [0:20]"},
		{"not padded", names("s%d.png", upTo(1, 13)...), "s<>.png /1 [1:13]"},
		{"9 to 10", names("s%d.png", 9, 10, 11), "s<>.png /1 [9:12]"},
		{"all of one length", names("s%d.png", upTo(100, 103)...), "s<p:3>.png /1 [100:103]"},
		{"longer than padded", names("s%02d.tif", upTo(98, 103)...), "s<>.tif /1 [98:103]"},
		{"longer than padded, from 8", names("s%02d.tif", upTo(8, 103)...), "s<p:2>.tif /1 [8:103]"},
		{"a constant number", names("img_s2_%04d.tif", 1, 2), "img_s2_<p:4>.tif /1 [1:3]"},
		{"dates that are the same", names("20180131_fly7_%03d.ome.tif", upTo(5, 9)...), "20180131_fly7_<p:3>.ome.tif /1 [5:9]"},
		{"times that differ", []string{"s_0001_20180131T101500.tif", "s_0002_20180131T101730.tif", "s_0003_20180131T101911.tif"}, "3 changing"},
		{"a gap", names("a%03d.tif", 1, 2, 5), "a<p:3>.tif /1 [1:3 5:6]"},
		{"steps", names("a%04d.tif", 0, 10, 20, 40), "a<p:4>.tif /10 [0:3 4:5]"},
		{"steps that begin elsewhere", names("a%04d.tif", 1, 11, 21), "a<p:4>.tif /1 [1:2 11:12 21:22]"},
		{"a few with other zeros", append(names("a%04d.tif", upTo(0, 9)...), "a7.tif", "a08.tif"), "a<p:4>.tif /1 [0:9] 2 odd, a08.tif"},
		{"the number twice", names("%04[1]d/s_%[1]d.tif", upTo(7, 12)...), "<p:4>/s_<>.tif /1 [7:12]"},
		{"the number twice, with other zeros", []string{"01/1.tif", "2/02.tif"}, "2 changing"},
		{"channels by name", slices.Concat(names("z%03d_DAPI.tif", upTo(0, 4)...), names("z%03d_GFP.tif", upTo(0, 4)...)), "z<p:3>_<ch>.tif /1 [0:4] <ch>: DAPI GFP"},
		{"channels by number", slices.Concat(names("z%03d_c0.tif", upTo(0, 4)...), names("z%03d_c1.tif", upTo(0, 4)...), names("z%03d_c2.tif", upTo(0, 4)...)), "z<p:3>_<ch>.tif /1 [0:4] <ch>: c0 c1 c2"},
		{"channels in directories", slices.Concat(names("em/%03d.tif", upTo(0, 4)...), names("seg/%03d.tif", upTo(0, 4)...)), "<ch>/<p:3>.tif /1 [0:4] <ch>: em seg"},
		{"two series", slices.Concat(names("old_%03d.tif", upTo(0, 4)...), names("new_%03d.tif", upTo(0, 9)...)), "new_<p:3>.tif /1 [0:9]\nold_<p:3>.tif /1 [0:4]"},
		{"two series by number", slices.Concat(names("img_s2_%04d.tif", upTo(0, 9)...), names("img_s3_%04d.tif", upTo(2, 5)...)), "img_s2_<p:4>.tif /1 [0:9]\nimg_s3_<p:4>.tif /1 [2:5]"},
		{"capitals", slices.Concat(names("%03d.TIF", upTo(0, 4)...), names("%03d.tif", upTo(0, 5)...)), "<p:3>.tif /1 [0:5]\n<p:3>.TIF /1 [0:4]"},
		{"beside images", slices.Concat(names("%03d.tif", upTo(0, 4)...), names("%03d.txt", upTo(0, 9)...), []string{"README", "notes.md"}), "<p:3>.tif /1 [0:4]\n<p:3>.txt /1 [0:9]\n2 others, README"},
		{"left behind", slices.Concat(names("%03d.tif", upTo(0, 4)...), []string{".003.tif.Qx1aB2", "._002.tif", "Thumbs.db", "desktop.ini", ".DS_Store", "004.tif.part", "004.tif~"}), "<p:3>.tif /1 [0:4]\n7 others, .003.tif.Qx1aB2"},
		{"one image", []string{"fly.tif"}, "fly.tif /1 [0:1]"},
		{"one image with a number", []string{"fly_07.tif"}, "fly_<p:2>.tif /1 [7:8]"},
		{"no extension", names("em.%04d", upTo(0, 4)...), "em.<p:4> /1 [0:4]"},
		{"numbers of 32 digits", []string{"a" + strings.Repeat("7", 32) + ".tif", "a" + strings.Repeat("8", 32) + ".tif"}, "2 long, a" + strings.Repeat("7", 32) + ".tif"},
		{"one number of 20 digits", append(names("a%04d.tif", upTo(0, 4)...), "a99999999999999999999.tif"), "a<p:4>.tif /1 [0:4]\n1 long, a99999999999999999999.tif"},
		{"two series of a few", []string{"s1_0.tif", "s1_1.tif", "s2_5.tif"}, "s1_<>.tif /1 [0:2]\ns2_<>.tif /1 [5:6]"},
	} {
		got := say(discover.Names(tt.names))
		if got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.what, got, tt.want)
		}
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(tt.names), func(i, j int) { tt.names[i], tt.names[j] = tt.names[j], tt.names[i] })
		if again := say(discover.Names(tt.names)); again != got {
			t.Errorf("%s, in another order:\ngot  %s\nwant %s", tt.what, again, got)
		}
	}
}

// What a series says its files are called, they are: every one, and no other.
func TestPatternGivesNames(t *testing.T) {
	for _, list := range [][]string{
		names("em_%04d.tif", upTo(0, 20)...), names("s%d.png", upTo(8, 13)...), names("s%02d.tif", upTo(8, 103)...),
		names("a%04d.tif", 0, 10, 20, 40), names("%04[1]d/s_%[1]d.tif", upTo(7, 12)...), names("em.%04d", upTo(0, 4)...), {"fly.tif"},
	} {
		s := discover.Names(list).Series[0]
		p, err := s.Pattern("", "")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range s.Slices {
			for z := r.Min; z < r.Max; z++ {
				got = append(got, p.Name(z))
			}
		}
		if !slices.Equal(got, list) {
			t.Errorf("%v gives %q, want %q", s, got, list)
		}
	}
}

// What is far from the rest is told apart; gaps alone are none of that.
func TestApart(t *testing.T) {
	for _, tt := range []struct {
		numbers []int
		want    string
	}{
		{append(upTo(0, 100), 5000), "5000:5001 0:100 true"},
		{append(upTo(1000, 1100), 3), "3:4 1000:1100 true"},
		{append(upTo(0, 100), 5000, 5002), "5000:5003 0:100 true"},
		{append(upTo(0, 100), 200), "0:0 0:0 false"},
		{upTo(0, 9), "0:0 0:0 false"},
	} {
		few, most, ok := discover.Names(names("a%04d.tif", tt.numbers...)).Series[0].Apart()
		if got := fmt.Sprint(few, most, ok); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.numbers, got, tt.want)
		}
	}
}

func TestGaps(t *testing.T) {
	s := discover.Names(names("a%03d.tif", 1, 2, 5, 9)).Series[0]
	if got, want := fmt.Sprint(s.Gaps(), s.Z(), s.Count()), "[3:5 6:9] 1:10 4"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := s.Sample(rand.New(rand.NewPCG(1, 2))); !slices.IsSorted(got) || got[0] != 1 || got[len(got)-1] != 9 || len(got) > 7 {
		t.Errorf("the sample is %v", got)
	}
}

// A place has names at depths.
type place map[int][]string

func (p place) Find(_ context.Context, _ string, depth int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for d := range depth + 1 {
			for _, name := range p[d] {
				if !yield(name, nil) {
					return
				}
			}
		}
	}
}

// Directories are looked into where a place has no images of its own.
func TestFind(t *testing.T) {
	deep := names("em/%03d.tif", upTo(0, 4)...)
	for want, p := range map[string]place{
		"em/<p:3>.tif /1 [0:4]\n1 others, README": {0: {"README"}, 1: deep},
		"<p:3>.tif /1 [0:2]":                      {0: names("%03d.tif", 0, 1), 1: deep},
	} {
		f, err := discover.Find(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if got := say(f); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// FuzzNames: whatever files are called, the patterns give names that were there.
func FuzzNames(f *testing.F) {
	f.Add("em_0001.tif\nem_0002.tif\nem_10.tif")
	f.Add("a1b1.tif\na2b2.tif\na2b3.tif\n<p:4>1.tif\n<2.tif")
	f.Add("00.ome.tif\n99999999999999999999.ome.tif\n")
	f.Fuzz(func(t *testing.T, text string) {
		list := strings.Split(text, "\n")
		for _, s := range discover.Names(list).Series {
			if s.Count() == 0 {
				t.Errorf("%v has no slices", s)
			}
			channel := ""
			if len(s.Channels) > 0 {
				channel = s.Channels[0]
			}
			p, err := s.Pattern("", channel)
			if err != nil {
				continue // such as of a name with angle brackets
			}
			for _, r := range s.Slices {
				if !slices.Contains(list, p.Name(r.Min)) && !strings.ContainsAny(text, "<>") {
					t.Errorf("%v has slice %d, %q, which is not there", s, r.Min, p.Name(r.Min))
				}
			}
		}
	})
}

func BenchmarkNames(b *testing.B) {
	list := names("em_%06d.tif", upTo(0, 100_000)...)
	for b.Loop() {
		discover.Names(list)
	}
}
