package progress

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// A Survey shows how many slices were looked at before the work begins. One that
// is over within a second is not worth showing. It is safe for concurrent use.
type Survey struct {
	w     io.Writer
	opts  Options
	first time.Duration // from when on something is shown

	mu    sync.Mutex
	begin time.Time
	last  time.Time // when something was shown
	line  string    // what is drawn on the terminal now
}

// NewSurvey returns a Survey that begins now. The caller stops it.
func NewSurvey(w io.Writer, opts Options) *Survey {
	s := &Survey{w: w, opts: opts, first: time.Second, begin: time.Now()}
	if !opts.Terminal {
		s.first = cmp.Or(max(0, opts.Every), 30*time.Second)
	}
	return s
}

// Looked says that n slices of that many were looked at.
func (s *Survey) Looked(n, of int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pause := s.first
	if s.opts.Terminal && !s.last.IsZero() {
		pause = redraw
	}
	if now := time.Now(); now.Sub(s.since()) >= pause {
		s.last = now
		s.show(fmt.Sprintf("looked at %d of %d slices", n, of))
	}
}

// since is when something was shown, or might have been first.
func (s *Survey) since() time.Time {
	if s.last.IsZero() {
		return s.begin
	}
	return s.last
}

func (s *Survey) show(text string) {
	if !s.opts.Terminal {
		fmt.Fprintln(s.w, text)
		return
	}
	s.line = text
	io.WriteString(s.w, "\r"+text)
}

// Stop takes away what is drawn.
func (s *Survey) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line != "" {
		io.WriteString(s.w, "\r"+strings.Repeat(" ", len(s.line))+"\r")
	}
	s.line = ""
}
