package slack_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/slack"
)

func channel(t *testing.T, text string) slack.Address {
	t.Helper()
	a, err := slack.ParseChannel(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func user(t *testing.T, text string) slack.Address {
	t.Helper()
	a, err := slack.ParseUser(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Messages and files reach channels and people, over real HTTP.
func TestSend(t *testing.T) {
	for _, tt := range []struct {
		to    slack.Address
		id    string
		calls string
	}{
		{channel(t, "C0000000001"), "C0000000001", "chat.postMessage"},
		{channel(t, "#ingests"), "C0000000001", "chat.postMessage"},
		{channel(t, "ingests"), "C0000000001", "chat.postMessage"},
		{user(t, "U0000000001"), "D0000000001", "conversations.open chat.postMessage"},
		{user(t, "ann@example.org"), "D0000000001", "users.lookupByEmail conversations.open chat.postMessage"},
	} {
		t.Run(tt.to.String(), func(t *testing.T) {
			f := newFake(t).serve()
			c := newClient(t, slack.Access{Secret: slack.NewSecret(token)}, tt.to, slack.Options{APIURL: f.url + "/api"})
			if id, err := c.Identify(t.Context()); err != nil || id != (slack.Identity{User: "ndpush", Team: "Lab"}) {
				t.Errorf("identity %+v, %v", id, err)
			}
			err := errors.Join(
				c.Send(t.Context(), slack.Escape("1 < 2 & 3 > 2")),
				c.Upload(t.Context(), "empty.txt", ""),
				c.Upload(t.Context(), "log.txt", strings.Repeat("a line with "+token+"\n", 1000)))
			if err != nil {
				t.Fatal(err)
			}
			want := []said{
				{To: tt.id, Text: "1 &lt; 2 &amp; 3 &gt; 2"},
				{To: tt.id, File: "log.txt", Text: strings.Repeat("a line with [secret]\n", 1000)},
			}
			if got := f.heard(); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %.200v\nwant %.200v", got, want)
			}
			want2 := "auth.test " + tt.calls + " files.getUploadURLExternal upload files.completeUploadExternal"
			if got := strings.Join(f.calls, " "); got != want2 {
				t.Errorf("calls %s\nwant  %s", got, want2)
			}
		})
	}
}

func TestWebhook(t *testing.T) {
	f := newFake(t).serve()
	c := newClient(t, slack.Access{Webhook: true, Secret: slack.NewSecret(f.url + hook)}, slack.Address{}, slack.Options{})
	if err := c.Send(t.Context(), "hello"); err != nil {
		t.Fatal(err)
	}
	if got := f.heard(); !reflect.DeepEqual(got, []said{{To: "webhook", Text: "hello"}}) {
		t.Errorf("said %q", got)
	}
	if err := c.Upload(t.Context(), "log.txt", "x"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("upload: %v", err)
	}
	if _, err := c.Identify(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("identify: %v", err)
	}
}

// Every refusal is one clear sentence that says what to do, and shows no secret.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		method string
		fault  http.HandlerFunc
		want   string
	}{
		{"chat.postMessage", refuse("invalid_auth"), "slack: the token is not valid: copy the Bot User OAuth Token"},
		{"chat.postMessage", refuse("account_inactive"), "slack: the app was removed from the workspace"},
		{"chat.postMessage", refuse("token_revoked"), "slack: the token was revoked"},
		{"chat.postMessage", refuse("not_in_channel"), "slack: the app is not in #ingests: write /invite"},
		{"chat.postMessage", refuse("channel_not_found"), "slack: #ingests is not there or cannot be seen"},
		{"chat.postMessage", refuse("is_archived"), "slack: #ingests is archived"},
		{"chat.postMessage", refuse("something_new"), "slack: chat.postMessage was refused: something_new"},
		{"chat.postMessage", refuse("xoxb-1234-verysecret\n\x1b[31m" + strings.Repeat("x", 1000)), "slack: chat.postMessage was refused: [secret]"},
		{"chat.postMessage", status(200, `{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"files:write"}`), "slack: the token lacks the scope chat:write (it has files:write): add it under"},
		{"chat.postMessage", status(200, `{"ok":false,"error":"missing_scope"}`), "slack: the token lacks the scope that chat.postMessage needs: add"},
		{"chat.postMessage", status(200, `{}`), "slack: chat.postMessage: the answer is not one of Slack's"},
		{"chat.postMessage", status(200, `[]`), "slack: chat.postMessage: the answer is not one of Slack's"},
		{"chat.postMessage", status(200, ``), "slack: chat.postMessage: the answer is not one of Slack's"},
		{"chat.postMessage", status(200, `<html>Log in to the hotel`), "slack: chat.postMessage: the answer is not one of Slack's"},
		{"chat.postMessage", status(403, `<html>`), "slack: chat.postMessage: HTTP status 403 Forbidden"},
		{"chat.postMessage", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "https://example.org/verysecret")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, "slack: chat.postMessage: HTTP status 307"},
		{"files.getUploadURLExternal", refuse("missing_scope"), "slack: the token lacks the scope that sending a file needs"},
		{"files.getUploadURLExternal", status(200, `{"ok":true,"upload_url":"https://evil.example/upload/verysecret","file_id":"F1"}`), "slack: sending a file: UploadToURL: refusing"},
		{"upload", status(400, "no"), "slack: sending a file: HTTP status 400"},
		{"files.completeUploadExternal", refuse("not_in_channel"), "slack: the app is not in #ingests"},
		{"webhook", status(404, "no_service"), "slack: the webhook was removed or has expired: make a new one"},
		{"webhook", status(404, "<html>"), "slack: the webhook was removed or has expired: make a new one"},
		{"webhook", status(410, "channel_is_archived"), "slack: the webhook's channel is archived"},
		{"webhook", status(410, ""), "slack: the webhook was removed or has expired"},
		{"webhook", status(403, "invalid_token"), "slack: the webhook's URL is not complete"},
		{"webhook", status(403, "action_prohibited"), "slack: the workspace does not let"},
		{"webhook", status(400, "verysecret & <page>"), "slack: webhook: HTTP status 400 Bad Request"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			f := newFake(t)
			f.fail(tt.method, tt.fault)
			c := f.client(channel(t, "#ingests"))
			if tt.method == "webhook" {
				c = f.webhook()
			}
			err := c.Send(t.Context(), "hello")
			if err == nil {
				err = c.Upload(t.Context(), "log.txt", "text")
			}
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || len(err.Error()) > 500 || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Fatalf("got  %v\nwant %s", err, tt.want)
			}
			var e *slack.Error
			if !errors.As(err, &e) {
				t.Errorf("%T", err)
			}
			hidden(t, err)
			if n := f.count(tt.method); n != 1 {
				t.Errorf("%d attempts at what cannot succeed", n)
			}
		})
	}
}

