package voxel

import (
	"fmt"
	"strconv"
	"strings"
)

// Far bounds what ParseRange and ParseBox read: coordinates lie between -Far and
// Far, so that sums and differences of a few of them do not overflow.
const Far = 1 << 30

// ParseRange reads what [Range.String] writes. An empty range is an error, and so
// is one that reaches as far as [Far].
func ParseRange(s string) (Range, error) {
	lo, hi, ok := strings.Cut(s, ":")
	from, err := strconv.Atoi(lo)
	to, err2 := strconv.Atoi(hi)
	r := Range{from, to}
	if !ok || err != nil || err2 != nil || r.Empty() || !r.Near() {
		return Range{}, fmt.Errorf("%q is not a range", s)
	}
	return r, nil
}

// Near reports whether both ends of r lie between -Far and Far.
func (r Range) Near() bool { return -Far < min(r.Min, r.Max) && max(r.Min, r.Max) < Far }

// ParseBox reads what [Box.String] writes, of ranges that ParseRange reads.
func ParseBox(s string) (Box, error) {
	parts := strings.SplitN(s, "/", 4)
	if len(parts) != 3 {
		return Box{}, fmt.Errorf("box %q: want x0:x1/y0:y1/z0:z1", s)
	}
	var r [3]Range
	for i, part := range parts {
		var err error
		if r[i], err = ParseRange(part); err != nil {
			return Box{}, fmt.Errorf("box %q: %w", s, err)
		}
	}
	return NewBox(r[0], r[1], r[2]), nil
}
