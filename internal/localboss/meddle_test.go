package localboss_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A wire is a connection on which HTTP is spoken by hand.
type wire struct {
	*boss
	conn net.Conn
	r    *bufio.Reader
}

func (b *boss) dial() *wire {
	b.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { conn.Close() })
	return &wire{b, conn, bufio.NewReader(conn)}
}

// send sends the head of a request for the cell; more are further header lines.
func (w *wire) send(method string, length int, more string) {
	fmt.Fprintf(w.conn, "%s %s HTTP/1.1\r\nHost: boss\r\nAuthorization: Token %s\r\n%s\r\nAccept: */*\r\nContent-Length: %d\r\n%s\r\n",
		method, cellPath, w.token, bloscBody, length, more)
}

// answer reads an answer's status and body. What is left after an error is the
// body's part that came.
func (w *wire) answer() (status int, body []byte, err error) {
	resp, err := http.ReadResponse(w.r, nil)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// Every fault does on a connection that is kept alive, to a client that waits
// for 100 Continue, what it says: those that end in an answer leave the
// connection in order, those that break it reset it.
func TestFaultsOnTheWire(t *testing.T) {
	body := frame(t, make([]byte, 64), voxel.Uint8)
	for _, tt := range []struct {
		fault  localboss.Fault
		goOn   bool // 100 Continue comes
		status int  // of the answer; 0 is a reset
	}{
		{localboss.Fault{Kind: localboss.Status, Status: 503, HTML: true}, true, 503},
		{localboss.Fault{Kind: localboss.Status, Status: 400, Code: 9001}, true, 400},
		{localboss.Fault{Kind: localboss.Latency, DelayMS: 1, JitterMS: 1}, true, 201},
		{localboss.Fault{Kind: localboss.Lock}, true, 400},
		{localboss.Fault{Kind: localboss.Quota, Bytes: 1}, true, 201},
		{localboss.Fault{Kind: localboss.LateRaw, DelayMS: 1}, true, 201},
		{localboss.Fault{Kind: localboss.DropConnect}, false, 0},
		{localboss.Fault{Kind: localboss.DropBody}, true, 0},
		{localboss.Fault{Kind: localboss.DropAnswer}, true, 0},
		{localboss.Fault{Kind: localboss.CutAnswer}, true, 0},
	} {
		for _, expect := range []bool{true, false} {
			b := serve(t, localboss.Options{})
			b.fill()
			w := b.dial()
			tt.fault.Skip, tt.fault.Times = 1, 1
			b.set(tt.fault)
			// Three requests on one connection; the second one is met.
			for i, status := range []int{201, tt.status, 201} {
				name := fmt.Sprintf("%s, expect %v, request %d", tt.fault.Kind, expect, i+1)
				if expect {
					w.send("POST", len(body), "Expect: 100-continue\r\n")
					if got, _, err := w.answer(); (got == 100) != (tt.goOn || i != 1) {
						t.Fatalf("%s: %d, %v, want Continue %v", name, got, err, tt.goOn)
					} else if got != 100 {
						if !errors.Is(err, syscall.ECONNRESET) {
							t.Errorf("%s: %v, want a reset", name, err)
						}
						break
					}
				} else {
					w.send("POST", len(body), "")
				}
				_, broken := io.WriteString(w.conn, body)
				got, _, err := w.answer()
				if status == 0 {
					// Who meets the reset first is told of it, once: here or there.
					if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(broken, syscall.ECONNRESET) {
						t.Errorf("%s: %d, %v, %v, want a reset", name, got, broken, err)
					}
					break
				}
				if err != nil || got != status {
					t.Fatalf("%s: %d, %v, want %d", name, got, err, status)
				}
			}
		}
	}
}

// Half of an answer comes before the reset.
func TestCutAnswerOnTheWire(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	b.set(localboss.Fault{Kind: localboss.CutAnswer})
	w := b.dial()
	w.send("GET", 0, "")
	status, body, err := w.answer()
	if status != 200 || len(body) == 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%d, %d bytes, %v, want half of an answer and a reset", status, len(body), err)
	}
}

// Where there is no connection to reset the handler aborts, as net/http wants it.
func TestDropWithoutConnection(t *testing.T) {
	s, err := localboss.New(localboss.Options{Faults: []localboss.Fault{{Kind: localboss.DropConnect}}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if got := recover(); got != http.ErrAbortHandler {
			t.Errorf("ended with %v", got)
		}
	}()
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/v1/coord/", nil))
	t.Error("answered")
}

// A fault of limited time begins and ends, and requests outside of it are not
// counted.
func TestFaultTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := localboss.New(localboss.Options{})
		if err != nil {
			t.Fatal(err)
		}
		set := func(f localboss.Fault) {
			t.Helper()
			f.Kind, f.Status = localboss.Status, 502
			if err := s.SetFaults(1, f); err != nil {
				t.Fatal(err)
			}
		}
		// An answer every second.
		run := func() (statuses string) {
			for range 6 {
				statuses += fmt.Sprint(ask(s, "GET", "/v1/coord/", "").Code, " ")
				time.Sleep(time.Second)
			}
			return statuses
		}
		for _, tt := range []struct {
			fault localboss.Fault
			want  string
		}{
			{localboss.Fault{AfterMS: 2000, ForMS: 2000}, "200 200 502 502 200 200 "},
			{localboss.Fault{ForMS: 2001}, "502 502 502 200 200 200 "},
			{localboss.Fault{AfterMS: 1001}, "200 200 502 502 502 502 "},
			{localboss.Fault{AfterMS: 1000, Skip: 1, Times: 2}, "200 200 502 502 200 200 "},
		} {
			set(tt.fault)
			if got := run(); got != tt.want {
				t.Errorf("%+v: got %s, want %s", tt.fault, got, tt.want)
			}
		}
	})
}

