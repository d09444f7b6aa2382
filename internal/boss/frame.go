package boss

import (
	"io"
	"net/http"
	"sync"

	"github.com/neurodata/ndpush/internal/blosc"
)

// A frame is memory for a compressed cuboid, or what of it is not the cuboid
// itself, that is used again, together with the codecs that fill it.
type frame struct {
	data    []byte
	encoder encoder
	decoder blosc.Decoder
}

// A framePool is safe for concurrent use.
type framePool struct{ pool sync.Pool }

func (p *framePool) get() *frame {
	f, ok := p.pool.Get().(*frame)
	if !ok {
		f = new(frame)
	}
	return f
}

// put takes back a frame that nobody is at any more; see [body.end].
func (p *framePool) put(f *frame) { p.pool.Put(f) }

// room makes f empty, with room for n bytes. Memory is taken by make and not by
// slices.Grow, which writes zeros to all of it: a frame is mostly shorter than it
// may be, and what of it is never touched takes none.
func (f *frame) room(n int) {
	if cap(f.data) < n {
		f.data = make([]byte, 0, n)
	}
	f.data = f.data[:0]
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
