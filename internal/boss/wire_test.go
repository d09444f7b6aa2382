package boss_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"github.com/neurodata/ndpush/internal/retry"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/blosc"
	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/voxel"
)

const secret = "0123456789abcdef0123456789abcdef01234567"

// noSleep makes a test of retries quick.
func noSleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// newClient is a client of the server at url, such as http://127.0.0.1:1234.
func newClient(t testing.TB, url string, opts boss.Options) *boss.Client {
	t.Helper()
	protocol, host, _ := strings.Cut(url, "://")
	if opts.Retry.Sleep == nil {
		opts.Retry.Sleep = noSleep
	}
	c, err := boss.New(boss.Access{Protocol: protocol, Host: host, Token: boss.NewToken(secret)}, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func newChannel(t testing.TB, c *boss.Client, ty voxel.Type) *boss.Channel {
	t.Helper()
	ch, err := c.Channel("lab", "exp1", "im1", 0, ty)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// serve answers with h and returns a client.
func serve(t testing.TB, opts boss.Options, h http.HandlerFunc) *boss.Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return newClient(t, srv.URL, opts)
}

var box = voxel.Box{Min: voxel.Point{X: 512, Y: 1024, Z: 16}, Max: voxel.Point{X: 640, Y: 1088, Z: 20}}

// noise is a block that does not compress.
func noise(box voxel.Box, ty voxel.Type) *voxel.Block {
	b := voxel.NewBlock(box, ty)
	rand.NewChaCha8([32]byte{}).Read(b.Data)
	return b
}

func TestPostOnTheWire(t *testing.T) {
	for _, ty := range []voxel.Type{voxel.Uint8, voxel.Uint16, voxel.Uint64} {
		want := noise(box, ty)
		var got *http.Request
		var body []byte
		c := serve(t, boss.Options{Version: "1.2.3"}, func(w http.ResponseWriter, r *http.Request) {
			got = r
			body, _ = io.ReadAll(r.Body)
			w.WriteHeader(http.StatusCreated)
		})
		if err := newChannel(t, c, ty).Post(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		if got.Method != "POST" || got.RequestURI != "/v1/cutout/lab/exp1/im1/0/512:640/1024:1088/16:20/" || got.Proto != "HTTP/1.1" {
			t.Errorf("got %s %s %s", got.Method, got.RequestURI, got.Proto)
		}
		for name, value := range map[string]string{
			"Authorization":   "Token " + secret,
			"User-Agent":      "ndpush/1.2.3",
			"Accept":          "application/json",
			"Content-Type":    "application/blosc",
			"Expect":          "100-continue",
			"Accept-Encoding": "",
		} {
			if got := got.Header.Get(name); got != value {
				t.Errorf("%s: %s, want %s", name, got, value)
			}
		}
		if got.ContentLength != int64(len(body)) || len(got.TransferEncoding) != 0 {
			t.Errorf("Content-Length %d of %d bytes, Transfer-Encoding %v", got.ContentLength, len(body), got.TransferEncoding)
		}
		if body[3] != byte(ty.Size()) {
			t.Errorf("the frame's item size is %d, want %d", body[3], ty.Size())
		}
		var d blosc.Decoder
		if p, err := d.Append(nil, body, len(want.Data)); err != nil || !bytes.Equal(p, want.Data) {
			t.Errorf("%v: the body is not the cuboid: %v", ty, err)
		}
	}
}

func TestGetOnTheWire(t *testing.T) {
	want := noise(box, voxel.Uint16)
	c := serve(t, boss.Options{}, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" || r.RequestURI != "/v1/cutout/lab/exp1/im1/0/512:640/1024:1088/16:20/?access-mode=no-cache" {
			t.Errorf("got %s %s", r.Method, r.RequestURI)
		}
		if got := r.Header.Get("Accept"); got != "application/blosc" {
			t.Errorf("Accept: %s", got)
		}
		sendFrame(t, w, want.Data)
	})
	ch := newChannel(t, c, voxel.Uint16)
	got, err := ch.Get(t.Context(), box)
	if err != nil {
		t.Fatal(err)
	}
	if got.Box != box || got.Type != voxel.Uint16 || !bytes.Equal(got.Data, want.Data) {
		t.Errorf("got other voxels in %v of %v", got.Box, got.Type)
	}
	// In the memory that a block has.
	dst := voxel.NewBlock(voxel.Box{Max: voxel.Point{X: 256, Y: 256, Z: 4}}, voxel.Uint64)
	before := &dst.Data[0]
	dst.Box = box
	if err := ch.GetInto(t.Context(), dst); err != nil {
		t.Fatal(err)
	}
	if dst.Type != voxel.Uint16 || !bytes.Equal(dst.Data, want.Data) || &dst.Data[0] != before {
		t.Error("GetInto gave other voxels, or new memory")
	}
}

func sendFrame(t testing.TB, w http.ResponseWriter, data []byte) {
	e, err := blosc.NewEncoder(blosc.Options{})
	if err != nil {
		t.Error(err)
		return
	}
	frame, err := e.Append(nil, data, 1)
	if err != nil {
		t.Error(err)
	}
	w.Header().Set("Content-Type", "application/blosc")
	w.Write(frame)
}

func TestOtherRequestsOnTheWire(t *testing.T) {
	var got, body string
	status := 200
	c := serve(t, boss.Options{}, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got, body = r.Method+" "+r.RequestURI, string(text)
		if r.Method != "GET" && r.ContentLength != int64(len(text)) {
			t.Errorf("%s has Content-Length %d for %d bytes", got, r.ContentLength, len(text))
		}
		if r.Header.Get("Accept") != "application/json" || r.Header.Get("Authorization") == "" {
			t.Errorf("%s has headers %v", got, r.Header)
		}
		w.WriteHeader(status)
		io.WriteString(w, "{}")
	})
	ch := newChannel(t, c, voxel.Uint8)
	frame := boss.Frame{
		Name: "lab_exp1", Extent: voxel.Box{Max: voxel.Point{X: 1100, Y: 1000, Z: 32}},
		VoxelSize: [3]float64{4, 4, 40.5}, VoxelUnit: "nanometers",
	}
	for _, tt := range []struct {
		act    func(context.Context) error
		status int
		want   string
		body   string
	}{
		{func(ctx context.Context) error { return ch.ToBlack(ctx, box) }, 200,
			"PUT /v1/cutout/to_black/lab/exp1/im1/0/512:640/1024:1088/16:20/", ""},
		{func(ctx context.Context) error { _, err := ch.Downsample(ctx); return err }, 200,
			"GET /v1/downsample/lab/exp1/im1", ""},
		{ch.StartDownsample, 201,
			"POST /v1/downsample/lab/exp1/im1", ""},
		{func(ctx context.Context) error { return c.CheckToken(ctx, "lab") }, 200,
			"GET /v1/collection/lab", ""},
		{func(ctx context.Context) error { return c.CreateCollection(ctx, boss.Collection{Name: "lab"}) }, 201,
			"POST /v1/collection/lab", `{"name":"lab","description":""}`},
		{func(ctx context.Context) error { _, err := c.Frame(ctx, "lab_exp1"); return err }, 200,
			"GET /v1/coord/lab_exp1", ""},
		{func(ctx context.Context) error { return c.CreateFrame(ctx, frame) }, 201,
			"POST /v1/coord/lab_exp1", `{"name":"lab_exp1","description":"","x_start":0,"x_stop":1100,"y_start":0,"y_stop":1000,"z_start":0,"z_stop":32,"x_voxel_size":4,"y_voxel_size":4,"z_voxel_size":40.5,"voxel_unit":"nanometers"}`},
		{func(ctx context.Context) error { _, err := c.Experiment(ctx, "lab", "exp1"); return err }, 200,
			"GET /v1/collection/lab/experiment/exp1", ""},
		{func(ctx context.Context) error {
			return c.CreateExperiment(ctx, boss.Experiment{Name: "exp1", Collection: "lab", Frame: "lab_exp1", Levels: 3, Method: "anisotropic", TimeSamples: 1})
		}, 201,
			"POST /v1/collection/lab/experiment/exp1", `{"name":"exp1","description":"","collection":"lab","coord_frame":"lab_exp1","num_hierarchy_levels":3,"hierarchy_method":"anisotropic","num_time_samples":1}`},
		{func(ctx context.Context) error { _, err := c.ChannelInfo(ctx, "lab", "exp1", "im1"); return err }, 200,
			"GET /v1/collection/lab/experiment/exp1/channel/im1", ""},
		{func(ctx context.Context) error {
			return c.CreateChannel(ctx, "lab", "exp1", boss.ChannelInfo{Name: "im1", Type: "image", Datatype: "uint8"})
		}, 201,
			"POST /v1/collection/lab/experiment/exp1/channel/im1", `{"name":"im1","description":"","type":"image","datatype":"uint8","base_resolution":0,"sources":[],"related":[]}`},
		{func(ctx context.Context) error { _, _, err := c.Meta(ctx, "offsets", "lab", "exp1"); return err }, 200,
			"GET /v1/meta/lab/exp1/?key=offsets", ""},
		{func(ctx context.Context) error { return c.SetMeta(ctx, "offsets", "[100, 0, 0]", "lab", "exp1", "im1") }, 201,
			"POST /v1/meta/lab/exp1/im1/?key=offsets&value=%5B100%2C%200%2C%200%5D", ""},
	} {
		status = tt.status
		if err := tt.act(t.Context()); err != nil {
			t.Error(err)
		}
		if got != tt.want || body != tt.body {
			t.Errorf("got  %s %s\nwant %s %s", got, body, tt.want, tt.body)
		}
	}
}

