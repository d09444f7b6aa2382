package journal_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

// locks reports whether this system has locks; without, only time tells.
func locks() bool { return runtime.GOOS != "windows" }

// Of two on one machine the lock decides, at once.
func TestBusyHere(t *testing.T) {
	if !locks() {
		t.Skip("no locks here")
	}
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		start := time.Now()
		w, _ := open(t, dir, head("n1", box(firstBox)), journal.Options{})
		_, _, err := journal.Open(t.Context(), dir, head("n1", box(whole)), journal.Options{Fresh: true})
		b, ok := errors.AsType[*journal.BusyError](err)
		if !ok || b.Path != w.Path() || b.Host != "n1" || b.PID != 77 || b.Data != box(firstBox) {
			t.Fatalf("got %v, want a BusyError", err)
		}
		if want := "process 77 on n1 is at work on 0:1024/0:1024/0:16, as its journal " + w.Path() + " says"; err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		if names := ls(t, dir); len(names) != 1 {
			t.Errorf("there are %v", names)
		}
		// Beside it others may be at work.
		other, _ := open(t, dir, head("n1", box(secondBox)), journal.Options{})
		must(t, w.Begin(box(firstBox)), other.Begin(box(secondBox)), other.Close("done"))
		// But not for another job, which would forget what it does.
		lab := head("n1", box(secondBox))
		lab.Job["channel"] = "lab/fly/other"
		if _, _, err := journal.Open(t.Context(), dir, lab, journal.Options{Fresh: true}); !errors.As(err, &b) {
			t.Errorf("got %v, want a BusyError", err)
		}
		must(t, w.Close("done"))
		w, _ = open(t, dir, head("n1", box(whole)), journal.Options{})
		must(t, w.Close("done"))
		if took := time.Since(start); took > 0 {
			t.Errorf("it took %v", took)
		}
	})
}

// aged writes an unfinished journal of another machine, touched that long ago.
func aged(t *testing.T, dir string, ago time.Duration) string {
	t.Helper()
	path := write(t, dir, 1, headText("n2", whole), `{"begin":"`+firstBox+`"}`)
	// The file server's clock, not that of the bubble.
	probe := dir + "/probe"
	must(t, writeFile(probe, ""))
	info, err := os.Stat(probe)
	must(t, err, os.Remove(probe))
	old := info.ModTime().Add(-ago)
	must(t, os.Chtimes(path, old, old))
	return path
}

// Of two on two machines the signs of life decide.
func TestBusyElsewhere(t *testing.T) {
	for _, tt := range []struct {
		name string
		ago  time.Duration
		want time.Duration // how long it is watched
	}{
		{"a minute ago", time.Minute, 30 * time.Second},
		{"just now", 0, 30 * time.Second},
		{"in the future", -time.Hour, 30 * time.Second},
		{"an hour ago", time.Hour, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			aged(t, dir, tt.ago)
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				w, s := open(t, dir, head("n1", box(whole)), journal.Options{})
				if got := time.Since(start).Round(5 * time.Second); got != tt.want {
					t.Errorf("it was watched for %v, want %v", got, tt.want)
				}
				if s.Done(box(firstBox)) {
					t.Error("what was begun is done")
				}
				must(t, w.Close("done"))
			})
		})
	}
}

// A process that only touches its file is alive. Locks do not tell of other
// machines, so here they are made to tell nothing: the one at work is played.
func TestBusyTouched(t *testing.T) {
	for _, sign := range []string{"touch", "write", "removed"} {
		t.Run(sign, func(t *testing.T) {
			dir := t.TempDir()
			path := aged(t, dir, time.Minute)
			synctest.Test(t, func(t *testing.T) {
				go func() {
					time.Sleep(12 * time.Second)
					switch sign {
					case "touch":
						now := time.Now()
						must(t, os.Chtimes(path, now, now))
					case "write":
						must(t, writeFile(path, headText("n2", whole)+"\n"))
					case "removed":
						must(t, os.Remove(path))
					}
				}()
				w, _, err := journal.Open(t.Context(), dir, head("n1", box(whole)), journal.Options{})
				if sign == "removed" {
					must(t, err, w.Close("done"))
					return
				}
				if _, ok := errors.AsType[*journal.BusyError](err); !ok {
					t.Fatalf("got %v, want a BusyError", err)
				}
				if names := ls(t, dir); len(names) != 1 {
					t.Errorf("there are %v", names)
				}
			})
		})
	}
}

// Where there are no locks, who came first is seen by the touch of its file.
func TestBusyUnlocked(t *testing.T) {
	for _, host := range []string{"n1", "n2"} {
		t.Run(host, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				w, _ := open(t, dir, head("n1", box(whole)), journal.Unlocked(journal.Options{}))
				must(t, w.Begin(box(firstBox)))
				time.Sleep(time.Hour)
				_, _, err := journal.Open(t.Context(), dir, head(host, box(whole)), journal.Unlocked(journal.Options{}))
				if _, ok := errors.AsType[*journal.BusyError](err); !ok {
					t.Errorf("got %v, want a BusyError", err)
				}
				must(t, w.Close("done"))
			})
		})
	}
}

