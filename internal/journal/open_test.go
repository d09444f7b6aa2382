package journal_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

// What a Writer writes is the format that the package comment promises: pinned
// here by a struct of the test's own, for others read it too.
func TestFormat(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	h := head("n1.lab:8/..", box("0:1100/0:1060/0:20"))
	h.Whole, h.Origin, h.Type = box("0:1100/0:1060/0:64"), voxel.Point{X: -1, Y: -2, Z: 3}, voxel.Uint64
	now := noon()
	w, _ := open(t, dir, h, journal.Options{Now: func() time.Time { now = now.Add(time.Second); return now }, MayDiffer: []string{"base-path"}, Fresh: true})
	const a, b = firstBox, "1024:1100/0:1024/0:16"
	must(
		t,
		w.Missing(7, voxel.Range{Min: 600, Max: 1024}, errors.New("slice 7: <EOF>")),
		w.Missing(8, voxel.Range{}, errors.New("gone")),
		w.Begin(box(a)),
		w.Posted(box(a), 0x9f0c27, 1270400*time.Microsecond),
		w.Kept(box(a), 1),
		w.Empty(box(b)),
		w.Failed(box(b), errors.New("PUT: 500\nand more")),
		w.Close("done"),
	)
	text, err := os.ReadFile(w.Path())
	must(t, err)
	if name := filepath.Base(w.Path()); !strings.HasPrefix(name, "20261122T120000.000000000Z_n1.lab-8-.._77_") || !strings.HasSuffix(name, ".jsonl") {
		t.Errorf("the file is %s", name)
	}
	type record struct {
		Journal          int
		NDPush           string
		Started          time.Time
		Host             string
		PID              int
		Job, Flags       map[string]string
		Data, Whole      string
		Origin           []int
		Type             string
		Fresh            bool
		Moved            []string
		Begin, Posted    string
		Empty, Failed    string
		Missing          *int
		End              string
		Sum, Rows, Why   string
		Took             float64
		Kept             bool
		At               *time.Time
		First, Extra, No *string
	}
	var got []record
	var keys []string // the first of each line
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var r record
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		must(t, d.Decode(&r))
		got = append(got, r)
		keys = append(keys, strings.Split(lines.Text(), `"`)[1])
	}
	if want := []string{"journal", "missing", "missing", "begin", "posted", "posted", "empty", "failed", "end"}; !slices.Equal(keys, want) {
		t.Fatalf("the lines begin with %v, want %v:\n%s", keys, want, text)
	}
	top := got[0]
	if top.Journal != 1 || top.NDPush != "v0.1" || !top.Started.Equal(noon()) || top.Host != h.Host || top.PID != 77 ||
		top.Job["channel"] != "lab/fly/em" || top.Flags["workers"] != "8" || top.Data != "0:1100/0:1060/0:20" ||
		top.Whole != "0:1100/0:1060/0:64" || !slices.Equal(top.Origin, []int{-1, -2, 3}) || top.Type != "uint64" ||
		!top.Fresh || !slices.Equal(top.Moved, []string{"base-path"}) {
		t.Errorf("header %+v", top)
	}
	var rest []string
	for _, r := range got[1:] {
		s := fmt.Sprint(r.Begin, r.Posted, r.Empty, r.Failed, r.End, " ", r.Sum, r.Rows, " ", r.Took, r.Kept, " ", r.Why)
		if r.Missing != nil {
			s += fmt.Sprint(" slice ", *r.Missing)
		}
		if r.At != nil {
			s += r.At.Format(" 15:04:05Z07:00")
		}
		rest = append(rest, s)
	}
	want := []string{
		" 600:1024 0 false slice 7: <EOF> slice 7",
		"  0 false gone slice 8",
		a + "  0 false ",
		a + " 00000000009f0c27 1.27 false  12:00:01Z",
		a + " 0000000000000001 0 true  12:00:02Z",
		b + "  0 false  12:00:03Z",
		b + "  0 false PUT: 500\nand more 12:00:04Z",
		"done  0 false  12:00:05Z",
	}
	if !slices.Equal(rest, want) {
		t.Errorf("got\n%q\nwant\n%q", rest, want)
	}
	if !strings.Contains(string(text), "<EOF>") {
		t.Error("< is written for browsers, not for people")
	}

	// And what is written is read.
	s := read(t, dir)
	if got, want := losses(s), "7 [600:1024] slice 7: <EOF>, 8 [2:1026] gone"; got != want {
		t.Errorf("losses %s, want %s", got, want)
	}
	if f := s.Files()[0]; f.Header.Whole != h.Whole || f.Header.Origin != h.Origin || !f.Header.Fresh || f.Header.Type != h.Type || f.End != "done" {
		t.Errorf("got %+v", f)
	}
}

