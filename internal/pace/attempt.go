package pace

import (
	"context"
	"time"
)

// An Outcome is how an attempt went.
type Outcome int

const (
	Abandoned  Outcome = iota // the caller gave up: says nothing
	Succeeded                 // as wished
	Answered                  // refused for reasons of its own: a sign of life
	Overloaded                // refused because there are too many: a sign of life
	Failed                    // trouble that may pass
	Unreached                 // trouble that may pass, before anything was sent
)

// alive reports whether the service was there.
func (o Outcome) alive() bool { return o == Succeeded || o == Answered || o == Overloaded }

// trouble reports whether fewer attempts at a time might do better.
func (o Outcome) trouble() bool { return o == Overloaded || o == Failed || o == Unreached }

// A Result is what is to be known of an attempt that has ended.
type Result struct {
	Outcome Outcome
	Err     error         // of an attempt that was not Succeeded
	Wait    time.Duration // how long the service asks to be left alone; 0 if it does not

	// Kind and Bytes make the times of attempts comparable: attempts of one kind
	// take about so long a byte, both ways. With no Kind the time says nothing.
	Kind  string
	Bytes int64
}

// An Attempt is under way. It belongs to one goroutine, but for Pay, which
// another one may call until End. A nil *Attempt is never held back.
type Attempt struct {
	request *Request
	seq     int64 // at the gate
	probe   bool
	began   time.Time
	held    duration // by the limiter
}

// Piece is how many of the next n bytes of a body to pay for at once, at most n
// and at least 1 if n is.
func (a *Attempt) Piece(n int) int {
	if a == nil {
		return n
	}
	return a.request.pace.limiter.piece(n)
}

// Pay waits until n bytes may be sent, which is at once unless the bandwidth is
// limited. The error is ctx's.
func (a *Attempt) Pay(ctx context.Context, n int) error {
	if a == nil || n <= 0 {
		return nil
	}
	waited, err := a.request.pace.limiter.pay(ctx, n)
	a.held.add(waited)
	return err
}

// End says how the attempt went, and is called once. It reports whether a
// failure counts against the request: not if it is others' trouble as well, or
// if nothing of the request was sent, for then it is the service's.
func (a *Attempt) End(r Result) (counts bool) {
	if a == nil {
		return true
	}
	p := a.request.pace
	counts = p.breaker.ended(a.request.id, a.probe, r)
	p.gate.leave(a.seq, sample{
		outcome: r.Outcome,
		err:     r.Err,
		hold:    r.Wait,
		kind:    r.Kind,
		bytes:   r.Bytes,
		took:    time.Since(a.began),
		held:    a.held.load(),
	})
	p.news.tell()
	return counts
}
