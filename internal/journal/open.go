package journal

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/voxel"
)

// Options are how a journal is opened; the zero value is for a run that goes on
// with what others began.
type Options struct {
	// Fresh: what the journals said of Header.Data no longer counts, nor anything
	// else if it is of another job.
	Fresh bool
	// MayDiffer are keys of the job that may differ from what the journals say.
	MayDiffer []string
	// SyncEvery is how many fates are written before the file is synced to its
	// disk: what a power failure can undo, and is then sent again. 0: 16.
	SyncEvery int
	// Now is the clock of what is written; nil: time.Now.
	Now func() time.Time

	// For tests.
	wrap     func(*os.File) file // what is written to
	unlocked bool                // as where locks do not work
}

// defaultSyncEvery is how many cuboids share an fsync: that of a network file
// system can take as long as a cuboid.
const defaultSyncEvery = 16

// Open begins a journal of this process in dir, which it creates if need be, and
// gives what the others say of h.Data, as it was before this one.
//
// It refuses with a [*DifferentError] if they are of another job, and with a
// [*BusyError] if another process is at work on the same voxels; then nothing
// is left behind. To see whether a process of another machine is at work takes
// half a minute if it gave a sign of life in the last five.
func Open(ctx context.Context, dir string, h Header, opts Options) (*Writer, *State, error) {
	h, opts, err := complete(h, opts)
	if err != nil {
		return nil, nil, fmt.Errorf("journal in %s: %w", dir, err)
	}
	// The file comes first: whoever looks after it is there sees it, so of two
	// that start together at least one sees the other.
	w, err := begin(dir, h, opts)
	if err != nil {
		return nil, nil, err
	}
	w.state, err = w.survey(ctx, dir, &h)
	if err != nil {
		w.remove()
		return nil, nil, err
	}
	return w, w.state, nil
}

// complete sets the defaults, and says what is wrong with a header.
func complete(h Header, opts Options) (Header, Options, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.SyncEvery <= 0 {
		opts.SyncEvery = defaultSyncEvery
	}
	if h.Host == "" {
		host, err := os.Hostname()
		if err != nil {
			return h, opts, fmt.Errorf("this machine's name: %w", err)
		}
		h.Host = host
	}
	h.PID = cmp.Or(h.PID, os.Getpid())
	if h.Started.IsZero() {
		h.Started = opts.Now()
	}
	if h.Whole == (voxel.Box{}) {
		h.Whole = h.Data
	}
	h.Fresh, h.Moved = opts.Fresh, opts.MayDiffer
	// What cannot be read again is not written.
	line := h.line()
	_, err := line.header()
	return h, opts, err
}

// begins is how often a file is begun before the directory counts as one that
// cannot be kept.
const begins = 8

// begin creates the file of this process in dir, and dir if need be. Who made dir,
// and came to nothing, may take it back before another's file is in it.
func begin(dir string, h Header, opts Options) (w *Writer, err error) {
	for range begins {
		made, merr := makeDir(dir)
		if merr != nil {
			return nil, fmt.Errorf("directory of journals %s: %w", dir, cause(merr))
		}
		if w, err = create(dir, h, opts); err == nil {
			w.made = made
			return w, nil
		}
		if made {
			os.Remove(dir)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return nil, err
}

// makeDir creates dir if need be, so that it stays, and reports whether it did.
func makeDir(dir string) (made bool, err error) {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return false, nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return false, err
	}
	return true, syncDir(filepath.Dir(dir))
}

// create creates the file of this process, with its header.
func create(dir string, h Header, opts Options) (*Writer, error) {
	text, err := encode(h.line())
	if err != nil {
		return nil, fmt.Errorf("journal in %s: header: %w", dir, err)
	}
	path, err := newPath(dir, h)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", path, cause(err))
	}
	w := &Writer{path: path, header: h, now: opts.Now, every: opts.SyncEvery, file: f}
	if opts.wrap != nil {
		w.file = opts.wrap(f)
	}
	// Locked before there is a header: others look at a file only when it has one,
	// so that looking never takes the lock from its owner.
	w.locked = !opts.unlocked && lock(f) == nil
	w.stop, w.stopped = make(chan struct{}), make(chan struct{})
	if err := w.birth(f, dir, text); err != nil {
		close(w.stopped)
		w.remove()
		return nil, fmt.Errorf("journal %s: %w", path, cause(err))
	}
	go w.heartbeat()
	return w, nil
}

// birth writes the header so that a power failure does not undo it.
func (w *Writer) birth(f *os.File, dir string, header []byte) error {
	if _, err := w.file.Write(header); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	w.born, w.bornAt = info.ModTime(), time.Now()
	return nil
}

