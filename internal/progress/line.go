package progress

import (
	"fmt"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/human"
)

// parts puts a snapshot into words. The most important come first, for a narrow
// terminal shows as many as fit. All are ASCII: their length is their width.
func parts(s Snapshot, rate float64, when string) []string {
	list := []string{fmt.Sprintf("%3d%%", s.Percent())}
	if s.Failed > 0 {
		list = append(list, fmt.Sprintf("%d failed", s.Failed))
	}
	if s.Missing > 0 {
		list = append(list, human.Count(s.Missing, "slice")+" missing")
	}
	return append(list,
		when,
		fmt.Sprintf("%d/%s", s.Cuboids(), human.Count(s.TotalCuboids, "cuboid")),
		human.Rate(int64(rate), time.Second))
}

// remaining says how long the rest takes at a rate.
func remaining(s Snapshot, rate float64) string {
	if left, ok := timeLeft(s, rate); ok {
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
