// Package localboss is a small BOSS: an http.Handler that answers as the real
// server does, down to the odd corners, and keeps what it is sent in a
// directory or in memory.
//
// It is the other end of tests, of benchmarks and of `ndpush serve`. So that a
// mistake cannot pass by being made twice, it shares no code with the client.
//
// What it answers was observed on the server's own code (jhuapl-boss/boss and
// jhuapl-boss/spdb, run on loopback), or else read there; comments name the file
// where an answer would otherwise look like a mistake. Some of them are: a name
// with a blank in a URL makes a resource called by the first word, a wrong token
// can be a 500, a coordinate below 0 is a page that does not exist. A client has
// to live with all of it, so all of it is here.
//
// What is left out: groups and permissions (there is one token, and Options
// says what it may do and what may be done without), objects and their ids, the
// second set of lower resolutions that anisotropic experiments have (iso=true),
// the numpy pickle application/blosc-python, and S3 behind the cache: a voxel can
// be read as soon as its POST is answered, unless LateRaw says otherwise.
package localboss

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// Options say how a Server behaves. The zero value is a BOSS in memory whose
// one token may do everything.
type Options struct {
	// Dir is where everything is kept, made if missing; "" is memory. At most
	// one Server may use a directory at a time.
	Dir string

	// Token is what clients must send. If it is "", the one stored in Dir is
	// taken, else a new one of 40 random hex digits is made. It is stored in Dir.
	Token string

	// User is the name behind the token: the creator of what it creates.
	// Default "local".
	User string

	// NoResourceManager takes the role away that creating and deleting
	// resources needs: 403, code 3000.
	NoResourceManager bool

	// NoVolumeWrite takes the permission add_volumetric_data away, which
	// cutouts, to_black and downsampling need: 403, code 3001.
	NoVolumeWrite bool

	// CloudVolume makes new channels with storage_type "cloudvol". As with the
	// real ones, their cutouts are accepted and never seen again.
	CloudVolume bool

	// Public lets everyone read who can reach the server, without a token or with
	// the token "public", which BossDB gives to everyone. To write takes the token.
	Public bool

	// CrossOrigin lets the pages of other sites ask this server, as BOSS does:
	// Neuroglancer is one. With Public, what is here is then open to every page
	// that the user's browser shows.
	CrossOrigin bool

	// HoldDownsample leaves channels QUEUED for ever instead of computing their
	// lower resolutions, for tests of how clients wait.
	HoldDownsample bool

	// Memory is the number of bytes that the cutouts being worked on may take,
	// uncompressed, and what lower resolutions are computed from; others wait. One
	// larger than that works alone. Bodies that are still arriving are not
	// counted. Default 1 GiB.
	Memory int64

	// Faults are scripted at the start; see Server.SetFaults.
	Faults []Fault

	// Seed decides which requests the Faults with a Share meet.
	Seed uint64

	// Control lets clients with the token script faults at /local/faults and
	// read at /local/writes how often each cutout was written (see Writes).
	// Without it nothing is counted, since the counts take memory.
	Control bool

	// Log gets one line for each request; nil is none. The token is in none of them.
	Log *slog.Logger
}

// A Server is a BOSS. It is an http.Handler, safe for concurrent use.
//
// An answer promises that what was written is in files, not that it is on the
// platter: a crash of the machine can lose it, an end of the process, however
// sudden, cannot. To sync each cube would cost far more than to store it, and
// kill -9 is the case that tests need. What a killed Server was at work on is
// there cube by cube, each one before or after the write.
type Server struct {
	opt      Options
	token    string
	services []service
	log      *slog.Logger

	mu    sync.RWMutex // guards state
	state *state

	volume  volume
	memory  *semaphore.Weighted
	buffers bufferPool
	faults  faults
	hidden  hidden
	ledger  *ledger // nil without Options.Control
	closed  chan struct{}
	close   sync.Once

	downsampler downsampler
}

