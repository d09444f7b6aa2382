package cli

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

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
