package boss

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/pace"
)

// A body is what one attempt sends: memory that belongs to others, in pieces that
// are paid for each. The transport reads it, or a [conn] writes it from where it
// lies.
//
// The transport may be at it after the answer has come, and may close it while it
// writes (net/http.RoundTripper). So that the memory can be given back there is
// [body.end], which does not rely on the transport to close it at all.
type body struct {
	watch   *watch
	attempt *pace.Attempt

	mu      sync.Mutex
	rest    [][]byte // what was not taken yet
	closed  bool
	writing sync.WaitGroup // pieces; none begins once it is closed
}

var errClosed = errors.New("read of a closed body")

// take is the next piece, of at most n bytes: what the caller does with it before
// the lock is released, or counts as writing.
func (b *body) take(n int) ([]byte, error) {
	if b.closed {
		return nil, errClosed
	}
	if len(b.rest) == 0 {
		return nil, io.EOF
	}
	p := b.rest[0][:min(n, len(b.rest[0]))]
	if b.rest[0] = b.rest[0][len(p):]; len(b.rest[0]) == 0 {
		b.rest = b.rest[1:]
	}
	return p, nil
}

// pay returns when n bytes may be sent.
func (b *body) pay(n int) error {
	b.watch.pause()
	defer b.watch.resume()
	return b.attempt.Pay(b.watch.ctx, n)
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.copy(p[:b.attempt.Piece(len(p))])
	if err := b.pay(n); err != nil {
		return 0, err
	}
	return n, err
}

func (b *body) copy(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	piece, err := b.take(len(p))
	return copy(p, piece), err
}

// Close makes all that follows an error. It does not wait for a write.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

// end ends the attempt, and returns when nobody is at the memory any more. That is
// at once if the body was sent; if not, the transport closes the connection, for
// which it waits 50 ms after an answer (maxWriteWaitBeforeConnReuse), and that ends
// a write.
func (b *body) end() {
	b.watch.stop()
	b.Close()
	b.writing.Wait()
}

// The sizes of the pieces that are written from where they lie. To compress, post
// and receive 2 GiB of noise over loopback takes 1.5 s of CPU time with two copies
// of all voxels, 1.2 s in pieces of 32 KiB without them, and 1.1 s in pieces of up
// to 1 MiB; see BenchmarkPost.
//
// But the watch ends an attempt of which no piece was written for Timeouts.Stall, so
// on a slow line they must not be large. Each body begins with a small one, and one
// that was written in no time is followed by one twice as long. Where a buffer hides
// how slow the line is, the largest still takes less than a stall at the 30 kB/s
// that Timeouts.Request asks for.
const (
	leastPiece = 32 << 10
	mostPiece  = 1 << 20
	quickPiece = 10 * time.Millisecond // 100 MB/s for the largest
)

// writeTo writes what is left of b, at most limit bytes, from where it lies.
func (b *body) writeTo(w io.Writer, limit int64) (written int64, err error) {
	for size := leastPiece; written < limit; {
		n, took, err := b.writePiece(w, int(min(int64(size), limit-written)))
		written += int64(n)
		switch {
		case err == io.EOF:
			return written, nil
		case err != nil:
			return written, err
		case took > quickPiece:
			size = leastPiece
		case n == size:
			size = min(2*size, mostPiece)
		}
	}
	return written, nil
}

// writePiece writes the next piece, of at most most bytes, once it is paid for.
func (b *body) writePiece(w io.Writer, most int) (n int, took time.Duration, err error) {
	p, err := b.hold(b.attempt.Piece(most))
	if err != nil {
		return 0, 0, err
	}
	defer b.writing.Done()
	if err := b.pay(len(p)); err != nil {
		return 0, 0, err
	}
	start := time.Now()
	n, err = w.Write(p)
	return n, time.Since(start), err
}

// hold is take for a piece that counts as writing until the caller has it done.
func (b *body) hold(n int) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, err := b.take(n)
	if err == nil {
		b.writing.Add(1)
	}
	return p, err
}

// A conn writes bodies from where they lie. The transport hands a request's body,
// limited to its length, to the ReadFrom of its connection, if it has one: in
// net/http.Transport that is nowhere promised, but a test sees it. Without it, and
// over TLS, which encrypts piece by piece anyway, bodies are read.
type conn struct{ net.Conn }

func (c conn) ReadFrom(r io.Reader) (int64, error) {
	if l, ok := r.(*io.LimitedReader); ok {
		if b, ok := l.R.(*body); ok {
			n, err := b.writeTo(c.Conn, l.N)
			l.N -= n
			return n, err
		}
	}
	return io.Copy(c.Conn, r)
}

// connect is dial, for a conn.
func (o *Options) connect(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := o.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return conn{c}, nil
}
