package slack

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/human"
)

// Escape makes a text mean itself in a message: & < > are Slack's markup.
func Escape(text string) string { return escaper.Replace(text) }

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// most is how much of somebody else's text a message shows, in characters.
const most = 200

// short is the first line of text, cut, and without what is not printable.
func short(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	text = strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(text, "?"))
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// A tally counts trouble.
type tally struct{ failed, missing, outages int64 }

func (t tally) plus(u tally) tally {
	return tally{t.failed + u.failed, t.missing + u.missing, t.outages + u.outages}
}

func (t tally) minus(u tally) tally {
	return tally{t.failed - u.failed, t.missing - u.missing, t.outages - u.outages}
}

// String is "3 cuboids failed, 1 slice missing, 1 outage", without what is 0.
func (t tally) String() string {
	var parts []string
	if t.failed > 0 {
		parts = append(parts, human.Count(t.failed, "cuboid")+" failed")
	}
	if t.missing > 0 {
		parts = append(parts, human.Count(t.missing, "slice")+" missing")
	}
	if t.outages > 0 {
		parts = append(parts, human.Count(t.outages, "outage"))
	}
	return strings.Join(parts, ", ")
}

// troubleText tells what came since the last message, and what it began with.
func troubleText(about string, all, told tally, first string) string {
	text := ":warning: " + Escape(about) + ": " + all.minus(told).String()
	if told != (tally{}) {
		text += " since the last message; in all " + all.String()
	}
	return text + "\n" + Escape(first)
}

// A Summary is what became of a run.
type Summary struct {
	Err error // what it ended with; nil if all is done

	Posted, Empty, Failed int64 // cuboids
	Missing               int64 // slices
	Bytes                 int64 // of voxels, before compression
	Took                  time.Duration

	Verdict string // what comparing found, or ""
	Link    string // shows the channel in a browser, or ""
}

func (s Summary) text(about, log string) string {
	lines := []string{s.result(Escape(about))}
	if s.Posted+s.Empty+s.Failed+s.Missing > 0 {
		lines = append(lines, s.counts())
	}
	if s.Verdict != "" {
		lines = append(lines, Escape(short(strings.TrimPrefix(s.Verdict, about+": "))))
	}
	if s.Link != "" {
		lines = append(lines, "<"+Escape(strings.ReplaceAll(s.Link, "|", "%7C"))+"|show it in the viewer>")
	}
	if log != "" {
		lines = append(lines, "log: "+Escape(log))
	}
	return strings.Join(lines, "\n")
}

func (s Summary) result(about string) string {
	switch {
	case s.Err == nil:
		return ":white_check_mark: " + about + ": all done"
	case errors.Is(s.Err, context.Canceled):
		return ":octagonal_sign: " + about + ": interrupted"
	}
	return ":x: " + about + ": " + Escape(short(s.Err.Error()))
}

func (s Summary) counts() string {
	return fmt.Sprintf("%s posted, %d empty, %d failed; %s missing; %s in %v (%s)",
		human.Count(s.Posted, "cuboid"), s.Empty, s.Failed, human.Count(s.Missing, "slice"),
		human.Size(s.Bytes), s.Took.Round(100*time.Millisecond), human.Rate(s.Bytes, s.Took))
}
