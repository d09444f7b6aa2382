package boss

import (
	"context"
	"errors"
	"time"

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
		if !errors.As(err, &last) || n >= c.attempts(last) {
			return err
		}
		wait := max(c.retry.Wait(n), last.RetryAfter) // a server may know better
		c.onRetry(Failure{last, n, wait})
		if c.retry.Sleep(ctx, wait) != nil {
			return r.stopped(ctx, last)
		}
	}
}
