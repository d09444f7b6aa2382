package s3

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/neurodata/ndpush/internal/human"
)

// An Error is a request that the store, or the way to it, did not grant. All but
// a missing key are fatal: whatever else keeps an object from being read says
// nothing of whether it is there.
type Error struct {
	Object  string // s3://bucket/key, or "" if it is about none
	Status  int    // of HTTP; 0 if no answer came
	Code    string // S3's own, like "AccessDenied"; "" if it gave none
	Message string // one sentence, without credentials: what is wrong and what to do
	Err     error  // the cause, or nil; Unwrap does not give it

	tries   int  // how often the request may be sent; 0: once, many: as Retry says
	missing bool // the key is
}

// many is an Error's tries that Retry bounds.
const many = 1 << 30

// few is for what is hardly ever better the next time.
const few = 2

// Error gives one sentence.
func (e *Error) Error() string {
	var s strings.Builder
	if e.Object != "" {
		s.WriteString(e.Object + ": ")
	}
	s.WriteString(e.Message)
	switch {
	case e.Status != 0 && e.Code != "":
		fmt.Fprintf(&s, " (%d %s)", e.Status, e.Code)
	case e.Status != 0:
		fmt.Fprintf(&s, " (%d)", e.Status)
	}
	return s.String()
}

// Unwrap is fs.ErrNotExist if the key is missing, and nothing otherwise: a file of
// credentials that is missing is no missing slice, and a connection that ends is
// no end of a file, which decoders put words of their own in the place of.
func (e *Error) Unwrap() error {
	if e.missing {
		return fs.ErrNotExist
	}
	return nil
}

// Fatal reports whether the error is more than one object's being missing.
func (e *Error) Fatal() bool { return !e.missing }

// attempts is how often a request that ends in e may be sent.
func (e *Error) attempts(most int) int { return min(max(1, e.tries), most) }

// url is what a key is called; "" is the bucket.
func (b *Bucket) url(key string) string {
	if key == "" {
		return "s3://" + b.name
	}
	return "s3://" + b.name + "/" + key
}

// explain puts err into a sentence.
func (b *Bucket) explain(key string, err error) *Error {
	e := &Error{Object: b.url(key), Err: err}
	var (
		answer      *smithyhttp.ResponseError
		credentials *credentialsError
		send        *smithyhttp.RequestSendError
		body        *bodyError
	)
	switch {
	case errors.Is(err, errChanged):
		e.Message = "the object was replaced or deleted while it was read: run again when nobody writes to it"
	case errors.Is(err, errNoRanges):
		e.Message = b.endpoint + " does not answer requests for a part of an object"
	case errors.As(err, &credentials):
		e.Object, e.Message = "", explainCredentials(credentials.err)
	case errors.As(err, &answer) && answer.HTTPStatusCode() != 0: // without an answer there is an empty one
		b.explainAnswer(e, answer)
	case errors.Is(err, errSilent), errors.As(err, &send), errors.As(err, &body):
		b.explainNetwork(e, err)
	default:
		e.Message = "no request can be made of it: " + reason(err).Error()
	}
	e.Message = human.Message(e.Message)
	return e
}

// explainCredentials is about a request that could not be signed.
func explainCredentials(err error) string {
	switch text := err.Error(); {
	case strings.Contains(text, "no EC2 IMDS role found"): // the last place where the SDK looks
		return "no AWS credentials are found: name a profile with --aws-profile, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or read open data with --s3-anonymous"
	case strings.Contains(text, "SSO"):
		return "the AWS sign-on is not valid any more: run `aws sso login` with the same profile: " + reason(err).Error()
	}
	return "the AWS credentials cannot be had: " + reason(err).Error() + "; correct the profile, or read open data with --s3-anonymous"
}

// explainNetwork is about a request that got no answer, or a part of one. What a
// network does may always be otherwise the next moment, but for what a person
// has to mend.
func (b *Bucket) explainNetwork(e *Error, err error) {
	var (
		certificate *tls.CertificateVerificationError
		dns         *net.DNSError
		op          *net.OpError
		timeout     interface{ Timeout() bool }
	)
	e.tries = many
	switch {
	case errors.As(err, &certificate):
		e.tries = 0
		e.Message = fmt.Sprintf("the certificate of %s is not trusted: %v", b.endpoint, certificate.Err)
	case errors.Is(err, http.ErrSchemeMismatch):
		e.tries = 0
		e.Message = b.endpoint + " speaks http, not https: correct --s3-endpoint"
	case errors.As(err, &dns) && dns.IsNotFound:
		e.tries = few // most likely a name mistyped
		e.Message = fmt.Sprintf("there is no host %s: correct --s3-endpoint, --s3-region or the name of the bucket; a store that is not Amazon's may need --s3-path-style", dns.Name)
	case errors.As(err, &op) && op.Op == "proxyconnect":
		e.Message = fmt.Sprintf("connect to the proxy: %v", reason(err))
	case errors.As(err, &op) && op.Op == "dial":
		e.Message = fmt.Sprintf("connect to %s: %v: check the network and --s3-endpoint", b.endpoint, reason(err))
	case errors.Is(err, errSilent), errors.As(err, &timeout) && timeout.Timeout():
		e.Message = fmt.Sprintf("%s was silent for %v: check the network, and run again", b.endpoint, b.timeout)
	case errors.Is(err, errShort):
		e.Message = fmt.Sprintf("%s ends its answers early: check the network, and run again", b.endpoint)
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		e.Message = fmt.Sprintf("%s closes the connection (%v): check the network, and run again", b.endpoint, reason(err))
	default:
		e.Message = fmt.Sprintf("%s: %v: check the network, and run again", b.endpoint, reason(err))
	}
}

// reason is the innermost error, without addresses and the SDK's words around it.
func reason(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