// A person who waits can stop it.
func TestBusyCanceled(t *testing.T) {
	dir := t.TempDir()
	aged(t, dir, time.Minute)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, _, err := journal.Open(ctx, dir, head("n1", box(whole)), journal.Options{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v, want that the deadline passed", err)
		}
		if names := ls(t, dir); len(names) != 1 {
			t.Errorf("there are %v", names)
		}
	})
}

// The file is touched while nothing is written, also by one that is still judged.
func TestHeartbeat(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w, _ := open(t, dir, head("n1", box(whole)), journal.Options{})
		before, err := os.Stat(w.Path())
		must(t, err)
		time.Sleep(time.Hour + time.Second)
		after, err := os.Stat(w.Path())
		must(t, err)
		if got := after.ModTime().Sub(before.ModTime()); got < time.Hour || got > time.Hour+time.Minute {
			t.Errorf("after an hour the file's time is %v later", got)
		}
		if f := read(t, dir).Files()[0]; !f.Alive(f.Beat) || f.End != "" {
			t.Error("a process at work is not alive")
		}
		must(t, w.Begin(box("0:1024/0:1024/0:16")))
		must(t, w.Close("done"))
		if f := read(t, dir).Files()[0]; f.Alive(f.Beat) {
			t.Error("a process that ended is alive")
		}
	})
}

// A process that came to no cuboid leaves nothing behind.
func TestCloseUnused(t *testing.T) {
	dir := t.TempDir()
	w, _ := open(t, dir, head("n1", box(whole)), journal.Options{})
	must(t, w.Missing(3, voxel.Range{}, errors.New("no such file")))
	must(t, w.Close("no slice can be read"))
	if names := ls(t, dir); len(names) != 0 {
		t.Errorf("there are %v", names)
	}
	if err := w.Begin(box("0:1024/0:1024/0:16")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close, Begin = %v", err)
	}
	must(t, w.Close("again"))
}

// Alive of a process elsewhere, or nowhere.
func TestAlive(t *testing.T) {
	host, err := os.Hostname()
	must(t, err)
	dir := t.TempDir()
	write(t, dir, 1, headText(host, whole))
	write(t, dir, 2, headText(host+"-not", whole))
	files := read(t, dir).Files()
	if files[0].Alive(files[0].Beat) && locks() {
		t.Error("a process that is no more is alive")
	}
	if !files[1].Alive(files[1].Beat.Add(30*time.Second)) || files[1].Alive(files[1].Beat.Add(2*time.Minute)) {
		t.Error("of one elsewhere the time does not tell")
	}
}

// Of those that start together on one stack, at most one goes on; on shares all do.
func TestStartTogether(t *testing.T) {
	one := func(int) string { return "n1" }
	two := func(i int) string { return []string{"n1", "n2"}[i%2] }
	all := func(int) voxel.Box { return box(whole) }
	share := func(i int) voxel.Box { return box(firstBox).Add(voxel.Point{Z: 16 * i}) }
	fresh := journal.Options{Fresh: true}
	for _, tt := range []struct {
		name  string
		host  func(i int) string
		data  func(i int) voxel.Box
		opts  journal.Options
		least int
		most  int
	}{
		{"on one machine", one, all, fresh, 0, 1},
		{"on two", two, all, fresh, 0, 1},
		{"on one without locks", one, all, journal.Unlocked(fresh), 0, 1},
		{"on two without locks", two, all, journal.Unlocked(fresh), 0, 1},
		{"shares", two, share, fresh, 8, 8},
		{"shares without locks", two, share, journal.Unlocked(fresh), 8, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 5 {
				dir := t.TempDir()
				synctest.Test(t, func(t *testing.T) {
					var mu sync.Mutex
					var at []*journal.Writer
					var wg sync.WaitGroup
					for i := range 8 {
						wg.Go(func() {
							w, _, err := journal.Open(t.Context(), dir, head(tt.host(i), tt.data(i)), tt.opts)
							mu.Lock()
							defer mu.Unlock()
							if _, ok := errors.AsType[*journal.BusyError](err); err != nil && !ok {
								t.Error(err)
							}
							if err == nil {
								at = append(at, w)
							}
						})
					}
					wg.Wait()
					if n := len(at); n < tt.least || n > tt.most {
						t.Errorf("%d go on, want %d to %d", n, tt.least, tt.most)
					}
					if names := ls(t, dir); len(names) != len(at) {
						t.Errorf("%d go on, and there are %v", len(at), names)
					}
					for _, w := range at {
						must(t, w.Close("done"))
					}
				})
			}
		})
	}
}
