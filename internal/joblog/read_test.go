package joblog_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/neurodata/ndpush/internal/joblog"
	"github.com/neurodata/ndpush/internal/voxel"
)

// What a run of the Python tool left, with what libraries wrote in between.
const pythonLog = `2018-01-31 11:59:00 Starting ingest for Collection: c, Experiment: e, Channel: ch, Z: 0,32
2018-01-31 12:00:00 POST succeeded in 1.27 sec. Coll: c, Exp: e, Ch: ch, x: [0, 1024], y: [0, 1024], z: [0, 16]
2018-01-31 12:00:01 Block empty for Collection: c, Experiment: e, Channel: ch x/y/z: [1024, 2048]/[0, 1024]/[0, 16], skipping
Create cutout failed on ch, got HTTP response: (400) - {"message": "Error during write_cuboid", "code": 9001}
2018-01-31 12:00:02 Error: data upload failed after multiple attempts, skipping. Coll: c, Exp: e, Ch: ch, x: [0, 1024], y: [1024, 2048], z: [0, 16]
2018-01-31 12:00:03 Error: data upload failed after multiple attempts, skipping. Coll: c, Exp: e, Ch: ch, x: [1024, 2048], y: [1024, 2048], z: [0, 16]
2017-01-31 12:00:04 Error: data upload failed after multiple attempts, skipping. Coll: c, Exp: e, Ch: ch, x: (-512, 512), y: (0, 512), z: (-9, 7)
2018-01-31 12:00:05 POST succeeded in 0.99 sec. Coll: c, Exp: e, Ch: ch, x: [0, 1024], y: [1024, 2048], z: [0, 16]
2018-01-31 12:00:06 Error: data upload failed after multiple attempts, skipping. Coll: c, Exp: e, Ch: other, x: [0, 1024], y: [0, 1024], z: [16, 32]
2018-01-31 12:00:07 Finished z slices [0, 32] for Collection: c, Experiment: e, Channel: ch
There were 0 read failures and 3 POST failures.
`