// New returns a Server with what it finds in Options.Dir.
func New(opt Options) (*Server, error) {
	if opt.User == "" {
		opt.User = "local"
	}
	if opt.Memory <= 0 {
		opt.Memory = 1 << 30
	}
	s := &Server{
		opt:      opt,
		services: services(),
		log:      opt.Log,
		memory:   semaphore.NewWeighted(opt.Memory),
		closed:   make(chan struct{}),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("localboss: %w", err)
	}
	if err := s.faults.set(opt.Seed, opt.Faults); err != nil {
		s.Close()
		return nil, fmt.Errorf("localboss: %w", err)
	}
	return s, nil
}

// open reads or makes what is on the disk.
func (s *Server) open() (err error) {
	if s.token, err = token(s.opt.Dir, s.opt.Token); err != nil {
		return err
	}
	if s.state, err = readState(s.opt.Dir); err != nil {
		return err
	}
	if s.opt.Control {
		if s.ledger, err = openLedger(s.opt.Dir); err != nil {
			return err
		}
	}
	if err := removeTemp(s.opt.Dir); err != nil {
		return err
	}
	if s.volume.store, err = newStore(s.opt.Dir); err != nil {
		return err
	}
	return s.resumeDownsampling()
}

// Close lets requests go that a fault keeps waiting, and refuses others with
// 503. It does not wait for those at work: http.Server.Shutdown does.
// Everything is on the disk already; a channel that is being downsampled is begun
// again by the next Server.
func (s *Server) Close() error {
	s.close.Do(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		close(s.closed)
		s.downsampler.stop()
	})
	s.downsampler.atWork.Wait()
	return nil
}

// Token is what clients must send.
func (s *Server) Token() string { return s.token }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.opt.CrossOrigin && crossOrigin(w, r) {
		return
	}
	begin := time.Now()
	fired := []Kind{}
	rep, err := s.serve(r, &fired)
	if rep.free != nil {
		defer rep.free()
	}
	s.logRequest(r, rep, fired, time.Since(begin), err)
	if err != nil { // a fault drops the connection
		rep.cutShort(w, err)
		breakOff(w)
		return
	}
	if rep.code != tooLarge {
		// nginx takes a request as a whole before it hands it on, so a client is
		// never answered while it is still sending; except, observed, with this.
		io.Copy(io.Discard, io.LimitReader(r.Body, maxBody))
	}
	rep.write(w, r.Method)
}

// serve makes the answer; an error means that the connection breaks instead.
func (s *Server) serve(r *http.Request, fired *[]Kind) (reply, error) {
	select {
	case <-s.closed:
		return page(http.StatusServiceUnavailable), nil
	default:
	}
	r = decoded(r)
	if s.opt.Control && strings.HasPrefix(r.URL.Path, controlPath) {
		return s.control(r), nil
	}
	defer s.ledger.enter()()
	return s.meddle(r, fired, s.answer)
}

// decoded is r as nginx hands it on: /latest/ is another name of /v1/.
func decoded(r *http.Request) *http.Request {
	rest, ok := strings.CutPrefix(r.URL.Path, "/latest/")
	if !ok {
		return r
	}
	r2, u := *r, *r.URL
	u.Path = "/v1/" + rest
	r2.URL = &u
	return &r2
}

// logRequest writes the line. The address can hold the token by a client's
// mistake, so it is taken out of there too.
func (s *Server) logRequest(r *http.Request, rep reply, fired []Kind, d time.Duration, err error) {
	attrs := []any{
		"method", r.Method,
		"url", strings.ReplaceAll(r.URL.RequestURI(), s.token, "[token]"),
		"in", r.ContentLength,
		"took", d,
	}
	if len(fired) > 0 {
		attrs = append(attrs, "faults", fired)
	}
	switch {
	case errors.Is(err, errDropped):
		s.log.Info("dropped", attrs...)
	default:
		s.log.Info("request", append(attrs, "status", rep.status, "code", rep.code, "out", len(rep.body))...)
	}
}