// A name that BOSS would cut short never becomes an address.
func TestNames(t *testing.T) {
	c := serve(t, boss.Options{}, func(w http.ResponseWriter, r *http.Request) { t.Errorf("%s %s was sent", r.Method, r.RequestURI) })
	ctx := t.Context()
	for _, name := range []string{"", "bad name", "bad.name", "a/b", "..", "ü", "a\n", "x?y", strings.Repeat("a", 256)} {
		_, err1 := c.Collection(ctx, name)
		_, err2 := c.Experiment(ctx, "lab", name)
		_, err3 := c.ChannelInfo(ctx, "lab", "exp1", name)
		_, err4 := c.Frame(ctx, name)
		_, _, err5 := c.Meta(ctx, "k", name)
		_, err6 := c.Channel("lab", name, "im1", 0, voxel.Uint8)
		err7 := c.CreateCollection(ctx, boss.Collection{Name: name})
		for i, err := range []error{err1, err2, err3, err4, err5, err6, err7} {
			if err == nil {
				t.Errorf("name %q is accepted by call %d", name, i+1)
			}
		}
	}
	if _, err := c.Channel("lab", "exp1", "im1", 10, voxel.Uint8); err == nil {
		t.Error("resolution 10 is accepted")
	}
	if _, _, err := c.Meta(ctx, "k"); err == nil {
		t.Error("metadata of nothing is accepted")
	}
	ch := newChannel(t, c, voxel.Uint8)
	for _, b := range []voxel.Box{{}, {Min: voxel.Point{X: -1}, Max: voxel.Point{X: 1, Y: 1, Z: 1}}} {
		if err := ch.Post(ctx, voxel.NewBlock(b, voxel.Uint8)); err == nil {
			t.Errorf("a post to %v is accepted", b)
		}
	}
	if err := ch.Post(ctx, voxel.NewBlock(box, voxel.Uint16)); err == nil {
		t.Error("uint16 is posted to a channel of uint8")
	}
}

