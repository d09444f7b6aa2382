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
)

// A watch ends an attempt that takes too long: as a whole, or in a stage that
// net/http has no deadline for. Time in which we hold the body back ourselves, to
// keep to a bandwidth, is nobody's fault and counts for neither.
//
// Its methods are called concurrently: an answer may come, and be read, while the
// transport still sends the request. Then only the answer's stages count.
type watch struct {
	limits Timeouts
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	side  side
	stage *time.Timer
	limit limit // of the stage
	whole *time.Timer
	left  time.Duration // of the whole, from since on; while it is paused
	since time.Time
	held  bool // the whole is paused

	connected bool
}

// A side is whose stages count; none goes back.
type side int

const (
	sending side = iota
	receiving
	ending // nobody's: the clocks run on as they are
)

// A limit is how long something may take, and the format of what is said if it
// takes longer.
type limit struct {
	time   time.Duration
	format string
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
	w.whole = w.after(limit{limits.Request, "the request took longer than %v"})
	// A proxy may take the connection and never go on.
	w.limit = limit{limits.Dial + limits.TLS, "no connection for %v"}
	w.stage = w.after(w.limit)
	w.ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { w.gotConn() },
		WroteRequest: func(httptrace.WroteRequestInfo) { w.wrote() },
	})
	return w
}

func (w *watch) after(l limit) *time.Timer {
	return time.AfterFunc(l.time, func() { w.cancel(&timeUp{fmt.Sprintf(l.format, l.time)}) })
}

// begin begins a stage of a side that may take d, if it is that side's turn.
func (w *watch) begin(of side, d time.Duration, format string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.side != of {
		return
	}
	if l := (limit{d, format}); l != w.limit {
		w.stage.Stop()
		w.limit, w.stage = l, w.after(l)
		return
	}
	w.stage.Reset(d) // a body has such a stage for each piece that is read of it
}

const stalled = "no byte moved for %v"

// gotConn begins the stage in which the head of the request is written.
func (w *watch) gotConn() {
	w.mu.Lock()
	w.connected = true
	w.mu.Unlock()
	w.begin(sending, w.limits.Stall, stalled)
}

// sent reports whether there was a connection, over which something may have
// been sent.
func (w *watch) sent() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.connected
}

// wrote begins the stage in which the server is at work. The transport counts
// Timeouts.Answer, but not before it could write what is in its buffer.
func (w *watch) wrote() {
	w.begin(sending, w.limits.Stall+w.limits.Answer, "nothing came for %v")
}

// pause stops all clocks of the sending side until resume.
func (w *watch) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.side == sending && w.whole.Stop() {
		w.stage.Stop()
		w.left -= time.Since(w.since)
		w.held = true
	}
}

// resume goes on, and begins a stage in which what was read is written.
func (w *watch) resume() {
	w.unhold()
	w.begin(sending, w.limits.Stall, stalled)
}

func (w *watch) unhold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held && w.side != ending {
		w.since = time.Now()
		w.whole.Reset(w.left)
	}
	w.held = false
}

// answered begins the receiving side.
func (w *watch) answered() {
	w.unhold()
	w.turn(receiving)
}

// turn makes it the turn of another side, which has no stage yet.
func (w *watch) turn(to side) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.side = to
	w.stage.Stop()
}

// finish begins the last stage.
func (w *watch) finish(d time.Duration, format string) {
	w.turn(ending)
	w.begin(ending, d, format)
}

// stop ends the watch, and its context.
func (w *watch) stop() {
	w.turn(ending)
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
	b.watch.begin(receiving, b.watch.limits.Stall, stalled)
	n, err := b.ReadCloser.Read(p)
	b.watch.turn(receiving)
	if err != nil && err != io.EOF {
		err = b.watch.reason(err)
	}
	return n, err
}
