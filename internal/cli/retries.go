package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/joblog"
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
}

// retryPause is the time between two sentences about retries to a person.
const retryPause = 10 * time.Second

// to says where what follows is told, and starts counting anew.
func (r *retries) to(log *joblog.Log, w io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n, r.log, r.w = 0, log, w
}

// count is how many there were since to.
func (r *retries) count() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

func (r *retries) boss(f boss.Failure)     { r.note(f.Err, f.Wait) }
func (r *retries) render(f render.Failure) { r.note(f.Err, f.Wait) }

func (r *retries) note(err error, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	text := fmt.Sprintf("%v; trying again in %v", err, wait.Round(100*time.Millisecond))
	if r.log != nil {
		r.log.Line("Warning: %s", text) // a log that fails ends the run elsewhere
	}
	if r.w != nil && time.Since(r.told) >= retryPause {
		r.told = time.Now()
		fmt.Fprintf(r.w, "ndpush: warning: %s\n", text)
	}
}
