package localboss

import (
	"errors"
	"fmt"
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
	// Latency waits for Fault.DelayMS and up to JitterMS more, then all is as ever.
	Latency Kind = "latency"
	// DropConnect breaks the connection before the body is read. To break one is
	// to reset it, as what stands between a client and BOSS does: the client is
	// told of an error, not of an end.
	DropConnect Kind = "drop-connect"
	// DropBody breaks it when half of the body is read.
	DropBody Kind = "drop-body"
	// DropAnswer does what was asked for, then breaks it without a word: a cutout
	// is stored, and its client cannot know.
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
	// LateRaw hides what a POST of a cutout stored from GETs with
	// access-mode=raw for Fault.DelayMS. BOSS answers those from S3, where a
	// cutout arrives later than in the cache. Its box reads as zero meanwhile,
	// whatever was there before.
	LateRaw Kind = "late-raw"
)

// A Fault is a fault and whom it meets. Requests that differ in Method or Path,
// or come at another time, are not looked at further; of the others the first
// Skip pass, then a Share of them is met, at most Times of them.
//
// Lock, Quota and LateRaw look at requests that write cutouts only. Where several faults
// meet a request the first that ends it wins; each draws its own lots. Faults
// and what they have counted end with the Server, also where it has a directory.
type Fault struct {
	Kind Kind `json:"kind"`

	Method string `json:"method,omitempty"` // "" is every one
	Path   string `json:"path,omitempty"`   // how the path begins, such as /v1/cutout/lab; "" is every one

	Skip  int     `json:"skip,omitempty"`
	Share float64 `json:"share,omitempty"` // 0 to 1; 0 is all
	Times int     `json:"times,omitempty"` // 0 is no limit

	AfterMS int `json:"after_ms,omitempty"` // begins that many milliseconds after it was set
	ForMS   int `json:"for_ms,omitempty"`   // and ends that many later; 0 is never

	Status   int    `json:"status,omitempty"`    // for Status: 400 to 599
	Code     int    `json:"code,omitempty"`      // BOSS's, in the JSON of a Status
	Message  string `json:"message,omitempty"`   // in the JSON of a Status
	HTML     bool   `json:"html,omitempty"`      // a Status is a page, not JSON
	DelayMS  int    `json:"delay_ms,omitempty"`  // for Latency and LateRaw: milliseconds
	JitterMS int    `json:"jitter_ms,omitempty"` // for Latency: up to that many more, all equally likely
	Bytes    int64  `json:"bytes,omitempty"`     // for Quota
	Show     bool   `json:"show,omitempty"`      // GET /metric/ tells of this Quota
}

// check returns an error if f means nothing.
func (f Fault) check() error {
	switch {
	case f.Share < 0 || f.Share > 1 || f.Skip < 0 || f.Times < 0:
		return fmt.Errorf("fault %s: share %v, skip %d, times %d: want 0 to 1, and no number below 0", f.Kind, f.Share, f.Skip, f.Times)
	case f.AfterMS < 0 || f.ForMS < 0 || f.DelayMS < 0 || f.JitterMS < 0:
		return fmt.Errorf("fault %s: after %d, for %d, delay %d, jitter %d ms: want no number below 0", f.Kind, f.AfterMS, f.ForMS, f.DelayMS, f.JitterMS)
	case f.Path != "" && !strings.HasPrefix(f.Path, "/"):
		return fmt.Errorf("fault %s: path %q does not begin with /", f.Kind, f.Path)
	}
	switch f.Kind {
	case Status:
		if f.Status < 400 || f.Status > 599 {
			return fmt.Errorf("fault status: %d, want 400 to 599", f.Status)
		}
	case Latency:
		if f.DelayMS+f.JitterMS == 0 {
			return errors.New("fault latency: neither delay_ms nor jitter_ms, want more than 0")
		}
	case LateRaw:
		if f.DelayMS == 0 {
			return errors.New("fault late-raw: no delay_ms, want more than 0")
		}
	case Quota:
		if f.Bytes <= 0 { // to the real server 0 is no limit
			return fmt.Errorf("fault quota: bytes %d, want more than 0", f.Bytes)
		}
	case DropConnect, DropBody, DropAnswer, CutAnswer, Hang, Lock:
	default:
		return fmt.Errorf("fault kind %q: want status, latency, drop-connect, drop-body, drop-answer, cut-answer, hang, lock, quota or late-raw", f.Kind)
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

	begin  time.Time
	random *rand.Rand
	spent  int64
}

func (f *faults) set(seed uint64, list []Fault) error {
	var scripts []*script
	now := time.Now()
	for i, one := range list {
		if err := one.check(); err != nil {
			return err
		}
		scripts = append(scripts, &script{Fault: one, begin: now, random: rand.New(rand.NewPCG(seed, uint64(i)))})
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
	now := time.Now()
	for _, s := range f.scripts {
		if s.matches(r) && s.inForce(now.Sub(s.begin)) && s.meets() {
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
	case Quota, LateRaw:
		return cutout && r.Method == http.MethodPost
	case Lock:
		return cutout && (r.Method == http.MethodPost || r.Method == http.MethodPut)
	}
	return true
}

// inForce reports whether the fault meets anyone that long after it was set.
func (f *Fault) inForce(since time.Duration) bool {
	since -= time.Duration(f.AfterMS) * time.Millisecond
	return since >= 0 && (f.ForMS == 0 || since < time.Duration(f.ForMS)*time.Millisecond)
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

// delay is how long a Latency takes this time.
func (f *faults) delay(s *script) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Duration(s.DelayMS+s.random.IntN(s.JitterMS+1)) * time.Millisecond
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
