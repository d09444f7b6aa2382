package boss

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const secret = "0123456789abcdef0123456789abcdef01234567"

func TestParseAccess(t *testing.T) {
	for _, tt := range []struct{ name, text, protocol, host string }{
		{"plain", "[Default]\nprotocol = https\nhost = api.bossdb.io\ntoken = " + secret + "\n", "https", "api.bossdb.io"},
		{"no blanks", "[Default]\nprotocol=http\nhost=localhost:8080\ntoken=" + secret, "http", "localhost:8080"},
		{"colons, comments", "# mine\n[Default]\n; again\nprotocol: https\nhost: 10.0.0.1\ntoken: " + secret + "\n", "https", "10.0.0.1"},
		{"Windows", "\xef\xbb\xbf[Default]\r\nprotocol = HTTPS\r\nhost = [::1]:443\r\ntoken = " + secret + "\r\n", "https", "[::1]:443"},
		{"upper case", "[DEFAULT]\nProtocol = https\nHost = h\nToken = " + secret + "\n", "https", "h"},
		{"no section", "protocol = https\nhost = h\ntoken = " + secret + "\n", "https", "h"},
		{"other sections", "[Default]\nprotocol = https\nhost = h\ntoken = " + secret + "\n[other]\nhost = i\n", "https", "h"},
	} {
		a, err := parseAccess([]byte(tt.text))
		if err != nil || a.Protocol != tt.protocol || a.Host != tt.host || a.Token.reveal() != secret {
			t.Errorf("%s: %v, %v", tt.name, a, err)
		}
	}
}

func TestFaultyAccess(t *testing.T) {
	good := map[string]string{"protocol": "https", "host": "api.bossdb.io", "token": secret}
	for _, tt := range []struct{ key, value, want string }{
		{"protocol", "", "want https or http"},
		{"protocol", "ftp", "want https or http"},
		{"protocol", "https://", "want https or http"},
		{"host", "", "the host is empty"},
		{"host", "https://api.bossdb.io", "host = api.bossdb.io (https"},
		{"host", "http://localhost:8080/", "host = localhost:8080 (https"},
		{"host", "api.bossdb.io/v1", "want only a name"},
		{"host", "me@api.bossdb.io", "want only a name"},
		{"host", "api bossdb io", "want only a name"},
		{"host", "api.bossdb.io ; the new one", "want only a name"},
		{"host", "api.bossdb.io:port", "want only a name"},
		{"host", "?", "want only a name"},
		{"token", "", "the token is empty"},
		{"token", "<your token here>", "placeholder"},
		{"token", "YOUR_TOKEN", "placeholder"},
		{"token", "xxxxxxxx", "placeholder"},
		{"token", "changeme", "placeholder"},
		{"token", "0000000000000000000000000000000000000000", "placeholder"},
		{"token", "0123456789abcdef 0123456789abcdef", "white space"},
		{"token", "Jürgen", "character"},
	} {
		values := [len(accessKeys)]string{}
		var text strings.Builder
		text.WriteString("[Default]\n")
		for i, key := range accessKeys {
			values[i] = good[key]
			if key == tt.key {
				values[i] = tt.value
			}
			fmt.Fprintf(&text, "%s = %s\n", key, values[i])
		}
		for _, err := range []error{second(newAccess(values)), second(parseAccess([]byte(text.String())))} {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s = %q: %v, want …%s…", tt.key, tt.value, err, tt.want)
			} else if tt.key == "token" && tt.value != "" && strings.Contains(err.Error(), tt.value) || strings.Contains(err.Error(), secret) {
				t.Errorf("%s = %q: the error shows the token: %v", tt.key, tt.value, err)
			}
		}
	}
	for text, want := range map[string]string{
		"":                                  "lacks the key protocol",
		"[Default]\nprotocol = https\n":     "lacks the key host",
		"[other]\nprotocol = https\n":       "lacks the key protocol",
		"[Default]\ntoken " + secret + "\n": "not of the form key = value",
		"[Default\nprotocol = " + secret:    "not of the form key = value",
		"[Default]\nprotocol = " + secret + "\nhost = h\ntoken = " + secret:               "want https or http",
		"[Default]\nprotocol = https\nhost = https://x/" + secret + "\ntoken = " + secret: "want the name only",
	} {
		_, err := parseAccess([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v, want …%s…", text, err, want)
		}
	}
}