// A run goes on where others were, and only with what it carries.
func TestGoesOn(t *testing.T) {
	dir := t.TempDir()
	h := head("n1", box("0:2048/0:1024/0:32"))
	w, s := open(t, dir, h, journal.Options{})
	if s.Done(box(firstBox)) || s.Job() != nil {
		t.Error("something is known before anything was done")
	}
	must(t, w.Begin(box(firstBox)), w.Posted(box(firstBox), 5, time.Second), w.Begin(box(secondBox)), w.Posted(box(secondBox), 6, time.Second), w.Close("interrupted"))

	h.Data = box(secondBox)
	w, s = open(t, dir, h, journal.Options{})
	if got, want := entries(s), secondBox+" posted"; got != want {
		t.Errorf("a share of the data is told of %s, want %s", got, want)
	}
	if !s.Done(box(secondBox)) || !s.Same(box(secondBox), 6, false) || s.Done(box(firstBox)) {
		t.Error("the share is told something else")
	}
	must(t, w.Close("done"))
}

// Names are in the order of what was done, whatever the clocks say.
func TestClocks(t *testing.T) {
	dir := t.TempDir()
	h := head("n1", box(whole))
	for i, hour := range []int{5, 3, 9, 3} {
		h.Started = noon().Add(time.Duration(hour) * time.Hour)
		w, s := open(t, dir, h, journal.Options{})
		if got := s.Same(box(firstBox), uint64(i-1), false); got != (i > 0) {
			t.Errorf("run %d does not know what the one before it did", i)
		}
		must(t, w.Begin(box(firstBox)), w.Posted(box(firstBox), uint64(i), 0), w.Close("done"))
	}
}

