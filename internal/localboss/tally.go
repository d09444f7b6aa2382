package localboss

import (
	"errors"
	"sync"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A tally is what a cube's log takes to replay.
type tally struct {
	records int
	voxels  int64 // in the records
}

// Shortening a log costs about as much as replaying a whole cube twice, so it
// is done when that is little beside what was written since: see BenchmarkTiny.
const (
	maxRecords = 256
	maxVoxels  = 2 * 512 * 512 * 16
)

func (t tally) long() bool { return t.records > maxRecords || t.voxels > maxVoxels }

// add is t after one more record.
func (t tally) add(op byte, part voxel.Box) tally {
	t.records++
	if op == opMerge {
		t.voxels += part.Voxels()
	}
	return t
}

// tallies are those of the cubes that were written lately, so that a writer need
// not read a log. It is safe for concurrent use.
type tallies struct {
	mu sync.Mutex
	m  map[key]tally
}

// maxTallies bounds the memory to some 10 MB.
const maxTallies = 1 << 16

func (ts *tallies) get(k key) (tally, bool) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t, ok := ts.m[k]
	return t, ok
}

func (ts *tallies) set(k key, t tally) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.m == nil || len(ts.m) >= maxTallies {
		ts.m = map[key]tally{}
	}
	ts.m[k] = t
}

func (ts *tallies) forget(k key) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.m, k)
}

// tally is that of a cube whose lock is held for writing. If it is not known the
// log is read, and what a killed server left at its end is cut off: nothing may
// be appended to that.
func (v *volume) tally(w *worker, k key) (t tally, err error) {
	if t, ok := v.tallies.get(k); ok {
		return t, nil
	}
	if w.log, err = v.store.get(w.log[:0], k); err != nil {
		return tally{}, err
	}
	for log := w.log; len(log) > 0; {
		r, rest, err := nextRecord(log)
		if errors.Is(err, errTorn) {
			return t, v.store.truncate(k, len(w.log)-len(log))
		}
		if err != nil {
			return tally{}, err
		}
		t, log = t.add(r.op, r.part), rest
	}
	return t, nil
}