// Only a 201 means that BOSS has the voxels.
func TestPostWantsCreated(t *testing.T) {
	for _, status := range []int{200, 202, 204} {
		c := serve(t, boss.Options{}, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.WriteHeader(status)
		})
		err := newChannel(t, c, voxel.Uint8).Post(t.Context(), noise(box, voxel.Uint8))
		if e := (*boss.Error)(nil); !errors.As(err, &e) || e.Status != status || !e.Fatal() {
			t.Errorf("a post answered with %d: %v", status, err)
		}
	}
}

// A redirect is not followed, so the token stays here.
func TestRedirect(t *testing.T) {
	away := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was sent to another host with %v", r.Method, r.URL, r.Header)
	}))
	defer away.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		c := serve(t, boss.Options{}, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, away.URL+r.URL.Path+"?next=secret", status)
		})
		_, err := c.Collection(t.Context(), "lab")
		if e := (*boss.Error)(nil); !errors.As(err, &e) || !e.Fatal() || !strings.Contains(err.Error(), away.URL) || strings.Contains(err.Error(), "next") {
			t.Errorf("redirect %d: %v", status, err)
		}
		if err := newChannel(t, c, voxel.Uint8).Post(t.Context(), noise(box, voxel.Uint8)); err == nil {
			t.Errorf("redirect %d of a post is a success", status)
		}
	}
}

