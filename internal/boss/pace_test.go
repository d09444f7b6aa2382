package boss

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/pace"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A double is a BOSS in a bubble whose state changes with time. It answers a
// post after a second.
type double struct {
	dialErr func() error        // nil, or nil from it: it can be reached
	answer  func(string) string // the status line and headers for a path; "": it is silent

	mu    sync.Mutex
	asked int
	conns []net.Conn
}

const created = "201 Created"

func (d *double) dial(_ context.Context, _, _ string) (net.Conn, error) {
	if d.dialErr != nil {
		if err := d.dialErr(); err != nil {
			return nil, err
		}
	}
	near, far := net.Pipe()
	d.mu.Lock()
	d.conns = append(d.conns, far)
	d.mu.Unlock()
	go d.serve(far)
	return near, nil
}

func (d *double) serve(conn net.Conn) {
	defer conn.Close()
	for r := bufio.NewReader(conn); ; {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
		if _, err := io.Copy(io.Discard, request.Body); err != nil {
			return
		}
		time.Sleep(time.Second)
		d.mu.Lock()
		d.asked++
		d.mu.Unlock()
		answer := d.answer(request.URL.Path)
		if answer == "" {
			untilClosed(r)
			return
		}
		fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", answer)
	}
}

// cut ends all connections.
func (d *double) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.conns {
		c.Close()
	}
	d.conns = nil
}

// postAll posts n cuboids by so many workers and returns what failed.
func postAll(ctx context.Context, ch *Channel, workers, n int) (errs []error) {
	cuboids := make(chan voxel.Box)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for box := range cuboids {
				if err := ch.Post(ctx, voxel.NewBlock(box, voxel.Uint8)); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	for i := range n {
		cuboids <- voxel.Box{Min: voxel.Point{X: i * 16}, Max: voxel.Point{X: (i + 1) * 16, Y: 16, Z: 16}}
	}
	close(cuboids)
	wg.Wait()
	return errs
}

// Whatever is down for twenty minutes in the middle of a run, no cuboid fails.
func TestOutageFailsNoCuboid(t *testing.T) {
	const from, to = 20 * time.Second, 20*time.Minute + 20*time.Second
	notFound := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api.bossdb.io", IsNotFound: true}}
	for _, tt := range []struct {
		name    string
		workers int
		dialErr error
		answer  string
		says    string // what a person is told
	}{
		{"no such host", 8, notFound, created, "find api.bossdb.io: no such host"},
		{"no such host, one worker", 1, notFound, created, "find api.bossdb.io: no such host"},
		{"500", 8, nil, "500 Internal Server Error", "an internal error of BOSS (500)"},
		{"503", 8, nil, "503 Service Unavailable", "not available at the moment (503)"},
		{"503 with Retry-After", 8, nil, "503 Service Unavailable\r\nRetry-After: 20", "not available at the moment (503)"},
		{"silence", 8, nil, "", "api.bossdb.io did not answer in time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				out := func() bool { d := time.Since(began); return from <= d && d < to }
				var told []pace.Outage
				d := &double{
					dialErr: func() error {
						if out() {
							return tt.dialErr
						}
						return nil
					},
					answer: func(string) string {
						if out() {
							return tt.answer
						}
						return created
					},
				}
				ch := newPiped(t, "http", Options{
					dial: d.dial, Workers: tt.workers, Retry: patience,
					Pace: pace.New(pace.Options{Workers: tt.workers, OnOutage: func(o pace.Outage) { told = append(told, o) }}),
				})
				time.AfterFunc(from, func() {
					if tt.dialErr != nil {
						d.cut()
					}
				})
				if errs := postAll(t.Context(), ch, tt.workers, 300); len(errs) > 0 {
					t.Errorf("%d cuboids failed: %v", len(errs), errs[0])
				}
				took := time.Since(began)
				if took < to || took > to+15*time.Minute {
					t.Errorf("took %v", took)
				}
				if len(told) != 2 || told[0].Over || !told[1].Over || !strings.Contains(told[0].Err.Error(), tt.says) {
					t.Errorf("told %+v", told)
				}
				if d.asked > 300+100 {
					t.Errorf("asked %d times for 300 cuboids", d.asked)
				}
			})
		})
	}
}

