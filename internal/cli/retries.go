package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/event"
	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/joblog"
	"github.com/neurodata/ndpush/internal/pace"
	"github.com/neurodata/ndpush/internal/slack"
	"github.com/neurodata/ndpush/internal/source/render"
)

// A retries counts requests that are sent again. Each is a line of the log; a
// person hears of one now and then, so that waiting does not look like hanging.
// It is safe for concurrent use; the zero value tells nobody.
type retries struct {
	mu   sync.Mutex
	n    int64
	log  *joblog.Log
	w    io.Writer
	told time.Time
	seen bool // the display shows the latest anyway

	slack  *slack.Notifier // hears of outages
	events *event.Stream   // too

	latest latest
}

// A latest is the last thing that went wrong. It is safe for concurrent use.
type latest struct {
	mu   sync.Mutex
	text string
	at   time.Time
}

func (l *latest) is(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text, l.at = human.Line(text), time.Now()
}

func (l *latest) was() (text string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text, l.at
}

// retryPause is the time between two sentences about retries to a person.
const retryPause = 10 * time.Second

// to says where what follows is told, and starts counting anew.
func (r *retries) to(log *joblog.Log, w io.Writer) { r.show(log, w, false) }

// show is to; seen says that w shows the latest of them anyway.
func (r *retries) show(log *joblog.Log, w io.Writer, seen bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n, r.log, r.w, r.seen = 0, log, w, seen
}

// alert says who hears of outages beside; nil: nobody.
func (r *retries) alert(n *slack.Notifier) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slack = n
}

// count is how many there were since to.
func (r *retries) count() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

func (r *retries) boss(f boss.Failure)     { r.note(f.Err, f.Wait) }
func (r *retries) render(f render.Failure) { r.note(f.Err, f.Wait) }

// reason is err without the request that it befell, for who has little room.
func reason(err error) string {
	var e *boss.Error
	if errors.As(err, &e) {
		return strings.TrimPrefix(err.Error(), e.Method+" "+e.Path+": ")
	}
	return err.Error()
}

// limit says in the log how many requests BOSS bears at a time.
func (r *retries) limit(l pace.Limit) {
	why := "it keeps up"
	switch {
	case l.Err != nil:
		why = l.Err.Error()
	case l.Slow:
		why = "it answers late"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log != nil {
		r.log.Line("BOSS gets up to %d requests at a time now, after %d: %s", l.To, l.From, why)
	}
}

// outage tells a person that nothing gets through, or does again.
func (r *retries) outage(o pace.Outage) {
	text := fmt.Sprintf("nothing gets through to BOSS since %s, it is asked now and then: %v", o.Since.Format(time.TimeOnly), o.Err)
	if o.Over {
		text = fmt.Sprintf("BOSS is back after %v", time.Since(o.Since).Round(time.Second))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log != nil {
		r.log.Line("Warning: %s", text)
	}
	if r.w != nil {
		fmt.Fprintf(r.w, "ndpush: warning: %s\n", text)
	}
	r.events.Warning(text)
	if !o.Over {
		r.slack.Outage(text)
	}
}

func (r *retries) note(err error, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	r.latest.is(reason(err))
	text := fmt.Sprintf("%v; trying again in %v", err, wait.Round(100*time.Millisecond))
	if r.log != nil {
		r.log.Line("Warning: %s", text) // a log that fails ends the run elsewhere
	}
	if r.w != nil && !r.seen && time.Since(r.told) >= retryPause {
		r.told = time.Now()
		fmt.Fprintf(r.w, "ndpush: warning: %s\n", text)
	}
}
