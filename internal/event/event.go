// Package event tells programs what happens, a JSON object a line.
//
// Every object has "event", which says what happened, "at", when, in UTC, and
// mostly "channel", of what:
//
//	{"event":"start","at":"2026-11-22T18:31:22Z","channel":"lab/fly/em","version":"v0.1",
//	 "box":"0:1100/0:1060/0:20","cuboids":8,"bytes":23320000,"before":0,"memory":120000000}
//	{"event":"progress","at":…,"channel":"lab/fly/em","posted":3,"empty":1,"failed":0,"kept":0,"cuboids":8,
//	 "bytes":12000000,"total_bytes":23320000,"missing":0,"read":16000000,"sent":9100000,
//	 "rate":4.1e7,"seconds_left":0.3,"workers":6,"allowed":8,"retries":0,"seconds":0.4}
//	{"event":"failed","at":…,"channel":"lab/fly/em","box":"0:1024/1024:1060/0:16","why":"POST …: 500"}
//	{"event":"missing","at":…,"channel":"lab/fly/em","z":7,"why":"slice 7: unexpected EOF"}
//	{"event":"warning","at":…,"why":"nothing gets through to BOSS since 14:03:00 …"}
//	{"event":"created","at":…,"channel":"lab/fly/em","why":"created collection lab"}
//	{"event":"verified","at":…,"channel":"lab/fly/em","what":"z 2, 11, 18","match":12,"differ":0,"error":0}
//	{"event":"finding","at":…,"channel":"lab/fly/em","check":"plan","result":"plan","text":"at 412 MB/s …",
//	 "plan":{"cuboids":8,"cuboids_left":8,…}}
//	{"event":"done","at":…,"channel":"lab/fly/em","log":"ingest_log_lab_fly_em.txt", and what progress has}
//	{"event":"exit","at":…,"status":3,"why":"incomplete: …"}
//
// (start, progress, finding and done on one line each.) Boxes are x/y/z, half-open, in
// BOSS coordinates; z is a source coordinate. cuboids and total_bytes are what
// this run has to do, bytes what of it is finished with, both before
// compression; before is how many cuboids were done before it; read was decoded
// and sent is what BOSS took, after compression. rate is bytes a second, lately;
// seconds_left is absent while nobody knows. There is no done if there was nothing
// to carry. A finding is of a dry run, in which there is nothing else but warnings;
// its result is ok, warn, fail or plan, and only that has the plan's numbers.
// exit is the last line, and there is one, however the run ended, unless it was
// killed. A reader ignores keys and events that it does not know.
package event

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A Stream writes events. It is safe for concurrent use, and a nil *Stream
// writes nothing. If it cannot be written, the work goes on without; while it can
// and nobody reads, as from a pipe that is full, the work waits.
type Stream struct {
	now func() time.Time

	mu      sync.Mutex
	encoder *json.Encoder
}

// New returns a Stream that writes to w.
func New(w io.Writer, now func() time.Time) *Stream {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return &Stream{now: now, encoder: e}
}

// A head begins each event.
type head struct {
	Event   string    `json:"event"`
	At      time.Time `json:"at"`
	Channel string    `json:"channel,omitempty"`
}

func (s *Stream) head(event, channel string) head {
	return head{event, s.now().UTC().Truncate(time.Millisecond), channel}
}

func (s *Stream) write(event any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.encoder.Encode(event)
}

// A Start is what a run is about to do.
type Start struct {
	Version string
	Box     voxel.Box // BOSS coordinates
	Cuboids int64     // to be carried by this run
	Bytes   int64     // of voxels, of these
	Before  int64     // cuboids that were done before
	Memory  int64     // bytes that the process takes at most
}

// Start tells what a run of channel is about to do.
func (s *Stream) Start(channel string, what Start) {
	if s == nil {
		return
	}
	s.write(struct {
		head
		Version string `json:"version"`
		Box     string `json:"box"`
		Cuboids int64  `json:"cuboids"`
		Bytes   int64  `json:"bytes"`
		Before  int64  `json:"before"`
		Memory  int64  `json:"memory"`
	}{s.head("start", channel), what.Version, what.Box.String(), what.Cuboids, what.Bytes, what.Before, what.Memory})
}

// Created tells that a resource of channel was created.
func (s *Stream) Created(channel, what string) { s.say("created", channel, what) }

// Warning tells of what a person should know.
func (s *Stream) Warning(text string) { s.say("warning", "", text) }

func (s *Stream) say(event, channel, why string) {
	if s == nil {
		return
	}
	s.write(struct {
		head
		Why string `json:"why"`
	}{s.head(event, channel), why})
}

