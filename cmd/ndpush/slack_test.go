package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A workspace is a Slack that takes everything, and remembers it.
type workspace struct {
	url string

	mu       sync.Mutex
	messages []string
	files    []string
}

func startSlack(t *testing.T) *workspace {
	w := new(workspace)
	mux := http.NewServeMux()
	answer := func(rw http.ResponseWriter, v map[string]any) {
		v["ok"] = true
		rw.Header().Set("Content-Type", "application/json")
		json.NewEncoder(rw).Encode(v)
	}
	mux.HandleFunc("POST /api/auth.test", func(rw http.ResponseWriter, r *http.Request) {
		answer(rw, map[string]any{"user": "ndpush", "team": "lab", "user_id": "U1", "team_id": "T1"})
	})
	mux.HandleFunc("POST /api/chat.postMessage", func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.messages = append(w.messages, r.FormValue("text"))
		answer(rw, map[string]any{"channel": "C024BE91L", "ts": "1.2"})
	})
	mux.HandleFunc("/api/files.getUploadURLExternal", func(rw http.ResponseWriter, r *http.Request) {
		answer(rw, map[string]any{"upload_url": w.url + "/upload", "file_id": "F1"})
	})
	mux.HandleFunc("POST /upload", func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.files = append(w.files, string(body))
	})
	mux.HandleFunc("POST /api/files.completeUploadExternal", func(rw http.ResponseWriter, r *http.Request) {
		answer(rw, map[string]any{"files": []map[string]string{{"id": "F1"}}})
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	w.url = srv.URL
	return w
}

// An ingest that somebody is told of: trouble when it begins, and the end with
// the log. What Slack thinks of it changes nothing.
func TestSlack(t *testing.T) {
	boss, slack := startBOSS(t), startSlack(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../testdata/counts")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "c0005.png")); err != nil {
		t.Fatal(err)
	}
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("xoxb-not-a-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ingest := func(want int, more ...string) {
		t.Helper()
		boss.run(t, want, append([]string{"ingest", "--base-path", dir, "--base-filename", "c<p:4>", "--extension", "png",
			"--collection", "lab", "--experiment", "fish", "--channel", "counts", "--datatype", "uint16", "--voxel-size", "1:1:1",
			"--x-extent", "0:300", "--y-extent", "0:200", "--z-extent", "3:11", "--missing", "zero", "--boss-config-file", boss.access,
			"--log-dir", t.TempDir(), "--slack-token-file", token, "--slack-channel", "C024BE91L", "--slack-api-url", slack.url + "/api/"}, more...)...)
	}
	ingest(0, "--create-resources")
	if len(slack.messages) != 0 {
		t.Errorf("creating resources was told: %q", slack.messages)
	}
	ingest(3)
	slack.mu.Lock()
	defer slack.mu.Unlock()
	if len(slack.messages) == 0 || !slices.ContainsFunc(slack.messages, func(m string) bool {
		return strings.Contains(m, "lab/fish/counts") && strings.Contains(m, "1 slice")
	}) {
		t.Errorf("the messages are %q", slack.messages)
	}
	if len(slack.files) != 1 || !strings.Contains(slack.files[0], "POST succeeded in") {
		t.Errorf("the files are %q", slack.files)
	}
	if all := strings.Join(append(slack.messages, slack.files...), "\n"); strings.Contains(all, "xoxb-not-a-token") || strings.Contains(all, boss.token) {
		t.Error("a token was told")
	}
	slack.url = "http://127.0.0.1:1"
	ingest(3)
}