// When patience is at its end, the run can go on another day.
func TestDownIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &double{dialErr: func() error { return &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("network is unreachable")} }}
		ch := newPiped(t, "http", Options{dial: d.dial, Pace: pace.New(pace.Options{Workers: 4, Patience: 10 * time.Minute})})
		began := time.Now()
		errs := postAll(t.Context(), ch, 4, 20)
		if took := time.Since(began); len(errs) != 20 || took < 10*time.Minute || took > 12*time.Minute {
			t.Errorf("%d of 20 failed after %v", len(errs), took)
		}
		for _, err := range errs {
			var refused interface{ Refused() bool }
			if !errors.As(err, &refused) || !refused.Refused() {
				t.Errorf("not refused: %v", err)
			}
			says := err.Error()
			for _, want := range []string{"nothing has arrived since ", "network is unreachable", "run the same command again later"} {
				if !strings.Contains(says, want) || strings.Contains(says, "\n") || strings.Contains(says, secret) {
					t.Errorf("got %s", says)
				}
			}
		}
	})
}

// Cuboids that BOSS will not have are signs of life.
func TestBadCuboidsAreNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &double{answer: func(string) string { return "400 Bad Request" }}
		ch := newPiped(t, "http", Options{dial: d.dial, Pace: pace.New(pace.Options{
			Workers: 4, OnOutage: func(o pace.Outage) { t.Errorf("told %+v", o) },
		})})
		if errs := postAll(t.Context(), ch, 4, 100); len(errs) != 100 || d.asked != 100 {
			t.Errorf("%d of 100 failed, asked %d times", len(errs), d.asked)
		}
	})
}

// While BOSS wants to be left alone nobody asks, and one that wants it for longer
// than a person should wait takes no data for now.
func TestRetryAfterAndPace(t *testing.T) {
	for _, tt := range []struct {
		status, after string
		class         Class // of the error, if there is one
		took          time.Duration
	}{
		{"503 Service Unavailable", "30", 0, 30 * time.Second},
		{"429 Too Many Requests", "30", 0, 30 * time.Second},
		{"503 Service Unavailable", "86400", Refused, 0},
		{"429 Too Many Requests", "86400", Refused, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			first := true
			d := &double{}
			d.answer = func(string) string {
				d.mu.Lock()
				defer d.mu.Unlock()
				if first {
					first = false
					return tt.status + "\r\nRetry-After: " + tt.after
				}
				if tt.took > 0 && time.Since(began) < tt.took {
					t.Errorf("asked again after %v", time.Since(began))
				}
				return created
			}
			ch := newPiped(t, "http", Options{dial: d.dial, Retry: patience, Pace: pace.New(pace.Options{Workers: 1})})
			errs := postAll(t.Context(), ch, 2, 10)
			if tt.took > 0 {
				if len(errs) > 0 {
					t.Errorf("%s, %s: %v", tt.status, tt.after, errs)
				}
				return
			}
			if e := (*Error)(nil); len(errs) != 1 || !errors.As(errs[0], &e) || e.Class() != tt.class {
				t.Errorf("%s, %s: %v", tt.status, tt.after, errs)
			}
		})
	}
}

// A caller that cancels goes at once, whatever it waits for.
func TestCancelWhileWaiting(t *testing.T) {
	bandwidth, err := pace.ParseTimetable("100B")
	if err != nil {
		t.Fatal(err)
	}
	for name, opts := range map[string]pace.Options{
		"gate":    {Workers: 1},
		"limiter": {Workers: 8, Bandwidth: bandwidth},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &double{answer: func(string) string { return "" }}
				ch := newPiped(t, "http", Options{dial: d.dial, Pace: pace.New(opts)})
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				began := time.Now()
				var wg sync.WaitGroup
				for range 4 {
					wg.Go(func() {
						if err := post(ctx, ch); !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("got %v", err)
						}
					})
				}
				wg.Wait()
				if took := time.Since(began); took != 10*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}
