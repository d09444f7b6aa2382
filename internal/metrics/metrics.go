// Package metrics shows how runs stand to Prometheus.
//
// The format is the text format, version 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/). A dozen numbers
// that exist already need no registry, so there is no client library here.
package metrics

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/neurodata/ndpush/internal/progress"
)

// Metrics is an http.Handler that answers GET /metrics. It is safe for
// concurrent use.
type Metrics struct {
	version string

	mu   sync.Mutex
	runs []run
}

// A run is one channel's; it stays when it is over, with its last numbers.
type run struct {
	channel string
	status  func() progress.Status
}

// New returns Metrics without runs, of a program of that version.
func New(version string) *Metrics { return &Metrics{version: version} }

// Follow shows the run of a channel from now on. If there was one of that
// channel, it is no longer shown.
func (m *Metrics) Follow(channel string, status func() progress.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.runs {
		if m.runs[i].channel == channel {
			m.runs[i].status = status
			return
		}
	}
	m.runs = append(m.runs, run{channel, status})
}

// ServeHTTP implements http.Handler.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/metrics" {
		http.Error(w, "there is only /metrics", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	m.write(w)
}

// A family is a metric with a value for each run.
type family struct {
	name, kind, help string
	values           func(progress.Status) []value
}

// A value is one, and what tells it from others of its family.
type value struct {
	labels string
	n      float64
}

func one[N int | int64 | float64](n N) []value { return []value{{"", float64(n)}} }

var families = []family{
	{"ndpush_cuboids_total", "counter", "Cuboids finished with, by fate.", func(s progress.Status) []value {
		return []value{
			{`fate="posted"`, float64(s.Posted)}, {`fate="empty"`, float64(s.Empty)},
			{`fate="failed"`, float64(s.Failed)}, {`fate="kept"`, float64(s.Kept)},
		}
	}},
	{"ndpush_cuboids_planned", "gauge", "Cuboids that this run has to do.", func(s progress.Status) []value { return one(s.TotalCuboids) }},
	{"ndpush_voxel_bytes_total", "counter", "Bytes of voxels of the cuboids finished with, before compression.", func(s progress.Status) []value { return one(s.Bytes) }},
	{"ndpush_voxel_bytes_planned", "gauge", "Bytes of voxels that this run has to do, before compression.", func(s progress.Status) []value { return one(s.TotalBytes) }},
	{"ndpush_read_bytes_total", "counter", "Bytes of voxels that were decoded.", func(s progress.Status) []value { return one(s.Read) }},
	{"ndpush_sent_bytes_total", "counter", "Bytes of cuboids that BOSS took, after compression.", func(s progress.Status) []value { return one(s.Sent) }},
	{"ndpush_missing_slices_total", "counter", "Slices that are absent or damaged.", func(s progress.Status) []value { return one(s.Missing) }},
	{"ndpush_retries_total", "counter", "Requests that were sent again.", func(s progress.Status) []value { return one(s.Retries) }},
	{"ndpush_requests_in_flight", "gauge", "Requests that are on their way to BOSS.", func(s progress.Status) []value { return one(s.Workers) }},
	{"ndpush_requests_allowed", "gauge", "Requests that BOSS bears at a time.", func(s progress.Status) []value { return one(s.Allowed) }},
	{"ndpush_quiet_seconds", "gauge", "Time since the last cuboid was finished with.", func(s progress.Status) []value { return one(s.Quiet.Seconds()) }},
}

func (m *Metrics) write(w io.Writer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fmt.Fprintf(w, "# HELP ndpush_build_info The program.\n# TYPE ndpush_build_info gauge\nndpush_build_info{version=\"%s\"} 1\n", escape(m.version))
	if len(m.runs) == 0 {
		return
	}
	states := make([]progress.Status, len(m.runs))
	for i, r := range m.runs {
		states[i] = r.status()
	}
	for _, f := range families {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
		for i, r := range m.runs {
			for _, v := range f.values(states[i]) {
				labels := `channel="` + escape(r.channel) + `"`
				if v.labels != "" {
					labels += "," + v.labels
				}
				fmt.Fprintf(w, "%s{%s} %v\n", f.name, labels, v.n)
			}
		}
	}
}

// escape is a text as the value of a label has it.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text)
}
