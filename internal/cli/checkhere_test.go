package cli

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/joblog"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/voxel"
)

// What log and journal are said to take is what they take at most, and not much
// more, for the numbers of a large stack.
func TestNoteBytes(t *testing.T) {
	const names = "a_collection"
	at := voxel.Point{X: 1024 * 90, Y: 1024 * 90, Z: 16 * 500}
	data := voxel.Box{Min: at, Max: at.Add(voxel.Point{X: 1024 * 8, Y: 1024 * 8, Z: 16})}
	p := plan.New(data, voxel.Uint8, voxel.Uint8, 8)
	dir := t.TempDir()
	log, err := joblog.Open(dir, names, names, names, "", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	header := journal.Header{Job: map[string]string{"channel": names}, Data: data, Type: voxel.Uint8}
	w, _, err := journal.Open(t.Context(), journal.Dir(dir, names, names, names), header, journal.Options{SyncEvery: 1000})
	if err != nil {
		t.Fatal(err)
	}
	before := bytesIn(t, dir)
	for box := range p.Cuboids(data) {
		for _, err := range []error{w.Begin(box), w.Posted(box, 1<<63, 1234*time.Millisecond), log.Posted(box, 1234*time.Millisecond)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	got := bytesIn(t, dir) - before
	w.Close("done")
	log.Close()
	none := p
	none.Data.Max.Z = none.Data.Min.Z
	perRun := noteBytes(none)
	if want := noteBytes(p) - perRun; got > want || got < want*2/3 {
		t.Errorf("%d cuboids take %d bytes, and %d are said", p.CountCuboids(), got, want)
	}
	if all := bytesIn(t, dir); all-got > perRun {
		t.Errorf("a run takes %d bytes, and %d are said", all-got, perRun)
	}
}

// bytesIn is the size of all files below dir.
func bytesIn(t *testing.T, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Times are said as people do.
func TestSpan(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{3 * time.Millisecond, "less than 0.1 s"},
		{1300 * time.Millisecond, "1.3 s"},
		{59*time.Second + 900*time.Millisecond, "59 s"},
		{12*time.Minute + 59*time.Second, "12 min"},
		{4*time.Hour + 27*time.Minute, "4 h 27 min"},
		{75 * time.Hour, "3 d 3 h"},
	} {
		if got := span(tt.d); got != tt.want {
			t.Errorf("%v is %q, want %q", tt.d, got, tt.want)
		}
	}
}

// A plan is as long as the slower of reading and posting, and empty cuboids are
// not posted.
func TestAtLeast(t *testing.T) {
	c := &checkup{channelIngest: &channelIngest{road: &ingest.Road{Plan: plan.Plan{Workers: 4}}}}
	c.probed = &probe{full: make([]voxel.Box, 3), empty: 1, bytes: 4 << 20, compressed: 1 << 20, took: time.Second}
	if got, want := c.atLeast(400<<20), 100*time.Second; got != want {
		t.Errorf("reading takes %v, want %v", got, want)
	}
	if got, want := c.probed.compressedOf(400<<20), int64(100<<20); got != want {
		t.Errorf("%d bytes are sent, want %d", got, want)
	}
	c.posted = postTime{bytes: 1 << 20, took: 8 * time.Second}
	if got, want := c.atLeast(400<<20), 600*time.Second; got != want { // 300 of 400 MiB, 8 s each, four at a time
		t.Errorf("posting takes %v, want %v", got, want)
	}
	var nothing *probe
	if nothing.compressedOf(5) != 0 || nothing.reading(5) != 0 {
		t.Error("what was not measured is known")
	}
}

// Only what lies outside of a range is told of as not read.
func TestOutsideOf(t *testing.T) {
	r := func(a, b int) voxel.Range { return voxel.Range{Min: a, Max: b} }
	got := outsideOf([]voxel.Range{r(-5, 2), r(4, 6), r(8, 20), r(30, 31)}, r(0, 10))
	want := []voxel.Range{r(-5, 0), r(10, 20), r(30, 31)}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