func failures(t *testing.T, text string) joblog.Failures {
	t.Helper()
	f, err := joblog.ReadFailures(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func said(f joblog.Failures) string {
	var words []string
	for _, c := range f.Cutouts {
		words = append(words, fmt.Sprintf("%s/%s/%s %v", c.Collection, c.Experiment, c.Channel, c.Box))
	}
	return strings.Join(words, "; ")
}

func TestReadFailures(t *testing.T) {
	f := failures(t, pythonLog)
	want := "c/e/ch -512:512/0:512/-9:7; c/e/ch 1024:2048/1024:2048/0:16; c/e/other 0:1024/0:1024/16:32"
	if got := said(f); got != want || f.Torn != 0 {
		t.Errorf("got  %s (%d torn)\nwant %s", got, f.Torn, want)
	}
}

// What this program writes is read as well.
func TestReadOwnLog(t *testing.T) {
	l := open(t, t.TempDir())
	other := cuboid.Add(voxel.Point{X: 1024})
	for _, err := range []error{
		l.Failed(cuboid, errors.New("POST: 500")), l.Failed(other, errors.New("Error: data")),
		l.Empty(cuboid), l.Posted(cuboid, time.Second), l.Missing(3, errors.New("gone")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(l.Path())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := said(failures(t, string(text))), "c/e/ch 1024:2048/1024:2048/16:32"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

const (
	failedLine = "2018-01-31 12:00:02 Error: data upload failed after multiple attempts, skipping. Coll: c, Exp: e, Ch: ch, x: [0, 8], y: [0, 8], z: [0, 8]"
	postedLine = "2018-01-31 12:00:05 POST succeeded in 0.99 sec. Coll: c, Exp: e, Ch: ch, x: [0, 8], y: [0, 8], z: [0, 8]"
)

// A line that was torn never hides a failure.
func TestTornLines(t *testing.T) {
	const box = "c/e/ch 0:8/0:8/0:8"
	for name, tt := range map[string]struct {
		text string
		want string
		torn int
	}{
		"a success":                     {failedLine + "\n" + postedLine + "\n", "", 0},
		"a success, Windows":            {failedLine + "\r\n" + postedLine + "\r\n", "", 0},
		"the last newline is lost":      {failedLine + "\n" + postedLine, "", 0},
		"a failure later":               {postedLine + "\n" + failedLine, box, 0},
		"a success is cut off":          {failedLine + "\n" + postedLine[:len(postedLine)-1] + "\n", box, 0},
		"a success lacks its beginning": {failedLine + "\n" + postedLine[9:], box, 0},
		"a success has more":            {failedLine + "\n" + postedLine + " or not\n", box, 0},
		"a failure in a success":        {postedLine[:30] + failedLine + "\n", box, 0},
		"a failure in a failure":        {failedLine[:60] + failedLine + "\n", box, 1},
		"a failure is cut off":          {failedLine[:len(failedLine)-4] + "\n", "", 1},
		"a failure is cut off early":    {failedLine[:40] + "\n", "", 1},
		"a success after half a line":   {failedLine + "\n" + failedLine[:40] + "\n" + postedLine + "\n", "", 1},
		"a number is out of all range":  {strings.Replace(failedLine, "8]", "88888888888888888888]", 1), "", 1},
		"the box is empty":              {strings.Replace(failedLine, "z: [0, 8]", "z: [8, 8]", 1), "", 1},
		"a line without an end":         {failedLine + "\n" + strings.Repeat("x", 1<<20) + "\n" + failedLine + "\n", box, 0},
		"NULs":                          {"\x00\x00\x00" + failedLine + "\n", box, 0},
		"nothing":                       {"", "", 0},
	} {
		if f := failures(t, tt.text); said(f) != tt.want || f.Torn != tt.torn {
			t.Errorf("%s: got %q and %d torn, want %q and %d", name, said(f), f.Torn, tt.want, tt.torn)
		}
	}
}

// A log that cannot be read to its end is an error, not a short list.
func TestReadFailuresError(t *testing.T) {
	broken := errors.New("broken")
	r := io.MultiReader(strings.NewReader(pythonLog), iotest.ErrReader(broken))
	if f, err := joblog.ReadFailures(r); !errors.Is(err, broken) {
		t.Errorf("got %v, %v", f, err)
	}
}

// Each line is looked at once, however many there are: as many failures and later
// successes as a bad week leaves take no time that grows with their square.
func TestReadManyLines(t *testing.T) {
	const n = 50_000
	var b strings.Builder
	line := func(what string, i int) {
		fmt.Fprintf(&b, "2018-01-31 12:00:00 %s Coll: c, Exp: e, Ch: ch, x: [%d, %d], y: [0, 8], z: [0, 8]\n", what, 8*i, 8*i+8)
	}
	for i := range n {
		line("Error: data upload failed after multiple attempts, skipping.", i)
	}
	for i := range n - 1 {
		line("POST succeeded in 1.00 sec.", i)
	}
	if got, want := said(failures(t, b.String())), fmt.Sprintf("c/e/ch %d:%d/0:8/0:8", 8*n-8, 8*n); got != want {
		t.Errorf("got %.200s, want %s", got, want)
	}
}

// Whatever a log holds, boxes have voxels, none comes twice, and one that is
// listed was in it.
func FuzzReadFailures(f *testing.F) {
	f.Add(pythonLog)
	f.Add(failedLine + "\n" + postedLine)
	f.Add(failedLine[:60] + failedLine + "\x00\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		fails := failures(t, text)
		seen := make(map[joblog.Cutout]bool)
		for _, c := range fails.Cutouts {
			if c.Box.Empty() || seen[c] || !strings.Contains(text, "Ch: "+c.Channel+", x: ") {
				t.Errorf("%+v of %q", c, text)
			}
			seen[c] = true
		}
	})
}
