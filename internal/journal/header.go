package journal

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/voxel"
)

// version is the format that this package writes, and the newest that it reads.
const version = 1

// A Header says which process wrote a file, and of what. Nothing secret belongs
// in it.
type Header struct {
	Version string    // of ndpush
	Started time.Time // the zero time: now
	Host    string    // "": this machine's name
	PID     int       // 0: this process's
	// Job is what makes two runs parts of one ingest; see [DifferentError].
	Job   map[string]string
	Flags map[string]string // what else was asked for, for people
	Data  voxel.Box         // what this process carries, in BOSS coordinates; not empty
	Whole voxel.Box         // what all of them carry, in BOSS coordinates; the zero Box: Data
	// Origin is the place, in BOSS coordinates, of the first pixel of slice 0.
	Origin voxel.Point
	Type   voxel.Type // of the cuboids
	// Replace: this process erases each cuboid before it posts it, so that nothing
	// of what was there before is left. See [State.Replaced].
	Replace bool
	// Fresh and Moved are what [Options] said; Open sets them.
	Fresh bool
	Moved []string
}

// maxCuboids is the most that an ingest has, 16 PiB of uint8: readers go through
// all of them.
const maxCuboids = 1 << 30

// headerLine is a header as it is written.
type headerLine struct {
	Journal int               `json:"journal"`
	Ndpush  string            `json:"ndpush"`
	Started time.Time         `json:"started"`
	Host    string            `json:"host"`
	PID     int               `json:"pid"`
	Job     map[string]string `json:"job"`
	Flags   map[string]string `json:"flags"`
	Data    string            `json:"data"`
	Whole   string            `json:"whole"`
	Origin  [3]int            `json:"origin"`
	Type    string            `json:"type"`
	Replace bool              `json:"replace,omitempty"`
	Fresh   bool              `json:"fresh,omitempty"`
	Moved   []string          `json:"moved,omitempty"`
}

// line is the header as it is written.
func (h *Header) line() headerLine {
	return headerLine{
		Journal: version, Ndpush: h.Version, Started: h.Started.UTC().Truncate(time.Second), Host: h.Host, PID: h.PID,
		Job: h.Job, Flags: h.Flags, Data: h.Data.String(), Whole: h.Whole.String(),
		Origin: [3]int{h.Origin.X, h.Origin.Y, h.Origin.Z}, Type: h.Type.String(),
		Replace: h.Replace, Fresh: h.Fresh, Moved: h.Moved,
	}
}

// parseHeader reads the first line of a file.
func parseHeader(text []byte) (Header, error) {
	// A newer version may have other types under the same keys.
	var v struct{ Journal int }
	if err := json.Unmarshal(text, &v); err != nil {
		return Header{}, fmt.Errorf("header: %w", err)
	}
	switch {
	case v.Journal > version:
		return Header{}, fmt.Errorf("it is a journal of version %d, and this ndpush knows %d: use a newer ndpush", v.Journal, version)
	case v.Journal < 1:
		return Header{}, fmt.Errorf("header: it is not a journal")
	}
	var l headerLine
	if err := json.Unmarshal(text, &l); err != nil {
		return Header{}, fmt.Errorf("header: %w", err)
	}
	return l.header()
}

func (l *headerLine) header() (Header, error) {
	data, err := voxel.ParseBox(l.Data)
	if err != nil {
		return Header{}, fmt.Errorf("header: data: %w", err)
	}
	whole, err := voxel.ParseBox(l.Whole)
	if err != nil {
		return Header{}, fmt.Errorf("header: whole: %w", err)
	}
	// As floating-point numbers, which do not overflow.
	n := float64(whole.X().CountPieces(grid.X)) * float64(whole.Y().CountPieces(grid.Y)) * float64(whole.Z().CountPieces(grid.Z))
	if n > maxCuboids {
		return Header{}, fmt.Errorf("header: whole: %.0f cuboids are more than %d", n, int64(maxCuboids))
	}
	kind, err := voxel.ParseType(l.Type)
	if err != nil {
		return Header{}, fmt.Errorf("header: %w", err)
	}
	for _, v := range l.Origin {
		if !(voxel.Range{Min: v, Max: v}).Near() {
			return Header{}, fmt.Errorf("header: origin %v is too far away", l.Origin)
		}
	}
	return Header{
		Version: l.Ndpush, Started: l.Started, Host: l.Host, PID: l.PID, Job: l.Job, Flags: l.Flags,
		Data: data, Whole: whole, Origin: voxel.Point{X: l.Origin[0], Y: l.Origin[1], Z: l.Origin[2]},
		Type: kind, Replace: l.Replace, Fresh: l.Fresh, Moved: l.Moved,
	}, nil
}

// A Difference is a key of a job whose values differ. A value is nil if that job
// has no such key.
type Difference struct {
	Key      string
	Old, New *string
}

// A DifferentError says that a journal is of another job.
type DifferentError struct {
	Path  string       // the file of the other job, or the directory
	Diffs []Difference // in the order of the keys, at least one
}

func (e *DifferentError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "journal %s is of another job:", e.Path)
	for i, d := range e.Diffs {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, " %s was %s and is %s", d.Key, said(d.Old), said(d.New))
	}
	return b.String()
}

func said(value *string) string {
	if value == nil {
		return "not given"
	}
	return fmt.Sprintf("%q", *value)
}

// compared are the values in which two runs of one ingest agree. Where the
// voxels go and what they are is compared even if Job does not say it.
func (h *Header) compared() map[string]string {
	all := map[string]string{"origin": h.Origin.String(), "type": h.Type.String()}
	maps.Copy(all, h.Job)
	return all
}

// diff lists in what h, the later, differs from old, apart from the keys that may.
func (h *Header) diff(old *Header, may []string) []Difference {
	was, is := old.compared(), h.compared()
	keys := slices.Collect(maps.Keys(was))
	for key := range is {
		if _, ok := was[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var diffs []Difference
	for _, key := range keys {
		a, b := lookup(was, key), lookup(is, key)
		same := a != nil && b != nil && *a == *b
		if !same && !slices.Contains(may, key) {
			diffs = append(diffs, Difference{key, a, b})
		}
	}
	return diffs
}

func lookup(m map[string]string, key string) *string {
	if v, ok := m[key]; ok {
		return &v
	}
	return nil
}
