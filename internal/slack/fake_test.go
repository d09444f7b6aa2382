package slack_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/neurodata/ndpush/internal/slack"
)

const (
	token = "xoxb-1234-verysecret"
	hook  = "/services/T00000001/B00000001/verysecret"
)

// A fakeSlack judges requests as Slack does, and keeps what it was told.
type fakeSlack struct {
	t   *testing.T
	url string // of the server

	mu       sync.Mutex
	scopes   []string
	channels map[string]string             // names and IDs of those the app is in
	faults   map[string][]http.HandlerFunc // by method; the first is taken
	calls    []string
	said     []said
	lengths  map[string]int // of files, by ID
	uploads  map[string]string
}

// said is a message or a file.
type said struct{ To, File, Text string }

func newFake(t *testing.T) *fakeSlack {
	return &fakeSlack{
		t:        t,
		url:      "https://slack.com",
		scopes:   []string{"chat:write", "files:write", "im:write", "users:read.email"},
		channels: map[string]string{"#ingests": "C0000000001", "C0000000001": "C0000000001", "D0000000001": "D0000000001"},
		faults:   map[string][]http.HandlerFunc{},
		lengths:  map[string]int{},
		uploads:  map[string]string{},
	}
}

// serve makes the fake a server on this machine.
func (f *fakeSlack) serve() *fakeSlack {
	server := httptest.NewServer(f)
	f.t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// RoundTrip answers without a network, for bubbles of synctest.
func (f *fakeSlack) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// client speaks to a fake that is no server.
func (f *fakeSlack) client(to slack.Address) *slack.Client {
	return newClient(f.t, slack.Access{Secret: slack.NewSecret(token)}, to, slack.Options{Transport: f})
}

func (f *fakeSlack) webhook() *slack.Client {
	return newClient(f.t, slack.Access{Webhook: true, Secret: slack.NewSecret(f.url + hook)}, slack.Address{}, slack.Options{Transport: f})
}

func newClient(t *testing.T, access slack.Access, to slack.Address, o slack.Options) *slack.Client {
	t.Helper()
	c, err := slack.New(access, to, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fail makes the next requests of a method fail.
func (f *fakeSlack) fail(method string, with ...http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults[method] = append(f.faults[method], with...)
}

func (f *fakeSlack) heard() []said {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.said)
}

func (f *fakeSlack) count(method string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if c == method {
			n++
		}
	}
	return n
}

// limited answers that it wants to be left alone.
func limited(seconds int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

func status(code int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		io.WriteString(w, text)
	}
}

func refuse(code string) http.HandlerFunc {
	answer, _ := json.Marshal(object{"ok": false, "error": code})
	return status(http.StatusOK, string(answer))
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func (f *fakeSlack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := strings.TrimPrefix(r.URL.Path, "/api/")
	switch {
	case r.URL.Path == hook:
		method = "webhook"
	case strings.HasPrefix(r.URL.Path, "/upload/"):
		method = "upload"
	}
	f.mu.Lock()
	f.calls = append(f.calls, method)
	var fault http.HandlerFunc
	if list := f.faults[method]; len(list) > 0 {
		fault, f.faults[method] = list[0], list[1:]
	}
	f.mu.Unlock()
	switch {
	case fault != nil:
		if r.Body != nil && method != "upload" {
			io.Copy(io.Discard, r.Body)
		}
		fault(w, r)
	case r.Method != http.MethodPost:
		f.t.Errorf("%s: %s", method, r.Method)
		http.NotFound(w, r)
	case method == "webhook":
		f.takeWebhook(w, r)
	case method == "upload":
		f.takeUpload(w, r)
	default:
		answer := f.answer(method, r)
		answer["ok"] = answer["error"] == nil
		json.NewEncoder(w).Encode(answer)
	}
}

type object = map[string]any

// needed are the scopes of the methods.
var needed = map[string]string{
	"auth.test":                    "",
	"chat.postMessage":             "chat:write",
	"conversations.open":           "im:write",
	"users.lookupByEmail":          "users:read.email",
	"files.getUploadURLExternal":   "files:write",
	"files.completeUploadExternal": "files:write",
}

func (f *fakeSlack) answer(method string, r *http.Request) object {
	f.mu.Lock()
	defer f.mu.Unlock()
	scope, known := needed[method]
	switch {
	case !known:
		f.t.Errorf("no method %s", r.URL)
		return object{"error": "unknown_method"}
	case r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.URL.RawQuery != "":
		f.t.Errorf("%s: %v, query %q", method, r.Header, r.URL.RawQuery)
		return object{"error": "invalid_post_type"}
	case r.FormValue("token") != token:
		return object{"error": "invalid_auth"}
	case scope != "" && !slices.Contains(f.scopes, scope):
		return object{"error": "missing_scope", "needed": scope, "provided": strings.Join(f.scopes, ",")}
	}
	switch method {
	case "chat.postMessage":
		return f.postMessage(r)
	case "conversations.open":
		if r.FormValue("users") != "U0000000001" {
			return object{"error": "user_not_found"}
		}
		return object{"channel": object{"id": "D0000000001"}}
	case "users.lookupByEmail":
		if r.FormValue("email") != "ann@example.org" {
			return object{"error": "users_not_found"}
		}
		return object{"user": object{"id": "U0000000001"}}
	case "files.getUploadURLExternal":
		n, err := strconv.Atoi(r.FormValue("length"))
		if err != nil || n <= 0 || r.FormValue("filename") == "" {
			return object{"error": "invalid_arguments"}
		}
		id := fmt.Sprintf("F%010d", len(f.lengths))
		f.lengths[id] = n
		return object{"upload_url": f.url + "/upload/" + id, "file_id": id}
	case "files.completeUploadExternal":
		return f.completeUpload(r)
	}
	return object{"user": "ndpush", "user_id": "U0000000002", "team": "Lab"}
}

// markup is text in which & < > are Slack's markup and nothing else.
var markup = regexp.MustCompile(`^([^&<>]|&(amp|lt|gt);|<https?://[^<>|\s]+\|[^<>|]+>)*$`)

func (f *fakeSlack) judge(text string) {
	if text == "" || len(text) > 4000 || !markup.MatchString(text) {
		f.t.Errorf("message %q", text)
	}
}

func (f *fakeSlack) postMessage(r *http.Request) object {
	id, ok := f.channels[r.FormValue("channel")]
	if !ok {
		return object{"error": "channel_not_found"}
	}
	f.judge(r.FormValue("text"))
	f.said = append(f.said, said{To: id, Text: r.FormValue("text")})
	return object{"channel": id, "ts": "1503435956.000247"}
}

var fileChannel = regexp.MustCompile(`^[CGDZ][A-Z0-9]{8,}$`)

func (f *fakeSlack) completeUpload(r *http.Request) object {
	var files []struct{ ID, Title string }
	err := json.Unmarshal([]byte(r.FormValue("files")), &files)
	id := r.FormValue("channel_id")
	if err != nil || len(files) != 1 || !fileChannel.MatchString(id) {
		f.t.Errorf("completeUploadExternal: %v", r.Form)
		return object{"error": "invalid_arguments"}
	}
	text, ok := f.uploads[files[0].ID]
	if !ok {
		return object{"error": "file_not_found"}
	}
	if f.channels[id] == "" {
		return object{"error": "not_in_channel"}
	}
	f.said = append(f.said, said{To: id, File: files[0].Title, Text: text})
	return object{"files": []object{{"id": files[0].ID}}}
}

func (f *fakeSlack) takeUpload(w http.ResponseWriter, r *http.Request) {
	file, _, err := r.FormFile("file")
	if err != nil {
		f.t.Errorf("upload: %v", err)
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	text, _ := io.ReadAll(file)
	f.mu.Lock()
	defer f.mu.Unlock()
	id := strings.TrimPrefix(r.URL.Path, "/upload/")
	if len(text) != f.lengths[id] {
		f.t.Errorf("upload of %d bytes, %d were said", len(text), f.lengths[id])
	}
	f.uploads[id] = string(text)
}

func (f *fakeSlack) takeWebhook(w http.ResponseWriter, r *http.Request) {
	var body struct{ Text string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Header.Get("Content-Type") != "application/json" {
		f.t.Errorf("webhook: %v, %v", err, r.Header)
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.judge(body.Text)
	f.said = append(f.said, said{To: "webhook", Text: body.Text})
	io.WriteString(w, "ok")
}
