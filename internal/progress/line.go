package progress

import (
	"fmt"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/human"
)

// parts puts a status into words. The most important come first, for a narrow
// terminal shows as many as fit. All are ASCII: their length is their width.
func (s Status) parts(when string) []string {
	list := append([]string{fmt.Sprintf("%3d%%", s.Percent())}, s.losses()...)
	list = append(list,
		when,
		fmt.Sprintf("%d/%s", s.Cuboids(), human.Count(s.TotalCuboids, "cuboid")),
		human.Rate(int64(s.Rate), time.Second))
	if s.Allowed > 0 {
		list = append(list, "sent "+human.Rate(int64(s.SentRate), time.Second))
	}
	if s.Workers > 0 {
		list = append(list, s.workers())
	}
	return append(list, s.retries()...)
}

// block is a status in rows of at most width columns: how far it is, how it does
// and, if there was any, the trouble.
func (s Status) block(width int) (rows []string, trouble bool) {
	head := []string{fmt.Sprintf("%3d%%", s.Percent()), s.remaining()}
	if s.Quiet > quiet {
		head = append(head, "nothing finished for "+duration(s.Quiet))
	}
	rows = []string{
		fit(s.Percent(), head, width),
		row(width,
			"read "+human.Rate(int64(s.ReadRate), time.Second),
			"sent "+human.Rate(int64(s.SentRate), time.Second),
			human.Count(max(0, s.TotalCuboids-s.Cuboids()), "cuboid")+" left",
			s.workers()),
	}
	bad := append(s.losses(), s.retries()...)
	if s.Trouble != "" {
		bad = append(bad, duration(s.At.Sub(s.Since))+" ago: "+s.Trouble)
	}
	if len(bad) > 0 {
		text := []rune(strings.Join(bad, gap)) // of others' words, which may be of any letters
		rows = append(rows, string(text[:min(len(text), max(0, width))]))
	}
	return rows, len(bad) > 0
}

// quiet is how long nothing may be finished before a person is told. A cuboid
// of 16 MiB takes as long on a line of 2 Mbit/s.
const quiet = time.Minute

// losses are what is missing so far.
func (s Status) losses() (list []string) {
	if s.Failed > 0 {
		list = append(list, fmt.Sprintf("%d failed", s.Failed))
	}
	if s.Missing > 0 {
		list = append(list, human.Count(s.Missing, "slice")+" missing")
	}
	return list
}

func (s Status) workers() string { return fmt.Sprintf("%d of %d workers", s.Workers, s.Allowed) }

func (s Status) retries() []string {
	switch s.Retries {
	case 0:
		return nil
	case 1:
		return []string{"1 retry"}
	}
	return []string{fmt.Sprintf("%d retries", s.Retries)}
}

// remaining says how long the rest takes.
func (s Status) remaining() string {
	if left, ok := s.Left(); ok {
		return duration(left) + " left"
	}
	return "time left unknown"
}

// duration gives the two largest units: 3d04h, 2h05m, 7m09s, 12s.
func duration(d time.Duration) string {
	d = d.Round(time.Second)
	days, hours, minutes, seconds := d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60, d/time.Second%60
	switch {
	case days > 0:
		return fmt.Sprintf("%dd%02dh", days, hours)
	case hours > 0:
		return fmt.Sprintf("%dh%02dm", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%dm%02ds", minutes, seconds)
	}
	return fmt.Sprintf("%ds", seconds)
}

const (
	gap               = "  "
	leastBar, mostBar = 10, 40
)

// fit lays out parts in at most width columns: a bar if there is room for one
// beside all parts, else as many parts as there is room for.
func fit(percent int, parts []string, width int) string {
	text := strings.Join(parts, gap)
	if n := width - len(text) - len("[] "); n >= leastBar {
		return bar(percent, min(n, mostBar)) + " " + text
	}
	return row(width, parts...)
}

// row is as many parts as there is room for in width columns, and of the first
// what there is room for.
func row(width int, parts ...string) string {
	line := parts[0]
	for _, p := range parts[1:] {
		if len(line)+len(gap)+len(p) > width {
			break
		}
		line += gap + p
	}
	return line[:min(len(line), max(0, width))]
}

// bar draws n columns between brackets.
func bar(percent, n int) string {
	full := n * percent / 100
	line := strings.Repeat("=", full)
	if full < n {
		line += ">"
	}
	return fmt.Sprintf("[%-*s]", n, line)
}