// raw serves each connection with h, on bare TCP.
func raw(t testing.TB, h func(net.Conn)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { defer conn.Close(); h(conn) })
		}
	})
	return "http://" + l.Addr().String()
}

// reset closes conn so that the other side sees "connection reset by peer".
func reset(conn net.Conn) {
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

// A connection that is reset in the middle of the body is a reason to send all
// of it again.
func TestResetWhilePosting(t *testing.T) {
	want := noise(voxel.Box{Max: voxel.Point{X: 1024, Y: 1024, Z: 4}}, voxel.Uint8)
	var n atomic.Int32
	var got []byte
	url := raw(t, func(conn net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
		if n.Add(1) <= 2 {
			io.CopyN(io.Discard, r.Body, 1<<20)
			reset(conn)
			return
		}
		got, _ = io.ReadAll(r.Body)
		io.WriteString(conn, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	})
	var failures []boss.Failure
	c := newClient(t, url, boss.Options{OnRetry: func(f boss.Failure) { failures = append(failures, f) }})
	if err := newChannel(t, c, voxel.Uint8).Post(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	var d blosc.Decoder
	if p, err := d.Append(nil, got, len(want.Data)); err != nil || !bytes.Equal(p, want.Data) {
		t.Errorf("the third attempt's body is not the cuboid: %v", err)
	}
	if len(failures) != 2 || failures[0].Attempt != 1 || failures[1].Attempt != 2 || !failures[0].Err.Temporary() {
		t.Errorf("failures: %+v", failures)
	}
}

// A server that refuses at once and closes is heard, thanks to 100-continue.
func TestRefusalWithoutReadingTheBody(t *testing.T) {
	cuboid := noise(voxel.Box{Max: voxel.Point{X: 1024, Y: 1024, Z: 4}}, voxel.Uint8)
	url := raw(t, func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		io.WriteString(conn, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsorry")
	})
	ch := newChannel(t, newClient(t, url, boss.Options{Retry: retry.Policy{Attempts: 1}}), voxel.Uint8)
	for range 20 {
		err := ch.Post(t.Context(), cuboid)
		if e := (*boss.Error)(nil); !errors.As(err, &e) || e.Status != 503 || e.Message != "sorry" || !e.Temporary() {
			t.Fatalf("got %v", err)
		}
	}
}

// A server that accepts and never answers holds nobody, nor does one that
// never reads, or stops in the middle of its answer.
func TestSilence(t *testing.T) {
	silent := func(conn net.Conn) { io.Copy(io.Discard, conn) }
	stuck := func(conn net.Conn) {
		r := bufio.NewReader(conn)
		http.ReadRequest(r)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/blosc\r\nContent-Length: 100\r\n\r\n123")
		io.Copy(io.Discard, r)
	}
	for _, tt := range []struct {
		name   string
		h      func(net.Conn)
		limits boss.Timeouts
	}{
		{"no answer", silent, boss.Timeouts{Answer: 20 * time.Millisecond}},
		{"no end", silent, boss.Timeouts{Request: 20 * time.Millisecond}},
		{"half an answer", stuck, boss.Timeouts{Request: 20 * time.Millisecond}},
	} {
		c := newClient(t, raw(t, tt.h), boss.Options{Timeouts: tt.limits, Retry: retry.Policy{Attempts: 2}})
		_, err := newChannel(t, c, voxel.Uint8).Get(t.Context(), box)
		if e := (*boss.Error)(nil); !errors.As(err, &e) || !e.Temporary() || !strings.Contains(err.Error(), "did not answer in time") {
			t.Errorf("%s: %v", tt.name, err)
		}
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			t.Errorf("%s: an attempt's end looks like the caller's: %v", tt.name, err)
		}
	}
}

// Voxels that do not arrive whole are no voxels.
func TestDamagedAnswers(t *testing.T) {
	right := noise(box, voxel.Uint8).Data
	e, err := blosc.NewEncoder(blosc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	encode := func(data []byte) []byte {
		frame, err := e.Append(nil, data, 1)
		if err != nil {
			t.Fatal(err)
		}
		return frame
	}
	frame := encode(right)
	for _, tt := range []struct {
		name, head string
		body       []byte
		want       string
		class      boss.Class
	}{
		{"closed early", "Content-Type: application/blosc\r\nContent-Length: 99999\r\n", frame[:2000], "closed the connection", boss.Transient},
		{"no length, closed early", "Content-Type: application/blosc\r\n", frame[:2000], "decode what", boss.Transient},
		{"too few voxels", "Content-Type: application/blosc\r\n", encode(right[1:]), "decode what", boss.Transient},
		{"too many voxels", "Content-Type: application/blosc\r\n", encode(append([]byte{0}, right...)), "decode what", boss.Transient},
		{"empty", "Content-Type: application/blosc\r\n", nil, "decode what", boss.Transient},
		{"endless", "Content-Type: application/blosc\r\n", make([]byte, 1<<20), "decode what", boss.Transient},
		{"a login page", "Content-Type: text/html\r\n", []byte("<html><title>Sign in</title>"), `titled "Sign in"`, boss.Fatal},
	} {
		url := raw(t, func(conn net.Conn) {
			http.ReadRequest(bufio.NewReader(conn))
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n"+tt.head+"\r\n")
			conn.Write(tt.body)
		})
		_, err := newChannel(t, newClient(t, url, boss.Options{}), voxel.Uint8).Get(t.Context(), box)
		if e := (*boss.Error)(nil); !errors.As(err, &e) || e.Class() != tt.class || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// A server that compresses on top, unasked, is a fault and not voxels.
func TestUnaskedGzip(t *testing.T) {
	c := serve(t, boss.Options{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/blosc")
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write(make([]byte, 1000))
		z.Close()
	})
	if _, err := newChannel(t, c, voxel.Uint8).Get(t.Context(), box); err == nil {
		t.Error("gzip is read as voxels")
	}
}

// The answer to an error is read so far that the connection can be used again,
// but an endless one is not read to its end.
func TestConnectionsAreUsedAgain(t *testing.T) {
	var conns atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(400)
		io.WriteString(w, strings.Repeat("no ", 10000))
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	ch := newChannel(t, newClient(t, srv.URL, boss.Options{}), voxel.Uint8)
	for range 20 {
		err := ch.Post(t.Context(), noise(box, voxel.Uint8))
		if err == nil || len(err.Error()) > 700 {
			t.Fatalf("got %v", err)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("20 posts, one after the other, took %d connections", n)
	}
}

func TestWorkersShareConnections(t *testing.T) {
	const workers = 12
	var conns atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(201)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	ch := newChannel(t, newClient(t, srv.URL, boss.Options{Workers: workers}), voxel.Uint8)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range 10 {
				if err := ch.Post(t.Context(), noise(box, voxel.Uint8)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	// A worker may dial while another's connection comes free.
	if n := conns.Load(); n > 2*workers {
		t.Errorf("%d workers took %d connections", workers, n)
	}
}

func TestTLS(t *testing.T) {
	var n atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		if r.ProtoMajor != 1 {
			t.Errorf("it speaks %s", r.Proto)
		}
		io.WriteString(w, `{"name":"lab"}`)
	}))
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	c := newClient(t, srv.URL, boss.Options{})
	_, err := c.Collection(t.Context(), "lab")
	if e := (*boss.Error)(nil); !errors.As(err, &e) || !e.Fatal() || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown certificate: %v", err)
	}
	if n.Load() != 0 {
		t.Error("a request was sent to a server with an unknown certificate")
	}
	roots := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	if got, err := newClient(t, srv.URL, boss.Options{RootCAs: roots}).Collection(t.Context(), "lab"); err != nil || got.Name != "lab" {
		t.Errorf("got %v, %v", got, err)
	}
}

// With and without TLS: many posts at a time of a cuboid that is another as soon as
// one has returned, to a server that refuses some in the middle of the body.
func TestCuboidsAreUsedAgain(t *testing.T) {
	const workers, each = 4, 6
	box := voxel.Box{Max: voxel.Point{X: 512, Y: 512, Z: 8}}
	want := noise(box, voxel.Uint8).Data
	var n atomic.Int32
	h := func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%3 == 0 {
			io.CopyN(io.Discard, r.Body, 300e3)
			http.Error(w, "sorry", http.StatusBadRequest)
			return
		}
		got, err := io.ReadAll(r.Body)
		if err != nil || len(got) != blosc.MaxLen(len(want)) || !bytes.Equal(got[16:], want) {
			t.Errorf("%d bytes came that are not the cuboid's, %v", len(got), err)
		}
		w.WriteHeader(http.StatusCreated)
	}
	plain, secure := httptest.NewServer(http.HandlerFunc(h)), httptest.NewTLSServer(http.HandlerFunc(h))
	defer plain.Close()
	defer secure.Close()
	roots := secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	for _, url := range []string{plain.URL, secure.URL} {
		ch := newChannel(t, newClient(t, url, boss.Options{RootCAs: roots, Compression: boss.LZ4}), voxel.Uint8)
		var taken, refused atomic.Int32
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				cuboid := noise(box, voxel.Uint8)
				for range each {
					copy(cuboid.Data, want)
					err := ch.Post(t.Context(), cuboid)
					clear(cuboid.Data)
					if e := (*boss.Error)(nil); err == nil {
						taken.Add(1)
					} else if errors.As(err, &e) && e.Status == http.StatusBadRequest {
						refused.Add(1)
					}
				}
			})
		}
		wg.Wait()
		// A refusal may be lost together with its connection: one more try.
		if taken.Load() == 0 || refused.Load() == 0 || taken.Load()+refused.Load() != workers*each {
			t.Errorf("%s: %d were taken and %d refused of %d", url, taken.Load(), refused.Load(), workers*each)
		}
	}
}