// BossDB has a token that everybody may read with, and others give out JWTs.
func TestTokensOfOtherKinds(t *testing.T) {
	for _, token := range []string{"public", "eyJhbGciOiJSUzI1NiJ9.e30.xxxTOKENyourxxx_-+/" + strings.Repeat("A", 64) + "=="} {
		if err := checkToken(token); err != nil {
			t.Errorf("%s: %v", token, err)
		}
	}
}

func second(_ Access, err error) error { return err }

func writeAccess(t *testing.T, path, host string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "[Default]\nprotocol = https\nhost = " + host + "\ntoken = " + secret + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFindAccess(t *testing.T) {
	env := map[string]string{}
	getenv := func(name string) string { return env[name] }
	dir, home := t.TempDir(), t.TempDir()
	t.Chdir(dir)
	intern := filepath.Join(home, ".intern", "intern.cfg")

	// From the last resort to the first: each goes before the ones above.
	_, err := FindAccess("", getenv, home)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "INTERN_TOKEN") || !strings.Contains(err.Error(), intern) {
		t.Errorf("nothing is there: %v", err)
	}
	find := func(path, from, host string) {
		t.Helper()
		if a, err := FindAccess(path, getenv, home); err != nil || a.From != from || a.Host != host || a.Warning != "" {
			t.Errorf("FindAccess(%q) = %v, %v, want %s from %s", path, a, err, host, from)
		}
	}
	writeAccess(t, intern, "c")
	find("", intern, "c")
	env["INTERN_TOKEN"] = secret
	if _, err := FindAccess("", getenv, home); err == nil || !strings.Contains(err.Error(), "INTERN_PROTOCOL and INTERN_HOST is not set") {
		t.Errorf("a part of the environment: %v", err)
	}
	env["INTERN_HOST"], env["INTERN_PROTOCOL"] = "b", "https"
	find("", "the environment", "b")
	writeAccess(t, "neurodata.cfg", "a")
	find("", "neurodata.cfg", "a")
	writeAccess(t, "mine.cfg", "m")
	find("mine.cfg", "mine.cfg", "m")

	if _, err := FindAccess("absent.cfg", getenv, home); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "absent.cfg") {
		t.Errorf("a file that is asked for and absent: %v", err)
	}
	if _, err := FindAccess(dir, getenv, home); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory: %v", err)
	}
	if err := os.WriteFile("neurodata.cfg", []byte("[Default]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a, err := FindAccess("", getenv, home); err == nil {
		t.Errorf("a faulty file is passed over, for %v", a)
	}
	env["INTERN_TOKEN"] += "\n"
	os.Remove("neurodata.cfg")
	if a, err := FindAccess("", getenv, home); err == nil {
		t.Errorf("a token with a newline: %v", a)
	}
}

func TestAccessFileThatOthersRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes")
	}
	path := filepath.Join(t.TempDir(), "neurodata.cfg")
	writeAccess(t, path, "h")
	for mode, want := range map[fs.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o644: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		a, err := ReadAccess(path)
		if err != nil || (a.Warning != "") != want {
			t.Errorf("mode %o: warning %q, %v", mode, a.Warning, err)
		}
	}
}

