package cli

import (
	"encoding/json"
	"io"
	"time"

	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

// The names of these fields are part of what ndpush promises: programs read them.
type statusJSON struct {
	Journal   string        `json:"journal"`
	Channel   string        `json:"channel"`
	Complete  bool          `json:"complete"`
	Whole     []string      `json:"whole"`
	Type      string        `json:"type"`
	Origin    [3]int        `json:"origin"`
	Cuboids   int64         `json:"cuboids"`
	Bytes     int64         `json:"bytes"`
	tallyJSON               // of all
	Z         []zJSON       `json:"z"`
	Failures  []failureJSON `json:"failures"`
	Missing   []missingJSON `json:"missing"`
	Processes []processJSON `json:"processes"`

	Downsampling string `json:"downsampling,omitempty"`
}

type tallyJSON struct {
	Posted      int64 `json:"posted"`
	Empty       int64 `json:"empty"`
	Failed      int64 `json:"failed"`
	InFlight    int64 `json:"in_flight"`
	Left        int64 `json:"left"`
	PostedBytes int64 `json:"posted_bytes"`
}

type zJSON struct {
	Z string `json:"z"`
	tallyJSON
}

type failureJSON struct {
	Box string    `json:"box"`
	Why string    `json:"why"`
	At  time.Time `json:"at"`
}

type missingJSON struct {
	Z    int      `json:"z"`
	Rows []string `json:"rows"`
	Why  string   `json:"why"`
}

type processJSON struct {
	Host     string     `json:"host"`
	PID      int        `json:"pid"`
	Ndpush   string     `json:"ndpush"`
	Started  time.Time  `json:"started"`
	Data     string     `json:"data"`
	LastSign time.Time  `json:"last_sign"`
	Alive    bool       `json:"alive"`
	Ended    *time.Time `json:"ended"` // null: it did not say that it ended
	How      string     `json:"how"`
	Posted   int        `json:"posted"`
	Kept     int        `json:"kept"`
	Empty    int        `json:"empty"`
	Failed   int        `json:"failed"`
	InFlight int        `json:"in_flight"`
	Missing  int        `json:"missing"`
}

// writeJSON says all for programs, as one line.
func (s *status) writeJSON(w io.Writer, now time.Time) error {
	h := s.last
	out := statusJSON{
		Journal: s.dir, Channel: s.channel(), Complete: s.complete(), Whole: []string{}, Type: h.Type.String(),
		Origin: [3]int{h.Origin.X, h.Origin.Y, h.Origin.Z}, Cuboids: s.all.cuboids(), Bytes: s.bytes, tallyJSON: s.all.json(),
		Z: []zJSON{}, Failures: []failureJSON{}, Missing: []missingJSON{}, Processes: []processJSON{},
		Downsampling: s.downsampling,
	}
	for _, box := range s.wholes {
		out.Whole = append(out.Whole, box.String())
	}
	for i := range s.z {
		out.Z = append(out.Z, zJSON{s.z[i].z.String(), s.z[i].json()})
	}
	for _, e := range s.failures {
		out.Failures = append(out.Failures, failureJSON{e.Box.String(), e.Why, e.At})
	}
	for _, l := range s.missing {
		out.Missing = append(out.Missing, missingJSON{l.Z, s.rowsOf(l), l.Why})
	}
	for _, f := range s.files {
		out.Processes = append(out.Processes, processOf(f, now))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(out)
}

func (t *tally) json() tallyJSON {
	return tallyJSON{t.posted, t.empty, t.failed, t.begun, t.left, t.bytes}
}

// rows are the pixel rows of a slice that the cuboids are of.
func (s *status) rows() voxel.Range { return s.bounds().Y().Add(-s.last.Origin.Y) }

// rowsOf is which rows of a slice are lost; none, if all are.
func (s *status) rowsOf(l journal.Loss) []string {
	rows := []string{}
	for _, r := range l.Rows {
		if r.Contains(s.rows()) {
			return []string{}
		}
		rows = append(rows, r.String())
	}
	return rows
}

func processOf(f *journal.File, now time.Time) processJSON {
	h := &f.Header
	p := processJSON{
		Host: h.Host, PID: h.PID, Ndpush: h.Version, Started: h.Started, Data: h.Data.String(),
		LastSign: sign(f).UTC(), Alive: f.Alive(now), How: f.End,
		Posted: f.Posted, Kept: f.Kept, Empty: f.Empty, Failed: f.Failed, InFlight: f.Open, Missing: f.Missing,
	}
	if f.End != "" {
		p.Ended = &f.Ended
	}
	return p
}