func TestProtocolMixedUp(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	_, err := newClient(t, strings.Replace(srv.URL, "http:", "https:", 1), boss.Options{}).Collection(t.Context(), "lab")
	if e := (*boss.Error)(nil); !errors.As(err, &e) || !e.Fatal() || !strings.Contains(err.Error(), "speaks http, not https") {
		t.Errorf("got %v", err)
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := l.Addr().String()
	l.Close()
	var n int
	c := newClient(t, "http://"+host, boss.Options{Retry: retry.Policy{Attempts: 4}, OnRetry: func(boss.Failure) { n++ }})
	_, err = c.Collection(t.Context(), "lab")
	want := fmt.Sprintf("GET /v1/collection/lab: connect to %s: connection refused", host)
	if err == nil || err.Error() != want || n != 3 {
		t.Errorf("got %v after %d retries\nwant %s after 3", err, n, want)
	}
}

// A cancelled context ends a wait at once, and the last real error is kept.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := serve(t, boss.Options{
		Retry:   retry.Policy{Base: time.Hour, Max: time.Hour, Sleep: func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }},
		OnRetry: func(boss.Failure) { cancel() },
	}, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "restarting", http.StatusBadGateway) })
	_, err := c.Collection(ctx, "lab")
	if e := (*boss.Error)(nil); !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Status != 502 {
		t.Errorf("got %v", err)
	}
	if _, err = c.Collection(ctx, "lab"); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
}

// BenchmarkPost compresses and posts cuboids of noise, a part of them black, over
// loopback. Those without any are stored as they are.
//
//	go test -run xxx -bench Post -benchtime 128x ./internal/boss
func BenchmarkPost(b *testing.B) {
	for _, black := range []int{0, 25} {
		b.Run(fmt.Sprintf("%d%%black", black), func(b *testing.B) {
			c := serve(b, boss.Options{Compression: boss.LZ4}, new(line).take)
			cuboid := noise(voxel.Box{Max: voxel.Point{X: 1024, Y: 1024, Z: 16}}, voxel.Uint8)
			clear(cuboid.Data[:len(cuboid.Data)*black/100])
			b.SetBytes(int64(len(cuboid.Data)))
			b.ReportAllocs()
			postAll(b, newChannel(b, c, voxel.Uint8), cuboid, 8, b.N)
		})
	}
}