// Verified tells what a comparison of what BOSS holds found, in cuboids: equal,
// different and not compared.
func (s *Stream) Verified(channel, what string, match, differ, unsure int) {
	if s == nil {
		return
	}
	s.write(struct {
		head
		What   string `json:"what"`
		Match  int    `json:"match"`
		Differ int    `json:"differ"`
		Error  int    `json:"error"`
	}{s.head("verified", channel), what, match, differ, unsure})
}

// Finding tells what one look at something found before an ingest; plan may be nil.
func (s *Stream) Finding(channel, check, result, text string, plan any) {
	if s == nil {
		return
	}
	s.write(struct {
		head
		Check  string `json:"check"`
		Result string `json:"result"`
		Text   string `json:"text"`
		Plan   any    `json:"plan,omitempty"`
	}{s.head("finding", channel), check, result, text, plan})
}

// Exit tells how the program ends; err may be nil.
func (s *Stream) Exit(status int, err error) {
	if s == nil {
		return
	}
	e := struct {
		head
		Status int    `json:"status"`
		Why    string `json:"why,omitempty"`
	}{head: s.head("exit", ""), Status: status}
	if err != nil {
		e.Why = err.Error()
	}
	s.write(e)
}

// A state is what progress and done tell.
type state struct {
	head
	Posted      int64    `json:"posted"`
	Empty       int64    `json:"empty"`
	Failed      int64    `json:"failed"`
	Kept        int64    `json:"kept"`
	Cuboids     int64    `json:"cuboids"`
	Bytes       int64    `json:"bytes"`
	TotalBytes  int64    `json:"total_bytes"`
	Missing     int64    `json:"missing"`
	Read        int64    `json:"read"`
	Sent        int64    `json:"sent"`
	Rate        float64  `json:"rate"`
	SecondsLeft *float64 `json:"seconds_left,omitempty"`
	Workers     int      `json:"workers"`
	Allowed     int      `json:"allowed"`
	Retries     int64    `json:"retries"`
	Seconds     float64  `json:"seconds"`
	Log         string   `json:"log,omitempty"`
}

func (s *Stream) state(event, channel string, p progress.Status) state {
	e := state{
		head:   s.head(event, channel),
		Posted: p.Posted, Empty: p.Empty, Failed: p.Failed, Kept: p.Kept,
		Cuboids: p.TotalCuboids, Bytes: p.Bytes, TotalBytes: p.TotalBytes, Missing: p.Missing,
		Read: p.Read, Sent: p.Sent, Rate: p.Rate,
		Workers: p.Workers, Allowed: p.Allowed, Retries: p.Retries, Seconds: p.Elapsed.Seconds(),
	}
	if left, ok := p.Left(); ok {
		seconds := left.Seconds()
		e.SecondsLeft = &seconds
	}
	return e
}

// Done tells how the run of channel ended, and where its log is.
func (s *Stream) Done(channel string, p progress.Status, log string) {
	if s == nil {
		return
	}
	e := s.state("done", channel, p)
	e.Log = log
	s.write(e)
}

// Follow tells how the run of channel stands, every now and then until stop is called.
func (s *Stream) Follow(channel string, every time.Duration, status func() progress.Status) (stop func()) {
	if s == nil {
		return func() {}
	}
	halt := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.write(s.state("progress", channel, status()))
			case <-halt:
				return
			}
		}
	})
	return func() {
		close(halt)
		wg.Wait()
	}
}

// Of returns a listener that tells of channel's losses.
func (s *Stream) Of(channel string) *Losses { return &Losses{s, channel} }

// Losses tell of cuboids that fail and slices that are missing. Methods return nil.
type Losses struct {
	stream  *Stream
	channel string
}

// Posted tells nothing: see Follow.
func (l *Losses) Posted(voxel.Box, time.Duration) error { return nil }

// Empty tells nothing.
func (l *Losses) Empty(voxel.Box) error { return nil }

// Failed tells of a cuboid that finally failed.
func (l *Losses) Failed(box voxel.Box, err error) error {
	if s := l.stream; s != nil {
		s.write(struct {
			head
			Box string `json:"box"`
			Why string `json:"why"`
		}{s.head("failed", l.channel), box.String(), err.Error()})
	}
	return nil
}

// Missing tells of a slice that is absent or damaged, in source coordinates.
func (l *Losses) Missing(z int, err error) error {
	if s := l.stream; s != nil {
		s.write(struct {
			head
			Z   int    `json:"z"`
			Why string `json:"why"`
		}{s.head("missing", l.channel), z, err.Error()})
	}
	return nil
}
