package localboss

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A Kind is what goes wrong.
type Kind string

// The kinds of faults. Those that are met before the request reaches BOSS are
// what nginx, a load balancer or a network does.
const (
	// Status answers Fault.Status instead, before a login is looked for. The
	// body of the request is read.
	Status Kind = "status"
	// Latency waits for Fault.DelayMS first, then all is as ever.
	Latency Kind = "latency"
	// DropConnect breaks the connection before the body is read.
	DropConnect Kind = "drop-connect"
	// DropBody breaks it when half of the body is read.
	DropBody Kind = "drop-body"
	// DropAnswer does what was asked for, then breaks it without a word.
	DropAnswer Kind = "drop-answer"
	// CutAnswer does what was asked for and breaks it in the middle of the
	// answer's body, or before an answer that has none.
	CutAnswer Kind = "cut-answer"
	// Hang reads the request and says nothing until the client or the Server gives up.
	Hang Kind = "hang"
	// Lock is a channel's write lock: POSTs of cutouts get 400, code 9001,
	// "Resource Locked", and to_black an HTML 500.
	Lock Kind = "lock"
	// Quota answers POSTs of cutouts with 429 when more than Fault.Bytes were
	// posted before, counted before compression since the fault was set.
	Quota Kind = "quota"
)

// A Fault is a fault and whom it meets. Requests that differ in Method or Path
// are not looked at further; of the others the first Skip pass, then a Share of
// them is met, at most Times of them.
//
// Lock and Quota look at requests that write cutouts only. Where several faults
// meet a request the first that ends it wins.
type Fault struct {
	Kind Kind `json:"kind"`

	Method string `json:"method,omitempty"` // "" is every one
	Path   string `json:"path,omitempty"`   // how the path begins, such as /v1/cutout/lab; "" is every one

	Skip  int     `json:"skip,omitempty"`
	Share float64 `json:"share,omitempty"` // 0 to 1; 0 is all
	Times int     `json:"times,omitempty"` // 0 is no limit

	Status  int    `json:"status,omitempty"`   // for Status: 400 to 599
	Code    int    `json:"code,omitempty"`     // BOSS's, in the JSON of a Status
	Message string `json:"message,omitempty"`  // in the JSON of a Status
	HTML    bool   `json:"html,omitempty"`     // a Status is a page, not JSON
	DelayMS int    `json:"delay_ms,omitempty"` // for Latency: milliseconds
	Bytes   int64  `json:"bytes,omitempty"`    // for Quota
}

// check returns an error if f means nothing.
func (f Fault) check() error {
	switch {
	case f.Share < 0 || f.Share > 1 || f.Skip < 0 || f.Times < 0:
		return fmt.Errorf("fault %s: share %v, skip %d, times %d: want 0 to 1, and no number below 0", f.Kind, f.Share, f.Skip, f.Times)
	case f.Path != "" && !strings.HasPrefix(f.Path, "/"):
		return fmt.Errorf("fault %s: path %q does not begin with /", f.Kind, f.Path)
	}
	switch f.Kind {
	case Status:
		if f.Status < 400 || f.Status > 599 {
			return fmt.Errorf("fault status: %d, want 400 to 599", f.Status)
		}
	case Latency:
		if f.DelayMS <= 0 {
			return fmt.Errorf("fault latency: delay_ms %d, want more than 0", f.DelayMS)
		}
	case Quota:
		if f.Bytes <= 0 { // to the real server 0 is no limit
			return fmt.Errorf("fault quota: bytes %d, want more than 0", f.Bytes)
		}
	case DropConnect, DropBody, DropAnswer, CutAnswer, Hang, Lock:
	default:
		return fmt.Errorf("fault kind %q: want status, latency, drop-connect, drop-body, drop-answer, cut-answer, hang, lock or quota", f.Kind)
	}
	return nil
}

// SetFaults replaces all faults. The same seed meets the same requests of a
// sequence; among concurrent ones it meets as many. An error names the fault
// that means nothing, and then nothing is changed.
func (s *Server) SetFaults(seed uint64, fs ...Fault) error { return s.faults.set(seed, fs) }

// faults are the scripts in force.
type faults struct {
	mu      sync.Mutex
	scripts []*script
}

// A script is a Fault and what became of it; faults.mu guards all but the Fault.
type script struct {
	Fault
	Seen int `json:"seen"` // requests that matched
	Hits int `json:"hits"` // requests that it met

	random *rand.Rand
	spent  int64
}

