package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A file is what a Writer writes to.
type file interface {
	Write([]byte) (int, error)
	Sync() error
	Close() error
}

// A Writer writes the journal of this process. It is safe for concurrent use.
//
// After the first line that could not be written or synced, every method returns
// that error and writes nothing, so that nothing more is sent that is not in the
// journal, and no line follows half a one.
type Writer struct {
	path   string
	header Header
	now    func() time.Time
	every  int
	file   file
	made   bool   // its directory was made for it
	locked bool   // the lock of the file is held, and locks work here
	state  *State // what the others say

	born    time.Time // of the file, by the clock of its server
	bornAt  time.Time // the same moment by the clock of this process
	stop    chan struct{}
	stopped chan struct{}

	mu     sync.Mutex // guards what follows, and keeps lines whole
	err    error
	fates  int  // since the last sync
	marked bool // something of a cuboid was written and synced
	ended  bool // the last line was written
	closed bool // Close was called

	syncing sync.Mutex // held while syncing, without mu: others go on writing
}

// Path is the path of the file.
func (w *Writer) Path() string { return w.path }

// Begin writes that box is about to be sent. When it returns without an error,
// box may be.
func (w *Writer) Begin(box voxel.Box) error {
	if err := w.check(box); err != nil {
		return err
	}
	// What a power failure must not undo: that this file counts, and that what the
	// journals claim of this box is no longer sure.
	return w.write(line{Begin: box.String()}, w.state.claims(box))
}

// Posted writes that BOSS took box, whose voxels have that sum, after so long.
func (w *Writer) Posted(box voxel.Box, sum uint64, took time.Duration) error {
	seconds := math.Round(took.Seconds()*1000) / 1000
	return w.fate(box, line{Posted: box.String(), Sum: hexSum(sum), Took: max(0, seconds)})
}

// Kept writes that box, whose voxels have that sum, was there already: see [State.Same].
func (w *Writer) Kept(box voxel.Box, sum uint64) error {
	return w.fate(box, line{Posted: box.String(), Sum: hexSum(sum), Kept: true})
}

// Empty writes that all of box is zero and it was not sent.
func (w *Writer) Empty(box voxel.Box) error { return w.fate(box, line{Empty: box.String()}) }

// Failed writes that box finally failed, and why.
func (w *Writer) Failed(box voxel.Box, err error) error {
	return w.fate(box, line{Failed: box.String(), Why: shorten(err.Error())})
}

// Missing writes that slice z, in source coordinates, has not these rows of
// pixels, and why; the zero Range stands for all of them. It comes before the
// cuboids in which something else stands in their place.
func (w *Writer) Missing(z int, rows voxel.Range, err error) error {
	l := line{Missing: &z, Why: shorten(err.Error())}
	if rows != (voxel.Range{}) {
		l.Rows = rows.String()
	}
	if _, _, err := l.loss(); err != nil {
		return fmt.Errorf("journal %s: %w", w.path, err)
	}
	return w.write(l, false)
}

// fate writes what became of box.
func (w *Writer) fate(box voxel.Box, l line) error {
	if err := w.check(box); err != nil {
		return err
	}
	l.At = stamp(w.now())
	return w.write(l, false)
}

// check refuses a box that could not be read again.
func (w *Writer) check(box voxel.Box) error {
	if err := checkBox(box, w.header.Data); err != nil {
		return fmt.Errorf("journal %s: %w", w.path, err)
	}
	return nil
}

// write appends a line, and syncs the file if that must be or is due.
func (w *Writer) write(l line, must bool) error {
	text, err := encode(l)
	if err != nil {
		return fmt.Errorf("journal %s: %w", w.path, err)
	}
	first, due, err := w.append(text, l)
	switch {
	case err != nil:
		return err
	case must || first:
		w.syncing.Lock()
	case !due || !w.syncing.TryLock():
		return nil
	}
	defer w.syncing.Unlock()
	return w.sync()
}

// append writes a line. It reports whether it is the first about a cuboid (a
// file without one counts for nothing, so it has to stay) and whether a sync is due.
func (w *Writer) append(text []byte, l line) (first, due bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.err != nil:
		return false, false, w.err
	case w.ended:
		return false, false, fmt.Errorf("journal %s: write: %w", w.path, fs.ErrClosed)
	}
	_, err = w.file.Write(text)
	w.fail("write", err)
	w.ended = l.End != ""
	first = l.Missing == nil && !w.marked
	w.marked = w.marked || first
	if l.At != "" {
		w.fates++
	}
	return first, w.fates >= w.every, w.err
}

// sync makes what was written safe from power failures. The caller holds syncing.
func (w *Writer) sync() error {
	w.mu.Lock()
	w.fates = 0
	w.mu.Unlock()
	err := w.file.Sync()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail("sync", err)
	return w.err
}

// fail remembers the first error. The caller holds mu.
func (w *Writer) fail(act string, err error) {
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("journal %s: %s: %w", w.path, act, cause(err))
	}
}

// Close writes how the process ended ("done", "incomplete", "interrupted", or an
// error's sentence), syncs and closes the file. One that came to no cuboid counts
// for nothing: its file is removed, and the directory if that was made for it and is
// empty. After that, methods return [fs.ErrClosed],
// and another Close returns nil.
func (w *Writer) Close(how string) error {
	w.mu.Lock()
	closed, began, err := w.closed, w.marked, w.err
	w.closed, w.ended = true, w.ended || !w.marked
	w.mu.Unlock()
	switch {
	case closed:
		return nil
	case !began:
		w.remove() // it counts for nothing, and people need not see it
		return err
	}
	w.end()
	if how == "" {
		how = "ended"
	}
	err = w.write(line{End: shorten(how), At: stamp(w.now())}, true)
	if e := w.file.Close(); err == nil && e != nil {
		err = fmt.Errorf("journal %s: close: %w", w.path, cause(e))
	}
	return err
}

// end stops the heartbeat.
func (w *Writer) end() {
	close(w.stop)
	<-w.stopped
}

// heartbeat touches the file until the Writer ends.
func (w *Writer) heartbeat() {
	defer close(w.stopped)
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-tick.C:
		}
		w.touch()
	}
}

// touch sets the file's time to now by the clock of the file server, as far as it
// is known: that is what others compare with.
//
// The time since the file was begun is the longer of what both clocks say: one
// stands still while the machine sleeps, the other may be set back.
func (w *Writer) touch() {
	now := time.Now()
	elapsed := max(now.Sub(w.bornAt), now.Round(0).Sub(w.bornAt.Round(0)))
	err := os.Chtimes(w.path, time.Time{}, w.born.Add(elapsed))
	// Where times cannot be set, the lines alone are signs of life. But a file
	// that is no more must not be written to.
	if errors.Is(err, fs.ErrNotExist) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.fail("touch", err)
	}
}
