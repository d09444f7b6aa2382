package boss

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/pace"
)

// An Error is a request that BOSS, or the way to it, did not grant.
type Error struct {
	Method, Path string // of the request; the path has no host and no query

	Status  int    // of HTTP; 0 if no answer came
	Code    int    // BOSS's own number; 0 if it gave none
	Message string // BOSS's words, in one line of bounded length; or what happened instead

	RetryAfter time.Duration // how long the server asks to wait; 0 if it does not say
	Err        error         // the network's error, if no answer came

	verdict verdict
	outcome pace.Outcome // of an attempt without an answer, or with one that is damaged
}

// Error gives one sentence, without the token.
func (e *Error) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s: ", e.Method, e.Path)
	if e.Status == 0 {
		s.WriteString(e.Message)
		return s.String()
	}
	fmt.Fprintf(&s, "%s (%d", e.verdict.says, e.Status)
	if e.Code != 0 {
		fmt.Fprintf(&s, "/%d", e.Code)
	}
	s.WriteString(")")
	if e.Message != "" {
		s.WriteString(": ")
		s.WriteString(e.Message)
	}
	return s.String()
}

// Unwrap returns the network's error.
func (e *Error) Unwrap() error { return e.Err }

// Class says what the error means for the requests to come.
func (e *Error) Class() Class { return e.verdict.class }

// Temporary reports whether the same request may succeed later.
// It has been repeated by then, as Options.Retry says.
func (e *Error) Temporary() bool { return e.Class() == Transient }

// Fatal reports whether every other request of the job would fail as well.
func (e *Error) Fatal() bool { return e.Class() == Fatal }

// Refused reports whether BOSS takes no data for now, for hours or longer.
func (e *Error) Refused() bool { return e.Class() == Refused }

// newError reads the body of an answer that was not the one wanted.
func newError(r *request, status int, body []byte) *Error {
	e := &Error{Method: r.method, Path: r.path, Status: status}
	e.Code, e.Message = parseBody(body)
	e.verdict = judge(e)
	return e
}

// parseBody finds BOSS's code and words in the body of an error. It knows
//
//	{"status": 400, "code": 1001, "message": "…"}   BOSS
//	{"detail": "…"}                                 its web framework
//	an HTML page                                    an uncaught exception, or a proxy
//	any other text                                  a proxy
func parseBody(body []byte) (code int, message string) {
	var boss struct {
		Code            int
		Message, Detail string
	}
	text := strings.TrimSpace(string(body))
	switch {
	case json.Unmarshal(body, &boss) == nil:
		return boss.Code, human.Message(boss.Message + boss.Detail)
	case isHTML(text):
		return 0, summary(text)
	}
	return 0, human.Message(text)
}

func isHTML(text string) bool {
	head := strings.ToLower(text[:min(len(text), 512)])
	return strings.HasPrefix(head, "<!doctype html") || strings.Contains(head, "<html")
}

var titlePattern = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

// summary says of an HTML page what its title says.
func summary(page string) string {
	if m := titlePattern.FindStringSubmatch(page); m != nil {
		if title := human.Message(m[1]); title != "" {
			return fmt.Sprintf("an HTML page titled %q", title)
		}
	}
	return "an HTML page"
}

// parseRetryAfter reads the header of that name (RFC 9110 section 10.2.3),
// seconds or a date; 0 if there is none that says so.
func parseRetryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