// newPath names the file of a process. The name comes after all others, also if
// their clocks are ahead: the order of the names is the order of what was done.
func newPath(dir string, h Header) (string, error) {
	names, err := list(dir)
	if err != nil {
		return "", err
	}
	name := nameTime(h.Started)
	if len(names) > 0 {
		if last, err := time.Parse(nameLayout, strings.SplitN(names[len(names)-1], "_", 2)[0]); err == nil && !h.Started.After(last) {
			name = nameTime(last.Add(1))
		}
	}
	return filepath.Join(dir, fmt.Sprintf("%s_%s_%d_%s%s", name, fileName(h.Host), h.PID, strings.ToLower(rand.Text()[:8]), suffix)), nil
}

// nameLayout is a time as names begin with it: of a fixed length, and without
// the colons that some file systems do not allow.
const nameLayout = "20060102T150405.000000000Z"

func nameTime(t time.Time) string { return t.UTC().Format(nameLayout) }

// fileName is a host's name as far as every file system takes it.
func fileName(host string) string {
	host = strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '-' || r == '.' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z') {
			return r
		}
		return '-'
	}, host)
	return host[:min(len(host), 64)]
}

// survey reads what the others say and judges whether this process may go on.
func (w *Writer) survey(ctx context.Context, dir string, h *Header) (*State, error) {
	names, err := list(dir)
	if err != nil {
		return nil, err
	}
	s := newState(h.Host)
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if name == filepath.Base(w.path) {
			continue
		}
		if err := s.replay(filepath.Join(dir, name), &h.Data); err != nil {
			return nil, err
		}
	}
	if s.job != nil && !h.Fresh {
		if diffs := h.diff(s.job, h.Moved); len(diffs) > 0 {
			return nil, &DifferentError{dir, diffs}
		}
	}
	if err := w.alone(ctx, s); err != nil {
		return nil, err
	}
	if h.Fresh {
		clear(s.cells)
	}
	return s, nil
}

// remove takes the file back, which has a header at most, and the directory if it
// was made for it and nobody else has one there.
func (w *Writer) remove() {
	w.end()
	w.file.Close()
	os.Remove(w.path) // should it stay: nothing was begun in it, so it counts for nothing
	if w.made {
		os.Remove(filepath.Dir(w.path))
	}
}

// alone returns a BusyError if another process is at work on the same voxels,
// or on the same channel for another job.
func (w *Writer) alone(ctx context.Context, s *State) error {
	var watch []*File
	for _, f := range s.files {
		rival := f.Header.Data.Overlaps(w.header.Data) || len(w.header.diff(&f.Header, w.header.Moved)) > 0
		if f.End != "" || !rival {
			continue
		}
		if f.lock == lockHeld {
			return busy(f)
		}
		changed, err := f.changed()
		switch {
		case err != nil:
			return err
		case changed:
			return busy(f)
		case w.locked && f.lock == lockFree && f.Header.Host == w.header.Host:
			continue
		case w.born.Sub(f.Beat) < recent:
			watch = append(watch, f)
		}
	}
	return watchAll(ctx, watch)
}

// recent is how long the sign of life of a process on another machine leaves
// doubt: much longer than the file server may hang without anybody noticing.
const recent = 5 * time.Minute

// watchAll returns a BusyError if one of the files changes within three beats.
func watchAll(ctx context.Context, watch []*File) error {
	tick := time.NewTicker(beat / 4)
	defer tick.Stop()
	for end := time.Now().Add(3 * beat); len(watch) > 0 && time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return fmt.Errorf("watch for another process at work: %w", ctx.Err())
		case <-tick.C:
		}
		for _, f := range watch {
			changed, err := f.changed()
			if err != nil {
				return err
			}
			if changed {
				return busy(f)
			}
		}
	}
	return nil
}

// changed reports whether the file was touched since it was read. One that is no
// more was not: its process was refused.
func (f *File) changed() (bool, error) {
	// Opening asks the server; the attributes of a path can be a minute old on NFS.
	file, err := os.Open(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("journal %s: %w", f.Path, cause(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return false, fmt.Errorf("journal %s: %w", f.Path, cause(err))
	}
	return info.Size() != f.size || !info.ModTime().Equal(f.Beat), nil
}

// A BusyError says that another process is at work on the same voxels.
type BusyError struct {
	Path string // its journal
	Host string
	PID  int
	Data voxel.Box // what it carries
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("process %d on %s is at work on %v, as its journal %s says", e.PID, e.Host, e.Data, e.Path)
}

func busy(f *File) error {
	return &BusyError{f.Path, f.Header.Host, f.Header.PID, f.Header.Data}
}
