package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/source/s3"
)

// Whatever is read in whatever order is what the object holds.
func TestReadAt(t *testing.T) {
	s := newStore(t)
	b := bucket(t, s.options())
	for i, size := range []int{0, 1, 128<<10 - 1, 128 << 10, 128<<10 + 1, 1 << 20, 9<<20 + 3} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			p := noise(size, uint64(i))
			name := fmt.Sprint(size)
			s.put(name, p)
			f := open(t, b, name)
			if f.Size() != int64(size) {
				t.Fatalf("the size is %d", f.Size())
			}
			twin := bytes.NewReader(p)
			rng := rand.New(rand.NewPCG(1, uint64(i)))
			at := int64(0)
			for range 300 {
				n := rng.IntN([]int{1, 10, 5000, 300_000, 5 << 20}[rng.IntN(5)] + 1)
				switch rng.IntN(8) {
				case 0:
					at = rng.Int64N(int64(size) + 2)
				case 1:
					at += rng.Int64N(100_000)
				}
				compare(t, f, twin, n, at)
				at += int64(n)
			}
		})
	}
}

// compare reads from both and demands the same.
func compare(t *testing.T, f io.ReaderAt, twin *bytes.Reader, n int, at int64) {
	t.Helper()
	got, want := make([]byte, n), make([]byte, n)
	gotN, gotErr := f.ReadAt(got, at)
	wantN, wantErr := twin.ReadAt(want, at)
	if gotN != wantN || gotErr != wantErr && n > 0 || !bytes.Equal(got[:gotN], want[:wantN]) {
		t.Fatalf("%d bytes at %d: %d, %v, want %d, %v (or other bytes)", n, at, gotN, gotErr, wantN, wantErr)
	}
}

// A file is asked for as often as its windows or parts demand, not once a read.
func TestRequests(t *testing.T) {
	data := noise(16<<20, 1)
	read := func(from, to, step int) (ranges []string) {
		s := newStore(t) // of its own: a request that was called off may come late
		s.put("a", data)
		f := open(t, bucket(t, s.options()), "a")
		p := make([]byte, step)
		for at := from; at < to; at += step {
			if _, err := f.ReadAt(p[:min(step, to-at)], int64(at)); err != nil {
				t.Fatal(err)
			}
		}
		f.Close()
		return s.ranges()
	}
	for _, tt := range []struct{ from, to, step, want int }{
		{0, 100, 8, 1},
		{0, 128 << 10, 4096, 1},
		{0, 16 << 20, 4096, 1 + 16},                          // windows
		{8, 16 << 20, 16 << 20, 1 + 8},                       // parts
		{16<<20 - 10, 16 << 20, 2, 1 + 1},                    // a directory at the end
		{1 << 20, 1<<20 + 64<<10, 1000, 1 + 1},               // a small one in the midst
		{1 << 20, 1<<20 + 65<<10, 1000, 1 + 1 + 2},           // goes on
		{1 << 20, 1<<20 + 300<<10, 256 << 10, 1 + 1 + 1 + 1}, // cropped rows
	} {
		if got := read(tt.from, tt.to, tt.step); len(got) > tt.want {
			t.Errorf("%d to %d by %d: %d requests, want %d: %v", tt.from, tt.to, tt.step, len(got), tt.want, got)
		}
	}
}

