package pace_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/pace"
)

func table(t testing.TB, s string) pace.Timetable {
	t.Helper()
	table, err := pace.ParseTimetable(s)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// send sends a body in pieces, as the transport asks for them.
func send(ctx context.Context, a *pace.Attempt, n int, sent func(int)) error {
	for n > 0 {
		m := a.Piece(min(n, 32<<10))
		if err := a.Pay(ctx, m); err != nil {
			return err
		}
		sent(m)
		n -= m
	}
	return nil
}

// All workers together send at the rate, smoothly, and each gets a share.
func TestLimiter(t *testing.T) {
	for _, rate := range []string{"1K", "100K", "10M", "50M"} {
		synctest.Test(t, func(t *testing.T) {
			tt := table(t, rate)
			limit := int(tt.At(time.Now()))
			p := pace.New(pace.Options{Workers: 4, Bandwidth: tt})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var mu sync.Mutex
			perSecond := make([]int, 61)
			shares := make([]int, 4)
			silent := time.Duration(0)
			began := time.Now()
			var wg sync.WaitGroup
			for i := range 4 {
				wg.Go(func() {
					a, err := p.Request().Start(ctx)
					if err != nil {
						t.Error(err)
						return
					}
					last := time.Now()
					err = send(ctx, a, math.MaxInt, func(n int) {
						mu.Lock()
						defer mu.Unlock()
						perSecond[time.Since(began)/time.Second] += n
						shares[i] += n
						silent = max(silent, time.Since(last))
						last = time.Now()
					})
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Error(err)
					}
					a.End(pace.Result{})
				})
			}
			wg.Wait()
			total := 0
			for s, n := range perSecond[:60] {
				total += n
				if n < limit*8/10 || n > limit*12/10 {
					t.Errorf("%s: %d bytes in second %d", rate, n, s)
				}
			}
			if total < limit*60*99/100 || total > limit*60*101/100 {
				t.Errorf("%s: %d bytes in a minute", rate, total)
			}
			for _, n := range shares {
				if n < total/5 || n > total/3 {
					t.Errorf("%s: shares %v", rate, shares)
				}
			}
			if silent > 2*time.Second {
				t.Errorf("%s: a worker was silent for %v", rate, silent)
			}
		})
	}
}

// A rate of the timetable holds from its minute on, for bodies on their way too.
func TestLimiterFollowsTimetable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The bubble begins at midnight in Greenwich, on a whole minute anywhere.
		minute := func(n int) string { return time.Now().Add(time.Duration(n) * time.Minute).Format("15:04") }
		p := pace.New(pace.Options{Bandwidth: table(t, minute(0)+",10K "+minute(1)+",1M "+minute(2)+",off")})
		a, err := p.Request().Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var at time.Duration
		if err := send(t.Context(), a, 10e3*60+1e6*60+1e9, func(int) { at = time.Since(began) }); err != nil {
			t.Fatal(err)
		}
		if at < 119*time.Second || at > 121*time.Second {
			t.Errorf("took %v, want 2 minutes", at)
		}
		if got := p.State().Rate; got != 0 {
			t.Errorf("the rate is %v, want off", got)
		}
		a.End(pace.Result{Outcome: pace.Succeeded})
	})
}

// Bodies that the limiter holds back are no reason to send more at a time, and
// their times none to send fewer.
func TestLimiterAndGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(pace.Options{Workers: 16, Bandwidth: table(t, "100K")})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for {
					a, err := p.Request().Start(ctx)
					if err != nil {
						return
					}
					err = send(ctx, a, 1e6, func(int) {})
					a.End(pace.Result{Outcome: pace.Succeeded, Err: err, Kind: "POST", Bytes: 1e6})
				}
			})
		}
		if _, least, most := limits(p, time.Hour); least != 4 || most != 4 {
			t.Errorf("the limit was %d to %d", least, most)
		}
		cancel()
		wg.Wait()
	})
}

func TestPayIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(pace.Options{Bandwidth: table(t, "1B")})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				a, err := p.Request().Start(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				if err := a.Pay(ctx, 1000); err == nil {
					err = a.Pay(ctx, 1)
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("got %v", err)
					}
				}
				a.End(pace.Result{})
			})
		}
		began := time.Now()
		wg.Wait()
		if time.Since(began) != 10*time.Second {
			t.Errorf("waited %v", time.Since(began))
		}
	})
}

// BenchmarkPay is what a piece costs: of 32 KiB without a limit, and with one so
// high that it never binds.
func BenchmarkPay(b *testing.B) {
	for _, rate := range []string{"off", "1000T"} {
		b.Run(rate, func(b *testing.B) {
			p := pace.New(pace.Options{Bandwidth: table(b, rate)})
			a, err := p.Request().Start(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(32 << 10)
			for b.Loop() {
				if err := send(b.Context(), a, 32<<10, func(int) {}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
