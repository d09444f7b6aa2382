package boss

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Retry says how patiently a request is repeated whose error is temporary.
// BOSS merges what it gets, so a cuboid that arrives twice does no harm.
//
// The wait doubles from Base to Max; of each, a random part of up to a half is
// left out, so that workers which failed together do not come back together.
// A Retry-After of the server lengthens the wait.
type Retry struct {
	// Attempts is how often a request is sent at most; zero: 8, which with the
	// other defaults rides out about a minute, the restart of a server.
	Attempts int
	Base     time.Duration // zero: half a second
	Max      time.Duration // zero: 30 s

	// Sleep waits for d, or returns ctx's error as soon as ctx is done; nil: a timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Random gives numbers in [0, 1) and is called concurrently; nil: math/rand/v2.
	Random func() float64
}

// longestRetryAfter is how long a server may make us wait. One that asks for
// more is down for maintenance, and a person had better know.
const longestRetryAfter = 10 * time.Minute

func (r *Retry) setDefaults() {
	if r.Attempts == 0 {
		r.Attempts = 8
	}
	if r.Base == 0 {
		r.Base = 500 * time.Millisecond
	}
	if r.Max == 0 {
		r.Max = 30 * time.Second
	}
	if r.Sleep == nil {
		r.Sleep = sleep
	}
	if r.Random == nil {
		r.Random = rand.Float64
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attempts is how often a request may be sent that ends in e.
func (r *Retry) attempts(e *Error) int {
	switch {
	case e.RetryAfter > longestRetryAfter:
		return 1
	case e.Refused() && e.RetryAfter == 0:
		// BOSS's quota is one of months and a lock one of hours; neither says when
		// it ends. A front end that limits the rate says it.
		return 1
	case !e.Temporary() && !e.Refused():
		return 1
	case e.verdict.tries > 0:
		return min(e.verdict.tries, r.Attempts)
	}
	return r.Attempts
}

// wait is how long to wait after attempt n, counted from 1, ended in e.
func (r *Retry) wait(n int, e *Error) time.Duration {
	d := r.Base
	for i := 1; i < n && d < r.Max; i++ {
		d *= 2
	}
	d = min(d, r.Max)
	d -= time.Duration(r.Random() / 2 * float64(d))
	return max(d, e.RetryAfter)
}

// A Failure is an attempt that failed and will be followed by another.
type Failure struct {
	Err     *Error
	Attempt int           // counted from 1
	Wait    time.Duration // until the next one
}

// do sends r until it is granted, or cannot be, or ctx is done; in the last case
// the error wraps ctx's and the last real one.
func (c *Client) do(ctx context.Context, r *request) error {
	var last *Error
	for n := 1; ; n++ {
		err := c.try(ctx, r)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return r.stopped(ctx, last)
		}
		if !errors.As(err, &last) || n >= c.retry.attempts(last) {
			return err
		}
		wait := c.retry.wait(n, last)
		c.onRetry(Failure{last, n, wait})
		if c.retry.Sleep(ctx, wait) != nil {
			return r.stopped(ctx, last)
		}
	}
}
