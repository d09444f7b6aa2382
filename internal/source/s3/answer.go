package s3

import (
	"errors"
	"net/http"
	"strings"

	smithy "github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A meaning is what an error code of S3 says to a person, and whether it may be
// otherwise the next time. %s is the store.
type meaning struct {
	says  string
	tries int
}

const (
	noBucket   = "no such bucket at %s: correct --s3-bucket-name"
	badKeys    = "%s does not accept the AWS credentials: correct the key, its secret and --aws-profile"
	expired    = "the AWS credentials have expired: renew them (`aws sso login`, or a new session) and run again"
	elsewhere  = "the bucket is in another region: correct --s3-region"
	overloaded = "%s is overloaded or out of order: run again later"
	// S3 lets only those who may list a bucket know that a key is missing.
	denied = "access is denied: the credentials may not read it (s3:GetObject), or it does not exist and they may not list the bucket (s3:ListBucket), which S3 does not tell apart"
	// The same, to those who have none.
	anonymous = "access is denied: it is not open data, so leave out --s3-anonymous; or it does not exist and the bucket may not be listed by everyone, which S3 does not tell apart"
)

// meanings are those of the codes whose status does not say enough ("Error
// responses" in Amazon's S3 API reference).
var meanings = map[string]meaning{
	"NoSuchKey":    {says: "no such object"},
	"NoSuchBucket": {says: noBucket},

	"ExpiredToken":          {says: expired},
	"ExpiredTokenException": {says: expired},
	"TokenRefreshRequired":  {says: expired},

	"InvalidAccessKeyId":    {says: badKeys},
	"InvalidClientTokenId":  {says: badKeys},
	"InvalidSecurity":       {says: badKeys},
	"InvalidToken":          {says: badKeys},
	"NotSignedUp":           {says: badKeys},
	"SignatureDoesNotMatch": {says: badKeys},

	"AuthorizationHeaderMalformed":       {says: elsewhere},
	"IllegalLocationConstraintException": {says: elsewhere},
	"PermanentRedirect":                  {says: elsewhere},
	"TemporaryRedirect":                  {says: elsewhere},

	"InvalidObjectState": {says: "the object is archived: restore it first"},
	// The SDK has learned the store's time by the second attempt.
	"RequestTimeTooSkewed": {"the clock of this machine is wrong: set it", few},

	// With other statuses than 5xx, in some stores.
	"RequestTimeout":       {overloaded, many},
	"RequestLimitExceeded": {overloaded, many},
	"SlowDown":             {overloaded, many},
	"Throttling":           {overloaded, many},
	"ThrottlingException":  {overloaded, many},
}

// explainAnswer is about an answer of the store, or of what stands before it.
func (b *Bucket) explainAnswer(e *Error, answer *smithyhttp.ResponseError) {
	e.Status = answer.HTTPStatusCode()
	said := ""
	var api smithy.APIError
	if errors.As(answer, &api) && api.ErrorCode() != "UnknownError" {
		e.Code, said = api.ErrorCode(), api.ErrorMessage()
	}
	m, known := meanings[e.Code]
	if !known {
		m = meaningOf(e.Status, e.Code, e.Object == b.url(""))
	}
	if b.anonymous && m.says == denied {
		m.says = anonymous
	}
	e.tries, e.missing = m.tries, e.Code == "NoSuchKey"
	e.Message = strings.ReplaceAll(m.says, "%s", b.endpoint)
	if region := answer.Response.Header.Get("X-Amz-Bucket-Region"); m.says == elsewhere && region != "" {
		e.Message = "the bucket is in region " + region + ": correct --s3-region"
	}
	if (!known || m.tries == many) && !isCommonplace(e.Status, said) {
		e.Message += ": " + said
	}
}

// isCommonplace reports whether what the store said is in e's own words anyway:
// nothing, the status in words (which the SDK puts in the place of nothing) or
// that access is denied.
func isCommonplace(status int, said string) bool {
	said = strings.TrimSuffix(said, ".")
	return said == "" || said == http.StatusText(status) || strings.EqualFold(said, "access denied")
}

// meaningOf is the meaning of a status whose code is not known.
func meaningOf(status int, code string, bucket bool) meaning {
	switch {
	case status == http.StatusForbidden:
		return meaning{says: denied}
	case status == http.StatusNotFound && bucket:
		return meaning{says: noBucket}
	case temporary(status):
		return meaning{overloaded, many}
	case status/100 == 3:
		return meaning{says: "%s points elsewhere: correct --s3-region or --s3-endpoint"}
	case code == "", status == http.StatusNotFound: // S3 says what is not found
		return meaning{says: "%s does not answer as S3 does: correct --s3-endpoint"}
	}
	return meaning{says: "%s refuses the request"}
}

// temporary reports whether a status may be another one the next time.
func temporary(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusRequestTimeout:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return status >= 500
}
