package nullboss

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"
)

// frame is the header of a Blosc frame of so many bytes, and the rest as nothing
// looks at it.
func frame(voxels int) []byte {
	p := make([]byte, headerLen+voxels/2)
	copy(p, []byte{2, 1, 1, 1})
	binary.LittleEndian.PutUint32(p[4:], uint32(voxels))
	binary.LittleEndian.PutUint32(p[8:], uint32(voxels))
	binary.LittleEndian.PutUint32(p[12:], uint32(len(p)))
	return p
}

// send sends a request with a token, and gives the status and the body of the answer.
func send(t *testing.T, method, url string, body []byte, change func(*http.Request)) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token secret")
	if strings.Contains(url, "/cutout/") {
		req.Header.Set("Content-Type", bloscType)
	}
	if change != nil {
		change(req)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// provide makes a channel of uint16 in a frame of 100×100×32.
func provide(t *testing.T, url string) {
	t.Helper()
	for _, r := range [][2]string{
		{"collection/c", `{}`},
		{"coord/c_e", `{"x_start":0,"x_stop":100,"y_start":0,"y_stop":100,"z_start":0,"z_stop":32}`},
		{"collection/c/experiment/e", `{"coord_frame":"c_e"}`},
		{"collection/c/experiment/e/channel/ch", `{"datatype":"uint16"}`},
	} {
		if status, _ := send(t, "GET", url+"/v1/"+r[0], nil, nil); status != 404 {
			t.Errorf("%s: %d before it was made", r[0], status)
		}
		if status, text := send(t, "POST", url+"/v1/"+r[0], []byte(r[1]), nil); status != 201 {
			t.Fatalf("%s: %d %s", r[0], status, text)
		}
		if status, _ := send(t, "GET", url+"/v1/"+r[0], nil, nil); status != 200 {
			t.Errorf("%s: %d after it was made", r[0], status)
		}
	}
}

// What BOSS would take is taken and counted; what it would refuse is refused, with
// its words.
func TestCutouts(t *testing.T) {
	var s Server
	srv := httptest.NewServer(&s)
	defer srv.Close()
	provide(t, srv.URL)
	const good, size = "/v1/cutout/c/e/ch/0/0:100/0:10/16:32/", 100 * 10 * 16 * 2
	short, long, old := frame(size), append(frame(size), 0), frame(size)
	short[headerLen-4]--
	old[0] = 1
	for _, tt := range []struct {
		name   string
		path   string
		body   []byte
		change func(*http.Request)
		status int
		says   string
	}{
		{"good", good, frame(size), nil, 201, ""},
		{"again", good, frame(size), nil, 201, ""},
		{"no frame", good, bytes.Repeat([]byte("voxels"), 1000), nil, 400, "2001"},
		{"a frame of an older format", good, old, nil, 400, "2001"},
		{"a header alone says more", good, frame(size)[:headerLen], nil, 400, "2001"},
		{"less than a header", good, frame(size)[:7], nil, 400, "2001"},
		{"a shorter frame", good, short, nil, 400, "2001"},
		{"a byte behind the frame", good, long, nil, 400, "2001"},
		{"voxels of another size", good, frame(size / 2), nil, 400, "2002"},
		{"another box", "/v1/cutout/c/e/ch/0/0:100/0:11/16:32/", frame(size), nil, 400, "2002"},
		{"outside of the frame", "/v1/cutout/c/e/ch/0/0:101/0:10/16:32/", frame(size), nil, 400, "1001"},
		{"a box of nothing", "/v1/cutout/c/e/ch/0/9:9/0:10/16:32/", frame(size), nil, 400, "1001"},
		{"below 0", "/v1/cutout/c/e/ch/0/-1:100/0:10/16:32/", frame(size), nil, 404, ""},
		{"too short a path", "/v1/cutout/c/e/ch/0/0:100/0:10/", frame(size), nil, 404, ""},
		{"another channel", "/v1/cutout/c/e/other/0/0:100/0:10/16:32/", frame(size), nil, 404, "4000"},
		{"no length", good, frame(size), func(r *http.Request) { r.ContentLength = -1 }, 500, ""},
		{"another type", good, frame(size), func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 415, ""},
		{"another method", good, nil, func(r *http.Request) { r.Method = "DELETE" }, 405, ""},
	} {
		before := s.Counts()
		status, text := send(t, "POST", srv.URL+tt.path, tt.body, tt.change)
		if status != tt.status || !strings.Contains(text, tt.says) {
			t.Errorf("%s: %d %q, want %d %q", tt.name, status, text, tt.status, tt.says)
		}
		after := s.Counts()
		if taken := after.Cutouts - before.Cutouts; taken+after.Refused-before.Refused != 1 || (taken == 1) != (status == 201) {
			t.Errorf("%s: counted %+v, then %+v", tt.name, before, after)
		}
	}
	got := s.Counts()
	if got.Reason == "" {
		t.Error("it does not say why it refused")
	}
	got.Refused, got.Reason = 0, ""
	if want := (Counts{Cutouts: 2, Repeated: 1, Voxels: 2 * size, Bytes: 2 * int64(len(frame(size)))}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

// Nothing is there to be read, and nothing without a token.
func TestReading(t *testing.T) {
	var s Server
	srv := httptest.NewServer(&s)
	defer srv.Close()
	provide(t, srv.URL)
	status, text := send(t, "GET", srv.URL+"/v1/cutout/c/e/ch/0/0:4/0:2/0:1/", nil, nil)
	if want := "\x02\x01\x02\x02\x10\x00\x00\x00\x10\x00\x00\x00\x20\x00\x00\x00" + strings.Repeat("\x00", 16); status != 200 || text != want {
		t.Errorf("%d %q", status, text)
	}
	if status, text := send(t, "GET", srv.URL+"/v1/meta/c/e/?key=offsets", nil, nil); status != 400 || !strings.Contains(text, "Key offsets Not found") {
		t.Errorf("metadata: %d %q", status, text)
	}
	status, _ = send(t, "GET", srv.URL+"/v1/collection/c", nil, func(r *http.Request) { r.Header.Del("Authorization") })
	if status != 401 {
		t.Errorf("without a token: %d", status)
	}
}

// A client that waits for leave to send is told to go on, or why not, before it sends.
func TestExpect(t *testing.T) {
	var s Server
	srv := httptest.NewServer(&s)
	defer srv.Close()
	provide(t, srv.URL)
	for path, want := range map[string]bool{"/0:10/0:10/0:1/": true, "/0:101/0:10/0:1/": false} {
		told := false
		trace := &httptrace.ClientTrace{Got100Continue: func() { told = true }}
		client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
		req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "POST", srv.URL+"/v1/cutout/c/e/ch/0"+path, bytes.NewReader(frame(200)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Token secret")
		req.Header.Set("Content-Type", bloscType)
		req.Header.Set("Expect", "100-continue")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		client.CloseIdleConnections()
		if told != want || (resp.StatusCode == 201) != want {
			t.Errorf("%s: %d, and told to go on: %v", path, resp.StatusCode, told)
		}
	}
}

// A line brings no more than its rate, over all connections together.
func TestLine(t *testing.T) {
	const rate, size, clients = 1 << 20, 50 << 10, 3
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var s Server
	srv := &httptest.Server{Listener: NewLine(l, rate), Config: &http.Server{Handler: &s}}
	srv.Start()
	defer srv.Close()
	done := make(chan int)
	start := time.Now()
	for range clients {
		go func() {
			req, err := http.NewRequest("POST", srv.URL+"/v1/collection/c", strings.NewReader(`"`+strings.Repeat(" ", size)))
			if err != nil {
				done <- 0
				return
			}
			req.Header.Set("Authorization", "Token secret")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				done <- 0
				return
			}
			resp.Body.Close()
			done <- resp.StatusCode
		}()
	}
	for range clients {
		if status := <-done; status != 400 { // it is no JSON, which is known at its end
			t.Errorf("status %d, want 400", status)
		}
	}
	least := time.Duration(float64(clients*size) / rate * float64(time.Second))
	if took := time.Since(start); took < least {
		t.Errorf("%d bytes came in %v, want %v at least", clients*size, took, least)
	}
}
