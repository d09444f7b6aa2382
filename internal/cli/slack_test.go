package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/slack"
	"github.com/neurodata/ndpush/internal/voxel"
)

const slackSecret = "xoxb-1234-verysecret"

// A slackServer answers as Slack does, or with the word in refuse.
type slackServer struct {
	*httptest.Server
	refuse map[string]string // method: error

	mu   sync.Mutex
	said []string // messages and files
}

func newSlackServer(t *testing.T) *slackServer {
	s := &slackServer{refuse: map[string]string{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *slackServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := strings.TrimPrefix(r.URL.Path, "/")
	answer := map[string]any{"ok": true}
	switch {
	case method == "hook/T1/"+slackSecret:
		var body struct{ Text string }
		json.NewDecoder(r.Body).Decode(&body)
		s.say(body.Text)
		io.WriteString(w, "ok")
		return
	case method == "upload":
		f, _, err := r.FormFile("file")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		text, _ := io.ReadAll(f)
		s.say(string(text))
		return
	case r.FormValue("token") != slackSecret:
		answer = map[string]any{"ok": false, "error": "invalid_auth"}
	case s.refuse[method] != "":
		answer = map[string]any{"ok": false, "error": s.refuse[method], "needed": "files:write", "provided": "chat:write"}
	case method == "auth.test":
		answer["user"], answer["user_id"], answer["team"] = "ndpush", "U0000000001", "Lab"
	case method == "chat.postMessage":
		s.say(r.FormValue("text"))
		answer["channel"], answer["ts"] = "C0000000001", "1.1"
	case method == "files.getUploadURLExternal":
		answer["upload_url"], answer["file_id"] = s.URL+"/upload", "F1"
	case method == "files.completeUploadExternal":
		answer["files"] = []map[string]string{{"id": "F1"}}
	default:
		answer = map[string]any{"ok": false, "error": "unknown_method"}
	}
	json.NewEncoder(w).Encode(answer)
}

func (s *slackServer) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, text)
}

// file writes a file that only its owner can read.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// slackTest runs the command and returns all that it printed.
func slackTest(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var b bytes.Buffer
	a := &app{Env: Env{Stdout: &b, Stderr: &b, Getenv: func(string) string { return "" }, Now: time.Now}}
	root := &cobra.Command{Use: "ndpush", SilenceUsage: true, SilenceErrors: true}
	root.SetGlobalNormalizationFunc(canonical)
	root.AddCommand(a.newSlackTestCmd())
	root.SetArgs(append([]string{"slack-test"}, args...))
	err := root.ExecuteContext(t.Context())
	if err != nil {
		complain(&b, err)
	}
	if strings.Contains(b.String(), "verysecret") {
		t.Errorf("the secret is shown: %s", b.String())
	}
	return exitCode(err), b.String()
}

func TestSlackTest(t *testing.T) {
	s := newSlackServer(t)
	token := file(t, slackSecret+"\n")
	code, out := slackTest(t, "--slack_token_file", token, "--slack-channel", "#ingests", "--slack-api-url", s.URL)
	want := "the token is ndpush's in the workspace Lab\na message was sent to #ingests\na file was sent\n"
	if code != exitDone || out != want || len(s.said) != 2 {
		t.Errorf("exit %d, said %q:\n%s", code, s.said, out)
	}
	code, out = slackTest(t, "--slack-webhook-file", file(t, s.URL+"/hook/T1/"+slackSecret))
	if code != exitDone || !strings.Contains(out, "a webhook carries no file") || len(s.said) != 3 {
		t.Errorf("exit %d, said %q:\n%s", code, s.said, out)
	}
}

