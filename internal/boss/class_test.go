package boss

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/pace"
	"github.com/neurodata/ndpush/internal/retry"
	"github.com/neurodata/ndpush/internal/voxel"
)

// answers are what the real server, and what stands before it, was seen to give,
// what is to be thought of each, and how often such a request is sent: once, a
// few times, or as often as patience says.
var answers = []struct {
	status       int
	path         string // "": a cutout
	body         string
	class        Class
	attempts     int
	code         int
	message, say string // parts of them
}{
	{400, "", `{"status": 400, "code": 1000, "message": "The requested resource could not be found"}`, Permanent, 1, 1000, "could not be found", ""},
	{400, "", `{"status": 400, "code": 1001, "message": "Incorrect cutout arguments 0/2000:2064/0:64/0:16"}`, Permanent, 1, 1001, "Incorrect cutout", ""},
	{400, "", `{"status": 400, "code": 1002, "message": "Invalid resolution 3. The resolution has to be within 0 and 3"}`, Fatal, 1, 1002, "Invalid resolution 3", "no such resolution"},
	{400, "/v1/collection/lab", `{"status": 400, "code": 1003, "message": "{'name': [ErrorDetail(string='Invalid Name.', code='invalid')]}"}`, Permanent, 1, 1003, "Invalid Name", ""},
	{400, "", `{"status": 400, "code": 1006, "message": "x"}`, Permanent, 1, 1006, "x", ""},
	{400, "", `{"status": 400, "code": 2001, "message": "Failed to unpack data."}`, Permanent, 1, 2001, "unpack", "could not unpack"},
	{400, "", `{"status": 400, "code": 2002, "message": "Failed to unpack data. Verify the datatype of your POSTed data"}`, Permanent, 1, 2002, "Verify", "size"},
	{400, "", `{"status": 400, "code": 2003, "message": "Datatype does not match channel"}`, Permanent, 1, 2003, "match", ""},
	{400, "", `{"status": 400, "code": 2005, "message": "Dimensions"}`, Permanent, 1, 2005, "Dim", ""},
	{400, "", `{"detail": "JSON parse error - Expecting value: line 1 column 1 (char 0)"}`, Permanent, 1, 0, "JSON parse", ""},
	{400, "", `{"status": 400, "code": 9001, "message": "Error during write_cuboid: (102, 'REDIS_ERROR: 103')"}`, Transient, 8, 9001, "REDIS_ERROR", "could not store"},
	{400, "", `{"status": 400, "code": 9001, "message": "Error during write_cuboid: ('Resource Locked', 108)"}`, Refused, 1, 9001, "Locked", "locked"},
	{400, "", `{"status": 400, "code": 9001, "message": "Error during write_cuboid: ('Resolution Mismatch', 109)"}`, Fatal, 1, 9001, "Mismatch", "base resolution"},
	{400, "", `{"status": 400, "code": 9001, "message": "Can't instantiate abstract class Cube with abstract methods"}`, Fatal, 1, 9001, "abstract", "type and datatype"},
	{400, "/v1/downsample/lab/exp1/im1", `{"status": 400, "code": 9001, "message": "x"}`, Permanent, 1, 9001, "x", "cannot downsample"},
	{401, "", `{"detail": "Invalid token."}`, Fatal, 1, 0, "Invalid token.", "does not accept the token"},
	{401, "", `{"detail": "Authentication credentials were not provided."}`, Fatal, 1, 0, "not provided", "token"},
	{403, "/v1/collection/lab", `{"status": 403, "code": 3000, "message": "reader does not have the required role resource-manager"}`, Fatal, 1, 3000, "resource-manager", "role"},
	{403, "", `{"status": 403, "code": 3001, "message": "This user does not have the required permissions"}`, Fatal, 1, 3001, "required", "permission"},
	{403, "", `{"status": 403, "code": 3004, "message": "x"}`, Fatal, 1, 3004, "x", "may not"},
	{403, "", "<html><head><title>403 Forbidden</title></head></html>", Fatal, 1, 0, `"403 Forbidden"`, "may not"},
	{404, "/v1/collection/lab", `{"status": 404, "code": 4000, "message": "lab does not exist."}`, Fatal, 1, 4000, "lab does not exist.", "not found"},
	{404, "", `{"status": 404, "code": 4005, "message": "marked for deletion"}`, Fatal, 1, 4005, "marked", "deleted"},
	{404, "", "\n<!DOCTYPE html><html><head><title>Page not found at /v1/cutout</title></head></html>", Fatal, 1, 0, "Page not found at", "no such address"},
	{405, "", `{"detail": "Method \"POST\" not allowed."}`, Permanent, 1, 0, "not allowed", "method not allowed"},
	{407, "", "", Fatal, 1, 0, "", "proxy"},
	{408, "", "", Transient, 8, 0, "", "too long"},
	{409, "/v1/downsample/lab/exp1/im1", `{"status": 409, "code": 2006, "message": "Channel is already waiting to be downsampled. Invalid Request."}`, Permanent, 1, 2006, "already", "state"},
	{413, "", `{"status": 413, "code": 2000, "message": "Cutout request is over 500MB when uncompressed. Reduce cutout dimensions."}`, Fatal, 1, 2000, "over 500MB", "too large"},
	{413, "", "<html><head><title>413 Request Entity Too Large</title></head></html>", Fatal, 1, 0, "413", "too large"},
	{415, "", `{"detail": "Unsupported media type \"text/plain\" in request."}`, Fatal, 1, 0, "text/plain", "format"},
	{418, "", "short and stout", Permanent, 1, 0, "short and stout", "teapot"},
	{429, "", `{"status": 429, "message": "User is throttled. Expected available tomorrow.", "code": 3004}`, Refused, 1, 3004, "tomorrow", "quota"},
	{429, "", `{"detail": "System is throttled. Expected available tomorrow."}`, Refused, 1, 0, "System is throttled", "quota"},
	{500, "", "<!DOCTYPE HTML>\n<html><head><title>Server Error (500)</title></head></html>", Transient, 3, 0, `an HTML page titled "Server Error (500)"`, "internal"},
	{500, "", `{"status": 500, "code": 9002, "message": "Unhandled exception"}`, Transient, 8, 9002, "Unhandled", "internal"},
	{502, "", "<html>\r\n<head></head><center><h1>502 Bad Gateway</h1></center></html>", Transient, 8, 0, "an HTML page", "not there"},
	{503, "", "Service Unavailable", Transient, 8, 0, "Service Unavailable", "not available"},
	{504, "", "", Transient, 8, 0, "", "in time"},
	{507, "", "", Transient, 3, 0, "", "insufficient storage"},
	{200, "", "<html><head><title>Welcome to the hotel</title></head></html>", Fatal, 1, 0, "hotel", "host of a BOSS"},
	{302, "", "", Fatal, 1, 0, "", "elsewhere"},
	{600, "", "", Permanent, 1, 0, "", ""},
}

