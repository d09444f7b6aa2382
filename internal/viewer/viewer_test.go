package viewer_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/viewer"
)

// ask asks for a path; what is left to BOSS is answered "boss".
func ask(t *testing.T, opt viewer.Options, path, accept string) (status int, body string, header http.Header) {
	t.Helper()
	boss := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "boss "+r.URL.Path) })
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	viewer.Handler(boss, opt).ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header()
}

const html = "text/html,application/xhtml+xml,*/*;q=0.8"

func TestHandler(t *testing.T) {
	for _, tt := range []struct {
		path, accept, want string
		closed             bool
	}{
		{"/", html, `src="/static/list.js"`, false},
		{"/", html, "--public", true},
		{"/", "*/*", "boss /", false},
		{"/view/c/e/ch", html, `src="/static/channel.js"`, false},
		{"/view/c/e/ch", html, "--public", true},
		{"/static/channel.js", "*/*", `from "./tiles.js"`, false},
		{"/static/style.css", "*/*", "prefers-color-scheme", true},
		{"/v1/collection/", html, "boss /v1/collection/", false},
		{"/v1//collection/../x", html, "boss /v1//collection/../x", false},
		{"/metric/", html, "boss /metric/", false},
	} {
		status, body, _ := ask(t, viewer.Options{Closed: tt.closed}, tt.path, tt.accept)
		if status != 200 || !strings.Contains(body, tt.want) {
			t.Errorf("%s for %s: %d %.200q, want %q", tt.path, tt.accept, status, body, tt.want)
		}
	}
	for _, path := range []string{"/static/none", "/static/../viewer.go", "/view/c/e", "/static/"} {
		if status, body, _ := ask(t, viewer.Options{}, path, html); status == 200 && !strings.HasPrefix(body, "boss") {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
}

// Nothing in the pages comes from elsewhere, and the browser is told so.
func TestOffline(t *testing.T) {
	away := regexp.MustCompile(`(?:src|href)="(?:https?:)?//|(?:import|from|fetch\(|url\()\s*["'(]*(?:https?:)?//`)
	for _, name := range []string{"/", "/view/c/e/ch", "/static/boss.js", "/static/list.js", "/static/channel.js", "/static/tiles.js", "/static/style.css", "/static/icon.svg"} {
		_, body, header := ask(t, viewer.Options{}, name, html)
		if found := away.FindString(body); found != "" {
			t.Errorf("%s loads from elsewhere: %q", name, found)
		}
		if policy := header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: policy %q", name, policy)
		}
	}
}
