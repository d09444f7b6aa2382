package boss

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptrace"
	"os"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/pace"
)

// A watch ends an attempt that takes too long: as a whole, or in a stage that
// net/http has no deadline for. Time in which we hold the body back ourselves, to
// keep to a bandwidth, is nobody's fault and counts for neither.
//
// Its methods are called concurrently.
type watch struct {
	limits Timeouts
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu        sync.Mutex
	whole     *time.Timer
	left      time.Duration // of the whole,
	since     time.Time     // from here on
	stage     *time.Timer
	connected bool
	stopped   bool
}

// A timeUp is the cause of an attempt's end by its watch.
type timeUp struct{ says string }

func (e *timeUp) Error() string { return e.says }
func (e *timeUp) Timeout() bool { return true }
func (e *timeUp) Unwrap() error { return os.ErrDeadlineExceeded }

// newWatch returns a watch of an attempt that begins now, with a context for it.
func newWatch(ctx context.Context, limits Timeouts) *watch {
	w := &watch{limits: limits, left: limits.Request, since: time.Now()}
	ctx, w.cancel = context.WithCancelCause(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.whole = w.after(limits.Request, "the request took longer than %v")
	// A proxy may take the connection and never go on.
	w.stage = w.after(limits.Dial+limits.TLS, "no connection for %v")
	w.ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { w.gotConn() },
		WroteRequest: func(httptrace.WroteRequestInfo) { w.wrote() },
	})
	return w
}

func (w *watch) after(d time.Duration, format string) *time.Timer {
	return time.AfterFunc(d, func() { w.cancel(&timeUp{fmt.Sprintf(format, d)}) })
}

// begin begins a stage that may take d.
func (w *watch) begin(d time.Duration, format string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stage.Stop()
	if !w.stopped {
		w.stage = w.after(d, format)
	}
}

// gotConn begins the stage in which the head of the request is written.
func (w *watch) gotConn() {
	w.mu.Lock()
	w.connected = true
	w.mu.Unlock()
	w.progress()
}

// sent reports whether there was a connection, over which something may have
// been sent.
func (w *watch) sent() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.connected
}

// progress begins a stage in which bytes should move.
func (w *watch) progress() { w.begin(w.limits.Stall, "no byte moved for %v") }

// wrote begins the stage in which the server is at work. The transport counts
// Timeouts.Answer, but not before it could write what is in its buffer.
func (w *watch) wrote() { w.begin(w.limits.Stall+w.limits.Answer, "nothing came for %v") }

// rest ends a stage.
func (w *watch) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stage.Stop()
}

// pause stops all clocks until resume.
func (w *watch) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stage.Stop()
	if w.whole.Stop() {
		w.left -= time.Since(w.since)
	}
}

func (w *watch) resume() {
	w.mu.Lock()
	if !w.stopped {
		w.since = time.Now()
		w.whole.Reset(w.left)
	}
	w.mu.Unlock()
	w.progress()
}

// stop ends the watch, and its context.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	w.stage.Stop()
	w.whole.Stop()
	w.cancel(nil)
}

// reason is err, or why the watch has ended the attempt.
func (w *watch) reason(err error) error {
	if up := (*timeUp)(nil); errors.As(context.Cause(w.ctx), &up) {
		return up
	}
	return err
}

// A watchedBody is an answer's body. Each read may take as long as a stage.
type watchedBody struct {
	io.ReadCloser
	watch *watch
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.watch.progress()
	n, err := b.ReadCloser.Read(p)
	b.watch.rest()
	if err != nil && err != io.EOF {
		err = b.watch.reason(err)
	}
	return n, err
}

// A pacedBody is a request's body as it is sent: in pieces, each paid for.
type pacedBody struct {
	io.ReadCloser
	watch   *watch
	attempt *pace.Attempt
}

func (b *pacedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p[:b.attempt.Piece(len(p))])
	b.watch.pause()
	defer b.watch.resume()
	if err := b.attempt.Pay(b.watch.ctx, n); err != nil {
		return 0, err
	}
	return n, err
}
