package boss

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A Usage is what was used of something that a BOSS bounds.
type Usage struct {
	Metric string `json:"metric"` // whose, such as user:NAME
	Type   string `json:"mtype"`  // ingress, egress or compute
	Units  string `json:"units"`  // such as byte_count
	Limit  int64  `json:"limit"`  // 0: none
	Since  string `json:"since"`  // the day from which on it is counted
	Value  int64  `json:"value"`
}

// Usage asks what was used of the quotas. Most servers show that only to a
// browser that is logged in, and send others to a login page: an error, and no
// sign of trouble. It is asked once.
func (c *Client) Usage(ctx context.Context) ([]Usage, error) {
	var list []Usage
	r := &request{method: http.MethodGet, path: "/metric/", accept: formatJSON, want: http.StatusOK}
	r.read = func(resp *http.Response) error {
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		if err != nil {
			return c.networkError(r, err)
		}
		if json.Unmarshal(body, &list) != nil {
			return c.misread(r, resp, body)
		}
		return nil
	}
	return list, c.try(ctx, r, nil)
}

// Clock is what time it is at BOSS, to the second, by the Date of an answer. What
// it answers to is no matter, so it is not told the token.
func (c *Client) Clock(ctx context.Context) (time.Time, error) {
	w := newWatch(ctx, c.timeouts)
	defer w.stop()
	req, err := http.NewRequestWithContext(w.ctx, http.MethodHead, c.URL()+"/ping/", nil)
	if err != nil {
		return time.Time{}, err
	}
	req.Header.Set("User-Agent", c.agent)
	resp, err := c.http.Do(req)
	if err != nil {
		return time.Time{}, c.networkError(&request{method: req.Method, path: req.URL.Path}, w.reason(err))
	}
	resp.Body.Close()
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return time.Time{}, fmt.Errorf("the answers of %s do not say what time it is", c.access.Host)
	}
	return at, nil
}
