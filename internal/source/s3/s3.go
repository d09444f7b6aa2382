// Package s3 opens the objects of a bucket.
//
// A [Bucket] is a source.Opener over the keys below a prefix, in Amazon S3 or
// any store that speaks its protocol. An object is never held as a whole:
//
//	Open        one GET for the head, which says how large the object is
//	large read  GETs side by side, straight into the caller's memory
//	small read  from a window of the object; the windows after it are on their way
//
// Every GET but the first asks for the entity that the first one found
// (If-Match): an object that is replaced while it is read is an error, never a
// mixture of two images.
//
// The SDK's transfer manager lost: ranged GETs of our own are as fast, go
// straight to where the bytes are wanted and are bounded over all files.
package s3

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/neurodata/ndpush/internal/retry"
	"github.com/neurodata/ndpush/internal/source"
)

// Options say where a bucket is and how it is read. Only Bucket is required.
type Options struct {
	Bucket string
	Prefix string // of all keys: "folder/sub", or "" for none; a "/" follows it, unless it ends in one

	// Profile is one of the user's AWS profiles. Empty: AWS_PROFILE, or the
	// environment, the default profile, or the role of this machine or
	// container, in the SDK's order.
	Profile string
	// Region is the bucket's. Empty: the bucket is asked, whatever the profile says.
	Region string
	// Endpoint is the URL of a store that is not Amazon's, or empty.
	Endpoint  string
	PathStyle bool // the bucket is a part of the path, not of the host's name: most stores that are not Amazon's
	Anonymous bool // requests are not signed: open data

	// Requests is how many requests are in flight at once, over all files.
	// Zero: 32, which fills 10 Gbit/s when one connection carries 40 MB/s.
	Requests int
	// Files is how many files are open at once, as far as Memory counts. More may
	// be: they hold no head, and have to ask again. Zero: 32, two chunks.
	Files int
	// ReadAhead bounds the memory of all windows together, in bytes. Zero: 64 MiB,
	// so that each of a chunk's 16 slices has one window in use and three ahead.
	ReadAhead int64
	// Timeout is how long the store may be silent before a request is sent again;
	// zero: 30 s. A slow answer that goes on is no silent one.
	Timeout time.Duration

	Retry retry.Policy // see patience
}

const (
	// headBytes is what Open asks for: the directory of most TIFF files that have
	// it in front, every header of a PNG file, and small images as a whole.
	headBytes = 128 << 10
	// maxWindow is the size of a window, unless ReadAhead is too small for it. It
	// takes about as long to come (at 50 MB/s) as the first byte does.
	maxWindow = 1 << 20
	minWindow = 64 << 10
	// partBytes is what one request brings of a large read; smaller reads go
	// through windows. See BenchmarkRead.
	partBytes = 2 << 20
	// requestBytes is what a request holds beside its caller's memory: the
	// buffers of the connection, TLS's included, and the headers.
	requestBytes = 64 << 10
)

func (o *Options) setDefaults() {
	if o.Requests <= 0 {
		o.Requests = 32
	}
	if o.Files <= 0 {
		o.Files = 32
	}
	if o.ReadAhead <= 0 {
		o.ReadAhead = 64 << 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	o.Retry = o.Retry.Or(patience)
}

// A Bucket is the keys below a prefix. It is safe for concurrent use.
type Bucket struct {
	name, prefix string
	endpoint     string // where it is, for people to read
	anonymous    bool
	client       *s3.Client
	slots        chan struct{} // one for each request in flight
	timeout      time.Duration
	retry        retry.Policy
	pool         *pool
}

var _ source.Opener = (*Bucket)(nil)

// New finds the credentials and the bucket. A bucket that does not exist, a
// profile that is not there, credentials that cannot be had and a store that
// does not answer are errors, all of them fatal: see [Error]. Whether the
// credentials suffice is only known when an object is read.
func New(ctx context.Context, o Options) (*Bucket, error) {
	o.setDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	b := &Bucket{
		name: o.Bucket, prefix: joinable(o.Prefix), anonymous: o.Anonymous,
		slots: make(chan struct{}, o.Requests), timeout: o.Timeout, retry: o.Retry,
		pool: newPool(o.Files, o.ReadAhead),
	}
	if err := b.connect(ctx, o); err != nil {
		return nil, err
	}
	return b, nil
}

// joinable is a prefix that a name may follow.
func joinable(prefix string) string {
	if prefix == "" || strings.HasSuffix(prefix, "/") {
		return prefix
	}
	return prefix + "/"
}

// Open implements source.Opener. A key that is missing wraps fs.ErrNotExist,
// but S3 says so only to those who may list the bucket; to others it says that
// access is denied, which is a fatal error.
func (b *Bucket) Open(ctx context.Context, name string) (source.File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return b.open(ctx, b.prefix+name)
}

// Memory is the most that all files together hold, in bytes: the heads of
// Options.Files files, the windows, and the buffers of the requests in flight.
// Large reads take no memory but the caller's. What was held once is kept for
// the next files.
func (b *Bucket) Memory() int64 {
	return b.pool.heads.most() + b.pool.windows.most() + int64(cap(b.slots))*requestBytes
}