func TestClasses(t *testing.T) {
	met := make([]bool, len(rules))
	for _, a := range answers {
		path := a.path
		if path == "" {
			path = "/v1/cutout/lab/exp1/im1/0/0:512/0:512/0:16/"
		}
		e := newError(&request{method: "POST", path: path}, a.status, []byte(a.body))
		if e.Class() != a.class {
			t.Errorf("%d %s is %v, want %v", a.status, a.body, e.Class(), a.class)
		}
		if e.Temporary() != (a.class == Transient) || e.Refused() != (a.class == Refused) || e.Fatal() != (a.class == Fatal) {
			t.Errorf("%v: Temporary, Refused and Fatal disagree with its class %v", e, e.Class())
		}
		if e.Code != a.code || !strings.Contains(e.Message, a.message) || !strings.Contains(e.verdict.says, a.say) {
			t.Errorf("%d %s gives code %d, message %q, says %q", a.status, a.body, e.Code, e.Message, e.verdict.says)
		}
		if strings.Contains(e.Error(), "\n") || strings.Contains(e.Error(), "<") {
			t.Errorf("not a sentence: %v", e)
		}
		for i, r := range rules {
			if e.verdict == r.verdict {
				met[i] = true
			}
		}
	}
	for i, ok := range met {
		if !ok {
			t.Errorf("no answer meets rule %d, %d/%d: %s", i, rules[i].status, rules[i].code, rules[i].says)
		}
	}
}

