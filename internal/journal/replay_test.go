package journal_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

const (
	at  = `"at":"2026-11-22T18:31:23Z"`
	sum = `"sum":"9f0c27d1a5b3e846",` + at
)

// whole is a stack of 2×1×2 cuboids.
const whole = "0:2048/0:1024/0:32"

// Each story is what files say, and which boxes are done after it.
func TestReplay(t *testing.T) {
	const a, b = "0:1024/0:1024/0:16", "1024:2048/0:1024/0:16"
	posted := func(box string) string { return fmt.Sprintf(`{"posted":%q,%s}`, box, sum) }
	begin := func(box string) string { return fmt.Sprintf(`{"begin":%q}`, box) }
	empty := func(box string) string { return fmt.Sprintf(`{"empty":%q,%s}`, box, at) }
	failed := func(box string) string { return fmt.Sprintf(`{"failed":%q,"why":"500",%s}`, box, at) }
	top := headText("n1", whole)
	for _, tt := range []struct {
		name    string
		files   [][]string
		done    []string
		undone  []string
		entries string // box and fate of each
		losses  string
	}{
		{"nothing", nil, nil, []string{a, whole}, "", ""},
		{"posted", [][]string{{top, begin(a), posted(a), begin(b)}}, []string{a, "5:6/7:8/9:10"}, []string{b, whole}, a + " posted, " + b + " begun", ""},
		{"empty is done", [][]string{{top, empty(a), posted(b)}}, []string{a, b, "0:2048/0:1024/0:16"}, []string{whole}, a + " empty, " + b + " posted", ""},
		{"failed", [][]string{{top, begin(a), failed(a)}}, nil, []string{a}, a + " failed", ""},
		{"the last word wins", [][]string{{top, posted(a), posted(b)}, {top, begin(a), failed(b)}, {top, posted(b)}}, []string{b}, []string{a}, a + " begun, " + b + " posted", ""},
		{
			"in pieces of z",
			[][]string{{top, posted("0:1024/0:1024/0:7"), posted("0:1024/0:1024/7:12")}, {top, posted("0:1024/0:1024/12:16")}},
			[]string{a},
			nil,
			"0:1024/0:1024/0:7 posted, 0:1024/0:1024/7:12 posted, 0:1024/0:1024/12:16 posted",
			"",
		},
		{
			"a piece is begun again",
			[][]string{{top, posted(a)}, {top, begin("0:1024/0:1024/3:4")}},
			[]string{"0:1024/0:1024/0:3", "0:1024/0:1024/4:16"},
			[]string{a, "0:1/0:1/3:4"},
			a + " posted over, 0:1024/0:1024/3:4 begun",
			"",
		},
		{
			"a failed one was posted in pieces",
			[][]string{{top, failed(a)}, {top, posted("0:512/0:1024/0:16"), empty("512:1024/0:1024/0:16")}},
			[]string{a},
			nil,
			"0:512/0:1024/0:16 posted, 512:1024/0:1024/0:16 empty",
			"",
		},
		{
			"one that contains others",
			[][]string{{top, posted("0:512/0:1024/0:16"), failed("512:700/0:1024/0:16")}, {top, posted(a)}},
			[]string{a},
			nil,
			a + " posted",
			"",
		},
		{
			"a missing slice counts for what follows",
			[][]string{{top, posted(a), `{"missing":7,"why":"gone"}`, posted(b)}},
			[]string{a, "1024:2048/0:1024/0:7", "1024:2048/0:1024/8:16"},
			[]string{b, "1500:1501/3:4/7:8"},
			a + " posted, " + b + " posted [7]",
			"7 [0:1024] gone",
		},
		{
			"missing rows",
			[][]string{{top, `{"missing":7,"rows":"600:700","why":"x"}`, `{"missing":7,"rows":"700:1024","why":"y"}`, `{"missing":40,"why":"z"}`, posted(a)}},
			[]string{"0:1024/0:600/0:16"},
			[]string{a},
			a + " posted [7]",
			"7 [600:1024] x",
		},
		{
			"more rows are missing later",
			[][]string{{top, `{"missing":7,"rows":"0:10","why":"x"}`, posted(a), `{"missing":7,"rows":"600:700","why":"y"}`, posted(b)}},
			[]string{"0:1024/600:700/7:8"},
			[]string{"0:1024/0:10/7:8", "1024:2048/600:700/7:8"},
			a + " posted [7], " + b + " posted [7]",
			"7 [0:10 600:700] x",
		},
		{
			"posted again by another",
			[][]string{{top, `{"missing":7,"why":"gone"}`, posted(a)}, {top, begin(a), posted(a)}},
			[]string{a},
			nil,
			a + " posted",
			"",
		},
		{
			"the slice alone was posted again",
			[][]string{{top, `{"missing":7,"why":"gone"}`, posted(a)}, {top, posted("0:1024/0:1024/7:8")}},
			[]string{a},
			nil,
			a + " posted over, 0:1024/0:1024/7:8 posted",
			"",
		},
		{
			"some of its rows were posted again",
			[][]string{{top, `{"missing":7,"why":"gone"}`, posted(a)}, {top, posted("0:1024/100:200/7:8")}},
			[]string{"0:1024/100:200/0:16"},
			[]string{a},
			a + " posted over [7], 0:1024/100:200/7:8 posted",
			"7 [0:100 200:1024] gone",
		},
		{
			"a loss in what was not sent in the end",
			[][]string{{top, `{"missing":7,"why":"gone"}`, begin(a), failed(a)}},
			nil,
			[]string{a},
			a + " failed",
			"",
		},
		{
			"an origin",
			[][]string{{
				strings.Replace(top, "[0,0,0]", "[-5,100,3]", 1),
				`{"missing":4,"rows":"0:200","why":"x"}`, posted(a),
			}},
			[]string{"0:1024/0:1024/0:7", "0:1024/0:100/7:8", "0:1024/300:1024/7:8"},
			[]string{"0:1024/100:101/7:8", "0:1024/299:300/7:8"},
			a + " posted [4]",
			"4 [0:200] x",
		},
		{
			"fresh of a share",
			[][]string{{top, posted(a), posted(b)}, {headText("n1", b, `"fresh":true`), begin(b)}},
			[]string{a},
			[]string{b},
			a + " posted, " + b + " begun",
			"",
		},
		{
			"fresh, and nothing begun",
			[][]string{{top, posted(a)}, {strings.Replace(headText("n1", whole, `"fresh":true`), "lab", "lob", 1), `{"end":"gave up",` + at + `}`}},
			[]string{a},
			nil,
			a + " posted",
			"",
		},
		{
			"fresh shares of another job",
			[][]string{
				{top, posted(a), posted(b), posted("0:1024/0:1024/16:32")},
				{strings.Replace(headText("n1", a, `"fresh":true`), "lab", "lob", 1), posted(a)},
				{strings.Replace(headText("n2", b, `"fresh":true`), "lab", "lob", 1), posted(b)},
			},
			[]string{a, b},
			[]string{"0:1024/0:1024/16:32"},
			a + " posted, " + b + " posted",
			"",
		},
		{
			"what a forgotten one hid does not come to light",
			[][]string{
				{top, posted("0:600/0:1024/0:16")},
				{top, begin("500:1024/0:1024/0:16")},
				{headText("n1", "1000:2048/0:1024/0:32", `"fresh":true`), posted(b)},
			},
			[]string{b},
			[]string{"500:600/0:1024/0:16"},
			b + " posted",
			"",
		},
		{
			"the images moved",
			[][]string{{top, posted(a)}, {strings.Replace(headText("n1", whole, `"moved":["base-path"]`), `"em"`, `"elsewhere"`, 1), posted(b)}},
			[]string{a, b},
			nil,
			a + " posted, " + b + " posted",
			"",
		},
		{
			"NULs",
			[][]string{{top, posted(a), "{\"po\x00\x00\x00", posted(b)}},
			[]string{a},
			[]string{b},
			a + " posted, " + b + " begun",
			"",
		},
		{
			"a header that was cut off",
			[][]string{{top, posted(a)}, {"\x00\x00"}, {"{\"journal\":1\x00"}},
			[]string{a},
			nil,
			a + " posted",
			"",
		},
		{"a key of a later time", [][]string{{top, `{"begin":"` + a + `","mood":"good"}`}}, nil, []string{a}, a + " begun", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for i, lines := range tt.files {
				write(t, dir, i, lines...)
			}
			s := read(t, dir)
			for _, b := range tt.done {
				if !s.Done(box(b)) {
					t.Errorf("%s is not done", b)
				}
			}
			for _, b := range tt.undone {
				if s.Done(box(b)) {
					t.Errorf("%s is done", b)
				}
			}
			if got := entries(s); got != tt.entries {
				t.Errorf("entries\n got %s\nwant %s", got, tt.entries)
			}
			if got := losses(s); got != tt.losses {
				t.Errorf("losses\n got %s\nwant %s", got, tt.losses)
			}
			// One that opens the same journal is told the same.
			w, own := open(t, dir, head("n1", box(whole)), journal.Options{Fresh: true})
			if got := entries(own); got != "" {
				t.Errorf("a fresh one is told of %s", got)
			}
			must(t, w.Close("done"))
		})
	}
}

