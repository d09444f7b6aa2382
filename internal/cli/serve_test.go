package cli

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A server that fails says why, and is closed all the same.
func TestServeFails(t *testing.T) {
	a := &app{Env: Env{Stdout: t.Output(), Stderr: t.Output(), Now: time.Now}}
	b, err := a.startBOSS(&serveOptions{listen: "127.0.0.1:0", config: filepath.Join(t.TempDir(), "boss.cfg")})
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("no more sockets")
	b.failed <- why
	if err := b.until(t.Context()); !errors.Is(err, why) || !strings.HasPrefix(err.Error(), "serve: ") {
		t.Errorf("got %v, want %v", err, why)
	}
	if r, err := http.Get(b.url); err == nil {
		r.Body.Close()
		t.Error("it answers still")
	}
}

// What this machine may read without a token, a page from elsewhere may not.
func TestOnlyHere(t *testing.T) {
	h := onlyHere(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for host, want := range map[string]int{
		"127.0.0.1:8642": 200, "localhost:8642": 200, "localhost": 200, "[::1]:8642": 200, "127.8.9.1": 200,
		"evil.example:8642": 421, "evil.example": 421, "localhost.evil.example:80": 421, "10.0.0.1:8642": 421, "": 421,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("host %q: %d, want %d", host, w.Code, want)
		}
	}
}
