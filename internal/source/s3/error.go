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
	"unicode"
	"unicode/utf8"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// An Error is a request that the store, or the way to it, did not grant. All but
// a missing key are fatal: whatever else keeps an object from being read says
// nothing of whether it is there.
type Error struct {
	Object  string // s3://bucket/key, or "" if it is about none
	Status  int    // of HTTP; 0 if no answer came
	Code    string // S3's own, like "AccessDenied"; "" if it gave none
	Message string // one sentence, without credentials: what is wrong and what to do
	Err     error  // the cause, or nil

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

// Unwrap is fs.ErrNotExist if the key is missing, and the cause otherwise. That
// never is fs.ErrNotExist, though a file with credentials may be missing too.
func (e *Error) Unwrap() error {
	switch {
	case e.missing:
		return fs.ErrNotExist
	case errors.Is(e.Err, fs.ErrNotExist):
		return nil
	}
	return e.Err
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

// temporary reports whether a status may be another one the next time.
func temporary(status int) bool {
	return status >= 500 && status != http.StatusNotImplemented || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// explain puts err into a sentence.
func (b *Bucket) explain(key string, err error) *Error {
	e := &Error{Object: b.url(key), Err: err}
	var (
		answer      *smithyhttp.ResponseError
		api         smithy.APIError
		credentials *credentialsError
		send        *smithyhttp.RequestSendError
		body        *bodyError
	)
	errors.As(err, &api)
	switch {
	case errors.Is(err, errChanged):
		e.Message = "the object was replaced or deleted while it was read: run again when nobody writes to it"
	case errors.Is(err, errNoRanges):
		e.Message = "the store at " + b.endpoint + " does not answer requests for a part of an object"
	case errors.As(err, &credentials):
		b.explainCredentials(e, err)
	case errors.As(err, &answer) && answer.HTTPStatusCode() != 0:
		e.Status = answer.HTTPStatusCode()
		b.explainAnswer(e, answer, api, key)
	case err == errSilent || errors.As(err, &send) || errors.As(err, &body):
		b.explainNetwork(e, err)
	default: // the SDK did not send it
		e.Message = "no request can be made of it: " + reason(err).Error()
	}
	e.Message = oneLine(e.Message)
	return e
}

// explainCredentials is about a request that could not be signed.
func (b *Bucket) explainCredentials(e *Error, err error) {
	e.Object = ""
	text := err.Error()
	switch {
	case strings.Contains(text, "no EC2 IMDS role found"):
		e.Message = "no AWS credentials are found: name a profile with --aws-profile, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or read open data with --s3-anonymous"
	case strings.Contains(text, "SSO") || strings.Contains(text, "sso"):
		e.Message = "the AWS sign-on is not valid any more: run `aws sso login` with the same profile: " + reason(err).Error()
	default:
		e.Message = "the AWS credentials cannot be had: " + reason(err).Error() + "; correct the profile, or read open data with --s3-anonymous"
	}
}

// explainAnswer is about an answer of the store, or of what stands before it.
func (b *Bucket) explainAnswer(e *Error, answer *smithyhttp.ResponseError, api smithy.APIError, key string) {
	says := ""
	if api != nil && api.ErrorCode() != "UnknownError" {
		e.Code, says = api.ErrorCode(), api.ErrorMessage()
	}
	switch e.Code {
	case "NoSuchKey":
		e.missing, e.Message = true, "no such object"
		return
	case "NoSuchBucket":
		e.Message = "no such bucket at " + b.endpoint + ": correct --s3-bucket-name"
		return
	case "AccessDenied", "AllAccessDisabled", "AccountProblem":
		e.Message = b.denied(says)
		return
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired":
		e.Message = "the AWS credentials have expired: renew them (`aws sso login`, or a new session) and run again"
		return
	case "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch", "InvalidClientTokenId", "InvalidSecurity", "NotSignedUp":
		e.Message = b.endpoint + " does not accept the AWS credentials: correct the key, its secret and --aws-profile"
		return
	case "RequestTimeTooSkewed":
		e.tries = few // the SDK has learned the store's time by then
		e.Message = "the clock of this machine is wrong: set it"
		return
	case "PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		e.Message = "the bucket is in another region"
		if region := answer.Response.Header.Get("X-Amz-Bucket-Region"); region != "" {
			e.Message += ", " + region
		}
		e.Message += ": correct --s3-region"
		return
	case "InvalidObjectState":
		e.Message = "the object is archived: restore it first"
		return
	case "SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "RequestLimitExceeded", "InternalError", "ServiceUnavailable", "RequestTimeoutException", "BandwidthLimitExceeded":
		e.tries = many
	}
	switch {
	case e.Status == http.StatusForbidden:
		e.Message = b.denied(says)
	case e.Status == http.StatusNotFound && key == "":
		e.Message = "no such bucket at " + b.endpoint + ": correct --s3-bucket-name"
	case temporary(e.Status) || e.tries == many:
		e.tries = many
		e.Message = b.endpoint + " is overloaded or out of order: run again later"
	case e.Status/100 == 3:
		e.Message = b.endpoint + " points elsewhere: correct --s3-region or --s3-endpoint"
	case e.Code == "" || e.Status == http.StatusNotFound: // S3 says what is not found
		e.Message = b.endpoint + " does not answer as S3 does: correct --s3-endpoint"
	default:
		e.Message = b.endpoint + " refuses the request"
	}
	if says != "" && e.Status != http.StatusForbidden {
		e.Message += ": " + says
	}
}

// denied is what 403 may mean.
func (b *Bucket) denied(says string) string {
	m := "access is denied: the credentials may not read it (s3:GetObject)," +
		" or it does not exist and they may not list the bucket (s3:ListBucket), which S3 does not tell apart"
	if says != "" && says != "Access Denied" && says != "AccessDenied" && says != "Access Denied." {
		m += ": " + says
	}
	return m
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
	case err == errSilent, errors.As(err, &timeout) && timeout.Timeout():
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

// maxMessage is the length of a message, in bytes; S3's own are shorter.
const maxMessage = 500

// oneLine makes text fit for a line of a log and safe for a terminal.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, text[:min(len(text), 4*maxMessage)])
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= maxMessage {
		return text
	}
	cut := maxMessage
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
