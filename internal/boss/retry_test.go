package boss

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/retry"
)

// schedule sends one request to a server that answers with these statuses, the
// last one for ever, and returns the waits between the attempts.
func schedule(t *testing.T, r retry.Policy, header string, statuses ...int) (waits []time.Duration, attempts int, err error) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		status := statuses[min(attempts, len(statuses)-1)]
		attempts++
		if header != "" {
			w.Header().Set("Retry-After", header)
		}
		w.WriteHeader(status)
		if status == 200 {
			io.WriteString(w, "{}")
		}
	}))
	defer srv.Close()
	r.Sleep = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
	if r.Random == nil {
		r.Random = func() float64 { return 0 }
	}
	var told []time.Duration
	c, err := New(Access{Protocol: "http", Host: strings.TrimPrefix(srv.URL, "http://"), Token: NewToken(secret)},
		Options{Retry: r, OnRetry: func(f Failure) { told = append(told, f.Wait) }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Collection(t.Context(), "lab")
	if !slices.Equal(told, waits) {
		t.Errorf("OnRetry was told of %v, the waits were %v", told, waits)
	}
	return waits, attempts, err
}

func TestSchedule(t *testing.T) {
	const ms, s = time.Millisecond, time.Second
	half := func() float64 { return 0.5 }
	for _, tt := range []struct {
		name     string
		retry    retry.Policy
		header   string
		statuses []int
		want     []time.Duration
		ok       bool
	}{
		{"at once", retry.Policy{}, "", []int{200}, nil, true},
		{"once more", retry.Policy{}, "", []int{503, 200}, []time.Duration{500 * ms}, true},
		{"doubling", retry.Policy{}, "", []int{502}, []time.Duration{500 * ms, s, 2 * s, 4 * s, 8 * s, 16 * s, 30 * s}, false},
		{"jitter", retry.Policy{Random: half}, "", []int{502, 502, 200}, []time.Duration{375 * ms, 750 * ms}, true},
		{"of one's own", retry.Policy{Attempts: 4, Base: s, Max: 2 * s}, "", []int{503}, []time.Duration{s, 2 * s, 2 * s}, false},
		{"few", retry.Policy{}, "", []int{500}, []time.Duration{500 * ms, s}, false},
		{"fewer than few", retry.Policy{Attempts: 2}, "", []int{500}, []time.Duration{500 * ms}, false},
		{"permanent", retry.Policy{}, "", []int{400}, nil, false},
		{"fatal", retry.Policy{}, "", []int{401}, nil, false},
		{"quota", retry.Policy{}, "", []int{429}, nil, false},
		{"from transient to fatal", retry.Policy{}, "", []int{503, 403}, []time.Duration{500 * ms}, false},
		{"Retry-After", retry.Policy{Attempts: 3}, "7", []int{503}, []time.Duration{7 * s, 7 * s}, false},
		{"Retry-After, sooner than we", retry.Policy{Attempts: 3, Base: 10 * s}, "7", []int{503}, []time.Duration{10 * s, 20 * s}, false},
		{"a rate, not a quota", retry.Policy{}, "3", []int{429, 200}, []time.Duration{3 * s}, true},
		{"Retry-After tomorrow", retry.Policy{}, "86400", []int{503}, nil, false},
	} {
		waits, attempts, err := schedule(t, tt.retry, tt.header, tt.statuses...)
		if !slices.Equal(waits, tt.want) || attempts != len(tt.want)+1 || (err == nil) != tt.ok {
			t.Errorf("%s: %d attempts, waits %v, error %v; want waits %v", tt.name, attempts, waits, err, tt.want)
		}
	}
}

func TestParseRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, " 5 ": 5 * time.Second, "-5": 0, "soon": 0, "5m": 0,
		now.Add(time.Minute).Format(http.TimeFormat):  time.Minute,
		now.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		if got := parseRetryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}

func ExampleFailure() {
	e := newError(&request{method: "POST", path: "/v1/cutout/lab/exp1/im1/0/0:512/0:512/0:16/"}, 503, nil)
	f := Failure{Err: e, Attempt: 1, Wait: time.Second}
	fmt.Printf("attempt %d: %v; again in %v\n", f.Attempt, f.Err, f.Wait)
	// Output: attempt 1: POST /v1/cutout/lab/exp1/im1/0/0:512/0:512/0:16/: BOSS is not available at the moment (503); again in 1s
}
