package pace_test

import (
	"strings"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/pace"
)

func TestParseRate(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want pace.Rate
		out  string
	}{
		{"off", 0, "off"}, {"OFF", 0, "off"}, {"0", 0, "off"},
		{"10M", 10e6, "10M"}, {"10m", 10e6, "10M"}, {"10MB", 10e6, "10M"}, {"10 MB/s", 10e6, "10M"}, {"10MB/S", 10e6, "10M"}, {"10M/s", 10e6, "10M"},
		{"500k", 500e3, "500K"}, {"500kB", 500e3, "500K"}, {"1.5G", 1.5e9, "1.5G"}, {".5M", 500e3, "500K"}, {"2T", 2e12, "2T"},
		{"1Mi", 1 << 20, "1048.576K"}, {"1MiB/s", 1 << 20, "1048.576K"}, {"64Ki", 65536, "65.536K"}, {"1Gi", 1 << 30, "1073741.824K"},
		{"100B", 100, "100B"}, {"1B", 1, "1B"}, {"1001B", 1001, "1.001K"}, {"1000T", 1e15, "1000T"}, {" 10M ", 10e6, "10M"},
	} {
		got, err := pace.ParseRate(tt.in)
		if err != nil || got != tt.want || got.String() != tt.out {
			t.Errorf("%q: got %d (%v), %v; want %d (%s)", tt.in, got, got, err, tt.want, tt.out)
		}
	}
	for in, want := range map[string]string{
		"":        "no rate",
		"10":      "has no unit",
		"M":       "does not start with a number",
		"-10M":    "does not start with a number",
		"1.2.3M":  "does not start with a number",
		"10X":     `unknown unit "X"`,
		"10Mbit":  "in bits",
		"10Mb":    "in bits",
		"10 Mbps": "in bits",
		"0.1B":    "out of range",
		"0M":      "out of range",
		"1001T":   "out of range",
		"1e3M":    `unknown unit "e3M"`,
		"10M 20M": "unknown unit",
	} {
		if got, err := pace.ParseRate(in); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "want") {
			t.Errorf("%q: got %v, %v; want an error with %q", in, got, err, want)
		}
	}
}

func TestTimetable(t *testing.T) {
	at := func(day int, clock string) time.Time { // 2026-11-01 is a Sunday
		c, err := time.Parse("15:04", clock)
		if err != nil {
			t.Fatal(err)
		}
		return time.Date(2026, 11, 1+day, c.Hour(), c.Minute(), 59, 0, time.UTC)
	}
	for _, tt := range []struct {
		in, out string
		day     int
		clock   string
		want    pace.Rate
	}{
		{"off", "off", 3, "12:00", 0},
		{"10MB/s", "10M", 3, "12:00", 10e6},
		{"08:00,5M 19:00,off", "08:00,5M 19:00,off", 0, "08:00", 5e6},
		{"08:00,5M 19:00,off", "08:00,5M 19:00,off", 6, "18:59", 5e6},
		{"08:00,5M 19:00,off", "08:00,5M 19:00,off", 6, "19:00", 0},
		{"19:00,off 08:00,5M", "08:00,5M 19:00,off", 0, "07:59", 0}, // that of Saturday
		{"Mon-08:00,5M Sat-00:00,off", "Mon-08:00,5M Sat-00:00,off", 0, "12:00", 0},
		{"Mon-08:00,5M Sat-00:00,off", "Mon-08:00,5M Sat-00:00,off", 1, "07:59", 0},
		{"Mon-08:00,5M Sat-00:00,off", "Mon-08:00,5M Sat-00:00,off", 1, "08:00", 5e6},
		{"Mon-08:00,5M Sat-00:00,off", "Mon-08:00,5M Sat-00:00,off", 5, "23:59", 5e6},
		{" sat-00:00,off\tMON-08:00,500kB/s ", "Mon-08:00,500K Sat-00:00,off", 3, "00:00", 500e3},
		{"Fri-18:00,off 08:00,1M", "08:00,1M Fri-18:00,off", 5, "20:00", 0},
		{"Fri-18:00,off 08:00,1M", "08:00,1M Fri-18:00,off", 6, "08:00", 1e6},
		{"08:00,1M Sun-08:00,off", "08:00,1M Sun-08:00,off", 0, "09:00", 0},
		{"08:00,1M Sun-08:00,off", "08:00,1M Sun-08:00,off", 1, "09:00", 1e6},
		{"12:00,1M", "12:00,1M", 2, "00:00", 1e6},
	} {
		got, err := pace.ParseTimetable(tt.in)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if rate := got.At(at(tt.day, tt.clock)); rate != tt.want || got.String() != tt.out {
			t.Errorf("%q on day %d at %s: got %v, %q; want %v, %q", tt.in, tt.day, tt.clock, rate, got, tt.want, tt.out)
		}
		if got.Limits() != strings.ContainsAny(tt.out, "MK") {
			t.Errorf("%q: Limits is %v", tt.in, got.Limits())
		}
	}
	if (pace.Timetable{}).At(time.Now()) != 0 || (pace.Timetable{}).String() != "off" {
		t.Error("the zero Timetable has a limit")
	}
}

// The clock on the wall decides, also on the day that has 25 hours.
func TestTimetableLocalTime(t *testing.T) {
	zone := time.FixedZone("east", 9*3600)
	tt, err := pace.ParseTimetable("08:00,5M 19:00,off")
	if err != nil {
		t.Fatal(err)
	}
	morning := time.Date(2026, 11, 1, 23, 30, 0, 0, time.UTC)
	if got := tt.At(morning.In(zone)); got != 5e6 {
		t.Errorf("at half past eight there: %v", got)
	}
	if got := tt.At(morning); got != 0 {
		t.Errorf("at half past eleven here: %v", got)
	}
}

func TestParseTimetableErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "no rate",
		" ":                               "no rate",
		"10":                              "has no unit",
		"10M:1M":                          "neither a rate nor an entry",
		"08:00":                           "neither a rate nor an entry",
		"08:00,5M 19:00":                  `"19:00" has no comma`,
		"08:00, 5M":                       "no rate",
		"8:00,5M":                         `starts at "8:00"`,
		"24:00,5M":                        `starts at "24:00"`,
		"08:60,5M":                        `starts at "08:60"`,
		"Mo-08:00,5M":                     `names the day "Mo"`,
		"Mon-Fri-08:00,5M":                `starts at "Fri-08:00"`,
		"08:00,fast":                      `the entry "08:00,fast"`,
		"08:00,5M 08:00,6M":               "two rates for 08:00",
		"08:00,5M Tue-08:00,M":            "does not start with a number",
		"Tue-08:00,2M Tue-08:00,1M":       "two rates for Tue-08:00",
		strings.Repeat("08:00,5M ", 1000): "1000 entries",
	} {
		if got, err := pace.ParseTimetable(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v; want an error with %q", in, got, err, want)
		}
	}
}

// What is read is written so that it is read as the same.
func FuzzParseTimetable(f *testing.F) {
	for _, s := range []string{"off", "10M", "1.5 GB/s", "08:00,5M 19:00,off", "Mon-08:00,5M Sat-00:00,off", "12:00,1Ki 13:00,999B", "1048577B", "10Mbit", "Sun-,", ","} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		first, err := pace.ParseTimetable(s)
		if err != nil {
			return
		}
		again, err := pace.ParseTimetable(first.String())
		if err != nil || again.String() != first.String() {
			t.Fatalf("%q is written %q, which is read as %q: %v", s, first, again, err)
		}
		for at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC); at.Day() < 9; at = at.Add(37 * time.Minute) {
			if first.At(at) != again.At(at) || first.At(at) < 0 {
				t.Fatalf("%q at %v: %v, then %v", s, at, first.At(at), again.At(at))
			}
		}
	})
}
