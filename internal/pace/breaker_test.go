package pace_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/pace"
)

var errGone = errors.New("connection refused")

// A run sends cuboids as package boss does: with a few attempts for each that
// count, and growing waits between them.
type run struct {
	p       *pace.Pace
	do      func(cuboid int) pace.Result
	allowed int // attempts for a cuboid

	mu       sync.Mutex
	attempts int
	posted   []int
	failed   []int
	errs     []error
}

func (r *run) cuboid(ctx context.Context, cuboid int) {
	request := r.p.Request()
	wait := 500 * time.Millisecond
	for counted := 0; ; {
		a, err := request.Start(ctx)
		if err != nil {
			r.note(func() { r.errs = append(r.errs, err) })
			return
		}
		result := r.do(cuboid)
		counts := a.End(result)
		r.note(func() { r.attempts++ })
		switch {
		case result.Outcome == pace.Succeeded:
			r.note(func() { r.posted = append(r.posted, cuboid) })
			return
		case counts:
			counted++
		}
		if counts && counted >= r.allowed {
			r.note(func() { r.failed = append(r.failed, cuboid) })
			return
		}
		time.Sleep(wait)
		wait = min(2*wait, 30*time.Second)
	}
}

func (r *run) note(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// all sends cuboids 0 to n with so many workers.
func (r *run) all(ctx context.Context, workers, n int) {
	cuboids := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for c := range cuboids {
				r.cuboid(ctx, c)
			}
		})
	}
	for c := range n {
		cuboids <- c
	}
	close(cuboids)
	wg.Wait()
}

// outage makes a service that is down from one moment to another.
func outage(from, to time.Duration, how pace.Outcome, takes time.Duration) func(int) pace.Result {
	began := time.Now()
	return func(int) pace.Result {
		if t := time.Since(began); t >= from && t < to {
			time.Sleep(takes)
			return pace.Result{Outcome: how, Err: errGone}
		}
		time.Sleep(time.Second)
		return pace.Result{Outcome: pace.Succeeded, Kind: "POST", Bytes: 1e6}
	}
}

// An outage of minutes fails no cuboid, though each has three attempts only, and
// costs few attempts. A person is told when it begins and ends.
func TestOutage(t *testing.T) {
	for _, tt := range []struct {
		name    string
		workers int
		how     pace.Outcome
		takes   time.Duration
	}{
		{"no such host", 8, pace.Unreached, 0},
		{"no such host, one worker", 1, pace.Unreached, 0},
		{"errors", 8, pace.Failed, 50 * time.Millisecond},
		{"silence", 4, pace.Failed, 10 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var told []pace.Outage
				r := &run{allowed: 3, do: outage(20*time.Second, 320*time.Second, tt.how, tt.takes)}
				r.p = pace.New(pace.Options{Workers: tt.workers, OnOutage: func(o pace.Outage) { told = append(told, o) }})
				r.all(t.Context(), tt.workers, 200)
				if len(r.posted) != 200 || len(r.failed) > 0 || len(r.errs) > 0 {
					t.Errorf("posted %d of 200, failed %v, errors %v", len(r.posted), r.failed, r.errs)
				}
				if extra := r.attempts - 200; extra > 12*tt.workers+20 {
					t.Errorf("%d attempts in vain", extra)
				}
				if len(told) != 2 || told[0].Over || !told[1].Over {
					t.Fatalf("told %+v", told)
				}
				since := told[0].Since.Sub(began)
				if since < 19*time.Second || since > 22*time.Second || told[0].Err != errGone || told[0].Attempts < 8 || !told[0].Since.Equal(told[1].Since) {
					t.Errorf("told of %+v, since %v", told[0], since)
				}
				if r.p.State().Down {
					t.Error("still down at the end")
				}
			})
		})
	}
}

// A blink passes by retries alone.
func TestBlink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &run{allowed: 8, do: outage(20*time.Second, 28*time.Second, pace.Failed, 0)}
		r.p = pace.New(pace.Options{Workers: 8, OnOutage: func(o pace.Outage) { t.Errorf("told %+v", o) }})
		r.all(t.Context(), 8, 200)
		if len(r.posted) != 200 {
			t.Errorf("posted %d of 200, failed %v", len(r.posted), r.failed)
		}
	})
}

// A cuboid that the service cannot digest fails after its attempts, among others
// and as the very last one.
func TestPoison(t *testing.T) {
	for _, tt := range []struct{ poison, allowed int }{{17, 3}, {49, 3}, {17, 12}, {49, 12}} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			r := &run{allowed: tt.allowed, do: func(cuboid int) pace.Result {
				time.Sleep(time.Second)
				if cuboid == tt.poison {
					n++
					return pace.Result{Outcome: pace.Failed, Err: errBusy}
				}
				return pace.Result{Outcome: pace.Succeeded}
			}}
			r.p = pace.New(pace.Options{Workers: 4, OnOutage: func(o pace.Outage) { t.Errorf("told %+v", o) }})
			r.all(t.Context(), 4, 50)
			if !slices.Equal(r.failed, []int{tt.poison}) || n != tt.allowed || len(r.posted) != 49 {
				t.Errorf("%+v: failed %v after %d attempts, posted %d", tt, r.failed, n, len(r.posted))
			}
		})
	}
}

