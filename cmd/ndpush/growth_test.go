package main

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/localboss"
)

var soakProfiles = flag.String("soak.profiles", "", "an existing directory for heap profiles of TestGrowth")

// A long run takes no more memory, goroutines or open files at its end than soon
// after its beginning, but for what the plan says is remembered of each cuboid.
// All of the program takes part but BOSS's memory: what is posted is thrown away.
func TestGrowth(t *testing.T) {
	const (
		side = 128 // a cuboid of 256 KiB: to keep one of each chunk would show
		// What comes and goes: frames of workers, with the 4 MiB that the plan has for
		// the encoders of each, made when they are needed, and connections, of which
		// there are more when BOSS proves to be quick.
		workers = 2
		slack   = workers * 4 << 20
		few     = 6 * workers
	)
	chunks, first := 100, 15
	if *soakLong {
		chunks, first = 500, 50
	}
	last := chunks - 4*workers // all workers are busy, and bands wait
	dir := t.TempDir()
	image := filepath.Join(dir, "image")
	if err := os.WriteFile(image, tiffOf(side, stack{width: side, height: side}.slice(0)), 0o666); err != nil {
		t.Fatal(err)
	}
	for z := range 16 * chunks {
		if err := os.Symlink(image, filepath.Join(dir, fmt.Sprintf("z%05d.tif", z))); err != nil {
			t.Fatal(err)
		}
	}
	b, seen := startScale(t, first, last)
	extent := fmt.Sprintf("0:%d", side)
	args := []string{"ingest", "--base-path", dir, "--base-filename", "z<p:5>", "--extension", "tif", "--verify", "none",
		"--collection", "lab", "--experiment", "long", "--channel", "em", "--datatype", "uint8", "--voxel-size", "1:1:1",
		"--x-extent", extent, "--y-extent", extent, "--z-extent", fmt.Sprintf("0:%d", 16*chunks),
		"--workers", fmt.Sprint(workers), "--boss-config-file", b.access, "--log-dir", dir}
	b.run(t, 0, append(args, "--create-resources")...)
	b.run(t, 0, args...)
	if len(*seen) != 2 {
		t.Fatalf("measured %d times, want 2: cuboids were not posted one by one", len(*seen))
	}
	from, to := (*seen)[0], (*seen)[1]
	t.Logf("chunk %d: %v; chunk %d: %v", first, from, last, to)
	if grown, most := to.heap-from.heap, int64(last-first)*journal.Bytes+slack; grown > most {
		t.Errorf("the heap grows by %d bytes, want at most %d", grown, most)
	}
	if grown := to.goroutines - from.goroutines; grown > few {
		t.Errorf("%d goroutines more, want at most %d", grown, few)
	}
	if grown := to.files - from.files; grown > few {
		t.Errorf("%d open files more, want at most %d", grown, few)
	}
}

// A weight is what this process takes when all that can wait does.
type weight struct {
	heap              int64 // live bytes
	goroutines, files int
}

func (w weight) String() string {
	return fmt.Sprintf("heap %d KiB, %d goroutines, %d files", w.heap>>10, w.goroutines, w.files)
}

// startScale starts a BOSS that throws cuboids away and, when it was sent so many,
// holds its answers and weighs this process.
func startScale(t *testing.T, at ...int) (*boss, *[]weight) {
	local, err := localboss.New(localboss.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu      sync.Mutex
		cuboids int
		seen    []weight
	)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/v1/cutout/") {
			local.ServeHTTP(w, r)
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // the client knows
		}
		mu.Lock()
		defer mu.Unlock()
		if cuboids++; slices.Contains(at, cuboids) {
			seen = append(seen, weigh(t, cuboids))
		}
		w.WriteHeader(http.StatusCreated)
	}))
	t.Cleanup(srv.Close)
	b := &boss{srv.URL, local.Token(), filepath.Join(t.TempDir(), "boss.cfg")}
	if err := local.WriteAccess(b.access, srv.URL); err != nil {
		t.Fatal(err)
	}
	return b, &seen
}

// weigh weighs this process when the others have had time to come to where they wait.
func weigh(t *testing.T, cuboids int) weight {
	time.Sleep(time.Second / 2)
	files, _ := os.ReadDir("/proc/self/fd") // none where there is no such thing; the collector closes those that were forgotten
	runtime.GC()
	runtime.GC() // what was in pools at the first one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if *soakProfiles != "" {
		profile(t, filepath.Join(*soakProfiles, fmt.Sprintf("heap-%04d.pprof", cuboids)))
	}
	return weight{int64(m.HeapAlloc), runtime.NumGoroutine(), len(files)}
}

// profile writes a profile of the heap.
func profile(t *testing.T, path string) {
	f, err := os.Create(path)
	if err != nil {
		t.Error(err)
		return
	}
	if err := pprof.Lookup("heap").WriteTo(f, 0); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