// No more requests than allowed are in flight, whoever sends them.
func TestInFlight(t *testing.T) {
	s := newStore(t)
	s.put("a", noise(8<<20, 1))
	s.fault = func(http.ResponseWriter, *http.Request, int) bool {
		time.Sleep(5 * time.Millisecond)
		return false
	}
	o := s.options()
	o.Requests = 3
	b := bucket(t, o)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			f, err := b.Open(t.Context(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if _, err := io.Copy(io.Discard, &step{f, 0, 1 << (12 + 2*i%12)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s.most.Load() != 3 {
		t.Errorf("%d requests at once", s.most.Load())
	}
}

// A step reads n bytes at a time.
type step struct {
	r  io.ReaderAt
	at int64
	n  int
}

func (s *step) Read(p []byte) (int, error) {
	n, err := s.r.ReadAt(p[:min(len(p), s.n)], s.at)
	s.at += int64(n)
	return n, err
}

// The name follows the prefix after one slash, and every key survives the way.
func TestKeys(t *testing.T) {
	s := newStore(t)
	for _, tt := range []struct{ prefix, name, key string }{
		{"", "a.tif", "a.tif"},
		{"folder/sub", "a.tif", "folder/sub/a.tif"},
		{"folder/sub/", "a.tif", "folder/sub/a.tif"},
		{"with space & plus+", "z=1?x#y%20.tif", "with space & plus+/z=1?x#y%20.tif"},
		{"später/层", "µ_<ch>_0001.tif", "später/层/µ_<ch>_0001.tif"},
		{"dots", "a/../b//c/./d.tif", "dots/a/../b//c/./d.tif"},
	} {
		s.put(tt.key, []byte(tt.key))
		o := s.options()
		o.Prefix = tt.prefix
		f, err := bucket(t, o).Open(t.Context(), tt.name)
		if err != nil {
			t.Errorf("%q in %q: %v", tt.name, tt.prefix, err)
			continue
		}
		p := make([]byte, len(tt.key))
		if _, err := f.ReadAt(p, 0); err != nil || string(p) != tt.key {
			t.Errorf("%q in %q: %q, %v", tt.name, tt.prefix, p, err)
		}
		f.Close()
	}
}

// However many files are open and read, they take no more memory than was said,
// and give it back.
func TestMemory(t *testing.T) {
	s := newStore(t)
	want := noise(3<<20, 1)
	s.put("a", want)
	o := s.options()
	o.Files, o.ReadAhead, o.Requests = 4, 2<<20, 8
	b := bucket(t, o)
	if m := b.Memory(); m != 4*128<<10+2<<20+8*64<<10 {
		t.Errorf("Memory says %d", m)
	}
	var most atomic.Int64
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			f, err := b.Open(t.Context(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			for at := i * 1000; at < len(want); at += 20_000 {
				p := make([]byte, 20_000)
				n, err := f.ReadAt(p, int64(at))
				if err != nil && err != io.EOF || !bytes.Equal(p[:n], want[at:min(len(want), at+len(p))]) {
					t.Errorf("at %d: %v", at, err)
					return
				}
				most.Store(max(most.Load(), s3.Held(b)))
			}
		})
	}
	wg.Wait()
	if held := max(most.Load(), s3.Held(b)); held > b.Memory() || held < 1<<20 {
		t.Errorf("%d bytes were held, Memory says %d", held, b.Memory())
	}
	if n := s3.Lent(b); n != 0 {
		t.Errorf("%d buffers are held by files that were closed", n)
	}
}

// A file that is open and was read is robbed when another needs memory, and can
// still be read.
func TestSteal(t *testing.T) {
	s := newStore(t)
	want := noise(4<<20, 1)
	s.put("a", want)
	o := s.options()
	o.ReadAhead, o.Files = 2<<20, 1
	b := bucket(t, o)
	f, g := open(t, b, "a"), open(t, b, "a")
	twin := bytes.NewReader(want)
	for at := int64(0); at < 2<<20; at += 4096 {
		compare(t, f, twin, 4096, at)
	}
	for at := int64(0); at < 2<<20; at += 4096 {
		compare(t, g, twin, 4096, at)
	}
	for at := int64(2 << 20); at < 4<<20; at += 4096 {
		compare(t, f, twin, 4096, at)
		compare(t, g, twin, 4096, at)
	}
	if s3.Held(b) > b.Memory() {
		t.Errorf("%d bytes are held", s3.Held(b))
	}
}

func TestClose(t *testing.T) {
	s := newStore(t)
	s.put("a", noise(8<<20, 1))
	b := bucket(t, s.options())
	f := open(t, b, "a")
	for at := int64(0); at < 1<<20; at += 4096 {
		if _, err := f.ReadAt(make([]byte, 4096), at); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	if _, err := b.Open(t.Context(), "missing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key that is missing: %v", err)
	}
	if n := s3.Lent(b); n != 0 {
		t.Errorf("%d buffers are still lent", n)
	}
}

// Whatever waits, waits no longer than its context.
func TestCancel(t *testing.T) {
	s := newStore(t)
	s.put("a", noise(8<<20, 1))
	hang := make(chan struct{}, 100)
	s.fault = func(_ http.ResponseWriter, r *http.Request, n int) bool {
		if n == 1 {
			return false
		}
		hang <- struct{}{}
		<-r.Context().Done()
		return true
	}
	for _, n := range []int{100, 8 << 20} {
		s.mu.Lock()
		s.gets = nil
		s.mu.Unlock()
		ctx, cancel := context.WithCancel(t.Context())
		f, err := bucket(t, s.options()).Open(ctx, "a")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			<-hang
			cancel()
		}()
		if _, err := f.ReadAt(make([]byte, n), 1<<20-1<<19); !errors.Is(err, context.Canceled) {
			t.Errorf("a read of %d bytes: %v", n, err)
		}
		f.Close()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bucket(t, s.options()).Open(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("open: %v", err)
	}
	if _, err := s3.New(ctx, s.options()); !errors.Is(err, context.Canceled) {
		t.Errorf("new: %v", err)
	}
}

// An object that is not the one that was opened is an error and never missing.
func TestChanged(t *testing.T) {
	for name, change := range map[string]func(s *store){
		"replaced": func(s *store) { s.put("a", noise(8<<20, 2)) },
		"shorter":  func(s *store) { s.put("a", noise(1<<20, 1)) },
		"deleted":  func(s *store) { s.mu.Lock(); delete(s.objects, "a"); s.mu.Unlock() },
		"no etag": func(s *store) {
			s.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
				w.Header().Set("Content-Range", "bytes 4194304-4194313/9000000")
				w.WriteHeader(206)
				w.Write(make([]byte, 10))
				return true
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			s.put("a", noise(8<<20, 1))
			f := open(t, bucket(t, s.options()), "a")
			change(s)
			for _, n := range []int{10, 3 << 20} {
				_, err := f.ReadAt(make([]byte, n), 4<<20)
				if err == nil || !strings.Contains(err.Error(), "s3://b/a: the object was replaced or deleted while it was read") || !fatal(err) || errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%d bytes: %v", n, err)
				}
			}
		})
	}
}

// A store that sends the whole object for a part of it must not pass for one.
func TestNoRanges(t *testing.T) {
	s := newStore(t)
	s.put("small", []byte("all of it"))
	s.put("large", noise(1<<20, 1))
	s.fault = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		r.Header.Del("Range")
		return false
	}
	b := bucket(t, s.options())
	p := make([]byte, 9)
	if _, err := open(t, b, "small").ReadAt(p, 0); err != nil || string(p) != "all of it" {
		t.Errorf("small: %q, %v", p, err)
	}
	if _, err := b.Open(t.Context(), "large"); err == nil || !strings.Contains(err.Error(), "does not answer requests for a part") {
		t.Errorf("large: %v", err)
	}
}

func fatal(err error) bool {
	var f interface{ Fatal() bool }
	return errors.As(err, &f) && f.Fatal()
}

// The windows are asked for before they are wanted, more and more of them.
func TestReadAhead(t *testing.T) {
	s := newStore(t)
	s.put("a", noise(32<<20, 1))
	b := bucket(t, s.options())
	f := open(t, b, "a")
	p := make([]byte, 4096)
	for at := int64(0); at < 6<<20; at += 4096 {
		if _, err := f.ReadAt(p, at); err != nil {
			t.Fatal(err)
		}
	}
	f.Close()
	got := s.ranges()
	slices.Sort(got)
	// Seven ahead, of which Close may have kept some from being sent.
	if n := len(got); n < 8 || n > 1+6+8 {
		t.Errorf("%d requests after a fifth of the object: %v", n, got)
	}
}