// What an answer means is done: so often is the request sent, with a pace and
// without one.
func TestAttempts(t *testing.T) {
	for _, a := range answers {
		for _, p := range []*pace.Pace{nil, pace.New(pace.Options{})} {
			var n atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n.Add(1)
				io.Copy(io.Discard, r.Body)
				w.WriteHeader(a.status)
				io.WriteString(w, a.body)
			}))
			c, err := New(Access{Protocol: "http", Host: strings.TrimPrefix(srv.URL, "http://"), Token: NewToken(secret)}, Options{
				Pace:  p,
				Retry: retry.Policy{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }},
			})
			if err != nil {
				t.Fatal(err)
			}
			err = c.ask(t.Context(), a.path)
			if e := (*Error)(nil); !errors.As(err, &e) || e.Class() != a.class || int(n.Load()) != a.attempts {
				t.Errorf("%d %s: %d attempts, want %d; %v", a.status, a.body, n.Load(), a.attempts, err)
			}
			c.Close()
			srv.Close()
		}
	}
}

// ask sends the request that belongs to a path: "" is a post of a cuboid.
func (c *Client) ask(ctx context.Context, path string) error {
	ch, err := c.Channel("lab", "exp1", "im1", 0, voxel.Uint8)
	if err != nil {
		return err
	}
	switch {
	case path == "":
		return ch.Post(ctx, voxel.NewBlock(watchedBox, voxel.Uint8))
	case strings.HasPrefix(path, "/v1/downsample/"):
		return ch.StartDownsample(ctx)
	}
	return c.CreateCollection(ctx, Collection{Name: "lab"})
}

func TestErrorSentence(t *testing.T) {
	for _, tt := range []struct {
		status     int
		body, want string
	}{
		{403, `{"status": 403, "code": 3001, "message": "Missing add permissions on the resource lab"}`,
			"POST /v1/collection/lab: the token's user lacks a permission; ask the owner of the collection (403/3001): Missing add permissions on the resource lab"},
		{401, `{"detail": "Invalid token."}`, "POST /v1/collection/lab: BOSS does not accept the token (401): Invalid token."},
		{504, "", "POST /v1/collection/lab: BOSS did not answer its own front end in time (504)"},
	} {
		e := newError(&request{method: "POST", path: "/v1/collection/lab"}, tt.status, []byte(tt.body))
		if got := e.Error(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// Whatever a server sends, an error is one line that does no harm to a terminal.
func FuzzParseBody(f *testing.F) {
	for _, a := range answers {
		f.Add([]byte(a.body))
	}
	f.Add([]byte(`{"code": "9001", "message": ["x"]}`))
	f.Add([]byte("\x1b[31mred\x07\xff\xfe\u202e"))
	f.Add([]byte("<html><title>" + strings.Repeat("é", 10000)))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, message := parseBody(body)
		if len(message) > 600 {
			t.Errorf("%d bytes of message", len(message))
		}
		if human.Line(message) != message {
			t.Errorf("%q is not fit to be printed", message)
		}
	})
}

func TestClassNames(t *testing.T) {
	for c, want := range map[Class]string{Permanent: "permanent", Transient: "transient", Refused: "refused", Fatal: "fatal", 9: "boss.Class(9)"} {
		if got := c.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
