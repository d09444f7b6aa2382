package pace

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A Down is the error of requests to a service that has been down for longer
// than [Options] has patience.
type Down struct {
	Since time.Time     // the last sign of life, or the first attempt if there was none
	For   time.Duration // until the patience was over
	Err   error         // of the last attempt
}

// Error gives one sentence.
func (d *Down) Error() string {
	return fmt.Sprintf("nothing has arrived since %s, for %v (last: %v); run the same command again later to do what is left",
		d.Since.Format("2006-01-02 15:04:05"), d.For.Round(time.Second), d.Err)
}

// Unwrap returns the error of the last attempt.
func (d *Down) Unwrap() error { return d.Err }

// Refused reports that nothing is taken for now.
func (d *Down) Refused() bool { return true }

// A breaker is closed as long as there are signs of life. It opens when every
// attempt of a streak failed, and the streak
//
//   - is of enough attempts, at least two for each worker;
//   - is so long that it is no restart of a server, which retries ride out;
//   - is not of one request alone that the service cannot digest.
//     A service that cannot be reached is not the request's fault, though.
//
// Attempts that fail while it is open, and those of a streak that is on its way
// to open it, count against no request.
type breaker struct {
	mu       sync.Mutex
	enough   int // attempts
	patience time.Duration
	tell     func(Outage)

	heard  time.Time // the last sign of life
	streak streak

	open    bool
	opened  time.Time
	wait    time.Duration // before the next probe, if this one fails
	probeAt time.Time
	probing bool
	news    chan struct{} // closed when those who wait should look again
	down    *Down
}

// A streak is of attempts that failed, with no sign of life between them.
type streak struct {
	attempts  int
	began     time.Time
	request   int64 // of the first one
	mixed     bool  // of several requests
	unreached bool  // one of them
	last      error
}

const (
	shortestStreak = 10 * time.Second
	fewestAttempts = 8

	firstProbe = 5 * time.Second
	// A minute costs little of an outage's time, and a server that comes back
	// with a thousand clients waiting is not knocked over.
	longestProbe = time.Minute
)

func newBreaker(opts Options, tell func(Outage)) *breaker {
	return &breaker{
		enough:   max(fewestAttempts, 2*opts.Workers),
		patience: opts.Patience,
		tell:     tell,
		news:     make(chan struct{}),
	}
}

func (b *breaker) isOpen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

// pass waits until an attempt may be sent. One that is a probe goes out while
// the breaker is open.
func (b *breaker) pass(ctx context.Context) (probe bool, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		pass, probe, until, news, err := b.ask()
		if pass || err != nil {
			return probe, err
		}
		timer := time.NewTimer(time.Until(until))
		select {
		case <-timer.C:
		case <-news:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// ask is one look at the breaker; one that does not let pass says when, or at
// what news, to look again.
func (b *breaker) ask() (pass, probe bool, until time.Time, news chan struct{}, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.heard.IsZero() {
		b.heard = now
	}
	end := b.opened.Add(b.patience)
	switch {
	case b.down != nil:
		return false, false, until, nil, b.down
	case !b.open:
		return true, false, until, nil, nil
	case !now.Before(end):
		b.down = &Down{Since: b.heard, For: now.Sub(b.heard), Err: b.streak.last}
		b.wake()
		return false, false, until, nil, b.down
	case !b.probing && !now.Before(b.probeAt):
		b.probing = true
		return true, true, until, nil, nil
	case !b.probing && b.probeAt.Before(end):
		end = b.probeAt
	}
	return false, false, end, b.news, nil
}

// wake makes all who wait look again.
func (b *breaker) wake() {
	close(b.news)
	b.news = make(chan struct{})
}

// giveBack returns the leave for a probe that was not sent.
func (b *breaker) giveBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
	b.wake()
}

// ended learns from an attempt of a request and reports whether it counts
// against it.
func (b *breaker) ended(request int64, probe bool, r Result) (counts bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if probe {
		b.probing = false
		defer b.wake()
	}
	switch {
	case r.Outcome == Abandoned:
		return true
	case r.Outcome.alive():
		b.close(now)
		return true
	}
	b.streak.add(request, now, r)
	if !b.open && b.convinced(now) {
		b.open, b.opened, b.wait = true, now, firstProbe
		b.probeAt = now.Add(max(b.wait, r.Wait))
		b.tell(b.outage(false))
	} else if probe {
		b.wait = min(2*b.wait, longestProbe)
		b.probeAt = now.Add(max(b.wait, r.Wait))
	}
	return !b.open && r.Outcome != Unreached && !b.streak.mixed
}

// close takes note of a sign of life.
func (b *breaker) close(now time.Time) {
	if b.open {
		b.tell(b.outage(true))
		b.open = false
		b.wake()
	}
	b.heard, b.streak = now, streak{}
}

func (b *breaker) convinced(now time.Time) bool {
	s := &b.streak
	return s.attempts >= b.enough && now.Sub(s.began) >= shortestStreak && (s.mixed || s.unreached)
}

func (b *breaker) outage(over bool) Outage {
	return Outage{Since: b.heard, Attempts: b.streak.attempts, Err: b.streak.last, Over: over}
}

func (s *streak) add(request int64, now time.Time, r Result) {
	if s.attempts == 0 {
		s.began, s.request = now, request
	}
	s.attempts++
	s.mixed = s.mixed || request != s.request
	s.unreached = s.unreached || r.Outcome == Unreached
	s.last = r.Err
}
