// Package retry says how patiently a request is repeated.
//
// It decides when, never whether: which errors pass, and how often which are
// worth another attempt, is known to whoever speaks with the service.
package retry

import (
	"cmp"
	"context"
	"math/rand/v2"
	"time"
)

// A Policy is how often, and after what waits. The wait doubles from Base to
// Max; of each, a random part of up to a half is left out, so that requests
// which failed together do not come back together.
//
// A zero field stands for what the package that takes the Policy says.
type Policy struct {
	Attempts int // how often a request is sent at most
	Base     time.Duration
	Max      time.Duration

	// Sleep waits for d, or returns ctx's error as soon as ctx is done; nil: a timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Random gives numbers in [0, 1) and is called concurrently; nil: math/rand/v2.
	Random func() float64
}

// Or returns p with what is zero taken from preset, and from the clock and the
// random numbers of the machine.
func (p Policy) Or(preset Policy) Policy {
	p.Attempts = cmp.Or(max(0, p.Attempts), preset.Attempts)
	p.Base = cmp.Or(max(0, p.Base), preset.Base)
	p.Max = cmp.Or(max(0, p.Max), preset.Max)
	if p.Sleep == nil {
		p.Sleep = sleep
	}
	if p.Random == nil {
		p.Random = rand.Float64
	}
	return p
}

// Wait is how long to wait after attempt n, counted from 1.
func (p Policy) Wait(n int) time.Duration {
	d := p.Base
	for i := 1; i < n && d < p.Max; i++ {
		d *= 2
	}
	d = min(d, p.Max)
	return d - time.Duration(p.Random()/2*float64(d))
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