func TestPeopleNotFound(t *testing.T) {
	f := newFake(t)
	for _, tt := range []struct {
		to   string
		want string
	}{
		{"U0000000009", "nobody in the workspace is U0000000009"},
		{"bob@example.org", "nobody in the workspace has the e-mail address bob@example.org"},
	} {
		if err := f.client(user(t, tt.to)).Send(t.Context(), "hello"); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
	f.scopes = []string{"chat:write"}
	err := f.client(user(t, "ann@example.org")).Send(t.Context(), "hello")
	if e := new(slack.Error); !errors.As(err, &e) || e.Needed != "users:read.email" || e.Provided != "chat:write" || e.Code != "missing_scope" {
		t.Errorf("%+v", e)
	}
}

// hidden fails the test if anything that fmt or JSON shows of v is the secret.
func hidden(t *testing.T, v any) {
	t.Helper()
	text, _ := json.Marshal(v)
	for _, s := range []string{fmt.Sprintf("%v %+v %#v %s %q %x", v, v, v, v, v, v), string(text)} {
		if strings.Contains(s, "verysecret") || strings.Contains(s, fmt.Sprintf("%x", "verysecret")) {
			t.Errorf("the secret is shown: %s", s)
		}
	}
}

func TestSecretIsHidden(t *testing.T) {
	f := newFake(t)
	for _, c := range []*slack.Client{f.client(channel(t, "a")), f.webhook()} {
		hidden(t, c)
		hidden(t, struct{ c *slack.Client }{c})
	}
	access := slack.Access{Webhook: true, Secret: slack.NewSecret("http://127.0.0.1:1" + hook)}
	hidden(t, access)
	hidden(t, &access)
	hidden(t, struct{ a slack.Access }{access})
	// Nobody listens there: net/http puts the URL into its error.
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	err := newClient(t, access, slack.Address{}, slack.Options{}).Send(ctx, "hello")
	if err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("%v", err)
	}
	hidden(t, err)
	for e := err; e != nil; e = errors.Unwrap(e) {
		hidden(t, e)
	}
}

