package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/retry"
)

// patience is what a zero [retry.Policy] means here: it rides out a restart of
// about a minute.
var patience = retry.Policy{Attempts: 8, Base: 500 * time.Millisecond, Max: 30 * time.Second}

// few is how often something is asked for that is most likely wrong for good, or
// takes long to find out. A tile that a service cannot read from its disk is a
// 400, also when it is the disk that has a bad moment.
const few = 4

// attempts is how often a request may be sent that ends in e.
func (c *client) attempts(e *Error) int {
	switch {
	case e.class == refused:
		return 1
	case e.class == damage || e.slow():
		return min(few, c.retry.Attempts)
	}
	return c.retry.Attempts
}

// A Failure is an attempt that failed and will be followed by another.
type Failure struct {
	Err     *Error
	Attempt int           // counted from 1
	Wait    time.Duration // until the next one
}

// A client speaks with one service. It is safe for concurrent use.
type client struct {
	root    *url.URL
	agent   string
	http    http.Client
	timeout time.Duration
	retry   retry.Policy
	onRetry func(Failure)
}

func newClient(root *url.URL, o Options) *client {
	c := &client{root: root, agent: "ndpush/" + o.Version, timeout: o.Timeout, retry: o.Retry, onRetry: o.OnRetry}
	c.http.Transport = &http.Transport{
		Proxy:               o.Proxy,
		DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 30 * time.Second,
		MaxIdleConnsPerHost: o.Requests,
		IdleConnTimeout:     25 * time.Second, // less than Jetty's 30 s, so that it is seldom the service that closes
		DisableCompression:  true,             // images come compressed, and an ETag may change with the encoding
	}
	return c
}

// link is the address of a page for people.
func (c *client) link(path string) string {
	return c.root.Scheme + "://" + c.root.Host + c.root.EscapedPath() + path
}

// do asks for path, with a query or "", until read has taken the answer, or it
// cannot be had, or ctx is done, which is then what the error wraps.
func (c *client) do(ctx context.Context, path, query string, read func(*http.Response) error) error {
	for n := 1; ; n++ {
		err := c.try(ctx, path, query, read)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var e *Error
		if !errors.As(err, &e) || n >= c.attempts(e) {
			return err
		}
		wait := c.retry.Wait(n)
		c.onRetry(Failure{e, n, wait})
		if err := c.retry.Sleep(ctx, wait); err != nil {
			return fmt.Errorf("%w; before that: %w", err, e)
		}
	}
}

// try asks once.
func (c *client) try(ctx context.Context, path, query string, read func(*http.Response) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	u := c.root.JoinPath(path)
	u.RawQuery = query
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", c.agent)
	resp, err := c.http.Do(req)
	if err != nil {
		return c.networkError(path, err)
	}
	defer drain(resp.Body)
	if resp.StatusCode != http.StatusOK {
		return c.refusal(path, resp)
	}
	return read(resp)
}

// maxText is how much is read of an answer that is only looked at by people.
const maxText = 64 << 10

// refusal is the error of an answer other than 200.
func (c *client) refusal(path string, resp *http.Response) *Error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxText)) // a part is better than nothing
	return &Error{Path: path, Status: resp.StatusCode, Message: human.Message(string(body)), class: judge(resp.StatusCode)}
}

// drain reads the little that may be left of a body, for only then is the
// connection used again, and closes it.
func drain(body io.ReadCloser) {
	io.CopyN(io.Discard, body, maxText)
	body.Close()
}

// readBody reads the body of resp into buf, which grows to at most limit bytes.
// More than that is no answer to what was asked for.
func (c *client) readBody(path string, resp *http.Response, buf []byte, limit int64) ([]byte, error) {
	n := resp.ContentLength
	if n > limit {
		return buf, tooLong(limit)
	}
	if n < 0 {
		n = limit
	}
	if buf = buf[:0]; int64(cap(buf)) <= n {
		buf = make([]byte, 0, n+1) // one more, to see the end
	}
	for int64(len(buf)) <= n {
		m, err := resp.Body.Read(buf[len(buf) : n+1])
		buf = buf[:len(buf)+m]
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return buf, c.networkError(path, err)
		}
	}
	return buf, tooLong(limit)
}

func tooLong(limit int64) *AnswerError {
	return other("the answer is longer than the %d bytes that it may take", limit)
}

// maxJSON bounds what is read of an answer in JSON: a million sections.
const maxJSON = 16 << 20

// getJSON asks for path and has parse read the answer.
func (c *client) getJSON(ctx context.Context, path string, parse func([]byte) error) error {
	return c.do(ctx, path, "", func(resp *http.Response) error {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxJSON))
		if err != nil {
			return c.networkError(path, err)
		}
		if err := parse(body); err != nil {
			return &Error{Path: path, Status: resp.StatusCode, Message: misread(body, err), class: refused}
		}
		return nil
	})
}

// misread says why an answer makes no sense. What is no JSON comes from elsewhere.
func misread(body []byte, err error) string {
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		return "the answer makes no sense: " + human.Message(err.Error())
	}
	return "this is no render web service, correct the base URL: " + human.Message(text)
}
