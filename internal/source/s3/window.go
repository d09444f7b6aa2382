package s3

import (
	"context"
	"sync"
)

// A stock is buffers of one size, which are made when first wanted and kept.
type stock struct {
	size, max int
	made      int
	free      [][]byte
}

// most is the most bytes that the buffers take.
func (s *stock) most() int64 { return int64(s.size) * int64(s.max) }

// take gives a buffer, or nil if all are in use.
func (s *stock) take() []byte {
	if n := len(s.free); n > 0 {
		p := s.free[n-1]
		s.free = s.free[:n-1]
		return p
	}
	if s.made == s.max {
		return nil
	}
	s.made++
	return make([]byte, s.size)
}

func (s *stock) put(p []byte) {
	if p != nil {
		s.free = append(s.free, p[:s.size])
	}
}

// A pool is the memory of all files of a bucket.
type pool struct {
	mu      sync.Mutex // guards all below, and the windows of all files
	heads   stock
	windows stock
	files   map[*file]bool // those that are open
	clock   int64          // counts uses of windows
}

// newPool bounds the windows to so many bytes. Each of that many files can have
// two, if need be smaller ones: one to read and the next.
func newPool(files int, bytes int64) *pool {
	size := min(max(bytes/int64(2*files), minWindow), maxWindow)
	return &pool{
		heads:   stock{size: headBytes, max: files},
		windows: stock{size: int(size), max: int(max(1, bytes/size))},
		files:   map[*file]bool{},
	}
}

// A window is a piece of an object, in memory or on its way there.
type window struct {
	off    int64
	buf    []byte // of the stock
	n      int    // the bytes that it holds or will hold
	cancel context.CancelFunc
	done   chan struct{} // closed when it is loaded, or was not
	err    error         // valid after done

	loaded, dropped, pinned bool
}

func (w *window) end() int64 { return w.off + int64(w.n) }

// drop gives the window's memory back, at once or when no request fills it any more.
func (p *pool) drop(w *window) {
	w.cancel()
	w.dropped = true
	if w.loaded {
		p.windows.put(w.buf)
	}
}

// finish says that nothing fills w any more.
func (p *pool) finish(w *window, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.err, w.loaded = err, true
	close(w.done)
	if w.dropped {
		p.windows.put(w.buf)
	}
}

// steal takes a window from the file that was not read for the longest time: the
// last one, which it would want last. nil: all of them are being read or filled.
func (p *pool) steal() []byte {
	var victim *file
	for f := range p.files {
		if w := f.last(); w != nil && w.loaded && !w.pinned && (victim == nil || f.used < victim.used) {
			victim = f
		}
	}
	if victim == nil {
		return nil
	}
	n := len(victim.windows) - 1
	p.drop(victim.windows[n])
	victim.windows = victim.windows[:n]
	return p.windows.take()
}

// share is how many windows a file may have without being in the way of others.
func (p *pool) share() int {
	return min(maxAhead+1, max(1, p.windows.max/max(1, len(p.files))))
}
