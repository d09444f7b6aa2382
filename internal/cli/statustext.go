package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

// writeText says all for people. Of a channel that is not complete that word is
// not said.
func (s *status) writeText(w io.Writer, now time.Time) error {
	var b strings.Builder
	state := "unfinished"
	if s.complete() {
		state = "complete"
	}
	fmt.Fprintf(&b, "%s: %s\n", s.channel(), state)
	t := s.all
	fmt.Fprintf(&b, "  %s of %s: %d posted (%s of %s), %d empty, %d failed, %d in flight, %d left; %s missing\n",
		human.Count(t.cuboids(), "cuboid"), wholeText(s.wholes), t.posted, human.Size(t.bytes), human.Size(s.bytes), t.empty, t.failed, t.begun, t.left,
		human.Count(len(s.missing), "slice"))
	if z := s.last.Origin.Z; z != 0 {
		fmt.Fprintf(&b, "  slice 0 of the source is at z %d\n", z)
	}
	if s.downsampling != "" {
		fmt.Fprintf(&b, "  downsampling: %s\n", s.downsampling)
	}
	for _, run := range s.z {
		fmt.Fprintf(&b, "  z %v %s\n", run.z, run.text())
	}
	s.writeTrouble(&b)
	for _, f := range s.files {
		fmt.Fprintf(&b, "  %s\n", processText(f, now))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func wholeText(wholes []voxel.Box) string {
	words := make([]string, len(wholes))
	for i, w := range wholes {
		words[i] = w.String()
	}
	return strings.Join(words, " and ")
}

// text is "posted", or "2 failed, 3 left".
func (t *tally) text() string {
	return strings.Join(t.words(func(n int64, what string) string { return fmt.Sprint(n, " ", what) }), ", ")
}

// writeTrouble names what failed and what was missing, and why, the first of both.
func (s *status) writeTrouble(b *strings.Builder) {
	for _, e := range firstOf(s.failures, told) {
		fmt.Fprintf(b, "  failed: %v: %s\n", e.Box, human.Line(e.Why))
	}
	if n := len(s.failures) - told; n > 0 {
		fmt.Fprintf(b, "  and %d more failed\n", n)
	}
	if len(s.missing) == 0 {
		return
	}
	fmt.Fprintf(b, "  missing slices: %s\n", lossList(s.missing, s.rows()))
	for _, l := range firstOf(s.missing, told) {
		fmt.Fprintf(b, "  missing: slice %d: %s\n", l.Z, human.Line(l.Why))
	}
	if n := len(s.missing) - told; n > 0 {
		fmt.Fprintf(b, "  and %d more are missing\n", n)
	}
}

// processText is what one process did, and whether it still does.
func processText(f *journal.File, now time.Time) string {
	h := &f.Header
	when := func(t time.Time) string { return t.In(now.Location()).Format(time.DateTime) }
	text := fmt.Sprintf("process %d on %s, z %v, begun %s: ", h.PID, h.Host, h.Data.Z(), when(h.Started))
	switch {
	case f.End != "":
		text += fmt.Sprintf("ended %s: %s", when(f.Ended), endText(f.End))
	case f.Alive(now):
		text += fmt.Sprintf("at work, last sign %s ago", ago(now, f))
	default:
		text += fmt.Sprintf("died, last sign %s ago", ago(now, f))
	}
	text += fmt.Sprintf("; %d posted, %d empty, %d failed", f.Posted, f.Empty, f.Failed)
	if f.Kept > 0 {
		text += fmt.Sprintf(", %d as they were", f.Kept)
	}
	if f.Open > 0 {
		text += fmt.Sprintf(", %d in flight", f.Open)
	}
	if f.Missing > 0 {
		text += fmt.Sprintf("; %s missing", human.Count(f.Missing, "slice"))
	}
	return text
}

func ago(now time.Time, f *journal.File) time.Duration {
	return max(0, now.Sub(sign(f))).Round(time.Second)
}

// endText is how a process ended. "incomplete: " is left away, lest somebody who
// looks for "complete" finds it.
func endText(end string) string {
	rest, cut := strings.CutPrefix(end, "incomplete")
	if !cut {
		return human.Line(end)
	}
	return human.Line("with gaps" + rest)
}
