package boss

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"

	"github.com/neurodata/ndpush/internal/human"
)

// networkError is the error of a request that got no answer, or a part of one.
func (c *Client) networkError(r *request, err error) *Error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // says the method and the address, as Error does
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = os.ErrDeadlineExceeded // the attempt's time is up, not the caller's
	}
	e := &Error{Method: r.method, Path: r.path, Err: err}
	e.verdict, e.Message = explain(err, c.access.Host)
	e.Message = c.access.Token.censor(e.Message)
	return e
}

// explain puts an error of the network into a sentence. What a network does may
// always be otherwise the next moment, but for what a person has to mend.
func explain(err error, host string) (v verdict, says string) {
	var (
		certificate *tls.CertificateVerificationError
		dns         *net.DNSError
		op          *net.OpError
		up          *timeUp
		timeout     interface{ Timeout() bool }
	)
	v = verdict{class: Transient}
	switch {
	case errors.As(err, &certificate):
		v.class = Fatal
		return v, fmt.Sprintf("the certificate of %s is not trusted: %v", host, certificate.Err)
	case errors.Is(err, http.ErrSchemeMismatch):
		v.class = Fatal
		return v, host + " speaks http, not https: correct the protocol"
	case errors.As(err, &dns) && dns.IsNotFound:
		v.tries = few // most likely a name mistyped
		return v, fmt.Sprintf("find %s: no such host", dns.Name)
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return v, fmt.Sprintf("connect to the proxy: %v", reason(err))
	case errors.As(err, &op) && op.Op == "dial":
		return v, fmt.Sprintf("connect to %s: %v", host, reason(err))
	case errors.As(err, &up):
		return v, host + " did not answer in time: " + up.says
	case errors.As(err, &timeout) && timeout.Timeout():
		return v, host + " did not answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return v, fmt.Sprintf("%s closed the connection: %v", host, reason(err))
	}
	return v, fmt.Sprintf("%s: %s", host, human.Message(err.Error()))
}

// reason is the innermost error, without the addresses around it.
func reason(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