// Whatever the file holds, an error does not show the token, and an access that
// is returned is one that can be used.
func FuzzParseAccess(f *testing.F) {
	f.Add("[Default]\nprotocol = https\nhost = api.bossdb.io\ntoken = ", "\n")
	f.Add("[Default]\ntoken ", "\nhost = x")
	f.Add("[Default]\nprotocol = \"\"\"", "\"\"\"\nhost = `\n")
	f.Add("\xff\xfe[", "\x00]")
	f.Fuzz(func(t *testing.T, before, after string) {
		a, err := parseAccess([]byte(before + secret + after))
		if err != nil {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the token is shown: %v", err)
			}
			return
		}
		c, err := New(a, Options{InsecureHTTP: true})
		if err != nil {
			t.Fatal(err)
		}
		r := request{method: "GET", path: "/v1/collection/lab"}
		req, err := r.http(t.Context(), c)
		if err != nil || req.URL.Host != a.Host {
			t.Errorf("%v gives a request to %v, %v", a, req, err)
		}
	})
}

func TestTokenIsNeverPrinted(t *testing.T) {
	token := NewToken(secret)
	access := Access{Protocol: "https", Host: "h", Token: token}
	client, err := New(access, Options{})
	if err != nil {
		t.Fatal(err)
	}
	channel, err := client.Channel("a", "b", "c", 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	hidden := struct{ t Token }{token}
	var s strings.Builder
	logger := slog.New(slog.NewTextHandler(&s, nil))
	jsonLogger := slog.New(slog.NewJSONHandler(&s, nil))
	for _, v := range []any{token, &token, access, &access, hidden, &hidden, client, channel, []Token{token}, map[string]Token{"t": token}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s", "%p", "%t", "%U", "%T", "%o"} {
			fmt.Fprintf(&s, verb+"\n", v)
		}
		fmt.Fprintln(&s, v)
		logger.Info("x", "v", v)
		jsonLogger.Info("x", "v", v)
		text, _ := json.Marshal(v) // a Client cannot be, which is fine
		s.Write(text)
		fmt.Fprint(&s, fmt.Errorf("%v", v))
	}
	s.WriteString("x" + token.String())
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret)} {
		if i := strings.Index(s.String(), form); i >= 0 {
			t.Errorf("the token is shown: …%s", s.String()[max(0, i-200):i])
		}
	}
	if got := fmt.Sprintf("%v %+v %#v %s %q", token, token, token, token, token); got != strings.TrimSpace(strings.Repeat("[token] ", 5)) {
		t.Errorf("got %s", got)
	}
	if text, err := json.Marshal(access); err != nil || !strings.Contains(string(text), `"Token":"[token]"`) {
		t.Errorf("got %s, %v", text, err)
	}
}

// Not even when a server sends it back.
func TestTokenIsNeverEchoed(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		fmt.Fprintf(w, `{"code": 1000, "message": "you sent %s"}`, r.Header.Get("Authorization"))
	}))
	defer srv.Close()
	c, err := New(Access{Protocol: "http", Host: strings.TrimPrefix(srv.URL, "http://"), Token: NewToken(secret)}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Collection(t.Context(), "lab")
	if err == nil || !strings.Contains(err.Error(), "you sent Token [token]") || strings.Contains(fmt.Sprintf("%+v %#v", err, err), secret) {
		t.Errorf("got %v", err)
	}
}

func TestPlainHTTP(t *testing.T) {
	for host, ok := range map[string]bool{
		"localhost": true, "localhost:8080": true, "127.0.0.1:80": true, "127.9.9.9": true, "[::1]:8080": true,
		"api.bossdb.io": false, "10.0.0.1": false, "localhost.example.org": false, "127.0.0.1.example.org": false, "[fe80::1]": false, "notlocalhost": false,
	} {
		a := Access{Protocol: "http", Host: host, Token: NewToken(secret)}
		if _, err := New(a, Options{}); (err == nil) != ok {
			t.Errorf("http to %s: %v", host, err)
		}
		if _, err := New(a, Options{InsecureHTTP: true}); err != nil {
			t.Errorf("http to %s, allowed: %v", host, err)
		}
		a.Protocol = "https"
		if _, err := New(a, Options{}); err != nil {
			t.Errorf("https to %s: %v", host, err)
		}
	}
	if _, err := New(Access{Protocol: "https", Host: "h"}, Options{}); err == nil {
		t.Error("a client without a token")
	}
}
