package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/retry"
)

func TestWait(t *testing.T) {
	for _, tt := range []struct {
		random float64
		want   []time.Duration
	}{
		{0, []time.Duration{1, 2, 4, 5, 5}},
		{0.5, []time.Duration{750, 1500, 3000, 3750}},
	} {
		unit := time.Second
		if tt.random > 0 {
			unit = time.Millisecond
		}
		p := retry.Policy{Random: func() float64 { return tt.random }}.Or(retry.Policy{Base: time.Second, Max: 5 * time.Second})
		for i, want := range tt.want {
			if got := p.Wait(i + 1); got != want*unit {
				t.Errorf("random %v: wait %d is %v, want %v", tt.random, i+1, got, want*unit)
			}
		}
	}
}

// The waits differ, within the half that chance decides.
func TestJitter(t *testing.T) {
	p := retry.Policy{}.Or(retry.Policy{Base: 500 * time.Millisecond, Max: 30 * time.Second})
	seen := map[time.Duration]bool{}
	for range 100 {
		d := p.Wait(3)
		if d <= time.Second || d > 2*time.Second {
			t.Errorf("the third wait is %v", d)
		}
		seen[d] = true
	}
	if len(seen) < 50 {
		t.Errorf("100 waits have only %d lengths", len(seen))
	}
	if d := p.Wait(1000); d > p.Max {
		t.Errorf("the thousandth wait is %v", d)
	}
}

// What is given wins, what is not is the preset's.
func TestOr(t *testing.T) {
	p := retry.Policy{Attempts: 2, Max: time.Minute}.Or(retry.Policy{Attempts: 8, Base: time.Second, Max: time.Hour})
	if p.Attempts != 2 || p.Base != time.Second || p.Max != time.Minute || p.Sleep == nil || p.Random == nil {
		t.Errorf("got %+v", p)
	}
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := retry.Policy{}.Or(retry.Policy{})
		start := time.Now()
		if err := p.Sleep(t.Context(), time.Minute); err != nil || time.Since(start) != time.Minute {
			t.Errorf("Sleep = %v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start = time.Now()
		if err := p.Sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
			t.Errorf("Sleep = %v after %v", err, time.Since(start))
		}
	})
}
