package pace_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/pace"
)

var errBusy = errors.New("busy")

// A server serves capacity requests at a time in a second each; of more it takes
// as much longer as they are more, and more than twice as many it refuses.
type server struct {
	mu       sync.Mutex
	capacity int
	inFlight int
	served   int
	refused  int
	noise    float64 // of times: the standard deviation of the logarithm
	slower   float64 // for reasons of its own
	random   *rand.Rand
}

func newServer(capacity int, noise float64) *server {
	return &server{capacity: capacity, noise: noise, slower: 1, random: rand.New(rand.NewPCG(1, 2))}
}

func (s *server) set(capacity int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.capacity = capacity
}

// counts are the numbers since the last call.
func (s *server) counts() (served, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	served, refused = s.served, s.refused
	s.served, s.refused = 0, 0
	return served, refused
}

// do is one request.
func (s *server) do() pace.Outcome {
	s.mu.Lock()
	s.inFlight++
	defer func() { s.inFlight--; s.mu.Unlock() }()
	if s.inFlight > 2*s.capacity {
		s.refused++
		return pace.Failed
	}
	load := max(1, float64(s.inFlight)/float64(s.capacity))
	took := load * s.slower * math.Exp(s.noise*s.random.NormFloat64())
	s.mu.Unlock()
	time.Sleep(time.Duration(took * float64(time.Second)))
	s.mu.Lock()
	s.served++
	return pace.Succeeded
}

// work sends requests with so many workers until ctx is done.
func work(ctx context.Context, p *pace.Pace, workers int, do func() pace.Result) (wait func()) {
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil {
				r := p.Request()
				for {
					a, err := r.Start(ctx)
					if err != nil {
						return
					}
					result := do()
					a.End(result)
					if result.Outcome == pace.Succeeded {
						break
					}
					time.Sleep(500 * time.Millisecond)
				}
			}
		})
	}
	return wg.Wait
}

// limits are those that were seen, once a second.
func limits(p *pace.Pace, d time.Duration) (mean float64, least, most int) {
	least = math.MaxInt
	n := int(d / time.Second)
	for range n {
		time.Sleep(time.Second)
		l := p.State().Limit
		mean += float64(l) / float64(n)
		least, most = min(least, l), max(most, l)
	}
	return mean, least, most
}

// ask is a test in a bubble, of a server that many workers ask until it ends.
func ask(t *testing.T, workers int, s *server, opts pace.Options, test func(t *testing.T, p *pace.Pace)) {
	synctest.Test(t, func(t *testing.T) {
		opts.Workers = workers
		p := pace.New(opts)
		ctx, cancel := context.WithCancel(t.Context())
		wait := work(ctx, p, workers, func() pace.Result {
			return pace.Result{Outcome: s.do(), Err: errBusy, Kind: "POST", Bytes: 1e6}
		})
		test(t, p)
		cancel()
		wait()
	})
}

// The gate finds the capacity of a server, uses it, hardly ever runs into a
// refusal, and follows when the capacity changes.
func TestGateFindsCapacity(t *testing.T) {
	for _, tt := range []struct{ noise, use float64 }{{0, 0.95}, {0.3, 0.9}, {0.6, 0.6}} {
		t.Run(fmt.Sprintf("noise %.1f", tt.noise), func(t *testing.T) {
			s := newServer(8, tt.noise)
			ask(t, 32, s, pace.Options{}, func(t *testing.T, p *pace.Pace) {
				for _, capacity := range []int{8, 3, 12, 1, 6} {
					s.set(capacity)
					time.Sleep(4 * time.Minute) // to settle
					s.counts()
					mean, least, most := limits(p, 10*time.Minute)
					served, refused := s.counts()
					best := 600 * float64(capacity) / math.Exp(tt.noise*tt.noise/2)
					use, c := float64(served)/best, float64(capacity)
					t.Logf("capacity %2d: limit %.1f (%d to %d), used %.0f%%, refused %d of %d", capacity, mean, least, most, 100*use, refused, served)
					if use < tt.use {
						t.Errorf("capacity %d: used %.0f%%, want %.0f", capacity, 100*use, 100*tt.use)
					}
					if mean > max(2, 1.6*c) {
						t.Errorf("capacity %d: the limit is %.1f on average", capacity, mean)
					}
					if refused > served/50 {
						t.Errorf("capacity %d: %d refused, %d served", capacity, refused, served)
					}
				}
			})
		})
	}
}

// A service that is slow for reasons of its own is soon used as before.
func TestGateGetsUsedToSlowness(t *testing.T) {
	s := newServer(100, 0.3)
	ask(t, 16, s, pace.Options{}, func(t *testing.T, p *pace.Pace) {
		for _, slower := range []float64{1, 3, 1.6, 0.3} {
			s.mu.Lock()
			s.slower = slower
			s.mu.Unlock()
			time.Sleep(20 * time.Minute)
			if mean, _, _ := limits(p, 10*time.Minute); mean < 12 {
				t.Errorf("%.1f times the time: %.1f of 16 workers on average", slower, mean)
			}
		}
	})
}

// A line that loses one request in a hundred is used all the same.
func TestGateOnLossyLine(t *testing.T) {
	s := newServer(100, 0.3)
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(pace.Options{Workers: 16})
		ctx, cancel := context.WithCancel(t.Context())
		var n atomic.Int64
		wait := work(ctx, p, 16, func() pace.Result {
			if n.Add(1)%100 == 0 {
				return pace.Result{Outcome: pace.Failed, Err: errBusy}
			}
			return pace.Result{Outcome: s.do(), Kind: "POST", Bytes: 1e6}
		})
		time.Sleep(5 * time.Minute)
		if mean, _, _ := limits(p, 30*time.Minute); mean < 5 {
			t.Errorf("%.1f of 16 workers on average", mean)
		}
		cancel()
		wait()
	})
}

