package s3

import (
	"context"
	"errors"
	"time"

	"github.com/neurodata/ndpush/internal/retry"
)

// patience is what a zero [retry.Policy] means here: it rides out about a minute.
var patience = retry.Policy{Attempts: 10, Base: 200 * time.Millisecond, Max: 20 * time.Second}

// errSilent ends an attempt that the store does not answer.
var errSilent = errors.New("no answer in time")

// do repeats a request for key, so often at most, until it is granted, cannot be,
// or ctx is done. A request calls alive whenever something arrives.
func (b *Bucket) do(ctx context.Context, key string, most int, request func(ctx context.Context, alive func()) error) error {
	for n := 1; ; n++ {
		err := b.attempt(ctx, request)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e := b.explain(key, err)
		if n >= e.attempts(most) {
			return e
		}
		if err := b.retry.Sleep(ctx, b.retry.Wait(n)); err != nil {
			return err
		}
	}
}

// attempt sends one request as soon as fewer than Options.Requests are in
// flight. While one waits for its next attempt, others may go.
func (b *Bucket) attempt(ctx context.Context, request func(ctx context.Context, alive func()) error) error {
	select {
	case b.slots <- struct{}{}:
		defer func() { <-b.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(b.timeout, func() { cancel(errSilent) })
	defer silence.Stop()
	err := request(ctx, func() { silence.Reset(b.timeout) })
	if err != nil && context.Cause(ctx) == errSilent {
		return errSilent
	}
	return err
}
