package s3

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/neurodata/ndpush/internal/source"
)

var _ source.Finder = (*Bucket)(nil)

// Find implements source.Finder, a request for each thousand keys. A key that
// ends in "/" is what consoles make for a folder, and no file.
//
// Who may read objects need not be allowed to list them: that is an error which
// says so.
func (b *Bucket) Find(ctx context.Context, prefix string, depth int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		in := &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: aws.String(b.prefix + prefix)}
		if depth == 0 {
			in.Delimiter = aws.String("/") // what lies deeper comes as one line for each folder
		}
		deepest := strings.Count(prefix, "/") + depth
		for more := true; more; {
			page, err := b.list(ctx, in)
			if err != nil {
				yield("", err)
				return
			}
			for _, o := range page.Contents {
				name := strings.TrimPrefix(aws.ToString(o.Key), b.prefix)
				if strings.Count(name, "/") > deepest || strings.HasSuffix(name, "/") {
					continue
				}
				if !yield(name, nil) {
					return
				}
			}
			in.ContinuationToken = page.NextContinuationToken
			more = aws.ToBool(page.IsTruncated) && aws.ToString(page.NextContinuationToken) != ""
		}
	}
}

// list gives a page of keys.
func (b *Bucket) list(ctx context.Context, in *s3.ListObjectsV2Input) (page *s3.ListObjectsV2Output, err error) {
	err = b.do(ctx, "", b.retry.Attempts, func(ctx context.Context, _ func()) (err error) {
		page, err = b.client.ListObjectsV2(ctx, in)
		if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && answer.HTTPStatusCode() == http.StatusOK {
			return &bodyError{answer.Err} // a list that ends early is no XML
		}
		return err
	})
	if e, ok := errors.AsType[*Error](err); ok {
		e.Object = b.url(aws.ToString(in.Prefix))
		if e.Status == http.StatusForbidden && (e.Code == "AccessDenied" || e.Code == "") {
			e.Message = "the credentials may not list the bucket (s3:ListBucket)"
			if b.anonymous {
				e.Message = "the bucket may not be listed by everyone"
			}
		}
	}
	return page, err
}
