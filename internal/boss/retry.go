package boss

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/neurodata/ndpush/internal/pace"
	"github.com/neurodata/ndpush/internal/retry"
)

// patience is what a zero [retry.Policy] means here: it rides out about a minute,
// the restart of a server. BOSS merges what it gets, so a cuboid that arrives
// twice does no harm.
var patience = retry.Policy{Attempts: 8, Base: 500 * time.Millisecond, Max: 30 * time.Second}

// longestRetryAfter is how long a server may make us wait. One that asks for
// more is down for maintenance, and a person had better know.
const longestRetryAfter = 10 * time.Minute

// attempts is how often a request may be sent that ends in e.
func (c *Client) attempts(e *Error) int {
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
		return min(e.verdict.tries, c.retry.Attempts)
	}
	return c.retry.Attempts
}

// A Failure is an attempt that failed and will be followed by another.
type Failure struct {
	Err     *Error
	Attempt int           // counted from 1
	Wait    time.Duration // until the next one
}

// do sends r until it is granted, or cannot be, or ctx is done; in the last case
// the error wraps ctx's and the last real one.
//
// Attempts that Options.Pace excuses, because nothing else succeeds either, do
// not count: what no request can do says nothing about this one.
func (c *Client) do(ctx context.Context, r *request) error {
	var last *Error
	turns := c.pace.Request()
	for n, counted := 1, 0; ; n++ {
		start := time.Now()
		attempt, err := turns.Start(ctx)
		if err != nil {
			return r.held(ctx, err, last)
		}
		err = c.try(ctx, r, attempt)
		counts := attempt.End(r.result(ctx, err))
		if err == nil {
			r.took = time.Since(start)
			return nil
		}
		if ctx.Err() != nil {
			return r.stopped(ctx, last)
		}
		if counts {
			counted++
		}
		if !errors.As(err, &last) || counts && counted >= c.attempts(last) {
			return err
		}
		wait := max(c.retry.Wait(n), last.RetryAfter) // a server may know better
		c.onRetry(Failure{last, n, wait})
		if c.retry.Sleep(ctx, wait) != nil {
			return r.stopped(ctx, last)
		}
	}
}

// held is the error of a request that got no leave for its next attempt.
func (r *request) held(ctx context.Context, err error, last *Error) error {
	if ctx.Err() != nil {
		return r.stopped(ctx, last)
	}
	return fmt.Errorf("%v: %w", r, err)
}

// result tells a pace how an attempt went.
func (r *request) result(ctx context.Context, err error) pace.Result {
	var e *Error
	switch {
	case err == nil:
		result := pace.Result{Outcome: pace.Succeeded, Bytes: int64(r.voxels)}
		if r.voxels > 0 {
			result.Kind = r.method // reading and writing have times of their own
		}
		return result
	case ctx.Err() != nil || !errors.As(err, &e):
		return pace.Result{Outcome: pace.Abandoned, Err: err}
	}
	return pace.Result{Outcome: e.paceOutcome(), Err: err, Wait: e.RetryAfter}
}

// paceOutcome says whether e is a sign of life, and whether of one that has too
// much to do.
func (e *Error) paceOutcome() pace.Outcome {
	switch {
	case e.outcome != 0 && e.Temporary():
		return e.outcome
	case e.Temporary():
		return pace.Failed
	case e.Refused() && e.RetryAfter > 0:
		return pace.Overloaded
	}
	return pace.Answered
}
