package verify

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A report is a file of JSON objects, one to a line. A head says what the lines
// after it are about, up to the next head, and how many they are; each of those
// is a cuboid:
//
//	{"channel":"lab/fly/em","z":"0:16","of":"0:64","cuboids":8}
//	{"box":"0:1024/0:1024/0:16","verdict":"differ","why":"…","channel":"lab/fly/em","fate":"posted"}
//
// z are the slices that were looked at and of all that there are, in BOSS
// coordinates. fate is what the journal says, and lost, if it is there, the slices
// (source coordinates) in whose place something else was posted. So the reports
// of shares are put together by cat, and one whose process was ended shows.

// A Head says what a report, or a part of one, is about.
type Head struct {
	Channel string      // collection/experiment/channel
	Z       voxel.Range // looked at, in BOSS coordinates
	Of      voxel.Range // all that there is
	Cuboids int64       // how many lines follow
}

// A line is a head or a finding, as it is written.
type line struct {
	Box     string  `json:"box,omitempty"`
	Verdict Verdict `json:"verdict,omitempty"`
	Why     string  `json:"why,omitempty"`
	Channel string  `json:"channel"`
	Fate    Fate    `json:"fate,omitempty"`
	Lost    []int   `json:"lost,omitempty"`
	Z       string  `json:"z,omitempty"`
	Of      string  `json:"of,omitempty"`
	Cuboids *int64  `json:"cuboids,omitempty"` // of a head
}

// A Writer writes a report, unbuffered. It has one user at a time.
type Writer struct {
	enc     *json.Encoder
	channel string
}

// NewWriter writes the head of a report to w. As many findings as it says follow.
func NewWriter(w io.Writer, h Head) (*Writer, error) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // for people: "a<b" is no HTML here
	if err := enc.Encode(line{Channel: h.Channel, Z: h.Z.String(), Of: h.Of.String(), Cuboids: &h.Cuboids}); err != nil {
		return nil, fmt.Errorf("write the report: %w", err)
	}
	return &Writer{enc, h.Channel}, nil
}

// Add writes a finding.
func (w *Writer) Add(f Finding) error {
	l := line{Box: f.Box.String(), Verdict: f.Verdict, Why: f.Why, Channel: w.channel, Fate: f.Fate, Lost: f.Lost}
	if err := w.enc.Encode(l); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
