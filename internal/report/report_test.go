package report_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/report"
	"github.com/neurodata/ndpush/internal/voxel"
)

var (
	cell  = voxel.Point{X: 1024, Y: 1024, Z: 16}
	begun = time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
)

// html is the page of r.
func html(t *testing.T, r *report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// covered is a coverage of whole, where fate tells what became of a cuboid.
func covered(whole voxel.Box, fate func(voxel.Box) report.Fate) *report.Coverage {
	c := report.NewCoverage(cell)
	for box := range whole.Pieces(cell) {
		c.Add(box, fate(box))
	}
	return c
}

func posted(voxel.Box) report.Fate { return report.Posted }

func boxOf(x, y, z int) voxel.Box {
	return voxel.NewBox(voxel.Range{Max: x}, voxel.Range{Max: y}, voxel.Range{Max: z})
}

// busy is a course of two runs with a night between, and retries in the second.
func busy() report.Course {
	c := report.Course{Processes: []report.Process{
		{Host: "n1", PID: 7, Share: "0:16", Begun: begun, Ended: begun.Add(10 * time.Minute), How: "interrupted", End: report.Stopped},
		{Host: "n1", PID: 8, Share: "0:16", Begun: begun.Add(9 * time.Hour), Ended: begun.Add(9*time.Hour + 5*time.Minute), How: "done"},
	}}
	for _, p := range c.Processes {
		for at := p.Begun; at.Before(p.Ended); at = at.Add(3 * time.Second) {
			c.Posts = append(c.Posts, report.Post{At: at, Bytes: 300e6})
		}
	}
	for i := range 20 {
		c.Retries = append(c.Retries, begun.Add(9*time.Hour+time.Duration(i)*time.Second))
	}
	return c
}

// What is hostile is shown, and is no markup; nothing is fetched from anywhere.
func TestHostile(t *testing.T) {
	evil := `</title></style></svg><script>alert(1)</script><img src=x onerror="alert(1)">"' onload='x`
	facts := []report.Fact{{What: evil, Is: evil}}
	commands := []report.Command{{What: evil, Line: evil}}
	course := busy()
	for i := range course.Processes {
		p := &course.Processes[i]
		p.Host, p.Share, p.How, p.Did, p.Version = evil, evil, evil, evil, evil
	}
	course.Note = evil
	text := html(t, &report.Report{
		Channel: evil, Verdict: evil, Next: commands, Version: evil, Figures: facts, Facts: facts,
		Coverage: covered(boxOf(2000, 2000, 20), posted), Course: course,
		Missing: []report.Missing{{Slices: evil, Why: evil}}, Failed: []report.Failure{{Why: evil}},
		Checks:       []report.Check{{What: evil}},
		Pictures:     []report.Picture{{Title: evil, Note: evil, Image: image.NewGray(image.Rect(0, 0, 8, 8))}},
		PicturesNote: evil, Flags: facts, Commands: commands,
	})
	for _, bad := range []string{"<script", "<img src=x", "alert(1)\"", "' onload"} {
		if strings.Contains(text, bad) {
			t.Errorf("%s is in the page", bad)
		}
	}
	if n := strings.Count(text, "alert(1)"); n < 20 {
		t.Errorf("it is shown in %d places only", n)
	}
	if at := regexp.MustCompile(`(?i)(src|href|url)\s*[=(]\s*["']?(https?:|//)|@import`).FindString(text); at != "" {
		t.Errorf("%s leads out of the page", at)
	}
	wellFormed(t, text)
}

// wellFormed looks whether all that is opened is closed, in that order.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict, d.AutoClose, d.Entity = true, xml.HTMLAutoClose, xml.HTMLEntity
	// HTML has an attribute without a value, and its heads are not closed.
	text = strings.NewReplacer("<!doctype html>", "", " open>", ">").Replace(text)
	text = regexp.MustCompile(`<(meta|img)([^>]*)>`).ReplaceAllString(text, "<$1$2/>")
	d = xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("line %d: %v", strings.Count(text[:d.InputOffset()], "\n"), err)
		}
	}
}

