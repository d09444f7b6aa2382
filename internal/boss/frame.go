package boss

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/neurodata/ndpush/internal/blosc"
)

// A frame is a compressed cuboid in memory that is used again, together with
// the codecs that fill it. It goes back to its pool when nobody holds it any
// more: neither the request, nor a body that the transport got. The transport
// may read on after the answer has come (net/http.RoundTripper), so only a
// body's Close tells that it is done.
type frame struct {
	data    []byte
	encoder encoder
	decoder blosc.Decoder

	pool *framePool
	held atomic.Int32
}

// A framePool is safe for concurrent use.
type framePool struct{ pool sync.Pool }

// get returns a frame that is held once.
func (p *framePool) get() *frame {
	f, ok := p.pool.Get().(*frame)
	if !ok {
		f = &frame{pool: p}
	}
	f.held.Store(1)
	return f
}

// release ends one hold.
func (f *frame) release() {
	if f.held.Add(-1) == 0 {
		f.pool.pool.Put(f)
	}
}

// room makes f empty, with room for n bytes. Memory is taken by make and not by
// slices.Grow, which writes zeros to all of it: a frame is mostly shorter than it
// may be, and what of it is never touched takes none.
func (f *frame) room(n int) {
	if cap(f.data) < n {
		f.data = make([]byte, 0, n)
	}
	f.data = f.data[:0]
}

// body is a reader of the frame that holds it until it is closed.
func (f *frame) body() io.ReadCloser {
	f.held.Add(1)
	b := &frameBody{frame: f}
	b.r.Reset(f.data)
	return b
}

// A frameBody may be closed while it is read, as happens to a request that is
// cancelled; the lock makes sure that the frame is not released under the reader.
type frameBody struct {
	mu    sync.Mutex
	r     bytes.Reader
	frame *frame // nil: closed
}

var errClosed = errors.New("read of a closed body")

func (b *frameBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.frame == nil {
		return 0, errClosed
	}
	return b.r.Read(p)
}

func (b *frameBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.frame != nil {
		b.r.Reset(nil)
		b.frame.release()
		b.frame = nil
	}
	return nil
}

// readAll makes the body of resp the frame, at most limit bytes of it. It takes
// the memory that the body needs at once: growing step by step takes up to twice
// as much.
func (f *frame) readAll(resp *http.Response, limit int) error {
	n := limit
	if 0 <= resp.ContentLength && resp.ContentLength < int64(limit) {
		n = int(resp.ContentLength)
	}
	f.room(n)
	for len(f.data) < n {
		m, err := resp.Body.Read(f.data[len(f.data):n])
		f.data = f.data[:len(f.data)+m]
		if err == io.EOF {
			return nil // one that ends too early has an error of its own
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readCloser is a reader of memory that nobody changes.
func readCloser(text []byte) io.ReadCloser { return io.NopCloser(bytes.NewReader(text)) }