// Slack is left alone as long as it asks, if the context allows.
func TestPatience(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults []http.HandlerFunc
		limit  time.Duration
		took   time.Duration
		want   string // error
	}{
		{"limited", []http.HandlerFunc{limited(30), limited(7)}, time.Hour, 37 * time.Second, ""},
		{"limited longer than there is time", []http.HandlerFunc{limited(30)}, 15 * time.Second, 0, "left alone for 30s"},
		{"limited for ever", []http.HandlerFunc{limited(1), limited(1), limited(1), limited(1), limited(1)}, time.Hour, 3 * time.Second, "left alone for 1s"},
		{"limited, says not how long", []http.HandlerFunc{status(429, "")}, time.Hour, time.Second, ""},
		{"limited, in words", []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT")
			w.WriteHeader(429)
		}}, time.Hour, time.Second, ""},
		{"broken for a while", []http.HandlerFunc{status(503, ""), refuse("internal_error")}, time.Hour, 3 * time.Second, ""},
		{"broken", []http.HandlerFunc{status(503, ""), status(502, ""), status(500, ""), status(503, "")}, time.Hour, 6 * time.Second, "503 Service Unavailable"},
		{"hangs once", []http.HandlerFunc{hang}, time.Hour, 11 * time.Second, ""},
		{"hangs", []http.HandlerFunc{hang, hang, hang, hang}, 15 * time.Second, 15 * time.Second, "no answer within 10s"},
		{"hangs, and there is little time", []http.HandlerFunc{hang, hang}, 2 * time.Second, 2 * time.Second, "no answer in time"},
	} {
		for _, method := range []string{"chat.postMessage", "webhook"} {
			if method == "webhook" && strings.HasPrefix(tt.name, "broken for") {
				continue // a webhook has no such word
			}
			t.Run(tt.name+" "+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFake(t)
					f.fail(method, tt.faults...)
					c := f.client(channel(t, "#ingests"))
					if method == "webhook" {
						c = f.webhook()
					}
					ctx, cancel := context.WithTimeout(t.Context(), tt.limit)
					defer cancel()
					start := time.Now()
					err := c.Send(ctx, "hello")
					if took := time.Since(start); took != tt.took {
						t.Errorf("took %v, want %v", took, tt.took)
					}
					if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
						t.Errorf("got %v, want %q", err, tt.want)
					}
				})
			})
		}
	}
}

// A file whose sending failed half-way is sent again as a whole.
func TestUploadAgain(t *testing.T) {
	for _, method := range []string{"files.getUploadURLExternal", "upload", "files.completeUploadExternal"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(t)
			f.fail(method, limited(3), status(500, ""), hang)
			if err := f.client(channel(t, "C0000000001")).Upload(t.Context(), "log.txt", "text"); err != nil {
				t.Errorf("%s: %v", method, err)
			}
			if got := f.heard(); !reflect.DeepEqual(got, []said{{"C0000000001", "log.txt", "text"}}) {
				t.Errorf("%s: %q", method, got)
			}
		})
	}
}

