package rendertest

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// A Kind is what goes wrong.
type Kind string

const (
	Status  Kind = "status"  // Fault.Status is the answer
	Reset   Kind = "reset"   // the connection breaks before there is one
	Cut     Kind = "cut"     // it breaks in the middle of the body
	Hang    Kind = "hang"    // nothing is said until the client gives up
	Edited  Kind = "edited"  // somebody edits the stack first
	Garbled Kind = "garbled" // a byte in the middle of the body is another
	Body    Kind = "body"    // Fault.Message is the body, with a 200
)

// A Fault meets requests whose path contains Path, after Skip others of them
// passed, and at most Times of them. Only the first Fault that matches is met.
type Fault struct {
	Kind    Kind
	Path    string // "" is every one
	Skip    int
	Times   int // zero: no limit
	Status  int
	Message string // of a Status or Body
}

type script struct {
	Fault
	seen, met int
}

// SetFaults replaces all faults.
func (s *Server) SetFaults(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	for _, f := range faults {
		s.faults = append(s.faults, &script{Fault: f})
	}
}

// pick is the fault that meets a request; the zero Fault if there is none.
func (s *Server) pick(r *http.Request) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.faults {
		if !strings.Contains(r.URL.Path, f.Path) {
			continue
		}
		f.seen++
		if f.seen > f.Skip && (f.Times == 0 || f.met < f.Times) {
			f.met++
			return f.Fault
		}
	}
	return Fault{}
}

// serve answers, or does what a fault says.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	switch f := s.pick(r); f.Kind {
	case Status:
		text(w, f.Status, f.Message)
	case Reset:
		panic(http.ErrAbortHandler)
	case Hang:
		<-r.Context().Done()
	case Edited:
		s.Edit()
		s.mux.ServeHTTP(w, r)
	case Body:
		io.WriteString(w, f.Message)
	case Cut, Garbled:
		s.spoil(w, r, f.Kind)
	default:
		s.mux.ServeHTTP(w, r)
	}
}

// spoil gives the real answer with a fault in its body.
func (s *Server) spoil(w http.ResponseWriter, r *http.Request, kind Kind) {
	real := answer{header: w.Header(), status: http.StatusOK}
	s.mux.ServeHTTP(&real, r)
	body := real.Bytes()
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(real.status)
	if kind == Cut {
		w.Write(body[:len(body)/2])
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	body[len(body)/2] ^= 0x5a
	w.Write(body)
}

// An answer is kept instead of sent.
type answer struct {
	bytes.Buffer
	header http.Header
	status int
}

func (a *answer) Header() http.Header    { return a.header }
func (a *answer) WriteHeader(status int) { a.status = status }
