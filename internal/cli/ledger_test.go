package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/verify"
	"github.com/neurodata/ndpush/internal/voxel"
)

// boxAt reads "x0:x1/y0:y1/z0:z1".
func boxAt(s string) voxel.Box {
	var b voxel.Box
	if _, err := fmt.Sscanf(s, "%d:%d/%d:%d/%d:%d", &b.Min.X, &b.Max.X, &b.Min.Y, &b.Max.Y, &b.Min.Z, &b.Max.Z); err != nil {
		panic(err)
	}
	return b
}

// A process is what one wrote into a journal.
type process struct {
	whole, data string // data "": whole
	job         string
	fresh       bool
	say         []string // "posted BOX", "missing SLICE ROWS" and so on
}

// ledgerOf is the ledger of the processes, one after the other.
func ledgerOf(t *testing.T, list ...process) *ledger {
	t.Helper()
	dir := t.TempDir()
	for i, p := range list {
		h := journal.Header{
			Version: "v0.1", Host: "n1", PID: i + 1, Started: time.Unix(int64(1e9+i), 0),
			Job:   map[string]string{"channel": "lab/fly/em", "job": p.job},
			Whole: boxAt(p.whole), Data: boxAt(p.whole), Origin: voxel.Point{Z: 100}, Type: voxel.Uint16,
		}
		if p.data != "" {
			h.Data = boxAt(p.data)
		}
		w, _, err := journal.Open(t.Context(), dir, h, journal.Options{Fresh: p.fresh})
		if err != nil {
			t.Fatal(err)
		}
		for _, words := range p.say {
			if err := say(w, words); err != nil {
				t.Fatalf("%s: %v", words, err)
			}
		}
		if err := w.Close("done"); err != nil {
			t.Fatal(err)
		}
	}
	l, err := readLedger(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func say(w *journal.Writer, words string) error {
	what, rest, _ := strings.Cut(words, " ")
	if what == "missing" {
		var z int
		var rows voxel.Range
		if _, err := fmt.Sscanf(rest, "%d %d:%d", &z, &rows.Min, &rows.Max); err != nil {
			return err
		}
		return w.Missing(z, rows, errors.New("broken"))
	}
	box := boxAt(rest)
	if err := w.Begin(box); err != nil {
		return err
	}
	switch what {
	case "posted":
		return w.Posted(box, uint64(box.Min.X), time.Second)
	case "empty":
		return w.Empty(box)
	case "failed":
		return w.Failed(box, errors.New("500"))
	}
	return nil // begun
}

// What the journals say together is counted by the cuboids of the whole.
func TestStatus(t *testing.T) {
	const whole = "0:2048/0:1024/0:32" // four cuboids
	full := []string{"posted 0:1024/0:1024/0:16", "posted 1024:2048/0:1024/0:16", "empty 0:1024/0:1024/16:32", "posted 1024:2048/0:1024/16:32"}
	for name, tt := range map[string]struct {
		list  []process
		state string
		z     string
	}{
		"all": {[]process{{whole: whole, say: full}}, "3 1 0 0 0 complete", "0:32 posted"},
		"one of each": {[]process{{whole: whole, say: []string{"posted 0:1024/0:1024/0:16", "failed 1024:2048/0:1024/0:16", "begin 0:1024/0:1024/16:32"}}},
			"1 0 1 1 1", "0:16 1 failed; 16:32 1 in flight, 1 left"},
		"shares": {[]process{{whole: whole, data: "0:2048/0:1024/16:32", say: full[2:]}, {whole: whole, data: "0:2048/0:1024/0:16", say: full[:2]}},
			"3 1 0 0 0 complete", "0:32 posted"},
		"posted in pieces": {[]process{{whole: whole, say: append([]string{"failed 0:1024/0:1024/0:16", "posted 0:1024/0:512/0:16", "posted 0:1024/512:1024/0:16"}, full[1:]...)}},
			"3 1 0 0 0 complete", "0:32 posted"},
		"a piece is left": {[]process{{whole: whole, say: append([]string{"posted 0:1024/0:512/0:16", "posted 0:512/512:1024/0:16"}, full[1:]...)}},
			"2 1 0 0 1", "0:16 1 left; 16:32 posted"},
		"a piece failed": {[]process{{whole: whole, say: append([]string{"posted 0:1024/0:512/0:16", "failed 0:512/512:1024/0:16"}, full[1:]...)}},
			"2 1 1 0 0", "0:16 1 failed; 16:32 posted"},
		"all, with a gap":         {[]process{{whole: whole, say: append([]string{"missing -95 7:9"}, full...)}}, "3 1 0 0 0 missing -95", "0:32 posted"},
		"the gap is filled later": {[]process{{whole: whole, say: append([]string{"missing -95 7:9"}, full...)}, {whole: whole, say: full}}, "3 1 0 0 0 complete", "0:32 posted"},
		"a crop of it is no whole": {[]process{{whole: whole, say: full[:1]}, {whole: "0:1024/0:1024/0:16", say: full[:1]}},
			"1 0 0 0 3", "0:16 1 left; 16:32 left"},
		"it grew": {[]process{{whole: "0:2048/0:1024/0:16", say: full[:2]}, {whole: whole, say: full[2:3]}}, "2 1 0 0 1", "0:16 posted; 16:32 1 left"},
		"crops side by side": {[]process{{whole: "0:1024/0:1024/0:32", say: []string{full[0], full[2]}}, {whole: "0:2048/0:1024/0:16", say: full[1:2]}},
			"2 1 0 0 0 complete", "0:16 posted; 16:32 empty"},
		"anew as another job": {[]process{{whole: whole, job: "a", say: full}, {whole: "0:1024/0:1024/0:16", job: "b", fresh: true, say: full[:1]}},
			"1 0 0 0 0 complete", "0:16 posted"},
		"another job that did not begin": {[]process{{whole: whole, job: "a", say: full}, {whole: "0:1024/0:1024/0:16", job: "b", fresh: true}},
			"3 1 0 0 0 complete", "0:32 posted"},
		"anew in part": {[]process{{whole: whole, say: full}, {whole: whole, data: "0:2048/0:1024/0:16", fresh: true, say: full[:1]}},
			"2 1 0 0 1", "0:16 1 left; 16:32 posted"},
		"not on the grid": {[]process{{whole: "1000:1100/5:6/15:17", say: []string{"posted 1000:1024/5:6/15:16", "posted 1024:1100/5:6/15:16", "posted 1000:1024/5:6/16:17"}}},
			"3 0 0 0 1", "15:16 posted; 16:17 1 left"},
	} {
		s := newStatus(ledgerOf(t, tt.list...))
		a := s.all
		got := fmt.Sprintf("%d %d %d %d %d", a.posted, a.empty, a.failed, a.begun, a.left)
		for _, l := range s.missing {
			got += fmt.Sprintf(" missing %d", l.Z)
		}
		if s.complete() {
			got += " complete"
		}
		var z []string
		for _, run := range s.z {
			z = append(z, fmt.Sprintf("%v %s", run.z, run.text()))
		}
		if zs := strings.Join(z, "; "); got != tt.state || zs != tt.z {
			t.Errorf("%s:\ngot  %s (%s)\nwant %s (%s)", name, got, zs, tt.state, tt.z)
		}
		var text strings.Builder
		if err := s.writeText(&text, time.Now()); err != nil {
			t.Fatal(err)
		}
		if said := strings.Contains(text.String(), "complete"); said != s.complete() {
			t.Errorf("%s: complete is %v, and this is said:\n%s", name, s.complete(), text.String())
		}
		if err := s.writeJSON(io.Discard, time.Now()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A long list stays short: neighbours in one state are one range.
func TestRuns(t *testing.T) {
	p := process{whole: "0:1024/0:1024/0:1600"}
	for z := 0; z < 800; z += 16 {
		what := "posted"
		if z == 400 || z == 416 {
			what = "failed"
		}
		p.say = append(p.say, fmt.Sprintf("%s 0:1024/0:1024/%d:%d", what, z, z+16))
	}
	var lines []string
	for _, run := range newStatus(ledgerOf(t, p)).z {
		lines = append(lines, run.z.String()+" "+run.text())
	}
	if got, want := strings.Join(lines, "; "), "0:400 posted; 400:432 2 failed; 432:800 posted; 800:1600 left"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What is compared is every cuboid that the journals tell of and all that they
// do not, once; of shares together the same.
func TestClaims(t *testing.T) {
	l := ledgerOf(t,
		process{whole: "0:2048/0:1024/0:40", say: []string{"posted 0:1024/0:1024/0:16", "failed 1024:2048/0:1024/0:16", "begin 0:1024/0:1024/16:32", "empty 1024:2048/0:512/16:32"}},
		process{whole: "0:2048/0:1024/0:40", say: []string{"posted 0:1024/0:100/0:16"}})
	want := map[string]verify.Fate{
		"0:1024/0:1024/0:16":       verify.Posted,
		"0:1024/0:100/0:16":        verify.Posted,
		"1024:2048/0:1024/0:16":    verify.Failed,
		"0:1024/0:1024/16:32":      verify.Begun,
		"1024:2048/0:512/16:32":    verify.Empty,
		"1024:2048/512:1024/16:32": verify.Left,
		"0:1024/0:1024/32:40":      verify.Left,
		"1024:2048/0:1024/32:40":   verify.Left,
	}
	for _, shares := range [][]voxel.Range{{{Min: 0, Max: 40}}, {{Min: 0, Max: 16}, {Min: 16, Max: 32}, {Min: 32, Max: 40}}} {
		got := make(map[string]verify.Fate)
		for _, z := range shares {
			for c := range l.claims(z) {
				if _, twice := got[c.Box.String()]; twice {
					t.Errorf("%v comes twice", c.Box)
				}
				got[c.Box.String()] = c.Fate
				if vague := c.Box.String() == "0:1024/0:1024/0:16"; c.Vague != vague {
					t.Errorf("%v: vague is %v", c.Box, c.Vague)
				}
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("shares %v:\ngot  %v\nwant %v", shares, got, want)
		}
	}
}
