package boss

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/pace"
	"github.com/neurodata/ndpush/internal/retry"
	"github.com/neurodata/ndpush/internal/voxel"
)

var watchedBox = voxel.Box{Max: voxel.Point{X: 256, Y: 256, Z: 16}}

// pipes connects a client to h without a network, so that all deadlines are
// those of a synctest bubble.
func pipes(h func(net.Conn)) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() { defer far.Close(); h(far) }()
		return near, nil
	}
}

func newPiped(t *testing.T, protocol string, opts Options) *Channel {
	t.Helper()
	if opts.Retry.Attempts == 0 {
		opts.Retry.Attempts = 1
	}
	if opts.Proxy == nil {
		opts.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	}
	opts.InsecureHTTP = true
	c, err := New(Access{Protocol: protocol, Host: "api.bossdb.io", Token: NewToken(secret)}, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	ch, err := c.Channel("lab", "exp1", "im1", 0, voxel.Uint8)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func post(ctx context.Context, ch *Channel) error {
	b := voxel.NewBlock(watchedBox, voxel.Uint8)
	rand.NewChaCha8([32]byte{}).Read(b.Data) // which does not compress
	return ch.Post(ctx, b)
}

func get(ctx context.Context, ch *Channel) error {
	_, err := ch.Get(ctx, watchedBox)
	return err
}

// head reads the head of a request.
func head(conn net.Conn) *bufio.Reader {
	r := bufio.NewReader(conn)
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = r.ReadString('\n'); err != nil {
			return r
		}
	}
	return r
}

// untilClosed waits until the client goes away.
func untilClosed(r io.Reader) { io.Copy(io.Discard, r) }

// drip sends a byte at a time for ever.
func drip(conn net.Conn, every time.Duration) {
	for {
		time.Sleep(every)
		if _, err := conn.Write([]byte(" ")); err != nil {
			return
		}
	}
}

// A server that falls silent at whatever stage ends the attempt in minutes.
func TestSilenceAtEachStage(t *testing.T) {
	const cutoutHead = "HTTP/1.1 200 OK\r\nContent-Type: application/blosc\r\nContent-Length: 1000\r\n\r\n"
	blackHole := func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	sit := func(conn net.Conn) { untilClosed(conn) }
	deaf := func(net.Conn) { time.Sleep(time.Hour) }
	proxy := http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy:3128"})
	for _, tt := range []struct {
		name     string
		protocol string
		opts     Options
		do       func(context.Context, *Channel) error
		took     time.Duration
		want     string
		outcome  pace.Outcome
	}{
		{"connect", "http", Options{dial: blackHole}, get, time.Minute, "no connection for 1m0s", pace.Unreached},
		{"TLS", "https", Options{dial: pipes(sit)}, get, 30 * time.Second, "did not answer in time", pace.Unreached},
		{"proxy", "https", Options{dial: pipes(sit), Proxy: proxy}, get, time.Minute, "did not answer in time", pace.Unreached},
		{"nothing is read of a get", "http", Options{dial: pipes(deaf)}, get, 4 * time.Minute, "nothing came for 4m0s", pace.Failed},
		{"nothing is read of a post", "http", Options{dial: pipes(deaf)}, post, 2 * time.Minute, "no byte moved for 2m0s", pace.Failed},
		{"no answer to a get", "http", Options{dial: pipes(sit)}, get, 2 * time.Minute, "did not answer in time", pace.Failed},
		{"no continue and no answer", "http", Options{dial: pipes(sit)}, post, 2*time.Minute + time.Second, "did not answer in time", pace.Failed},
		{"the body is not read", "http", Options{dial: pipes(func(conn net.Conn) {
			r := head(conn)
			io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
			io.CopyN(io.Discard, r, 100e3)
			deaf(conn)
		})}, post, 2 * time.Minute, "no byte moved for 2m0s", pace.Failed},
		{"the body is read a byte a minute", "http", Options{dial: pipes(func(conn net.Conn) {
			head(conn)
			io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
			for p := make([]byte, 1); ; time.Sleep(time.Minute) {
				if _, err := conn.Read(p); err != nil {
					return
				}
			}
		})}, post, 2 * time.Minute, "no byte moved for 2m0s", pace.Failed},
		{"half a head", "http", Options{dial: pipes(func(conn net.Conn) {
			r := head(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-")
			untilClosed(r)
		})}, get, 2 * time.Minute, "did not answer in time", pace.Failed},
		{"a head a byte a minute", "http", Options{dial: pipes(func(conn net.Conn) {
			head(conn)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-Filler: ")
			drip(conn, time.Minute)
		})}, get, 2 * time.Minute, "did not answer in time", pace.Failed},
		{"hints for ever", "http", Options{dial: pipes(func(conn net.Conn) {
			head(conn)
			for {
				time.Sleep(10 * time.Second)
				if _, err := io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n\r\n"); err != nil {
					return
				}
			}
		})}, get, 2 * time.Minute, "did not answer in time", pace.Failed},
		{"half a body", "http", Options{dial: pipes(func(conn net.Conn) {
			r := head(conn)
			io.WriteString(conn, cutoutHead+"123")
			untilClosed(r)
		})}, get, 2 * time.Minute, "no byte moved for 2m0s", pace.Failed},
		{"a body a byte a minute", "http", Options{dial: pipes(func(conn net.Conn) {
			head(conn)
			io.WriteString(conn, cutoutHead)
			drip(conn, time.Minute)
		})}, get, 10 * time.Minute, "the request took longer than 10m0s", pace.Failed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer time.Sleep(2 * time.Hour) // until those who are deaf are gone
				ch := newPiped(t, tt.protocol, tt.opts)
				began := time.Now()
				err := tt.do(t.Context(), ch)
				took := time.Since(began)
				var e *Error
				if !errors.As(err, &e) || !e.Temporary() || !strings.Contains(e.Error(), tt.want) {
					t.Fatalf("after %v: %v", took, err)
				}
				if e.paceOutcome() != tt.outcome {
					t.Errorf("the outcome is %d, want %d", e.paceOutcome(), tt.outcome)
				}
				if took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("an attempt's end looks like the caller's: %v", err)
				}
			})
		})
	}
}