func (f *faults) set(seed uint64, list []Fault) error {
	var scripts []*script
	for i, one := range list {
		if err := one.check(); err != nil {
			return err
		}
		scripts = append(scripts, &script{Fault: one, random: rand.New(rand.NewPCG(seed, uint64(i)))})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.scripts = scripts
	return nil
}

// pick are the scripts that meet a request.
func (f *faults) pick(r *http.Request) []*script {
	f.mu.Lock()
	defer f.mu.Unlock()
	var met []*script
	for _, s := range f.scripts {
		if s.matches(r) && s.meets() {
			met = append(met, s)
		}
	}
	return met
}

func (f *Fault) matches(r *http.Request) bool {
	if f.Method != "" && f.Method != r.Method || !strings.HasPrefix(r.URL.Path, f.Path) {
		return false
	}
	cutout := strings.HasPrefix(r.URL.Path, "/v1/cutout/")
	switch f.Kind {
	case Quota:
		return cutout && r.Method == http.MethodPost
	case Lock:
		return cutout && (r.Method == http.MethodPost || r.Method == http.MethodPut)
	}
	return true
}

// meets counts a request and draws its lot.
func (s *script) meets() bool {
	s.Seen++
	if s.Seen <= s.Skip || s.Times > 0 && s.Hits >= s.Times {
		return false
	}
	if s.Share > 0 && s.random.Float64() >= s.Share {
		return false
	}
	s.Hits++
	return true
}

// spend counts the bytes of a cutout against the quotas that meet it, and
// reports whether one was spent before: the cutout that passes the limit is
// still taken (boss/throttling.py).
func (f *faults) spend(met []*script, bytes int64) (over bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range met {
		if s.Kind == Quota {
			over = over || s.spent > s.Bytes
		}
	}
	for _, s := range met {
		if s.Kind == Quota && !over {
			s.spent += bytes
		}
	}
	return over
}

func locked(met []*script) bool {
	for _, s := range met {
		if s.Kind == Lock {
			return true
		}
	}
	return false
}

// throttled is the answer to who has spent the quota. There is no Retry-After.
func (c *call) throttled() reply {
	const text = "User is throttled. Expected available tomorrow."
	if c.trap {
		return bossStatus(http.StatusTooManyRequests, accessDenied, text)
	}
	return detail(http.StatusTooManyRequests, text)
}

// Ways to end without an answer, or with half of one.
var (
	errDropped = errors.New("localboss: connection dropped")
	errCut     = fmt.Errorf("%w in the middle of the answer", errDropped)
)

// meddle answers a request as the faults that meet it want it.
func (s *Server) meddle(r *http.Request, fired *[]Kind, answer func(*http.Request, []*script) reply) (reply, error) {
	met := s.faults.pick(r)
	for _, f := range met {
		*fired = append(*fired, f.Kind)
		switch f.Kind {
		case Status:
			io.Copy(io.Discard, r.Body)
			return f.reply(), nil
		case Latency:
			s.wait(r, time.After(time.Duration(f.DelayMS)*time.Millisecond))
		case DropConnect:
			return reply{}, errDropped
		case DropBody:
			io.CopyN(io.Discard, r.Body, max(0, r.ContentLength/2))
			return reply{}, errDropped
		case Hang:
			io.Copy(io.Discard, r.Body) // only then does the server see the client leave
			s.wait(r, nil)
			return reply{}, errDropped
		}
	}
	p := answer(r, met)
	for _, f := range met {
		switch f.Kind {
		case DropAnswer:
			return p, errDropped
		case CutAnswer:
			return p, errCut
		}
	}
	return p, nil
}

// wait waits for until, the client or the Server's end.
func (s *Server) wait(r *http.Request, until <-chan time.Time) {
	select {
	case <-until:
	case <-r.Context().Done():
	case <-s.closed:
	}
}

func (f *Fault) reply() reply {
	if f.HTML {
		return page(f.Status)
	}
	message := f.Message
	if message == "" {
		message = http.StatusText(f.Status)
	}
	return bossStatus(f.Status, f.Code, message)
}

// cutShort sends half of an answer if that is how the connection is to break.
func (p reply) cutShort(w http.ResponseWriter, how error) {
	if !errors.Is(how, errCut) || len(p.body) == 0 {
		return
	}
	p.head(w)
	w.Write(p.body[:len(p.body)/2])
	http.NewResponseController(w).Flush()
}
