package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/voxel"
)

// maxLine bounds a line: a reader takes no more memory for one, and no line that
// is written is longer.
const maxLine = 256 << 10

// maxWhy bounds the reason in a line, in bytes. A server's error can be a whole page.
const maxWhy = 1000

// A line is any line but the header, as it is written.
type line struct {
	Begin   string  `json:"begin,omitempty"`
	Posted  string  `json:"posted,omitempty"`
	Empty   string  `json:"empty,omitempty"`
	Failed  string  `json:"failed,omitempty"`
	Missing *int    `json:"missing,omitempty"`
	End     string  `json:"end,omitempty"`
	Sum     string  `json:"sum,omitempty"`
	Took    float64 `json:"took,omitempty"` // seconds
	Kept    bool    `json:"kept,omitempty"`
	Rows    string  `json:"rows,omitempty"`
	Why     string  `json:"why,omitempty"`
	At      string  `json:"at,omitempty"`
}

// encode gives v as one line, with its newline.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // for people: "a<b" is no HTML here
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	if b.Len() > maxLine {
		return nil, fmt.Errorf("a line of %d bytes is more than the %d that a journal may have", b.Len(), maxLine)
	}
	return b.Bytes(), nil
}

// shorten cuts a reason that is too long.
func shorten(why string) string { return human.Cut(why, maxWhy) }

// parse reads a line into l. Keys that it does not know are ignored.
func (l *line) parse(text []byte) error {
	*l = line{}
	if err := json.Unmarshal(text, l); err != nil {
		return err
	}
	kinds := 0
	for _, said := range [...]bool{l.Begin != "", l.Posted != "", l.Empty != "", l.Failed != "", l.Missing != nil, l.End != ""} {
		if said {
			kinds++
		}
	}
	switch kinds {
	case 0:
		return errors.New("it is of no kind that this ndpush knows")
	case 1:
		return nil
	}
	return errors.New("it is of more than one kind")
}

// fate gives what the line says of a cuboid, and false if it is not about one.
func (l *line) fate() (Fate, string, bool) {
	switch {
	case l.Begin != "":
		return Begun, l.Begin, true
	case l.Posted != "":
		return Posted, l.Posted, true
	case l.Empty != "":
		return Empty, l.Empty, true
	case l.Failed != "":
		return Failed, l.Failed, true
	}
	return 0, "", false
}

// sum is the sum of a posted cuboid.
func (l *line) sum() (uint64, error) {
	sum, err := strconv.ParseUint(l.Sum, 16, 64)
	if err != nil || len(l.Sum) != 16 {
		return 0, fmt.Errorf("sum %q: want 16 hexadecimal digits", l.Sum)
	}
	return sum, nil
}

// at is the line's time in seconds since 1970.
func (l *line) at() (int64, error) {
	t, err := time.Parse(time.RFC3339, l.At)
	if err != nil {
		return 0, fmt.Errorf("time %q: want one like 2026-11-22T18:31:22Z", l.At)
	}
	return t.Unix(), nil
}

// loss gives the slice and rows of a missing line; no rows mean all.
func (l *line) loss() (z int, rows voxel.Range, err error) {
	z = *l.Missing
	if !(voxel.Range{Min: z, Max: z}).Near() {
		return 0, rows, fmt.Errorf("slice %d is too far away", z)
	}
	if l.Rows == "" {
		return z, voxel.Range{Min: -voxel.Far, Max: voxel.Far}, nil
	}
	rows, err = voxel.ParseRange(l.Rows)
	return z, rows, err
}

// stamp is how a line says when.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// hexSum is how a line says a sum.
func hexSum(sum uint64) string {
	s := strconv.FormatUint(sum, 16)
	return strings.Repeat("0", 16-len(s)) + s
}
