package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/sync/errgroup"
)

// An object is what is read, as the first answer described it.
type object struct {
	key  string
	etag string // "" if the store gives none
	size int64  // -1 before the first answer
}

var (
	errChanged  = errors.New("the object is another one than it was when it was opened")
	errNoRanges = errors.New("the store does not answer requests for a part of an object")
	errShort    = errors.New("the answer is shorter than it should be")
)

// get fills p with the bytes of o from off, and gives how many it could. A body
// that ends early is gone on with from there.
//
// If o's size is not known, off is 0: get then finds it out, and fills less than
// p if o is smaller.
func (b *Bucket) get(ctx context.Context, o *object, p []byte, off int64) (n int, err error) {
	err = b.do(ctx, o.key, b.retry.Attempts, func(ctx context.Context, alive func()) error {
		m, err := b.getOnce(ctx, o, p[n:], off+int64(n), alive)
		n += m
		return err
	})
	return n, err
}

// getOnce is an attempt of get.
func (b *Bucket) getOnce(ctx context.Context, o *object, p []byte, off int64, alive func()) (int, error) {
	if o.size >= 0 {
		p = p[:min(int64(len(p)), o.size-off)]
		if len(p) == 0 {
			return 0, nil
		}
	}
	in := &s3.GetObjectInput{Bucket: &b.name, Key: &o.key, Range: aws.String(fmt.Sprintf("bytes=%d-%d", off, off+int64(len(p))-1))}
	if o.etag != "" {
		in.IfMatch = &o.etag
	}
	out, err := b.client.GetObject(ctx, in)
	if o.size < 0 && isStatus(err, http.StatusRequestedRangeNotSatisfiable) {
		o.size = 0 // there is nothing from 0 on
		return 0, nil
	}
	if o.size >= 0 && isGone(err) {
		return 0, errChanged
	}
	if err != nil {
		return 0, err
	}
	defer out.Body.Close() // nothing was written to it
	if err := o.agree(out, off); err != nil {
		return 0, err
	}
	return readBody(out.Body, p[:min(int64(len(p)), o.size-off)], alive)
}

// agree learns from the first answer what o is, and holds others to it.
func (o *object) agree(out *s3.GetObjectOutput, off int64) error {
	first, size, ok := parseContentRange(aws.ToString(out.ContentRange))
	if !ok { // the whole object
		first, size = 0, aws.ToInt64(out.ContentLength)
	}
	etag := aws.ToString(out.ETag)
	switch {
	case !ok && (out.ContentLength == nil || size > headBytes):
		return errNoRanges
	case o.size >= 0 && (o.size != size || o.etag != etag):
		return errChanged
	case first != off:
		return errNoRanges
	}
	if o.size < 0 { // afterwards several requests read it at once
		o.size, o.etag = size, etag
	}
	return nil
}

// parseContentRange reads "bytes 0-9/100" (RFC 9110 section 14.4).
func parseContentRange(s string) (first, size int64, ok bool) {
	s, ok = strings.CutPrefix(s, "bytes ")
	span, total, found := strings.Cut(s, "/")
	begin, _, dash := strings.Cut(span, "-")
	first, err := strconv.ParseInt(begin, 10, 64)
	size, err2 := strconv.ParseInt(total, 10, 64)
	return first, size, ok && found && dash && err == nil && err2 == nil && 0 <= first && first < size
}

// readBody fills p and gives how many bytes came.
func readBody(r io.Reader, p []byte, alive func()) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
		alive()
	}
	if n == len(p) {
		// At the end of the body the SDK compares checksums, if there are any, and
		// the connection is free for the next request.
		if _, err = r.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
			return n, nil
		}
		return 0, &bodyError{err}
	}
	if errors.Is(err, io.EOF) {
		err = errShort
	}
	return n, &bodyError{err}
}

// A bodyError ends an answer half-way.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return e.err.Error() }
func (e *bodyError) Unwrap() error { return e.err }

// getParts is get for many bytes: requests side by side, each of which brings a
// part. With an error it gives the number of bytes before the first that lacks.
func (b *Bucket) getParts(ctx context.Context, o *object, p []byte, off int64) (n int, err error) {
	parts := (len(p) + partBytes - 1) / partBytes
	got := make([]int, parts)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cap(b.slots))
	for i := range got {
		from, to := i*len(p)/parts, (i+1)*len(p)/parts
		g.Go(func() (err error) {
			got[i], err = b.get(ctx, o, p[from:to], off+int64(from))
			return err
		})
	}
	if err = g.Wait(); err == nil {
		return len(p), nil
	}
	for i, m := range got {
		n += m
		if m < (i+1)*len(p)/parts-i*len(p)/parts {
			break
		}
	}
	return n, err
}

// isGone reports whether err, about an object that is open, says that what was
// opened is not there any more.
func isGone(err error) bool {
	var missing *types.NoSuchKey
	return isStatus(err, http.StatusPreconditionFailed) || isStatus(err, http.StatusRequestedRangeNotSatisfiable) || errors.As(err, &missing)
}

// isStatus reports whether err is an answer with that status.
func isStatus(err error, status int) bool {
	var answer *smithyhttp.ResponseError
	return errors.As(err, &answer) && answer.HTTPStatusCode() == status
}
