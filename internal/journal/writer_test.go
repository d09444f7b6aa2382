package journal_test

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A disk is a file that can be full, broken or slow.
type disk struct {
	*os.File
	room    atomic.Int64 // bytes that still fit
	broken  atomic.Bool  // Sync fails
	syncs   atomic.Int64
	syncing func() // while Sync takes its time; nil: nothing
}

func (d *disk) Write(p []byte) (int, error) {
	if left := d.room.Add(-int64(len(p))); left < 0 {
		n, err := d.File.Write(p[:max(0, int64(len(p))+left)])
		return n, errors.Join(err, syscall.ENOSPC)
	}
	return d.File.Write(p)
}

func (d *disk) Sync() error {
	d.syncs.Add(1)
	if d.syncing != nil {
		d.syncing()
	}
	if d.broken.Load() {
		return syscall.EIO
	}
	return d.File.Sync()
}

// onDisk opens a journal on a disk with that much room after the header.
func onDisk(t *testing.T, dir string, room int64, opts journal.Options) (*journal.Writer, *disk) {
	t.Helper()
	d := new(disk)
	d.room.Store(1 << 40)
	w, _ := open(t, dir, head("n1", box(whole)), journal.Wrapped(opts, func(f *os.File) journal.TestFile {
		d.File = f
		return d
	}))
	d.room.Store(room)
	return w, d
}

// everything is every method that writes.
func everything(w *journal.Writer) []error {
	b := box(firstBox)
	return []error{
		w.Begin(b),
		w.Posted(b, 1, time.Second),
		w.Kept(b, 1),
		w.Empty(b),
		w.Failed(b, errors.New("500")),
		w.Missing(1, voxel.Range{}, errors.New("gone")),
		w.Close("done"),
	}
}

// Once the disk is full nothing is written any more, and nothing is said to be.
func TestDiskFull(t *testing.T) {
	for room := int64(0); room < 200; room += 13 {
		dir := t.TempDir()
		w, d := onDisk(t, dir, room, journal.Options{})
		var first error
		n := 0
		for first == nil {
			n++
			first = w.Posted(box("0:1024/0:1024/0:16"), uint64(n), 0)
		}
		if !errors.Is(first, syscall.ENOSPC) || !strings.Contains(first.Error(), w.Path()) {
			t.Fatalf("got %v, want that %s does not fit", first, w.Path())
		}
		d.room.Store(1 << 40)
		for i, err := range everything(w) {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("after that, method %d says %v", i, err)
			}
		}
		f := read(t, dir).Files()[0]
		if f.Posted != n-1 || f.End != "" {
			t.Errorf("%d cuboids are posted, want %d; end %q", f.Posted, n-1, f.End)
		}
	}
}

// A sync that failed is never taken for one that did not.
func TestSyncFails(t *testing.T) {
	w, d := onDisk(t, t.TempDir(), 1<<40, journal.Options{SyncEvery: 3})
	b := box(firstBox)
	must(t, w.Posted(b, 1, 0)) // the first is synced in any case
	d.broken.Store(true)
	must(t, w.Posted(b, 1, 0), w.Posted(b, 1, 0))
	if err := w.Posted(b, 1, 0); !errors.Is(err, syscall.EIO) {
		t.Errorf("got %v, want EIO", err)
	}
	d.broken.Store(false)
	for i, err := range everything(w) {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("after that, method %d says %v", i, err)
		}
	}
}

// A header that cannot be written leaves nothing behind.
func TestNoHeader(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []*disk{{}, {}} {
		d.broken.Store(true)
		if d.room.Store(5); len(ls(t, dir)) > 0 {
			t.Errorf("there are %v", ls(t, dir))
		}
		_, _, err := journal.Open(t.Context(), dir, head("n1", box(whole)), journal.Wrapped(journal.Options{}, func(f *os.File) journal.TestFile {
			d.File = f
			return d
		}))
		if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EIO) {
			t.Errorf("got %v", err)
		}
	}
	if names := ls(t, dir); len(names) > 0 {
		t.Errorf("there are %v", names)
	}
}

// Every so many fates are synced together, and what must be, at once.
func TestSyncs(t *testing.T) {
	dir := t.TempDir()
	w, d := onDisk(t, dir, 1<<40, journal.Options{SyncEvery: 4})
	a, b := box(firstBox), box(secondBox)
	step := func(name string, want int64, err error) {
		t.Helper()
		must(t, err)
		if got := d.syncs.Swap(0); got != want {
			t.Errorf("%s: %d syncs, want %d", name, got, want)
		}
	}
	step("header", 1, nil)
	step("missing", 0, w.Missing(40, voxel.Range{}, errors.New("gone")))
	step("the first begin", 1, w.Begin(a))
	step("a begin", 0, w.Begin(b))
	step("1", 0, w.Posted(a, 1, 0))
	step("2", 0, w.Kept(b, 1))
	step("3", 0, w.Failed(b, errors.New("500")))
	step("4", 1, w.Empty(b))
	step("close", 1, w.Close("done"))
	step("close again", 0, w.Close("done"))

	// What was posted before may not be what is there, once it is begun again.
	w, d = onDisk(t, dir, 1<<40, journal.Options{SyncEvery: 4})
	step("header", 1, nil)
	step("the first", 1, w.Begin(box("0:1024/0:1024/16:32")))
	step("a begin of nothing known", 0, w.Begin(box("1024:2048/0:1024/16:32")))
	step("a begin of a piece of what is claimed", 1, w.Begin(box("0:5/0:1024/0:16")))
	step("close", 1, w.Close("done"))
}

