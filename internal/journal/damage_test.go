package journal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/journal"
)

const (
	firstBox  = "0:1024/0:1024/0:16"
	secondBox = "1024:2048/0:1024/0:16"
)

// A file that ends anywhere says what its whole lines say.
func TestTorn(t *testing.T) {
	lines := []string{
		headText("n1", whole),
		`{"begin":"` + firstBox + `"}`,
		`{"posted":"` + firstBox + `",` + sum + `}`,
		`{"missing":3,"why":"gone"}`,
		`{"posted":"` + secondBox + `",` + sum + `}`,
	}
	text := strings.Join(lines, "\n") + "\n"
	firstDone := len(strings.Join(lines[:3], "\n") + "\n")
	secondBegun := len(text)
	dir := t.TempDir()
	path := filepath.Join(dir, "1.jsonl")
	for n := range len(text) + 1 {
		for _, tail := range []string{"", "\x00", strings.Repeat("\x00", 5000), strings.Repeat("\x00", 3*journal.MaxLine)} {
			if len(tail) > 1 && n%7 != 0 || len(tail) > 5000 && n%50 != 0 {
				continue // it takes long
			}
			must(t, writeFile(path, text[:n]+tail))
			s := read(t, dir)
			if got, want := s.Done(box(firstBox)), n >= firstDone; got != want {
				t.Fatalf("%d bytes and %d NULs: the first cuboid is done: %v, want %v", n, len(tail), got, want)
			}
			if got, want := len(s.Losses()) == 1, n >= secondBegun; got != want {
				t.Fatalf("%d bytes and %d NULs: the loss is known: %v, want %v", n, len(tail), got, want)
			}
		}
	}
}

// What was not written so is an error that says where.
func TestDamage(t *testing.T) {
	top := headText("n1", whole)
	good := `{"begin":"` + firstBox + `"}`
	for _, tt := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"no JSON", []string{top, good, "nonsense", good}, "line 3: invalid character"},
		{"no JSON at the end", []string{top, good, "nonsense"}, "line 3: invalid character"},
		{"half a line before another", []string{top, `{"begin":"0:10` + good}, "line 2: "},
		{"an empty line", []string{top, "", good}, "line 2: "},
		{"more than there can be", []string{strings.Replace(top, `"whole":"`+whole, `"whole":"0:1000000000/0:1000000000/0:1000000000`, 1), good}, "cuboids are more than"},
		{"another kind", []string{top, `{"erased":"` + firstBox + `"}`}, "line 2: it is of no kind that this ndpush knows"},
		{"two kinds", []string{top, `{"begin":"` + firstBox + `","end":"done"}`}, "line 2: it is of more than one kind"},
		{"another type", []string{top, `{"begin":5}`}, "line 2: json:"},
		{"no box", []string{top, `{"begin":"0:1024/0:1024"}`}, `line 2: box "0:1024/0:1024": want x0:x1/y0:y1/z0:z1`},
		{"no range", []string{top, `{"begin":"0:1024/0-1024/0:16"}`}, `"0-1024" is not a range`},
		{"an empty box", []string{top, `{"begin":"0:1024/5:5/0:16"}`}, `"5:5" is not a range`},
		{"a box too far away", []string{top, `{"begin":"0:1024/0:5/9999999999:99999999999"}`}, "is not a range"},
		{"a box elsewhere", []string{top, `{"begin":"0:1024/0:1024/32:48"}`}, "is not in the data"},
		{"a box across the grid", []string{top, `{"begin":"0:1025/0:1024/0:16"}`}, "is not a piece of one cuboid"},
		{"no sum", []string{top, `{"posted":"` + firstBox + `",` + at + `}`}, `sum "": want 16 hexadecimal digits`},
		{"a short sum", []string{top, `{"posted":"` + firstBox + `","sum":"ff",` + at + `}`}, `sum "ff"`},
		{"no time", []string{top, `{"empty":"` + firstBox + `"}`}, `time ""`},
		{"no rows", []string{top, `{"missing":7,"rows":"9:8"}`}, `"9:8" is not a range`},
		{"a slice too far away", []string{top, `{"missing":7777777777777}`}, "slice 7777777777777 is too far away"},
		{"after the end", []string{top, `{"end":"done",` + at + `}`, good}, "line 3: there are lines after the end"},
		{"a long line", []string{top, good + strings.Repeat(" ", journal.MaxLine), good}, "line 2: it is longer than"},
		{"no header", []string{good, good}, "line 1: header: it is not a journal"},
		{"no JSON header", []string{"{", good}, "line 1: header: "},
		{"a header of NULs with lines after it", []string{"\x00", good}, "line 2: there are lines after a header that cannot be read"},
		{"a newer one", []string{`{"journal":2,"data":{"x":5}}`, `{"erased":5}`}, "use a newer ndpush"},
		{"no data", []string{strings.Replace(top, `"data":"`+whole+`"`, `"data":""`, 1)}, "header: data: box"},
		{"no type", []string{strings.Replace(top, "uint8", "int8", 1)}, `voxel type "int8"`},
		{"an origin too far away", []string{strings.Replace(top, "[0,0,0]", "[0,0,77777777777]", 1)}, "origin [0 0 77777777777] is too far away"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := write(t, dir, 1, tt.lines...)
			_, err := journal.Read(dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Fatalf("got %v, want an error of %s with %q", err, path, tt.want)
			}
			// Nor does a run go on, or leave anything behind.
			if w, _, err := journal.Open(t.Context(), dir, head("n1", box(whole)), journal.Options{}); err == nil {
				must(t, w.Close("done"))
				t.Error("a run goes on")
			}
			if names := ls(t, dir); len(names) != 1 {
				t.Errorf("there are %v", names)
			}
		})
	}
}