// A server that switches to another protocol unasked is refused, not listened to.
func TestSwitchingProtocols(t *testing.T) {
	for name, do := range map[string]func(context.Context, *Channel) error{"get": get, "post": post} {
		synctest.Test(t, func(t *testing.T) {
			ch := newPiped(t, "http", Options{dial: pipes(func(conn net.Conn) {
				r := head(conn)
				io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n")
				untilClosed(r)
			})})
			began := time.Now()
			err := do(t.Context(), ch)
			if e := (*Error)(nil); !errors.As(err, &e) || e.Status != http.StatusSwitchingProtocols {
				t.Errorf("%s: got %v", name, err)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("%s: took %v", name, took)
			}
		})
	}
}

// What is known of an answer counts, though the rest of it never comes.
func TestAnswerThatNeverEnds(t *testing.T) {
	for _, tt := range []struct {
		status string
		took   time.Duration
		want   string
	}{
		{"201 Created", time.Second, ""},
		{"503 Service Unavailable", 2 * time.Minute, "not available at the moment (503)"},
	} {
		synctest.Test(t, func(t *testing.T) {
			defer time.Sleep(time.Hour) // until the server sees that nobody listens
			ch := newPiped(t, "http", Options{dial: pipes(func(conn net.Conn) {
				r := head(conn)
				io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
				go untilClosed(r)
				io.WriteString(conn, "HTTP/1.1 "+tt.status+"\r\nContent-Length: 1000\r\n\r\n")
				drip(conn, 3*time.Minute)
			})})
			began := time.Now()
			err := post(t.Context(), ch)
			if took := time.Since(began); took > tt.took+time.Second {
				t.Errorf("%s: took %v, want %v", tt.status, took, tt.took)
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v", tt.status, err)
			}
		})
	}
}

// A low bandwidth makes an attempt last for hours, and is no reason to end it;
// the server's own silence still is.
func TestBandwidthIsNoSilence(t *testing.T) {
	for _, answers := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			bandwidth, err := pace.ParseTimetable("100B")
			if err != nil {
				t.Fatal(err)
			}
			var got atomic.Int64
			p := pace.New(pace.Options{Bandwidth: bandwidth})
			ch := newPiped(t, "http", Options{Pace: p, dial: pipes(func(conn net.Conn) {
				r := bufio.NewReader(conn)
				request, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
				n, _ := io.Copy(io.Discard, request.Body)
				if got.Store(n); answers {
					io.WriteString(conn, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
				}
				untilClosed(r)
			})})
			began := time.Now()
			err = post(t.Context(), ch)
			want := time.Duration(got.Load()) * time.Second / 100
			if !answers {
				want += 2 * time.Minute
			}
			if took := time.Since(began); took < want-time.Second || took > want+time.Second {
				t.Errorf("%d bytes took %v, want %v", got.Load(), took, want)
			}
			if want < time.Hour {
				t.Errorf("%d bytes are too few for this test", got.Load())
			}
			if (err == nil) != answers {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Retries are sent through the limiter as well.
func TestRetriesCountAsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bandwidth, err := pace.ParseTimetable("10K")
		if err != nil {
			t.Fatal(err)
		}
		tries, sent := 0, int64(0)
		ch := newPiped(t, "http", Options{
			Pace:  pace.New(pace.Options{Bandwidth: bandwidth}),
			Retry: retry.Policy{Attempts: 3, Base: time.Millisecond, Max: time.Millisecond},
			dial: pipes(func(conn net.Conn) {
				request, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
				n, _ := io.Copy(io.Discard, request.Body)
				tries, sent = tries+1, sent+n
				status := "503 Unavailable"
				if tries == 3 {
					status = "201 Created"
				}
				io.WriteString(conn, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			}),
		})
		began := time.Now()
		if err := post(t.Context(), ch); err != nil {
			t.Fatal(err)
		}
		want := time.Duration(sent) * time.Second / 10e3
		if took := time.Since(began); tries != 3 || took < want-time.Second || took > want+time.Second {
			t.Errorf("%d attempts with %d bytes took %v, want %v", tries, sent, took, want)
		}
	})
}

// Over TLS a body is read in pieces of 32 KiB, some 500 a cuboid.
func TestPiecesOfABodyLeaveNoGarbage(t *testing.T) {
	w := newWatch(t.Context(), Timeouts{Dial: time.Minute, Stall: time.Minute, Request: time.Hour})
	defer w.stop()
	w.gotConn()
	p := make([]byte, 32<<10)
	sent := &body{watch: w, rest: [][]byte{make([]byte, 1000*len(p))}}
	read := func(r io.Reader) float64 { return testing.AllocsPerRun(100, func() { r.Read(p) }) }
	if got := read(sent); got != 0 {
		t.Errorf("a piece that is read makes %v objects", got)
	}
	if got := testing.AllocsPerRun(100, func() { sent.writePiece(io.Discard, len(p)) }); got != 0 {
		t.Errorf("a piece that is written makes %v objects", got)
	}
	w.answered()
	if got := read(&watchedBody{io.NopCloser(zeros{}), w}); got != 0 {
		t.Errorf("a piece that is received makes %v objects", got)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
