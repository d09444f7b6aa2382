package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/neurodata/ndpush/internal/human"
)

// anyRegion is where requests go that have no region: Amazon's first one, which
// knows where every bucket is, and what other stores take for a default.
const anyRegion = "us-east-1"

// firstAttempts is how often a store is called that never answered yet, for some
// three seconds: an address mistyped is likelier than a network that is down.
const firstAttempts = 5

// check finds what no request is needed to find.
func (o *Options) check() error {
	if o.Bucket == "" {
		return &Error{Message: "no bucket is named: say which with --s3-bucket-name"}
	}
	if o.Anonymous && o.Profile != "" {
		return &Error{Message: "anonymous requests have no profile: leave out --s3-anonymous or --aws-profile"}
	}
	if o.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(o.Endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return &Error{Message: "the endpoint is not a URL like https://s3.example.org"} // not shown: it may hold a password
	case u.User != nil:
		return &Error{Message: "the endpoint holds a user name: credentials belong in the environment or a profile"}
	}
	return nil
}

// connect makes the client, with the credentials and the region that are right.
func (b *Bucket) connect(ctx context.Context, o Options) error {
	cfg, err := load(ctx, o)
	if err != nil {
		return err
	}
	if !o.Anonymous {
		cfg.Credentials = marked{cfg.Credentials}
		if _, err := cfg.Credentials.Retrieve(ctx); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			return b.explain("", err)
		}
	}
	if cfg.Region == "" {
		cfg.Region = anyRegion
	}
	b.client = newClient(cfg, o)
	b.endpoint = place(b.client)
	region, err := b.findRegion(ctx)
	switch {
	case err != nil:
		return err
	case region == "" || region == cfg.Region:
		return nil
	case o.Region != "":
		return &Error{Object: b.url(""), Message: fmt.Sprintf("the bucket is in region %s, not in %s: correct --s3-region", region, o.Region)}
	}
	cfg.Region = region
	b.client = newClient(cfg, o)
	return nil
}

// load reads the user's configuration.
func load(ctx context.Context, o Options) (aws.Config, error) {
	// Connections are kept, one for each request in flight.
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = o.Requests, o.Requests
	})
	with := []func(*config.LoadOptions) error{config.WithHTTPClient(client)}
	if o.Profile != "" {
		with = append(with, config.WithSharedConfigProfile(o.Profile))
	}
	if o.Region != "" {
		with = append(with, config.WithRegion(o.Region))
	}
	if o.Anonymous {
		with = append(with, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	cfg, err := config.LoadDefaultConfig(ctx, with...)
	var profile config.SharedConfigProfileNotExistError
	switch {
	case errors.As(err, &profile):
		return cfg, &Error{Message: fmt.Sprintf("there is no AWS profile %q: correct --aws-profile, or see `aws configure list-profiles`", profile.Profile), Err: err}
	case err != nil && ctx.Err() == nil:
		return cfg, &Error{Message: "the AWS configuration cannot be used: " + human.Message(err.Error()), Err: err}
	}
	return cfg, err
}

func newClient(cfg aws.Config, o Options) *s3.Client {
	return s3.NewFromConfig(cfg, func(s *s3.Options) {
		s.Retryer = aws.NopRetryer{} // Bucket retries
		s.UsePathStyle = o.PathStyle
		// S3 has checksums of objects, not of ranges.
		s.DisableLogOutputChecksumValidationSkipped = true
		if o.Endpoint != "" {
			s.BaseEndpoint = aws.String(o.Endpoint)
		}
	})
}

// place is what the store is called. The user's configuration may name one, too.
func place(c *s3.Client) string {
	u, err := url.Parse(aws.ToString(c.Options().BaseEndpoint))
	if err != nil || u.Host == "" {
		return "Amazon S3"
	}
	return u.Host
}

// findRegion asks where the bucket is; "" if the store does not say. A profile's
// region is where its user works, which need not be where the bucket is.
//
// The answer to HEAD has no body, so that little can be told from its status: of
// a bucket that may not be listed it says 403, also if objects may be read. The
// region is in the header of every answer.
func (b *Bucket) findRegion(ctx context.Context) (region string, err error) {
	err = b.do(ctx, "", min(b.retry.Attempts, firstAttempts), func(ctx context.Context, _ func()) error {
		out, err := b.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.name})
		if err == nil {
			region = aws.ToString(out.BucketRegion)
			return nil
		}
		var answer *smithyhttp.ResponseError
		if !errors.As(err, &answer) || answer.HTTPStatusCode() == 0 {
			return err
		}
		region = answer.Response.Header.Get("X-Amz-Bucket-Region")
		if status := answer.HTTPStatusCode(); status == http.StatusNotFound || temporary(status) {
			return err
		}
		return nil
	})
	return region, err
}

// marked is a provider of credentials whose errors are told from others.
type marked struct{ aws.CredentialsProvider }

// Retrieve implements aws.CredentialsProvider.
func (m marked) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := m.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		err = &credentialsError{err}
	}
	return c, err
}

// A credentialsError says that there are none.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }
