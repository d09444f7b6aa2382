package pace

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Rate is in bytes a second; 0 means that there is no limit.
type Rate int64

// maxRate is more than any network, and little enough to be counted with.
const maxRate = 1e15

// units of a rate, decimal as networks are sold; the largest come first, as
// String needs them.
var units = []struct {
	name  string
	bytes int64
}{
	{"T", 1e12}, {"G", 1e9}, {"M", 1e6}, {"K", 1e3}, {"B", 1},
}

// binary are the units of 1024, which String never writes.
var binary = map[string]int64{"KI": 1 << 10, "MI": 1 << 20, "GI": 1 << 30, "TI": 1 << 40}

const rateForm = `want bytes a second like 10M, 500K, 1.5G or "10 MB/s", or off`

// ParseRate reads a rate: a number and one of the units B, K, M, G, T (of 1000)
// or Ki, Mi, Gi, Ti (of 1024), as in "10M", "500kB" or "1.5 MB/s"; "off" or "0"
// for no limit. A number without a unit is not taken, for rclone reads KiB where
// others read bytes; nor are bits.
func ParseRate(s string) (Rate, error) {
	text := strings.TrimSpace(s)
	if text == "0" || strings.EqualFold(text, "off") {
		return 0, nil
	}
	end := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 0 {
		if text == "" {
			return 0, fmt.Errorf("no rate: %s", rateForm)
		}
		return 0, fmt.Errorf("rate %q has no unit: %s", s, rateForm)
	}
	number, err := strconv.ParseFloat(text[:end], 64)
	if err != nil {
		return 0, fmt.Errorf("rate %q does not start with a number: %s", s, rateForm)
	}
	unit, err := parseUnit(text[end:])
	if err != nil {
		return 0, fmt.Errorf("rate %q %w: %s", s, err, rateForm)
	}
	n := math.Round(number * float64(unit))
	if n < 1 || n > maxRate {
		return 0, fmt.Errorf("rate %q is out of range: want 1B to 1000T, or off for no limit", s)
	}
	return Rate(n), nil
}

// parseUnit gives the bytes of a unit, with or without "B" and "/s".
func parseUnit(s string) (int64, error) {
	text := strings.TrimSpace(s)
	if strings.HasSuffix(text, "/s") || strings.HasSuffix(text, "/S") {
		text = strings.TrimSpace(text[:len(text)-2])
	}
	if strings.HasSuffix(text, "b") || strings.HasSuffix(strings.ToLower(text), "bit") || strings.HasSuffix(strings.ToLower(text), "bps") {
		return 0, fmt.Errorf("may be in bits: %q", text)
	}
	name := strings.ToUpper(text)
	if name != "B" {
		name = strings.TrimSuffix(name, "B")
	}
	for _, u := range units {
		if u.name == name {
			return u.bytes, nil
		}
	}
	if n, ok := binary[name]; ok {
		return n, nil
	}
	return 0, fmt.Errorf("has an unknown unit %q", text)
}

// String is what ParseRate reads, in the largest unit that is exact with three
// decimals.
func (r Rate) String() string {
	if r <= 0 {
		return "off"
	}
	for _, u := range units {
		if n := int64(r); n >= u.bytes && n%max(1, u.bytes/1000) == 0 {
			return strconv.FormatFloat(float64(n)/float64(u.bytes), 'f', -1, 64) + u.name
		}
	}
	return strconv.FormatInt(int64(r), 10) + "B"
}