// Latency takes what it says and up to the jitter more, not always the same.
func TestFaultJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := localboss.New(localboss.Options{Faults: []localboss.Fault{{Kind: localboss.Latency, DelayMS: 30, JitterMS: 20}}})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[time.Duration]bool{}
		for range 100 {
			begin := time.Now()
			ask(s, "GET", "/v1/coord/", "")
			d := time.Since(begin)
			seen[d] = true
			if d < 30*time.Millisecond || d > 50*time.Millisecond {
				t.Errorf("answered after %v, want 30 to 50 ms", d)
			}
		}
		if len(seen) < 10 {
			t.Errorf("%d different times of 100", len(seen))
		}
	})
}

// A raw read does not see a late cutout until it is there; others do at once.
func TestLateRaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := localboss.New(localboss.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ask(s, "POST", "/v1/collection/c", "{}")
		ask(s, "POST", "/v1/coord/f", frameBody)
		ask(s, "POST", em, experimentBody)
		ask(s, "POST", em+"/channel/ch", channelBody("image", "uint8"))
		const path = "/v1/cutout/c/e/ch/0/"
		read := func(mode string) string {
			w := ask(s, "GET", path+"0:4/0:1/0:1/?access-mode="+mode, "")
			return fmt.Sprint(unframe(t, w.Body.Bytes(), 4))
		}
		check := func(raw, other string) {
			t.Helper()
			for mode, want := range map[string]string{"raw": raw, "no-cache": other, "cache": other} {
				if got := read(mode); got != want {
					t.Errorf("%s: got %s, want %s", mode, got, want)
				}
			}
		}
		if err := s.SetFaults(1, localboss.Fault{Kind: localboss.LateRaw, DelayMS: 500, Skip: 1}); err != nil {
			t.Fatal(err)
		}
		ask(s, "POST", path+"0:4/0:1/0:1/", frame(t, []byte{1, 1, 1, 1}, voxel.Uint8))
		check("[1 1 1 1]", "[1 1 1 1]")
		ask(s, "POST", path+"1:3/0:1/0:1/", frame(t, []byte{2, 2}, voxel.Uint8))
		check("[1 0 0 1]", "[1 2 2 1]")
		time.Sleep(499 * time.Millisecond)
		check("[1 0 0 1]", "[1 2 2 1]")
		time.Sleep(time.Millisecond)
		check("[1 2 2 1]", "[1 2 2 1]")
	})
}

// The share of a soak: all of them at once, in numbers that are as asked for.
func TestFaultSoak(t *testing.T) {
	b := serve(t, localboss.Options{Control: true})
	b.fill()
	b.must(200, "PUT", "/local/faults", `{"seed":3,"faults":[
		{"kind":"status","method":"POST","path":"/v1/cutout/","share":0.2,"status":503,"html":true},
		{"kind":"drop-body","method":"POST","path":"/v1/cutout/","share":0.05},
		{"kind":"drop-answer","method":"POST","path":"/v1/cutout/","share":0.02}]}`)
	body := frame(t, make([]byte, 64), voxel.Uint8)
	const n = 2000
	got := map[string]int{}
	for range n {
		a, err := b.do("POST", cellPath, body, bloscBody)
		if err != nil {
			got["broken"]++
		} else {
			got[fmt.Sprint(a.status)]++
		}
	}
	for what, want := range map[string]float64{"503": 0.2, "broken": 0.8 * (0.05 + 0.95*0.02), "201": 0.8 * 0.95 * 0.98} {
		if share := float64(got[what]) / n; share < want-0.03 || share > want+0.03 {
			t.Errorf("%s: %.3f of the requests, want %.3f", what, share, want)
		}
	}
	lost := b.writes().Total.Posts - got["201"]
	if lost < 10 || lost > 60 {
		t.Errorf("%d are stored and not answered, want about %v", lost, n*0.8*0.95*0.02)
	}
}

// Who comes with a token is sent to the login page, unless the quota is shown.
func TestMetric(t *testing.T) {
	b := serve(t, localboss.Options{User: "ann"})
	b.fill()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	get := func(token string) (status int, where, body string) {
		t.Helper()
		r, _ := http.NewRequest("GET", b.url+"/metric/", nil)
		r.Header.Set("Authorization", "Token "+token)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		p, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, resp.Header.Get("Location"), string(p)
	}
	const login = "/openid/login/?next=/metric/"
	for _, quota := range []bool{false, true} {
		if quota {
			b.set(localboss.Fault{Kind: localboss.Quota, Bytes: 1000})
		}
		if status, where, _ := get(b.token); status != 302 || where != login {
			t.Errorf("%d to %q, want 302 to %s", status, where, login)
		}
	}
	b.must(200, "GET", login, "")
	b.must(200, "GET", "/metric", "") // by way of the login page

	b.set(localboss.Fault{Kind: localboss.Quota, Bytes: 1000, Show: true})
	b.must(201, "POST", cellPath, frame(t, make([]byte, 64), voxel.Uint8), bloscBody)
	status, _, body := get(b.token)
	want := regexp.MustCompile(`^\[{"metric":"user:ann","mtype":"ingress","units":"byte_count","limit":1000,"since":"\d{4}-\d\d-\d\d","value":64}]$`)
	if status != 200 || !want.MatchString(body) {
		t.Errorf("%d %s, want %s", status, body, want)
	}
	if status, _, _ := get("00"); status != 302 {
		t.Errorf("a wrong token: %d, want 302", status)
	}
}