// Another job is refused, key by key, and leaves nothing behind.
func TestDifferent(t *testing.T) {
	dir := t.TempDir()
	h := head("n1", box(whole))
	h.Job["z-step"] = "1"
	w, _ := open(t, dir, h, journal.Options{})
	must(t, w.Begin(box(firstBox)), w.Posted(box(firstBox), 1, 0), w.Close("done"))

	other := head("n1", box(whole))
	other.Job["base-path"], other.Job["token-file"] = "elsewhere", ""
	other.Type, other.Origin.X = voxel.Uint16, 5
	_, _, err := journal.Open(t.Context(), dir, other, journal.Options{})
	d, ok := errors.AsType[*journal.DifferentError](err)
	if !ok {
		t.Fatalf("got %v, want a DifferentError", err)
	}
	want := "journal " + dir + ` is of another job: base-path was "em" and is "elsewhere", origin was "0, 0, 0" and is "5, 0, 0", ` +
		`token-file was not given and is "", type was "uint8" and is "uint16", z-step was "1" and is not given`
	if err.Error() != want || len(d.Diffs) != 5 || d.Diffs[2].Old != nil || *d.Diffs[0].New != "elsewhere" {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if names := ls(t, dir); len(names) != 1 {
		t.Errorf("there are %v", names)
	}

	// What may differ may, for this run and for those that read it.
	moved := head("n1", box(whole))
	moved.Job["z-step"], moved.Job["base-path"] = "1", "elsewhere"
	if _, _, err := journal.Open(t.Context(), dir, moved, journal.Options{MayDiffer: []string{"z-step"}}); !errors.As(err, &d) || len(d.Diffs) != 1 {
		t.Errorf("got %v, want that base-path differs", err)
	}
	w, s := open(t, dir, moved, journal.Options{MayDiffer: []string{"base-path"}})
	if !s.Done(box(firstBox)) {
		t.Error("what was done before the images moved is forgotten")
	}
	must(t, w.Begin(box(secondBox)), w.Posted(box(secondBox), 1, 0), w.Close("done"))
	w, s = open(t, dir, moved, journal.Options{})
	if !s.Done(box("0:2048/0:1024/0:16")) || s.Job()["base-path"] != "elsewhere" {
		t.Error("what was done is forgotten")
	}
	must(t, w.Close("done"))

	// A fresh one of another job forgets all.
	w, s = open(t, dir, other, journal.Options{Fresh: true})
	if entries(s) != "" {
		t.Errorf("a fresh run is told of %s", entries(s))
	}
	if !read(t, dir).Done(box(firstBox)) {
		t.Error("a fresh run in which nothing was begun makes others forget")
	}
	must(t, w.Empty(box(secondBox)), w.Close("done"))
	if got, want := entries(read(t, dir)), secondBox+" empty"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	// Files that nobody could have written together are an error.
	write(t, dir, 99, headText("n1", whole), `{"begin":"`+firstBox+`"}`)
	must(t, os.Rename(filepath.Join(dir, "20261122T183199.000000000Z_n1_77_aaaaaaaa.jsonl"), filepath.Join(dir, "9.jsonl")))
	if _, err := journal.Read(dir); !errors.As(err, &d) {
		t.Errorf("got %v, want a DifferentError", err)
	}
}

// Who comes to no cuboid takes back what it made, and nobody else's; those that begin
// meanwhile do not notice.
func TestComesToNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs", "j")
	w, _ := open(t, dir, head("n1", box(firstBox)), journal.Options{})
	other, _ := open(t, dir, head("n1", box(secondBox)), journal.Options{})
	must(t, w.Close("no slices"))
	if got := ls(t, dir); len(got) != 1 {
		t.Errorf("there are %v, want the other's file", got)
	}
	must(t, other.Close("no slices")) // who did not make it leaves it
	must(t, os.Remove(dir))
	w, _ = open(t, dir, head("n1", box(firstBox)), journal.Options{})
	must(t, w.Close("no slices"))
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory is there: %v", err)
	}

	var all errgroup.Group
	for _, data := range []string{firstBox, secondBox} {
		all.Go(func() error {
			for range 50 {
				w, _, err := journal.Open(t.Context(), dir, head("n1", box(data)), journal.Options{})
				if err != nil {
					return err
				}
				if err := w.Close("no slices"); err != nil {
					return err
				}
			}
			return nil
		})
	}
	must(t, all.Wait())
}

// What could not be read again is not written.
func TestWrongHeader(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "x")
	for _, change := range []func(*journal.Header){
		func(h *journal.Header) { h.Data = voxel.Box{} },
		func(h *journal.Header) { h.Type = 0 },
		func(h *journal.Header) { h.Origin.Z = math.MaxInt },
		func(h *journal.Header) { h.Flags["x"] = strings.Repeat("x", journal.MaxLine) },
	} {
		h := head("n1", box(whole))
		change(&h)
		if w, _, err := journal.Open(t.Context(), dir, h, journal.Options{}); err == nil {
			t.Errorf("%s was written", w.Path())
		}
	}
	if names, err := os.ReadDir(dir); len(names) > 0 {
		t.Errorf("there are %v, %v", names, err)
	}
}