// While one worker waits for the disk, others write.
func TestSlowSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := onDisk(t, t.TempDir(), 1<<40, journal.Options{SyncEvery: 2})
		must(t, w.Begin(box(firstBox)))
		release := make(chan struct{})
		d.syncing = func() { <-release }
		done := make(chan error)
		go func() {
			for range 2 {
				if err := w.Posted(box(firstBox), 1, 0); err != nil {
					done <- err
				}
			}
			done <- nil
		}()
		synctest.Wait() // in the sync
		if n := d.syncs.Load(); n != 3 {
			t.Fatalf("%d syncs, want 3: that of the header, the first and this", n)
		}
		for range 10 {
			must(t, w.Posted(box(secondBox), 1, 0)) // would never return
		}
		close(release)
		must(t, <-done, w.Close("done"))
	})
}

// The end is the last line, also if a worker comes late.
func TestEndIsLast(t *testing.T) {
	dir := t.TempDir()
	w, d := onDisk(t, dir, 1<<40, journal.Options{})
	must(t, w.Posted(box(firstBox), 1, 0))
	d.syncing = func() {
		if err := w.Posted(box(secondBox), 1, 0); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("got %v, want that it is closed", err)
		}
	}
	must(t, w.Close("done"))
	if got, want := entries(read(t, dir)), firstBox+" posted"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Lines of many workers stay whole.
func TestConcurrent(t *testing.T) {
	dir := t.TempDir()
	data := box("0:8192/0:8192/0:16")
	w, _ := open(t, dir, head("n1", data), journal.Options{SyncEvery: 5})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 8 {
				b := box(firstBox).Add(voxel.Point{X: 1024 * i, Y: 1024 * j})
				if err := errors.Join(w.Begin(b), w.Posted(b, uint64(8*i+j), time.Second)); err != nil {
					t.Error(err)
				}
				read(t, dir) // also while it grows
			}
		})
	}
	wg.Wait()
	must(t, w.Close("done"))
	s := read(t, dir)
	if f := s.Files()[0]; !s.Done(data) || f.Posted != 64 || f.Open != 0 {
		t.Errorf("of 64 cuboids %d are posted, %d begun", f.Posted, f.Open)
	}
}

// What could not be read again is refused, and the journal goes on.
func TestWrongBox(t *testing.T) {
	dir := t.TempDir()
	w, _ := open(t, dir, head("n1", box(whole)), journal.Options{})
	for _, b := range []voxel.Box{{}, box("0:1024/0:1024/16:48"), box("0:1025/0:1024/0:16"), box("5:5/0:1/0:1"), box("-1:1/0:1/0:1")} {
		if w.Begin(b) == nil || w.Posted(b, 1, 0) == nil || w.Kept(b, 1) == nil || w.Empty(b) == nil || w.Failed(b, fs.ErrClosed) == nil {
			t.Errorf("%v is written", b)
		}
	}
	if w.Missing(math.MaxInt, voxel.Range{}, fs.ErrClosed) == nil || w.Missing(1, voxel.Range{Min: 5, Max: 4}, fs.ErrClosed) == nil {
		t.Error("a slice that is none is written")
	}
	long := strings.Repeat("€", journal.MaxLine)
	must(t, w.Failed(box(firstBox), errors.New(long)), w.Missing(1, voxel.Range{}, errors.New(long)), w.Close(long))
	for _, err := range []error{w.Begin(box(firstBox)), w.Posted(box(firstBox), 1, 0), w.Missing(1, voxel.Range{}, fs.ErrClosed)} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("after Close, a method says %v", err)
		}
	}
	s := read(t, dir)
	if got, want := entries(s), firstBox+" failed"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for e := range s.Entries() {
		if why := strings.TrimSuffix(e.Why, "…"); why == e.Why || strings.Trim(why, "€") != "" || len(why) > 1000 {
			t.Errorf("a long reason is %q", e.Why)
		}
	}
}

// A journal that somebody removes is no journal.
func TestRemoved(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w, _ := open(t, dir, head("n1", box(whole)), journal.Options{})
		must(t, w.Begin(box(firstBox)), os.Remove(w.Path()))
		time.Sleep(11 * time.Second)
		if err := w.Posted(box(firstBox), 1, 0); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, want that it is no more", err)
		}
		if err := w.Close("done"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v, want that it is no more", err)
		}
	})
}

// Where a disk can be made small, it is really full.
func TestRealDiskFull(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "small")
	must(t, os.Mkdir(dir, 0o777))
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=16k", "ndpush", dir).CombinedOutput(); err != nil {
		if os.Getenv("NDPUSH_PEERS") != "" && os.Getuid() == 0 {
			t.Fatalf("no disk can be mounted, and NDPUSH_PEERS wants it: %v: %s", err, out)
		}
		t.Skipf("no disk can be mounted: %v: %s", err, out)
	}
	defer func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}()
	w, _ := open(t, dir, head("n1", box(whole)), journal.Options{})
	n := 0
	var err error
	for ; err == nil; n++ {
		err = w.Posted(box(firstBox), uint64(n), 0)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want ENOSPC", err)
	}
	if err := w.Close("done"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want ENOSPC", err)
	}
	if f := read(t, dir).Files()[0]; f.Posted != n-1 {
		t.Errorf("%d are posted, want %d", f.Posted, n-1)
	}
}
