package verify_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/verify"
	"github.com/neurodata/ndpush/internal/voxel"
)

// at is a cuboid at z.
func at(z int) voxel.Box {
	return voxel.NewBox(voxel.Range{Max: 64}, voxel.Range{Max: 64}, voxel.Range{Min: z, Max: z + 16})
}

// report writes a report of these verdicts on the cuboids from z on; more were
// announced.
func report(t *testing.T, channel string, z, of int, more int64, verdicts ...verify.Verdict) string {
	t.Helper()
	var b strings.Builder
	w, err := verify.NewWriter(&b, verify.Head{
		Channel: channel, Z: voxel.Range{Min: z, Max: z + 16*(len(verdicts)+int(more))},
		Of: voxel.Range{Max: of}, Cuboids: int64(len(verdicts)) + more,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range verdicts {
		f := verify.Finding{Claim: verify.Claim{Box: at(z + 16*i), Fate: verify.Posted}, Verdict: v}
		if v != verify.Match {
			f.Why = "because <it> is"
		}
		if v == verify.Error {
			f.Lost = []int{7, 3}
		}
		if err := w.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func merge(t *testing.T, texts ...string) []verify.Merged {
	t.Helper()
	var m verify.Merger
	for _, text := range texts {
		if err := m.Read(strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	return m.Sum()
}

// The reports of shares, in any order and put together in any way, say what one
// report of all would.
func TestMerge(t *testing.T) {
	first := report(t, "lab/fly/em", 0, 64, 0, verify.Match, verify.Differ)
	second := report(t, "lab/fly/em", 32, 64, 0, verify.Error, verify.Missing)
	for name, texts := range map[string][]string{
		"in turn": {first, second}, "backwards": {second, first}, "in one": {first + second}, "twice": {first, second, first},
	} {
		sums := merge(t, texts...)
		if len(sums) != 1 || sums[0].Channel != "lab/fly/em" || len(sums[0].Gaps) > 0 {
			t.Fatalf("%s: %+v", name, sums)
		}
		s := sums[0]
		if got, want := s.String(), "1 cuboid matches, 1 differ, 1 missing, 1 errors"; got != want || s.Gone != 1 {
			t.Errorf("%s: got %s, %d gone; want %s, 1 gone", name, got, s.Gone, want)
		}
		if !reflect.DeepEqual(s.Lost(), []int{3, 7}) || len(s.First) != 3 || s.First[0].Box != at(16) || s.First[0].Why != "because <it> is" {
			t.Errorf("%s: lost %v, first %v", name, s.Lost(), s.First)
		}
	}
}

// What was wrong and then looked at again counts as it was seen last.
func TestMergeAgain(t *testing.T) {
	s := merge(t, report(t, "a/b/c", 0, 32, 0, verify.Match, verify.Differ), report(t, "a/b/c", 16, 32, 0, verify.Match))[0]
	if !s.Verified() || s.Match != 2 || len(s.Gaps) > 0 {
		t.Errorf("got %v, gaps %v", &s.Tally, s.Gaps)
	}
}

// A share that was not looked at, or whose process was ended, leaves a gap, also
// when half its last line was written.
func TestGaps(t *testing.T) {
	whole := report(t, "a/b/c", 16, 64, 0, verify.Match, verify.Match)
	short := report(t, "a/b/c", 0, 64, 1, verify.Match)
	gaps := func(texts ...string) string { return fmt.Sprint(merge(t, texts...)[0].Gaps) }
	for name, tt := range map[string]struct{ got, want string }{
		"one share only":            {gaps(whole), "[0:16 48:64]"},
		"one of two cuboids":        {gaps(whole, short), "[0:16 48:64]"},
		"the same, put together":    {gaps(short + whole), "[0:16 48:64]"},
		"the last line is cut off":  {gaps(whole[:len(whole)-5]), "[0:64]"},
		"the last newline is lost":  {gaps(whole[:len(whole)-1]), "[0:64]"},
		"ended, and verified again": {gaps(short, whole, report(t, "a/b/c", 0, 64, 0, verify.Match), report(t, "a/b/c", 48, 64, 0, verify.Match)), "[]"},
		"an empty share":            {gaps(report(t, "a/b/c", 0, 16, 0, verify.Match) + `{"channel":"a/b/c","z":"16:32","of":"0:32","cuboids":0}` + "\n"), "[]"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: gaps %s, want %s", name, tt.got, tt.want)
		}
	}
}

// Channels are summed up each for itself.
func TestMergeChannels(t *testing.T) {
	sums := merge(t, report(t, "a/b/d", 0, 16, 0, verify.Differ)+report(t, "a/b/c", 0, 16, 0, verify.Match))
	names := []string{sums[0].Channel, sums[1].Channel}
	if !slices.Equal(names, []string{"a/b/c", "a/b/d"}) || !sums[0].Verified() || sums[1].Verified() {
		t.Errorf("got %+v", sums)
	}
}

// What is no report is an error that says where.
func TestMergeRefuses(t *testing.T) {
	good := report(t, "a/b/c", 0, 16, 1, verify.Match)
	for text, want := range map[string]string{
		"hello\n":                        "line 1: it is no line",
		good + "{\"box\":\n":             "line 3: it is no line",
		strings.SplitN(good, "\n", 2)[1]: "line 1: it comes before",
		good + `{"box":"0:1/0:1/0:1","verdict":"fine","channel":"a/b/c"}` + "\n":    `verdict "fine"`,
		good + `{"box":"0:1/0:1","verdict":"match","channel":"a/b/c"}` + "\n":       "want x0:x1",
		good + `{"box":"0:1/0:1/9:9","verdict":"match","channel":"a/b/c"}` + "\n":   "is not a range",
		good + `{"box":"0:1/0:1/0:1","verdict":"match","channel":"a/b/d"}` + "\n":   `about channel "a/b/d"`,
		good + `{"box":"0:1/0:1/64:65","verdict":"match","channel":"a/b/c"}` + "\n": "is not of the slices",
		`{"channel":"","z":"0:1","of":"0:1","cuboids":1}` + "\n":                    "which channel",
		`{"channel":"c","z":"0:1","of":"1","cuboids":1}` + "\n":                     "of: ",
		good + strings.Repeat("x", 2<<20) + "\n":                                    "longer than",
	} {
		var m verify.Merger
		if err := m.Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: %v, want %s", text, err, want)
		}
	}
}

// Whatever is read, nothing panics, and what was taken in is counted once.
func FuzzMerge(f *testing.F) {
	f.Add(`{"channel":"a/b/c","z":"0:16","of":"0:64","cuboids":1}` + "\n" + `{"box":"0:1/0:1/0:1","verdict":"match","channel":"a/b/c"}` + "\n")
	f.Add(`{"channel":"a/b/c","z":"-16:0","of":"-64:0","cuboids":-1}` + "\n")
	f.Add("{}\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		var m verify.Merger
		err := m.Read(strings.NewReader(text))
		for _, s := range m.Sum() {
			if n := int64(strings.Count(text, "\n")); s.Cuboids() > n {
				t.Errorf("%d cuboids of %d lines (%v)", s.Cuboids(), n, err)
			}
			for _, gap := range s.Gaps {
				if gap.Empty() {
					t.Errorf("an empty gap among %v", s.Gaps)
				}
			}
		}
	})
}
