package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A listener is told of every fate and, once for a slice, of what is missing. It
// is safe for concurrent use; an error of it ends the run.
type listener interface {
	Posted(box voxel.Box, took time.Duration) error
	Empty(box voxel.Box) error
	Failed(box voxel.Box, err error) error
	Missing(z int, err error) error
}

// recorders tell a journal of everything and then listeners of what people want
// to know, the first first.
type recorders struct {
	journal   ingest.Recorder // nil: nothing is kept
	listeners []listener

	mu      sync.Mutex
	missing map[int][]voxel.Range // rows, by slice; the zero Range is all
}

// each tells the journal by f, and if it knows, the listeners by g; nil: nothing.
func (r *recorders) each(f func(ingest.Recorder) error, g func(listener) error) error {
	if r.journal != nil {
		if err := f(r.journal); err != nil {
			return err
		}
	}
	for _, l := range r.listeners {
		if err := g(l); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorders) Begin(box voxel.Box) error {
	return r.each(func(j ingest.Recorder) error { return j.Begin(box) }, func(listener) error { return nil })
}

func (r *recorders) Posted(box voxel.Box, sum uint64, took time.Duration) error {
	return r.each(func(j ingest.Recorder) error { return j.Posted(box, sum, took) },
		func(l listener) error { return l.Posted(box, took) })
}

func (r *recorders) Empty(box voxel.Box) error {
	return r.each(func(j ingest.Recorder) error { return j.Empty(box) },
		func(l listener) error { return l.Empty(box) })
}

func (r *recorders) Failed(box voxel.Box, err error) error {
	return r.each(func(j ingest.Recorder) error { return j.Failed(box, err) },
		func(l listener) error { return l.Failed(box, err) })
}

// A keeper is a listener that tells what was there already from what was posted.
type keeper interface{ Kept(box voxel.Box) error }

func (r *recorders) Kept(box voxel.Box, sum uint64) error {
	return r.each(func(j ingest.Recorder) error { return j.Kept(box, sum) },
		func(l listener) error {
			if k, ok := l.(keeper); ok {
				return k.Kept(box)
			}
			return nil
		})
}

func (r *recorders) Missing(z int, rows voxel.Range, err error) error {
	news := r.news(z, rows)
	return r.each(func(j ingest.Recorder) error { return j.Missing(z, rows, err) },
		func(l listener) error {
			if !news {
				return nil
			}
			return l.Missing(z, lossOf(rows, err))
		})
}

// news reports whether slice z was not missing before, and notes it.
func (r *recorders) news(z int, rows voxel.Range) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.missing == nil {
		r.missing = make(map[int][]voxel.Range)
	}
	r.missing[z] = append(r.missing[z], rows)
	return len(r.missing[z]) == 1
}

// losses are the slices that were missing, without rows if all of a slice was.
func (r *recorders) losses() []journal.Loss {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []journal.Loss
	for _, z := range slices.Sorted(maps.Keys(r.missing)) {
		l := journal.Loss{Z: z}
		if !slices.Contains(r.missing[z], voxel.Range{}) {
			l.Rows = voxel.Join(r.missing[z])
		}
		list = append(list, l)
	}
	return list
}

// lossOf says which rows are lost, if not all are.
func lossOf(rows voxel.Range, err error) error {
	if rows.Empty() {
		return err
	}
	return fmt.Errorf("from row %d on: %w", rows.Min, err)
}

// told is how many sentences of trouble a person gets; the log has them all.
const told = 10

// A trouble tells a person what goes wrong, and remembers the cuboids that failed.
type trouble struct {
	mu      sync.Mutex
	w       io.Writer
	latest  *latest
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
	t.latest.is(fmt.Sprintf(format, args...))
	switch {
	case n <= told:
		fmt.Fprintf(t.w, "ndpush: warning: "+format+"\n", args...)
	case n == told+1:
		fmt.Fprintln(t.w, "ndpush: warning: more of the same is only written to the log")
	}
}