// start begins n attempts at once, which must all be let in.
func start(t *testing.T, p *pace.Pace, n int) (attempts []*pace.Attempt) {
	t.Helper()
	for range n {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		a, err := p.Request().Start(ctx)
		cancel()
		if err != nil {
			t.Fatalf("only %d of %d attempts: %v", len(attempts), n, err)
		}
		attempts = append(attempts, a)
	}
	return attempts
}

// It starts with few, never lets in more than the limit, and what fails together
// is one reason to shrink.
func TestGateShrinksOnceARoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(pace.Options{Workers: 8})
		attempts := start(t, p, 4)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.Request().Start(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a fifth attempt: %v", err)
		}
		for _, a := range attempts {
			a.End(pace.Result{Outcome: pace.Failed, Err: errBusy})
		}
		if got := p.State(); got.Limit != 3 || got.InFlight != 0 {
			t.Errorf("after four failed together: %+v", got)
		}
		start(t, p, 3)[0].End(pace.Result{Outcome: pace.Overloaded, Err: errBusy})
		if got := p.State(); got.Limit != 2 || got.InFlight != 2 {
			t.Errorf("after another: %+v", got)
		}
	})
}

// What says nothing about the load leaves the limit alone.
func TestGateUnmoved(t *testing.T) {
	for _, r := range []pace.Result{
		{Outcome: pace.Abandoned},
		{Outcome: pace.Answered, Err: errBusy},
		{Outcome: pace.Succeeded}, // of no kind
	} {
		synctest.Test(t, func(t *testing.T) {
			p := pace.New(pace.Options{Workers: 8})
			ctx, cancel := context.WithCancel(t.Context())
			wait := work(ctx, p, 8, func() pace.Result { time.Sleep(time.Second); return r })
			if _, least, most := limits(p, 5*time.Minute); least != 4 || most != 4 {
				t.Errorf("%+v: the limit was %d to %d", r, least, most)
			}
			cancel()
			wait()
		})
	}
}

// Nobody comes in while the service wants to be left alone, but for a minute at
// most: a Retry-After of hours is for the request that got it.
func TestGateKeepsOut(t *testing.T) {
	for wait, want := range map[time.Duration]time.Duration{
		7 * time.Second: 7 * time.Second,
		time.Hour:       time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			p := pace.New(pace.Options{Workers: 8})
			start(t, p, 1)[0].End(pace.Result{Outcome: pace.Overloaded, Err: errBusy, Wait: wait})
			began := time.Now()
			a, err := p.Request().Start(t.Context())
			if got := time.Since(began); err != nil || got != want {
				t.Errorf("asked for %v: waited %v, want %v; %v", wait, got, want, err)
			}
			a.End(pace.Result{})
		})
	}
}

// Those who give up waiting take no place with them.
func TestGateQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(pace.Options{Workers: 1})
		first := start(t, p, 1)[0]
		var got []int
		var wg sync.WaitGroup
		for i := range 6 {
			ctx, cancel := context.WithCancel(t.Context())
			wg.Go(func() {
				defer cancel()
				a, err := p.Request().Start(ctx)
				if err == nil {
					got = append(got, i)
					a.End(pace.Result{})
				}
			})
			synctest.Wait() // in this order
			if i%2 == 1 {
				cancel()
				synctest.Wait()
			}
		}
		first.End(pace.Result{})
		wg.Wait()
		if want := []int{0, 2, 4}; !slices.Equal(got, want) {
			t.Errorf("let in %v, want %v", got, want)
		}
		if s := p.State(); s.InFlight != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Only large changes are told.
func TestOnLimit(t *testing.T) {
	s := newServer(8, 0)
	var told []pace.Limit
	opts := pace.Options{OnLimit: func(l pace.Limit) { told = append(told, l) }}
	ask(t, 32, s, opts, func(t *testing.T, p *pace.Pace) {
		time.Sleep(30 * time.Minute)
		s.set(2)
		time.Sleep(30 * time.Minute)
	})
	if len(told) < 2 || len(told) > 8 {
		t.Errorf("told %d times: %+v", len(told), told)
	}
	from := 4
	for _, l := range told {
		if l.From != from || l.To > l.From && (l.Slow || l.Err != nil) || l.To < l.From && !l.Slow && l.Err == nil {
			t.Errorf("told %+v after %d", l, from)
		}
		from = l.To
	}
}

func TestNilPace(t *testing.T) {
	var p *pace.Pace
	a, err := p.Request().Start(t.Context())
	if err != nil || a.Piece(1e9) != 1e9 || a.Pay(t.Context(), 1e9) != nil || !a.End(pace.Result{Outcome: pace.Failed}) {
		t.Error("a nil Pace holds back")
	}
	if p.State() != (pace.State{}) {
		t.Error("a nil Pace has a state")
	}
}

// BenchmarkAttempt is what an attempt costs beside what it sends: nothing, where
// a cuboid takes milliseconds at the least.
func BenchmarkAttempt(b *testing.B) {
	p := pace.New(pace.Options{Workers: 8})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			a, err := p.Request().Start(b.Context())
			if err != nil {
				b.Error(err)
				return
			}
			a.End(pace.Result{Outcome: pace.Succeeded, Kind: "POST", Bytes: 1e6})
		}
	})
}