func TestSlackTestFails(t *testing.T) {
	s := newSlackServer(t)
	s.refuse["files.getUploadURLExternal"] = "missing_scope"
	token := file(t, slackSecret)
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nobody", nil, exitUsage, "nobody is named"},
		{"token only", []string{"--slack-token-file", token}, exitUsage, "nobody is named"},
		{"both", []string{"--slack-channel", "#a", "--slack-usr", "a@b.org"}, exitUsage, "exclude each other"},
		{"old name", []string{"--slack_usr", "@alice"}, exitUsage, "names of people are no longer taken by Slack"},
		{"no file", []string{"--slack-token-file", token + "x", "--slack-channel", "a"}, exitFatal, "hint: --slack-token-file names"},
		{"empty file", []string{"--slack-token-file", file(t, ""), "--slack-channel", "a"}, exitFatal, "first line is empty"},
		{"webhook and channel", []string{"--slack-webhook-file", token, "--slack-channel", "a"}, exitUsage, "--slack-webhook-file excludes --slack-channel"},
		{"token for webhook", []string{"--slack-webhook-file", token}, exitFatal, "--slack-token-file is for tokens"},
		{"wrong token", []string{"--slack-token-file", file(t, "xoxb-verysecret"), "--slack-channel", "a", "--slack-api-url", s.URL}, exitFatal, "token is not valid"},
		{"scope", []string{"--slack-token-file", token, "--slack-channel", "a", "--slack-api-url", s.URL}, exitFatal, "lacks the scope files:write (it has chat:write)"},
		{"plain text", []string{"--slack-token-file", token, "--slack-channel", "a", "--slack-api-url", "http://example.org"}, exitFatal, "https://"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if code, out := slackTest(t, tt.args...); code != tt.code || !strings.Contains(out, tt.want) {
				t.Errorf("exit %d, want %d with %q:\n%s", code, tt.code, tt.want, out)
			}
		})
	}
}

// The glue: what an ingest does with the flags.
func TestSlackNotifier(t *testing.T) {
	s := newSlackServer(t)
	var out bytes.Buffer
	a := &app{Env: Env{Stdout: &out, Stderr: &out}}
	log := filepath.Join(t.TempDir(), "ingest_log_lab_fly_em.txt")
	if err := os.WriteFile(log, []byte("a line\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	j := &job.Job{Spec: job.Spec{Collection: "lab", Experiment: "fly", Channel: "em"}}
	run := func(args ...string) []string {
		t.Helper()
		f, flags := new(slackFlags), pflag.NewFlagSet("ingest", pflag.ContinueOnError)
		f.bind(flags)
		if err := errors.Join(flags.Parse(args), f.check()); err != nil {
			t.Fatal(err)
		}
		client, err := a.slackClient(f)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		n := a.notifier(client, "lab/fly/em", log, func(format string, args ...any) error {
			lines = append(lines, format)
			return errors.New("the disk is full")
		})
		r := &recorders{listeners: []listener{n}}
		r.Posted(voxel.Box{}, 0, 0)
		r.Failed(voxel.Box{}, errors.New("no"))
		o := &outcome{Snapshot: progress.Snapshot{Posted: 1, Failed: 1, Bytes: 1e6}, took: time.Second}
		o.verified, o.what, o.match = true, "3 slices", 4
		n.Done(context.WithoutCancel(t.Context()), o.forSlack(j, "https://api.bossdb.io", nil))
		n.Close(t.Context())
		return lines
	}
	if lines := run(); len(s.said) != 0 || len(lines) != 0 || out.Len() != 0 {
		t.Errorf("without flags: said %q, reported %q, printed %q", s.said, lines, out.String())
	}
	if run("--slack-token-file", "some"); len(s.said) != 0 || !strings.Contains(out.String(), "warning: nobody is told on Slack") {
		t.Errorf("with a token only: said %q, printed %q", s.said, out.String())
	}
	lines := run("--slack-token-file", file(t, slackSecret), "--slack-channel", "a", "--slack-api-url", s.URL)
	if n := len(s.said); n < 2 || s.said[n-1] != "a line\n" || !strings.Contains(s.said[n-2], "incomplete: 1 cuboid failed") ||
		!strings.Contains(s.said[n-2], "\nverified: 3 slices: 4 cuboids equal") || !strings.Contains(s.said[n-2], "\n<https://neuroglancer.bossdb.io/#!") || len(lines) != 0 {
		t.Errorf("said %q, reported %q", s.said, lines)
	}
	var nobody *slack.Notifier
	nobody.Done(t.Context(), slack.Summary{})
}
