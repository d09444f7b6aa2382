package s3

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"sync"
)

const (
	// maxAhead is how many windows a file has on their way at most.
	maxAhead = 7
	// randomBytes is what a small read brings that does not go on from the last
	// one: the directory of a TIFF file, which is followed by its arrays.
	randomBytes = 64 << 10
	// gapBytes is how far a read may skip and still go on from the last one.
	gapBytes = 64 << 10
)

// A file is an open object. It is used by one goroutine at a time; its requests
// for windows are others, and others' need of memory may take windows away.
type file struct {
	bucket *Bucket
	object object
	head   []byte
	ctx    context.Context // of all requests
	cancel context.CancelFunc
	loads  sync.WaitGroup // the requests for windows
	closed bool
	next   int64 // where the last read ended

	// Guarded by the pool:
	windows []*window // each begins where the one before ends
	streak  int       // how often reads went on into a window
	used    int64     // the pool's clock at the last use of a window
}

// open sends the first GET.
func (b *Bucket) open(ctx context.Context, key string) (*file, error) {
	f := &file{bucket: b, object: object{key: key, size: -1}}
	f.ctx, f.cancel = context.WithCancel(ctx)
	p := b.pool
	p.mu.Lock()
	f.head = p.heads.take()
	p.files[f] = true
	p.mu.Unlock()
	ask := f.head
	if ask == nil {
		ask = make([]byte, 1) // to learn the size; nothing is kept
	}
	n, err := b.get(f.ctx, &f.object, ask, 0)
	if err != nil {
		f.Close()
		return nil, err
	}
	f.head = f.head[:min(n, len(f.head))]
	return f, nil
}

// Size implements source.File.
func (f *file) Size() int64 { return f.object.size }

// Close implements source.File. It ends the file's requests and waits for them.
func (f *file) Close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	f.cancel()
	p := f.bucket.pool
	p.mu.Lock()
	f.dropAll()
	p.heads.put(f.head)
	delete(p.files, f)
	p.mu.Unlock()
	f.head = nil
	f.loads.Wait()
	return nil
}

// ReadAt implements io.ReaderAt. The context that the file was opened with ends it.
func (f *file) ReadAt(p []byte, off int64) (n int, err error) {
	switch {
	case f.closed:
		return 0, fmt.Errorf("read %s: %w", f.bucket.url(f.object.key), fs.ErrClosed)
	case off < 0:
		return 0, fmt.Errorf("read %s: offset %d", f.bucket.url(f.object.key), off)
	case off >= f.object.size:
		return 0, io.EOF
	}
	var end error
	if rest := f.object.size - off; int64(len(p)) > rest {
		p, end = p[:rest], io.EOF
	}
	for n < len(p) {
		m, err := f.readSome(p[n:], off+int64(n))
		n += m
		f.next = off + int64(n)
		if err != nil {
			return n, err
		}
	}
	return n, end
}

// readSome fills p as far as one place has its bytes.
func (f *file) readSome(p []byte, off int64) (int, error) {
	if off < int64(len(f.head)) {
		return copy(p, f.head[off:]), nil
	}
	if err := f.ctx.Err(); err != nil {
		return 0, err
	}
	w := f.reach(off)
	if w == nil && len(p) < partBytes {
		w = f.begin(off, len(p))
	}
	if w == nil {
		return f.bucket.getParts(f.ctx, &f.object, p, off)
	}
	return f.copyFrom(w, p, off)
}

// reach gives the window that off lies in, pinned, and lets go of those before
// it. Whoever goes on from one window into the next has more of them ahead.
func (f *file) reach(off int64) *window {
	pool := f.bucket.pool
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if w := f.last(); w == nil || off < f.windows[0].off || off >= w.end() {
		f.dropAll()
		return nil
	}
	passed := 0
	for off >= f.windows[passed].end() {
		pool.drop(f.windows[passed])
		passed++
	}
	if passed > 0 {
		f.windows = append(f.windows[:0], f.windows[passed:]...)
		f.streak++
	}
	f.extend()
	return f.pin()
}

// pin keeps the first window until copyFrom is done with it.
func (f *file) pin() *window {
	pool := f.bucket.pool
	pool.clock++
	f.used = pool.clock
	f.windows[0].pinned = true
	return f.windows[0]
}

// begin gives a new window at off, pinned, of which n bytes are wanted now; nil
// if there is no memory for one.
func (f *file) begin(off int64, n int) *window {
	pool := f.bucket.pool
	pool.mu.Lock()
	defer pool.mu.Unlock()
	buf := pool.windows.take()
	if buf == nil {
		buf = pool.steal()
	}
	if buf == nil {
		return nil
	}
	if off >= f.next && off-f.next <= gapBytes {
		f.streak++
		f.load(buf, off, len(buf))
		f.extend()
		return f.pin()
	}
	f.streak = 0
	// The arrays of a TIFF file that lie before its directory lie close to it, and
	// both at the end: who comes there gets all of the end.
	if start := f.object.size - randomBytes; off > start {
		off = max(start, int64(len(f.head)))
	}
	f.load(buf, off, max(n, randomBytes))
	return f.pin()
}

// extend sends for the windows that follow the last one: one, then two, then
// four, as long as the reads go on. It never takes them from other files.
func (f *file) extend() {
	pool := f.bucket.pool
	if f.streak == 0 {
		return
	}
	want := min(1+1<<min(f.streak-1, 4), pool.share())
	for len(f.windows) < want && f.last().end() < f.object.size {
		buf := pool.windows.take()
		if buf == nil {
			return
		}
		f.load(buf, f.last().end(), len(buf))
	}
}

// load adds a window of up to n bytes, and begins to fill it.
func (f *file) load(buf []byte, off int64, n int) {
	n = int(min(int64(n), int64(len(buf)), f.object.size-off))
	w := &window{off: off, buf: buf, n: n, done: make(chan struct{})}
	var ctx context.Context
	ctx, w.cancel = context.WithCancel(f.ctx)
	f.windows = append(f.windows, w)
	f.loads.Go(func() {
		_, err := f.bucket.get(ctx, &f.object, buf[:n], off)
		f.bucket.pool.finish(w, err)
	})
}

// copyFrom waits for w and fills p from it. A window that could not be filled is
// given up, so that a later read asks anew.
func (f *file) copyFrom(w *window, p []byte, off int64) (n int, err error) {
	<-w.done
	if w.err == nil {
		n = copy(p, w.buf[off-w.off:w.n])
	}
	pool := f.bucket.pool
	pool.mu.Lock()
	defer pool.mu.Unlock()
	w.pinned = false
	if w.err != nil {
		f.dropAll()
	}
	return n, w.err
}

// last is the last window, or nil.
func (f *file) last() *window {
	if len(f.windows) == 0 {
		return nil
	}
	return f.windows[len(f.windows)-1]
}

func (f *file) dropAll() {
	for _, w := range f.windows {
		f.bucket.pool.drop(w)
	}
	f.windows = f.windows[:0]
}
