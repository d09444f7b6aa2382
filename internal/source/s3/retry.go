package s3

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Retry says how patiently a request is repeated whose error is temporary.
//
// The wait doubles from Base to Max; of each, a random part of up to a half is
// left out, so that requests which failed together do not come back together.
type Retry struct {
	// Attempts is how often a request is sent at most; zero: 10, which with the
	// other defaults rides out about a minute.
	Attempts int
	Base     time.Duration // zero: 200 ms
	Max      time.Duration // zero: 20 s

	// Sleep waits for d, or returns ctx's error as soon as ctx is done; nil: a timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Random gives numbers in [0, 1) and is called concurrently; nil: math/rand/v2.
	Random func() float64
}

func (r *Retry) setDefaults() {
	if r.Attempts <= 0 {
		r.Attempts = 10
	}
	if r.Base <= 0 {
		r.Base = 200 * time.Millisecond
	}
	if r.Max <= 0 {
		r.Max = 20 * time.Second
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

// wait is how long to wait after attempt n, counted from 1.
func (r *Retry) wait(n int) time.Duration {
	d := r.Base
	for i := 1; i < n && d < r.Max; i++ {
		d *= 2
	}
	d = min(d, r.Max)
	return d - time.Duration(r.Random()/2*float64(d))
}

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
		if err := b.retry.Sleep(ctx, b.retry.wait(n)); err != nil {
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