// The page of 280,000 cuboids is small.
func TestLarge(t *testing.T) {
	c := covered(boxOf(30_000, 30_000, 5000), func(b voxel.Box) report.Fate {
		return report.Fate((b.Min.X/1024*7 + b.Min.Y/1024*13 + b.Min.Z) % 6)
	})
	text := html(t, &report.Report{Coverage: c, Course: busy()})
	if n := len(text); n > 1<<20 {
		t.Errorf("the page has %d bytes", n)
	}
	wellFormed(t, text)
}

// One cuboid of many that failed is seen in the strip, on the map and in the words.
func TestOneFailed(t *testing.T) {
	at := voxel.Point{X: 5 * 1024, Y: 3 * 1024, Z: 160}
	c := covered(boxOf(30_000, 30_000, 5000), func(b voxel.Box) report.Fate {
		if b.Min == at {
			return report.Failed
		}
		return report.Posted
	})
	text := html(t, &report.Report{Coverage: c})
	for _, want := range []string{
		`<title>z 160:192: 1 failed, 1799 posted</title><path class="f" d="M34.`,
		`<title>x 5120:6144, y 3072:4096: 1 failed, 312 posted</title><path class="f"`,
		`<td class="n">1</td><td class="n">&lt; 0.1 %</td>`,
		`<td class="n">281699</td><td class="n">&gt; 99.9 %</td>`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// All cuboids are in the bins, wherever the volume lies, and however many there are.
func TestBins(t *testing.T) {
	for _, whole := range []voxel.Box{
		boxOf(1, 1, 1), boxOf(1100, 1060, 20), boxOf(100_000, 100, 10_000),
		boxOf(3000, 200_000, 17).Add(voxel.Point{X: 700, Y: -5000, Z: -33}),
	} {
		c := covered(whole, posted)
		text := html(t, &report.Report{Coverage: c})
		n := whole.CountPieces(cell)
		for _, kind := range []string{"z", "x"} { // each strip, and the map
			var sum int64
			for _, m := range regexp.MustCompile(`<title>`+kind+` [^<]*: (\d+) posted</title>`).FindAllStringSubmatch(text, -1) {
				var k int64
				fmt.Sscan(m[1], &k)
				sum += k
			}
			if kind == "z" {
				sum /= 2 // there is one for phones
			}
			if sum != n {
				t.Errorf("%v: %d cuboids over %s, want %d", whole, sum, kind, n)
			}
		}
	}
}

// Rates are right however bins fall, and a night is cut out.
func TestCourse(t *testing.T) {
	text := html(t, &report.Report{Coverage: covered(boxOf(100, 100, 16), posted), Course: busy()})
	for _, want := range []string{
		": 100.0 MB/s</title>",
		"nobody worked for 8 h 49 min",
		"process 7 on n1, z 0:16: interrupted",
		">18:00:00<", ">03:00:00<", ">22 Nov<", ">23 Nov<",
		"MB/s posted, in steps of 10 s",
		"10 retries</title>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if bad := "nobody worked for 1"; strings.Contains(text, bad) {
		t.Errorf("the page has %s", bad)
	}
}

// However short, long, many or odd the runs are, there is a page.
func TestOddCourses(t *testing.T) {
	process := func(from, to time.Duration) report.Process {
		return report.Process{Begun: begun.Add(from), Ended: begun.Add(to)}
	}
	for name, c := range map[string]report.Course{
		"nothing":          {},
		"no time":          {Processes: []report.Process{process(0, 0)}},
		"ends before":      {Processes: []report.Process{process(time.Hour, 0), process(2*time.Hour, 3*time.Hour)}},
		"a year":           {Processes: []report.Process{process(0, 9000*time.Hour)}, Posts: []report.Post{{At: begun, Bytes: 1}}},
		"posts at no time": {Processes: []report.Process{process(0, time.Hour)}, Posts: []report.Post{{At: begun.Add(-99 * time.Hour), Bytes: 1}}},
		"retries before and after": {Processes: []report.Process{process(0, time.Hour)},
			Retries: []time.Time{begun.Add(-time.Hour), begun.Add(9 * time.Hour)}},
		"many": func() (c report.Course) {
			for i := range 500 {
				c.Processes = append(c.Processes, process(time.Duration(i)*time.Hour, time.Duration(i)*time.Hour+time.Duration(i%7)*time.Second))
			}
			return c
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			text := html(t, &report.Report{Coverage: report.NewCoverage(cell), Course: c})
			wellFormed(t, text)
			if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
				t.Error("a number is none")
			}
		})
	}
}
