package boss

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/pace"
)

// The formats of bodies.
const (
	formatJSON  = "application/json"
	formatBlosc = "application/blosc"
)

// Bounds of what is read of an answer.
const (
	maxErrorBody = 64 << 10 // of an error: enough for its title, and to keep the connection
	maxJSON      = 16 << 20 // of a resource: a collection names all its experiments
)

// A request can be sent any number of times.
type request struct {
	method string
	path   string // unescaped, which is the same: names are checked
	query  url.Values
	accept string
	want   int // status of success

	format string   // of the body
	body   [][]byte // its parts, none of them empty; nil: no body

	read func(*http.Response) error // takes the body of a success; nil: not needed

	// voxels are the bytes that an attempt carried of a cutout, as compressed, and
	// what there is to compare the time by that it took.
	voxels int

	// took is how long the attempt that succeeded took, with its wait for leave.
	took time.Duration
}

// String names the request as errors do.
func (r *request) String() string { return r.method + " " + r.path }

// size is that of the body, in bytes.
func (r *request) size() (n int) {
	for _, part := range r.body {
		n += len(part)
	}
	return n
}

// stopped is the error of a request that ctx ended; last may be nil.
func (r *request) stopped(ctx context.Context, last *Error) error {
	if last == nil {
		return fmt.Errorf("%v: %w", r, ctx.Err())
	}
	return fmt.Errorf("%w; before that: %w", ctx.Err(), last)
}

// http makes one attempt's request, but for the body.
func (r *request) http(ctx context.Context, c *Client) (*http.Request, error) {
	u := url.URL{Scheme: c.access.Protocol, Host: c.access.Host, Path: r.path, RawQuery: encode(r.query)}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Token "+c.access.Token.reveal())
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", r.accept)
	if r.format != "" {
		req.Header.Set("Content-Type", r.format)
	}
	if r.body != nil && r.format == formatBlosc {
		// Without it, a server that refuses and closes while the body is still on
		// its way is mostly seen as a connection reset, and its reason is lost.
		req.Header.Set("Expect", "100-continue")
	}
	return req, nil
}

// encode writes a query with %20 for a space, which means the same to servers
// that read it as a form and to those that do not.
func encode(query url.Values) string { return strings.ReplaceAll(query.Encode(), "+", "%20") }

// try sends r once, as an attempt that may be nil. Its errors are of type *Error.
func (c *Client) try(ctx context.Context, r *request, attempt *pace.Attempt) error {
	w := newWatch(ctx, c.timeouts)
	defer w.stop()
	err := c.exchange(w, r, attempt)
	if e := (*Error)(nil); errors.As(err, &e) && e.outcome == 0 && e.Status == 0 {
		e.outcome = pace.Failed
		if !w.sent() {
			e.outcome = pace.Unreached
		}
	}
	return err
}

// exchange sends r and takes the answer. When it returns, nobody is at r's body.
func (c *Client) exchange(w *watch, r *request, attempt *pace.Attempt) error {
	req, err := r.http(w.ctx, c)
	if err != nil {
		return c.networkError(r, err)
	}
	if r.body != nil {
		b := &body{watch: w, attempt: attempt, rest: slices.Clone(r.body)}
		defer b.end()
		// BOSS answers a body without a Content-Length with an exception.
		req.Body, req.ContentLength = b, int64(r.size())
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.networkError(r, w.reason(err))
	}
	w.answered()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// Nobody asked for that. The body is the connection, whose reads no context
		// ends.
		resp.Body.Close()
		resp.Body = http.NoBody
	}
	answer := resp.Body
	defer drain(answer, w)
	resp.Body = &watchedBody{answer, w}
	if resp.StatusCode != r.want {
		return c.refusal(r, resp)
	}
	if r.read == nil {
		return nil
	}
	return r.read(resp)
}

// refusal is the error of an answer that is not the one wanted.
func (c *Client) refusal(r *request, resp *http.Response) *Error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // a part is better than nothing
	e := newError(r, resp.StatusCode, body)
	e.RetryAfter = parseRetryAfter(resp.Header, time.Now())
	if e.Temporary() && e.RetryAfter > longestRetryAfter {
		e.verdict = verdict{class: Refused, says: fmt.Sprintf("BOSS wants to be left alone for %v", e.RetryAfter)}
	}
	if to, err := resp.Location(); err == nil && resp.StatusCode/100 == 3 {
		e.Message = "to " + to.Scheme + "://" + to.Host
	}
	e.Message = c.access.Token.censor(e.Message)
	return e
}

// drainTime is how long the rest of an answer may take: less than a new
// connection costs over a long line.
const drainTime = time.Second

// drain reads the little that may be left of a body, for only then is the
// connection used again, and closes it.
func drain(body io.ReadCloser, w *watch) {
	w.finish(drainTime, "the rest of the answer took longer than %v")
	io.CopyN(io.Discard, body, maxErrorBody)
	body.Close()
}

// getJSON reads the resource at path into v.
func (c *Client) getJSON(ctx context.Context, path string, query url.Values, v any) error {
	r := &request{method: http.MethodGet, path: path, query: query, accept: formatJSON, want: http.StatusOK}
	r.read = func(resp *http.Response) error {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxJSON))
		if err != nil {
			return c.networkError(r, err)
		}
		if json.Unmarshal(body, v) != nil {
			// With the status of success, so the error's sentence is that of a
			// host that is no BOSS.
			return c.misread(r, resp, body)
		}
		return nil
	}
	return c.do(ctx, r)
}

// misread is the error of a success whose body makes no sense.
func (c *Client) misread(r *request, resp *http.Response, body []byte) *Error {
	e := newError(r, resp.StatusCode, body)
	e.Message = c.access.Token.censor(e.Message)
	return e
}

// sendJSON sends v, or no body if it is nil.
func (c *Client) sendJSON(ctx context.Context, method, path string, query url.Values, v any, want int) error {
	r := &request{method: method, path: path, query: query, accept: formatJSON, want: want}
	if v != nil {
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("%v: %w", r, err)
		}
		r.format, r.body = formatJSON, [][]byte{text}
	}
	return c.do(ctx, r)
}