// Answers to bad requests are signs of life, however many there are.
func TestRefusalsAreNoOutage(t *testing.T) {
	for _, outcome := range []pace.Outcome{pace.Answered, pace.Overloaded} {
		synctest.Test(t, func(t *testing.T) {
			r := &run{allowed: 1, do: func(int) pace.Result {
				time.Sleep(time.Second)
				return pace.Result{Outcome: outcome, Err: errBusy}
			}}
			r.p = pace.New(pace.Options{Workers: 2, OnOutage: func(o pace.Outage) { t.Errorf("told %+v", o) }})
			r.all(t.Context(), 2, 50)
			if len(r.failed) != 50 {
				t.Errorf("outcome %d: %d of 50 failed", outcome, len(r.failed))
			}
		})
	}
}

// While the breaker is open one attempt at a time goes out, at waits that grow
// to a minute; the service may ask for more.
func TestProbes(t *testing.T) {
	for _, wait := range []time.Duration{0, 3 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var probes []time.Duration
			inFlight, open := 0, false
			var last time.Time
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
			defer cancel()
			r := &run{allowed: 3, do: func(int) pace.Result {
				mu.Lock()
				inFlight++
				if open {
					probes = append(probes, time.Since(last).Round(time.Second))
					if inFlight > 1 {
						t.Errorf("%d probes at a time", inFlight)
					}
				}
				mu.Unlock()
				time.Sleep(100 * time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				inFlight--
				last = time.Now()
				return pace.Result{Outcome: pace.Unreached, Err: errGone, Wait: wait}
			}}
			r.p = pace.New(pace.Options{Workers: 4, OnOutage: func(pace.Outage) { mu.Lock(); open = true; mu.Unlock() }})
			r.all(ctx, 4, 4)
			want := []time.Duration{5e9, 10e9, 20e9, 40e9, 60e9, 60e9}
			if wait > 0 {
				want = []time.Duration{wait, wait, wait}
			}
			// Those on their way when it opened are not probes.
			for len(probes) > 0 && probes[0] < 2*time.Second {
				probes = probes[1:]
			}
			if len(probes) < len(want) || !slices.Equal(probes[:len(want)], want) {
				t.Errorf("probes after %v, want %v", probes, want)
			}
		})
	}
}

// When patience ends, all fail alike, at once, and for good.
func TestDown(t *testing.T) {
	for _, patience := range []time.Duration{0, 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			r := &run{allowed: 3, do: outage(20*time.Second, 1000*time.Hour, pace.Unreached, 0)}
			r.p = pace.New(pace.Options{Workers: 8, Patience: patience})
			r.all(t.Context(), 8, 1000)
			if len(r.failed) > 0 || len(r.errs) != 1000-len(r.posted) {
				t.Fatalf("%d posted, %d failed, %d refused", len(r.posted), len(r.failed), len(r.errs))
			}
			took, want := time.Since(began), patience
			if want == 0 {
				want = time.Hour
			}
			if took < want || took > want+2*time.Minute {
				t.Errorf("gave up after %v, want %v", took, want)
			}
			for _, err := range r.errs {
				var refused interface{ Refused() bool }
				if !errors.As(err, &refused) || !refused.Refused() || !errors.Is(err, errGone) {
					t.Fatalf("got %v", err)
				}
			}
			says := fmt.Sprintf("nothing has arrived since %s, for ", r.errs[0].(*pace.Down).Since.Format("2006-01-02 15:04:05"))
			if got := r.errs[0].Error(); !strings.HasPrefix(got, says) || !strings.Contains(got, "(last: connection refused); run the same command again") {
				t.Errorf("got %q", got)
			}
		})
	}
}

// Who is cancelled while all wait goes at once, and a probe that is given up is
// made by the next.
func TestCancelWhileDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var hang atomic.Bool
		r := &run{allowed: 3, do: func(int) pace.Result {
			if hang.Load() {
				<-ctx.Done()
				time.Sleep(time.Second)
				return pace.Result{Outcome: pace.Abandoned}
			}
			return pace.Result{Outcome: pace.Unreached, Err: errGone}
		}}
		r.p = pace.New(pace.Options{Workers: 4})
		done := make(chan bool)
		go func() { r.all(ctx, 4, 4); close(done) }()
		time.Sleep(time.Minute)
		if !r.p.State().Down {
			t.Fatal("not down")
		}
		hang.Store(true) // the next probe
		time.Sleep(5 * time.Minute)
		other := make(chan error)
		go func() {
			a, err := r.p.Request().Start(t.Context())
			a.End(pace.Result{Outcome: pace.Succeeded})
			other <- err
		}()
		synctest.Wait()
		began := time.Now()
		cancel()
		if err := <-other; err != nil || time.Since(began) > 2*time.Second {
			t.Errorf("the next probe: %v, after %v", err, time.Since(began))
		}
		<-done
		if len(r.errs) < 3 || !errors.Is(r.errs[0], context.Canceled) || r.p.State().Down {
			t.Errorf("got %v", r.errs)
		}
	})
}