func entries(s *journal.State) string {
	var all []string
	for e := range s.Entries() {
		text := fmt.Sprintf("%v %v", e.Box, e.Fate)
		if e.Over {
			text += " over"
		}
		if e.Lost != nil {
			text += fmt.Sprint(" ", e.Lost)
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func losses(s *journal.State) string {
	var all []string
	for _, l := range s.Losses() {
		all = append(all, fmt.Sprint(l.Z, " ", l.Rows, " ", l.Why))
	}
	return strings.Join(all, ", ")
}

// Same is about exactly that box.
func TestSame(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, 0, headText("n1", whole),
		`{"missing":20,"why":"gone"}`,
		`{"posted":"0:1024/0:1024/0:16","sum":"00000000000000ff",`+at+`}`,
		`{"empty":"1024:2048/0:1024/0:16",`+at+`}`,
		`{"posted":"0:1024/0:1024/16:32","sum":"00000000000000aa","kept":true,`+at+`}`,
		`{"posted":"1024:2048/0:1024/16:32","sum":"00000000000000bb",`+at+`}`,
		`{"posted":"1024:2048/0:512/16:32","sum":"00000000000000cc",`+at+`}`,
	)
	s := read(t, dir)
	for _, tt := range []struct {
		box  string
		sum  uint64
		zero bool
		want bool
	}{
		{"0:1024/0:1024/0:16", 0xff, false, true},
		{"0:1024/0:1024/0:16", 0xff, true, true},
		{"0:1024/0:1024/0:16", 0xfe, false, false},
		{"0:1024/0:1024/0:16", 0, true, false},
		{"0:1024/0:1024/0:15", 0xff, false, false},
		{"0:1024/0:1024/0:17", 0xff, false, false},
		{"1024:2048/0:1024/0:16", 0, false, false},
		{"1024:2048/0:1024/0:16", 5, true, true},
		{"0:1024/0:1024/16:32", 0xaa, false, true}, // though a row in it is lost
		{"1024:2048/0:1024/16:32", 0xbb, false, false},
		{"1024:2048/0:512/16:32", 0xcc, false, true},
		{"0:1024/0:1024/32:48", 0, true, false},
	} {
		if got := s.Same(box(tt.box), tt.sum, tt.zero); got != tt.want {
			t.Errorf("Same(%s, %x, %v) = %v, want %v", tt.box, tt.sum, tt.zero, got, tt.want)
		}
	}
}

// What a process did is counted whatever others did.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	const a, b, c, d = "0:1024/0:1024/0:16", "1024:2048/0:1024/0:16", "0:1024/0:1024/16:32", "1024:2048/0:1024/16:32"
	path := write(t, dir, 0, headText("n1", whole),
		`{"begin":"`+a+`"}`, `{"begin":"`+b+`"}`, `{"begin":"`+c+`"}`, `{"missing":3,"rows":"0:5"}`, `{"missing":3,"rows":"5:8"}`, `{"missing":4}`,
		`{"posted":"`+a+`","sum":"9f0c27d1a5b3e846","took":1.27,"at":"2026-11-22T18:31:23Z"}`,
		`{"failed":"`+b+`","why":"500","at":"2026-11-22T18:31:25Z"}`,
		`{"posted":"`+d+`","sum":"9f0c27d1a5b3e846","kept":true,"at":"2026-11-22T18:31:26Z"}`,
		`{"empty":"`+d+`","at":"2026-11-22T18:31:27Z"}`,
		`{"end":"interrupted","at":"2026-11-22T18:31:28Z"}`)
	write(t, dir, 1, headText("n2", whole))
	s := read(t, dir)
	files := s.Files()
	if len(files) != 2 {
		t.Fatalf("got %d files, want 2", len(files))
	}
	f := files[0]
	if got, want := []int{f.Posted, f.Kept, f.Empty, f.Failed, f.Open, f.Missing}, []int{1, 1, 1, 1, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("posted, kept, empty, failed, open, missing = %v, want %v", got, want)
	}
	if f.Path != path || f.End != "interrupted" || f.Header.Host != "n1" || f.Header.PID != 77 || f.Header.Data != box(whole) || f.Header.Type != voxel.Uint8 {
		t.Errorf("got %+v", f)
	}
	if got, want := f.First.Format("05 ")+f.Last.Format("05 ")+f.Ended.Format("05"), "23 28 28"; got != want {
		t.Errorf("first, last, ended = %s, want %s", got, want)
	}
	if got := s.Job()["channel"]; got != "lab/fly/em" {
		t.Errorf("the job's channel is %q", got)
	}
	for e := range s.Entries() {
		if e.Box == box(a) && (e.Sum != 0x9f0c27d1a5b3e846 || e.Took.Seconds() != 1.27 || e.At.Format("15:04:05") != "18:31:23" || e.Kept) {
			t.Errorf("got %+v", e)
		}
		if e.Box == box(b) && e.Why != "500" {
			t.Errorf("got %+v", e)
		}
	}
}

// Other things in the directory are not read, and a directory that is not there is said to be.
func TestReadDir(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"README", ".nfs0001.jsonl", "._20261122.jsonl", "x.jsonl~"} {
		must(t, writeFile(filepath.Join(dir, name), "nonsense\nnonsense\n"))
	}
	if s := read(t, dir); len(s.Files()) != 0 || s.Job() != nil {
		t.Errorf("got %d files", len(s.Files()))
	}
	if _, err := journal.Read(filepath.Join(dir, "no")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want one that wraps fs.ErrNotExist", err)
	}
	if got, want := journal.Dir("", "lab", "fly", "em"), "ingest_journal_lab_fly_em"; got != want {
		t.Errorf("Dir = %s, want %s", got, want)
	}
}

