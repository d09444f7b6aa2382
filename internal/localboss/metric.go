package localboss

import (
	"net/http"
	"strings"
	"time"
)

// The usage of a user is at /metric/, beside /v1/ (boss/views.py, Metric). The
// view asks for a login before the framework looks at a token, so whoever comes
// with a token and without a browser's session is sent to the login page. That
// is what clients see in the wild, and what is answered here; only a Quota with
// Show is told.
const (
	metricPath = "/metric/"
	loginPath  = "/openid/login/"
)

// usage is a line of the answer to who is logged in (boss/throttling.py,
// getUsageAsJson).
type usage struct {
	Metric string `json:"metric"` // such as user:NAME
	Type   string `json:"mtype"`  // ingress, egress or compute
	Units  string `json:"units"`
	Limit  int64  `json:"limit"`
	Since  string `json:"since"` // the day that the count began
	Value  int64  `json:"value"`
}

// outside answers what is not under /v1/.
func (s *Server) outside(r *http.Request) reply {
	switch strings.TrimSuffix(r.URL.Path, "/") + "/" {
	case loginPath:
		return page(http.StatusOK)
	case metricPath:
		return s.metric(r)
	}
	return page(http.StatusNotFound)
}

func (s *Server) metric(r *http.Request) reply {
	c := &call{Request: r}
	_, known := s.authenticate(c)
	quotas := s.faults.quotas(s.opt.User)
	if r.Method != http.MethodGet || !known || c.anonymous || len(quotas) == 0 {
		p := empty(http.StatusFound)
		p.header = http.Header{"Location": {loginPath + "?next=" + metricPath}}
		return p
	}
	return object(http.StatusOK, quotas)
}

// quotas are the Quotas that are shown.
func (f *faults) quotas(user string) []usage {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []usage
	for _, s := range f.scripts {
		if s.Kind == Quota && s.Show {
			list = append(list, usage{"user:" + user, "ingress", "byte_count", s.Bytes, s.begin.Format(time.DateOnly), s.spent})
		}
	}
	return list
}
