package render

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"

	"github.com/neurodata/ndpush/internal/human"
)

// An Error is a request that a service, or the way to it, did not grant.
type Error struct {
	Path    string // of the request, below the service's root; without a query
	Status  int    // of HTTP; 0 if no answer came
	Message string // the service's words in one line, or what happened instead
	Err     error  // the network's error, if no answer came

	class class
}

// A class says what an error means for other requests.
type class uint8

const (
	refused class = iota // every request would end so
	trouble              // the service or the network is not well
	damage               // something is wrong with this box
)

// judge gives the class of an answer. A 400 is what a service says of a tile
// that it cannot load, whatever the reason.
func judge(status int) class {
	switch {
	case status == http.StatusBadRequest:
		return damage
	case status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooManyRequests:
		return trouble
	}
	return refused
}

// Error gives one sentence.
func (e *Error) Error() string {
	switch {
	case e.Status == 0:
		return fmt.Sprintf("GET %s: %s", e.Path, e.Message)
	case e.Message == "":
		return fmt.Sprintf("GET %s: %d %s", e.Path, e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("GET %s: %d %s: %s", e.Path, e.Status, http.StatusText(e.Status), e.Message)
}

// Unwrap returns the network's error.
func (e *Error) Unwrap() error { return e.Err }

// Temporary reports whether the same request may succeed later. It has been
// repeated by then: see [Retry].
func (e *Error) Temporary() bool { return e.class == trouble }

// Fatal reports whether it is not the box that is at fault, so that other boxes
// would fare no better: the service or the network is in trouble, or the stack
// is gone. To take a section for lost would be wrong.
func (e *Error) Fatal() bool { return e.class != damage }

// networkError is the error of a request that got no answer, or a part of one.
// What a network does may always be otherwise the next moment, but for what a
// person has to mend.
func (c *client) networkError(path string, err error) *Error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // says the method and the address, a password included
	}
	e := &Error{Path: path, Message: c.root.Host + ": " + human.Message(err.Error()), Err: err, class: trouble}
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		e.Err = os.ErrDeadlineExceeded // the attempt's time is up, not the caller's
		e.Message = fmt.Sprintf("%s did not answer within %v", c.root.Host, c.timeout)
	case errors.As(err, &certificate), errors.Is(err, http.ErrSchemeMismatch):
		e.class = refused
	}
	return e
}

// slow reports whether it takes long to find out that there is no answer, or
// that it is most likely a name mistyped.
func (e *Error) slow() bool {
	var dns *net.DNSError
	return errors.Is(e.Err, os.ErrDeadlineExceeded) || errors.As(e.Err, &dns) && dns.IsNotFound
}