// What stood in for lost rows may be there until all of it is posted anew, also
// if somebody began to and was killed.
func TestStale(t *testing.T) {
	dir := t.TempDir()
	check := func(want bool, b string) {
		t.Helper()
		if got := read(t, dir).Stale(box(b)); got != want {
			t.Errorf("Stale(%s) = %v, want %v", b, got, want)
		}
	}
	write(t, dir, 0, headText("n1", whole),
		`{"missing":20,"why":"gone"}`,
		`{"begin":"0:1024/0:1024/0:16"}`,
		`{"posted":"0:1024/0:1024/0:16","sum":"00000000000000ff",`+at+`}`,
		`{"begin":"0:1024/0:1024/16:32"}`,
		`{"posted":"0:1024/0:1024/16:32","sum":"00000000000000aa",`+at+`}`,
		`{"begin":"1024:2048/0:1024/16:32"}`,
	)
	check(false, "0:1024/0:1024/0:16")
	check(true, "0:1024/0:1024/16:32")
	check(true, "0:2048/0:1024/0:32")
	check(true, "1024:2048/0:1024/16:32") // what stands for slice 20 may have arrived
	write(t, dir, 1, headText("n1", whole), `{"begin":"0:1024/0:1024/16:32"}`)
	check(true, "0:1024/0:1024/16:32")
	write(t, dir, 2, headText("n1", whole), `{"failed":"0:1024/0:1024/16:32","why":"no",`+at+`}`)
	check(true, "0:1024/0:1024/16:32")
	write(t, dir, 3, headText("n1", whole), `{"posted":"0:1024/0:1024/16:32","sum":"00000000000000bb",`+at+`}`)
	check(false, "0:1024/0:1024/16:32")

	// Whoever has slice 20 again, and is ended too, changes nothing about that.
	write(t, dir, 4, headText("n1", whole), `{"begin":"1024:2048/0:1024/16:32"}`)
	check(true, "1024:2048/0:1024/16:32")
	write(t, dir, 5, headText("n1", whole), `{"posted":"1024:2048/0:1024/16:32","sum":"00000000000000cc",`+at+`}`)
	check(false, "1024:2048/0:1024/16:32")
}

// Only a process that erased first knows that nothing else is there.
func TestReplaced(t *testing.T) {
	dir := t.TempDir()
	posted := `{"posted":"0:1024/0:1024/0:16","sum":"00000000000000ff",` + at + `}`
	erasing := strings.Replace(headText("n1", whole), `"journal":1`, `"journal":1,"replace":true`, 1)
	check := func(sum uint64, want bool) {
		t.Helper()
		if got := read(t, dir).Replaced(box("0:1024/0:1024/0:16"), sum, false); got != want {
			t.Errorf("Replaced with sum %x = %v, want %v", sum, got, want)
		}
	}
	write(t, dir, 0, headText("n1", whole), posted)
	check(0xff, false)
	write(t, dir, 1, erasing, posted)
	check(0xff, true)
	check(0xfe, false)
	write(t, dir, 2, headText("n1", whole), posted)
	check(0xff, false)
}
