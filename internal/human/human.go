// Package human says numbers, and what others wrote, as people read them.
package human

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Count gives "1 slice" or "2 slices".
func Count[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Size gives a number of bytes to three digits, in units of 1024.
func Size(bytes int64) string {
	f, units := float64(bytes), []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	i := 0
	for f >= 1000 && i < len(units)-1 {
		f /= 1024
		i++
	}
	switch {
	case i == 0:
		return fmt.Sprintf("%d B", bytes)
	case f < 10:
		return fmt.Sprintf("%.2f %s", f, units[i])
	case f < 100:
		return fmt.Sprintf("%.1f %s", f, units[i])
	}
	return fmt.Sprintf("%.0f %s", f, units[i])
}

// Rate gives how many bytes went by a second, in MB of 10^6 as networks have it.
// A time too short to measure counts as a millisecond.
func Rate(bytes int64, took time.Duration) string {
	mb := float64(bytes) / 1e6 / max(took, time.Millisecond).Seconds()
	if mb < 100 {
		return fmt.Sprintf("%.1f MB/s", mb)
	}
	return fmt.Sprintf("%.0f MB/s", mb)
}

// Line makes of a text, which may be anything, one line that does no harm to a
// terminal: without what is not printed, and with single blanks between words.
func Line(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// maxMessage is the length of a message in bytes; services' own are shorter.
const maxMessage = 500

// Message makes a part of an error of what a service said, which may be anything,
// also a whole page: a line of 500 bytes and an ellipsis at most.
func Message(text string) string { return Cut(Line(text), maxMessage) }

// Cut gives the first bytes of a text that is longer than most, whole characters
// only and "…" after them.
func Cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}
