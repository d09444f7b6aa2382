package localboss

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

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
			s.wait(r, time.After(s.faults.delay(f)))
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

// breakOff resets the connection. To close it would be to say that all is over
// and well: net/http's client takes that for an idle connection's end and may
// ask again by itself.
func breakOff(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2, where this resets the stream
		panic(http.ErrAbortHandler)
	}
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn() // below TLS, which would say goodbye
	}
	if t, ok := conn.(*net.TCPConn); ok {
		t.SetLinger(0) // makes Close send RST instead of FIN
	}
	conn.Close()
}
