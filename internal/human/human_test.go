package human_test

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/neurodata/ndpush/internal/human"
)

func TestNumbers(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{human.Count(0, "slice"), "0 slices"},
		{human.Count(1, "slice"), "1 slice"},
		{human.Count(int64(1)<<40, "voxel"), "1099511627776 voxels"},

		{human.Size(0), "0 B"},
		{human.Size(999), "999 B"},
		{human.Size(1000), "0.98 KiB"},
		{human.Size(1 << 20), "1.00 MiB"},
		{human.Size(23278080), "22.2 MiB"},
		{human.Size(500 << 30), "500 GiB"},
		{human.Size(1<<63 - 1), "8192 PiB"},

		{human.Rate(0, 0), "0.0 MB/s"},
		{human.Rate(2_400_000, time.Second), "2.4 MB/s"},
		{human.Rate(1_000_000, 0), "1000 MB/s"},
		{human.Rate(99_940_000, time.Second), "99.9 MB/s"},
		{human.Rate(200_000_000, 2*time.Second), "100 MB/s"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{human.Line("  two\r\n\tlines "), "two lines"},
		{human.Line("\x1b[31mred\x07\xff\u202e"), "[31mred"},
		{human.Message("an\nerror"), "an error"},
		{human.Message(strings.Repeat("é", 1000)), strings.Repeat("é", 250) + "…"},
		{human.Cut("short", 5), "short"},
		{human.Cut("longer", 4), "long…"},
		{human.Cut("aéé", 4), "aé…"},
		{human.Cut("é", 1), "…"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

// Whatever there is becomes one printable line of about that length.
func FuzzLine(f *testing.F) {
	f.Add("plain", 3)
	f.Add("a\n\nb\u2028c\x00\xc3", 1)
	f.Add(strings.Repeat("é", 100), 99)
	f.Fuzz(func(t *testing.T, text string, most int) {
		line := human.Line(text)
		if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }); i >= 0 {
			t.Errorf("%q has something at %d that is not printed", line, i)
		}
		if human.Line(line) != line {
			t.Errorf("%q is not a line", line)
		}
		if most = max(0, most); len(human.Cut(line, most)) > most+len("…") || !utf8.ValidString(human.Cut(line, most)) {
			t.Errorf("%q cut to %d is %q", line, most, human.Cut(line, most))
		}
	})
}
