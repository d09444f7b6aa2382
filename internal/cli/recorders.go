package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/voxel"
)

// recorders tell several of every fate, and the first first.
type recorders []ingest.Recorder

func (r recorders) each(f func(ingest.Recorder) error) error {
	for _, rec := range r {
		if err := f(rec); err != nil {
			return err
		}
	}
	return nil
}

func (r recorders) Posted(box voxel.Box, took time.Duration) error {
	return r.each(func(rec ingest.Recorder) error { return rec.Posted(box, took) })
}

func (r recorders) Empty(box voxel.Box) error {
	return r.each(func(rec ingest.Recorder) error { return rec.Empty(box) })
}

func (r recorders) Failed(box voxel.Box, err error) error {
	return r.each(func(rec ingest.Recorder) error { return rec.Failed(box, err) })
}

func (r recorders) Missing(z int, err error) error {
	return r.each(func(rec ingest.Recorder) error { return rec.Missing(z, err) })
}

// A frontier knows up to which chunk everything is done.
type frontier struct {
	mu   sync.Mutex
	done map[int]int64 // cuboids whose fate is known, by the first z of their chunk
}

func (f *frontier) note(box voxel.Box) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done == nil {
		f.done = make(map[int]int64)
	}
	f.done[box.Min.Z]++
	return nil
}

func (f *frontier) Posted(box voxel.Box, _ time.Duration) error { return f.note(box) }
func (f *frontier) Empty(box voxel.Box) error                   { return f.note(box) }
func (f *frontier) Failed(box voxel.Box, _ error) error         { return f.note(box) }
func (f *frontier) Missing(int, error) error                    { return nil }

// left is the z, in BOSS coordinates, from the first chunk on that is not done.
func (f *frontier) left(p plan.Plan) voxel.Range {
	f.mu.Lock()
	defer f.mu.Unlock()
	for chunk := range p.Chunks() {
		if f.done[chunk.Min.Z] < p.Of(chunk).CountCuboids() {
			return voxel.Range{Min: chunk.Min.Z, Max: p.Data.Max.Z}
		}
	}
	return voxel.Range{}
}

// told is how many sentences of trouble a person gets; the log has them all.
const told = 10

// A trouble tells a person what goes wrong, and remembers the cuboids that failed.
type trouble struct {
	mu      sync.Mutex
	w       io.Writer
	missing int
	failed  []voxel.Box
}

func (t *trouble) Posted(voxel.Box, time.Duration) error { return nil }
func (t *trouble) Empty(voxel.Box) error                 { return nil }

func (t *trouble) Failed(box voxel.Box, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = append(t.failed, box)
	t.tell(len(t.failed), "cuboid %v failed: %v", box, err)
	return nil
}

func (t *trouble) Missing(z int, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.missing++
	t.tell(t.missing, "slice %d is missing: %v", z, err)
	return nil
}

// tell tells of the n-th trouble of a kind.
func (t *trouble) tell(n int, format string, args ...any) {
	switch {
	case n <= told:
		fmt.Fprintf(t.w, "ndpush: warning: "+format+"\n", args...)
	case n == told+1:
		fmt.Fprintln(t.w, "ndpush: warning: more of the same is only written to the log")
	}
}