func TestUploadByName(t *testing.T) {
	f := newFake(t)
	err := f.client(channel(t, "#ingests")).Upload(t.Context(), "log.txt", "text")
	if err == nil || !strings.Contains(err.Error(), "before a message") {
		t.Errorf("%v", err)
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		access slack.Access
		to     string
		url    string
		want   string
	}{
		{slack.Access{Webhook: true}, "#a", "", "webhook has a channel of its own"},
		{slack.Access{}, "", "", "nobody is named"},
		{slack.Access{}, "#a", "http://example.org/api/", "want one that begins with https://"},
		{slack.Access{}, "#a", "slack.com", "want one that begins with https://"},
		{slack.Access{}, "#a", "ftp://localhost/", "want one that begins with https://"},
	} {
		var to slack.Address
		if tt.to != "" {
			to = channel(t, tt.to)
		}
		if _, err := slack.New(tt.access, to, slack.Options{APIURL: tt.url}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		parse      func(string) (slack.Address, error)
		text, want string // want is the address, or a part of the error
		ok         bool
	}{
		{slack.ParseChannel, "C0123456789", "C0123456789", true},
		{slack.ParseChannel, "G0123456789", "G0123456789", true},
		{slack.ParseChannel, "#ingests", "#ingests", true},
		{slack.ParseChannel, "ingests-2_x", "#ingests-2_x", true},
		{slack.ParseChannel, "#données", "#données", true},
		{slack.ParseChannel, "U0123456789", "--slack-usr is for people", false},
		{slack.ParseChannel, "", "want a channel's ID", false},
		{slack.ParseChannel, "#", "want a channel's ID", false},
		{slack.ParseChannel, "two words", "want a channel's ID", false},
		{slack.ParseChannel, "@ann", "want a channel's ID", false},
		{slack.ParseChannel, "<!here>", "want a channel's ID", false},
		{slack.ParseUser, "U0123456789", "U0123456789", true},
		{slack.ParseUser, "W0123456789", "W0123456789", true},
		{slack.ParseUser, "ann@example.org", "ann@example.org", true},
		{slack.ParseUser, "@ann", "names of people are no longer taken", false},
		{slack.ParseUser, "ann", "want a member ID", false},
		{slack.ParseUser, "", "want a member ID", false},
		{slack.ParseUser, "Ann <ann@example.org>", "want a member ID", false},
		{slack.ParseUser, "C0123456789", "--slack-channel is for channels", false},
		{slack.ParseUser, "#ingests", "--slack-channel is for channels", false},
	} {
		a, err := tt.parse(tt.text)
		if tt.ok && (err != nil || a.String() != tt.want) || !tt.ok && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q: got %v, %v; want %s", tt.text, a, err, tt.want)
		}
	}
}

func TestAccessFiles(t *testing.T) {
	dir := t.TempDir()
	for i, tt := range []struct {
		read       func(string) (slack.Access, error)
		text, want string // "" if it is to be taken
	}{
		{slack.ReadToken, token, ""},
		{slack.ReadToken, "\ufeff " + token + "\r\nsecond line\n", ""},
		{slack.ReadToken, "", "first line is empty"},
		{slack.ReadToken, "\n" + token, "first line is empty"},
		{slack.ReadToken, "token = verysecret", "a character that no token has"},
		{slack.ReadToken, "xapp-1-verysecret", "app-level token"},
		{slack.ReadToken, "https://hooks.slack.com" + hook, "--slack-webhook-file is for webhooks"},
		{slack.ReadToken, strings.Repeat("verysecret ", 1<<14), "a character that no token has"},
		{slack.ReadWebhook, "https://hooks.slack.com" + hook + "\n", ""},
		{slack.ReadWebhook, "http://127.0.0.1:80" + hook, ""},
		{slack.ReadWebhook, "http://localhost" + hook, ""},
		{slack.ReadWebhook, "http://hooks.slack.com" + hook, "does not begin with https://"},
		{slack.ReadWebhook, "ftp://hooks.slack.com" + hook, "does not begin with https://"},
		{slack.ReadWebhook, "hooks.slack.com" + hook, "is no address"},
		{slack.ReadWebhook, "https://hooks slack.com/verysecret", "is no address"},
		{slack.ReadWebhook, "https://%zz/verysecret", "is no address"},
		{slack.ReadWebhook, token, "--slack-token-file is for tokens"},
		{slack.ReadWebhook, "", "first line is empty"},
	} {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := tt.read(path)
		if tt.want == "" && (err != nil || a.From != path || a.Warning != "") || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%.60q: got %+v, %v; want %q", tt.text, a, err, tt.want)
		}
		hidden(t, a)
		hidden(t, err)
	}
	if _, err := slack.ReadToken(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestAccessWarning(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no mode there")
	}
	path := filepath.Join(t.TempDir(), "slack_token")
	if err := os.WriteFile(path, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[fs.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		a, err := slack.ReadToken(path)
		if err != nil || (a.Warning != "") != want || want && !strings.Contains(a.Warning, "chmod 600 "+path) {
			t.Errorf("mode %o: warning %q, %v", mode, a.Warning, err)
		}
	}
}
