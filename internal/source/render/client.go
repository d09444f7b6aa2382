package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Retry says how patiently a request is repeated.
//
// The wait doubles from Base to Max; of each, a random part of up to a half is
// left out, so that boxes which failed together do not come back together.
type Retry struct {
	// Attempts is how often a box is asked for at most while the service or the
	// way to it is in trouble; zero: 8, which rides out a restart of about a minute.
	Attempts int
	Base     time.Duration // zero: half a second
	Max      time.Duration // zero: 30 s

	// Sleep waits for d, or returns ctx's error as soon as ctx is done; nil: a timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Random gives numbers in [0, 1) and is called concurrently; nil: math/rand/v2.
	Random func() float64
}

// few is how often something is asked for that is most likely wrong for good, or
// takes long to find out. A tile that a service cannot read from its disk is a
// 400, also when it is the disk that has a bad moment.
const few = 4

func (r *Retry) setDefaults() {
	if r.Attempts == 0 {
		r.Attempts = 8
	}
	if r.Base == 0 {
		r.Base = 500 * time.Millisecond
	}
	if r.Max == 0 {
		r.Max = 30 * time.Second
	}
	if r.Sleep == nil {
		r.Sleep = sleep
	}
	if r.Random == nil {
		r.Random = rand.Float64
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attempts is how often a request may be sent that ends in e.
func (r *Retry) attempts(e *Error) int {
	switch {
	case e.class == refused:
		return 1
	case e.class == damage || e.slow():
		return min(few, r.Attempts)
	}
	return r.Attempts
}

// wait is how long to wait after attempt n, counted from 1.
func (r *Retry) wait(n int) time.Duration {
	d := r.Base
	for i := 1; i < n && d < r.Max; i++ {
		d *= 2
	}
	d = min(d, r.Max)
	return d - time.Duration(r.Random()/2*float64(d))
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
	retry   Retry
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
		if !errors.As(err, &e) || n >= c.retry.attempts(e) {
			return err
		}
		wait := c.retry.wait(n)
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
	return &Error{Path: path, Status: resp.StatusCode, Message: oneLine(string(body)), class: judge(resp.StatusCode)}
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
		return "the answer makes no sense: " + oneLine(err.Error())
	}
	return "this is no render web service, correct the base URL: " + oneLine(text)
}