func ls(tb testing.TB, dir string) []string {
	tb.Helper()
	all, err := os.ReadDir(dir)
	must(tb, err)
	var names []string
	for _, d := range all {
		names = append(names, d.Name())
	}
	return names
}

// Whatever is in a file, reading it neither panics nor claims what no line says.
func FuzzRead(f *testing.F) {
	top := headText("n1", whole)
	for _, lines := range [][]string{
		{top, `{"begin":"` + firstBox + `"}`, `{"posted":"` + firstBox + `",` + sum + `}`, `{"end":"done",` + at + `}`},
		{top, `{"missing":3,"rows":"0:5"}`, `{"empty":"` + secondBox + `",` + at + `}`, `{"failed":"` + firstBox + `",` + at + `,"why":"x"}`},
		{top, "\x00\x00", `{"posted":"` + firstBox + `",` + sum + `,"kept":true}`},
		{headText("n1", "-5:5/-5:5/-5:5", `"fresh":true,"moved":["a"]`), `{"begin":"-5:0/-1:0/-5:0"}`},
		{headText("n1", "-1000000000:1000000000/0:5/-1000000000:1000000000"), `{"begin":"-5:0/1:2/-5:0"}`},
		{"{}"}, {""}, {`{"journal":9}`}, {`{"journal":1`},
	} {
		f.Add([]byte(strings.Join(lines, "\n") + "\n"))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		must(t, writeFile(filepath.Join(dir, "1.jsonl"), string(text)))
		s, err := journal.Read(dir)
		if err != nil {
			return
		}
		known := 0
		for e := range s.Entries() {
			known++
			if done := s.Done(e.Box); done && (e.Lost != nil || !e.Over && e.Fate != journal.Posted && e.Fate != journal.Empty) {
				t.Errorf("%v is done: %+v", e.Box, e)
			}
			if e.Box.Empty() || !s.Files()[0].Header.Data.Contains(e.Box) {
				t.Errorf("entry %+v", e)
			}
		}
		if lines := bytes.Count(text, []byte("\n")); known > lines {
			t.Errorf("%d lines say something of %d boxes", lines, known)
		}
		for _, l := range s.Losses() {
			if len(l.Rows) == 0 || l.Rows[0].Empty() {
				t.Errorf("loss %+v", l)
			}
		}
	})
}
