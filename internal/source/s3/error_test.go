package s3_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"github.com/neurodata/ndpush/internal/retry"
	"io"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/s3"
	"github.com/neurodata/ndpush/internal/voxel"
)

// faults are what a store or the network may do, and not do again.
var faults = map[string]func(w http.ResponseWriter, r *http.Request){
	"slow down": func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, 503, "SlowDown", "Please reduce your request rate.")
	},
	"internal": func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, 500, "InternalError", "We encountered an internal error.")
	},
	"timed out": func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, 400, "RequestTimeout", "Your socket was idle.")
	},
	"too many": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) },
	"bad gateway": func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "<html><title>Bad Gateway</title></html>", http.StatusBadGateway)
	},
	"no answer":  func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"reset":      func(w http.ResponseWriter, _ *http.Request) { hijack(w, "") },
	"close":      func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"cut header": func(w http.ResponseWriter, _ *http.Request) { hijack(w, "HTTP/1.1 206 Partial") },
}

// hijack sends text and resets the connection.
func hijack(w http.ResponseWriter, text string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	io.WriteString(conn, text)
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

// What is temporary is tried again until it works.
func TestRetry(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			want := noise(5<<20, 1)
			s.put("a", want)
			s.fault = func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n%2 == 0 {
					return false
				}
				fault(w, r)
				return true
			}
			o := s.options()
			o.Timeout = 200 * time.Millisecond
			f := open(t, bucket(t, o), "a")
			compare(t, f, bytes.NewReader(want), 100, 1<<20)
			compare(t, f, bytes.NewReader(want), 5<<20, 0)
		})
	}
}

// A body that ends early is gone on with; one that stops is not waited for.
func TestTruncated(t *testing.T) {
	for name, stop := range map[string]func(r *http.Request){
		"cut": func(*http.Request) {}, "stopped": func(r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			want := noise(5<<20, 1)
			s.put("a", want)
			s.fault = func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n%2 == 0 {
					return false
				}
				var from, to int
				fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to)
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(want)))
				w.Header().Set("Content-Length", fmt.Sprint(to-from+1))
				w.Header().Set("ETag", fmt.Sprintf(`"%x"`, md5.Sum(want)))
				w.WriteHeader(206)
				w.Write(want[from : (from+to)/2])
				w.(http.Flusher).Flush()
				stop(r)
				return true
			}
			o := s.options()
			o.Timeout = 200 * time.Millisecond
			f := open(t, bucket(t, o), "a")
			compare(t, f, bytes.NewReader(want), 100, 1<<20)
			compare(t, f, bytes.NewReader(want), 5<<20, 0)
			for _, r := range s.ranges()[1:] {
				if r == "bytes=0-131071" {
					t.Error("the head was asked for again from its beginning")
				}
			}
		})
	}
}

// The waits double up to the longest, and then the error is told, which ends the run.
func TestGiveUp(t *testing.T) {
	s := newStore(t)
	s.fault = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		refuse(w, 503, "SlowDown", "Please reduce your request rate.")
		return true
	}
	o := s.options()
	var waits []time.Duration
	o.Retry = retry.Policy{
		Attempts: 6, Base: time.Second, Max: 5 * time.Second, Random: func() float64 { return 0.5 },
		Sleep: func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil },
	}
	_, err := bucket(t, o).Open(t.Context(), "a")
	if err == nil || !strings.Contains(err.Error(), "is overloaded or out of order: run again later: Please reduce your request rate. (503 SlowDown)") || !fatal(err) {
		t.Errorf("got %v", err)
	}
	if want := []time.Duration{750e6, 1500e6, 3000e6, 3750e6, 3750e6}; !slices.Equal(waits, want) {
		t.Errorf("waited %v, want %v", waits, want)
	}
}

// Every way that a request can be refused has a sentence that says what to do.
// Nothing but a missing key is a missing slice.
func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		status     int
		code, want string
		tries      int32
	}{
		{404, "NoSuchKey", "s3://b/a: no such object (404 NoSuchKey)", 1},
		{404, "NoSuchBucket", "s3://b/a: no such bucket at 127.0.0.1:", 1},
		{403, "AccessDenied", "access is denied: the credentials may not read it (s3:GetObject), or it does not exist and they may not list the bucket (s3:ListBucket)", 1},
		{403, "InvalidAccessKeyId", "does not accept the AWS credentials: correct the key, its secret and --aws-profile", 1},
		{403, "SignatureDoesNotMatch", "does not accept the AWS credentials", 1},
		{400, "ExpiredToken", "the AWS credentials have expired: renew them", 1},
		{403, "RequestTimeTooSkewed", "the clock of this machine is wrong", 2},
		{301, "PermanentRedirect", "the bucket is in region eu-west-1: correct --s3-region", 1},
		{400, "AuthorizationHeaderMalformed", "the bucket is in region eu-west-1", 1},
		{403, "InvalidObjectState", "the object is archived: restore it first", 1},
		{403, "", "access is denied", 1},
		{404, "", "does not answer as S3 does: correct --s3-endpoint (404 NotFound)", 1},
		{302, "", "points elsewhere", 1},
		{501, "NotImplemented", "refuses the request: a message (501 NotImplemented)", 1},
		{400, "KeyTooLongError", "refuses the request: a message (400 KeyTooLongError)", 1},
		{503, "SlowDown", "run again later: a message (503 SlowDown)", 10},
		{500, "", "is overloaded or out of order: run again later", 10},
	} {
		t.Run(fmt.Sprint(tt.status, tt.code), func(t *testing.T) {
			s := newStore(t)
			var tries atomic.Int32
			s.fault = func(w http.ResponseWriter, r *http.Request, n int) bool {
				tries.Store(int32(n))
				w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
				if tt.code == "" {
					w.WriteHeader(tt.status)
					return true
				}
				refuse(w, tt.status, tt.code, "a\n message")
				return true
			}
			_, err := bucket(t, s.options()).Open(t.Context(), "a")
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.ContainsAny(err.Error(), "\n") {
				t.Fatalf("got  %v\nwant %s", err, tt.want)
			}
			missing := tt.code == "NoSuchKey"
			if fatal(err) == missing || errors.Is(err, fs.ErrNotExist) != missing {
				t.Errorf("fatal %v, missing %v: %v", fatal(err), errors.Is(err, fs.ErrNotExist), err)
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "AKID") {
				t.Errorf("the error holds credentials: %v", err)
			}
			if tries.Load() != tt.tries {
				t.Errorf("%d attempts, want %d", tries.Load(), tt.tries)
			}
		})
	}
}

// So has the way to the store, after it was tried again and again.
func TestNetworkErrors(t *testing.T) {
	for name, want := range map[string]string{
		"reset": "closes the connection", "no answer": "was silent for 50ms", "cut header": "unexpected EOF: check the network",
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			s.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
				faults[name](w, r)
				return true
			}
			o := s.options()
			o.Timeout = 50 * time.Millisecond
			_, err := bucket(t, o).Open(t.Context(), "a")
			if err == nil || !strings.Contains(err.Error(), want) || !fatal(err) || len(s.ranges()) < 10 { // net/http tries once more on a connection that it kept
				t.Errorf("after %d attempts: %v", len(s.ranges()), err)
			}
		})
	}
}

// A store that is lost in the midst of an image stays fatal on its way up through
// every decoder: no policy may put zeros in the place of such rows.
func TestFatalRows(t *testing.T) {
	for name, encode := range map[string]encoder{
		"png": encodePNG, "tiff": encodeTIFF(16, false), "tiff-one-strip": encodeTIFF(1000, false),
		"tiff-deflate": encodeTIFF(16, true), "tiff-deflate-one-strip": encodeTIFF(1000, true),
	} {
		b := &voxel.Block{Box: voxel.Box{Max: voxel.Point{X: 1000, Y: 1000, Z: 1}}, Type: voxel.Uint8, Data: noise(1e6, 1)}
		image := encode(t, b)
		for _, cause := range []string{"reset", "close", "cut header", "no answer", "slow down"} {
			t.Run(name+"/"+cause, func(t *testing.T) {
				s := newStore(t)
				s.put("7.x", image)
				o := s.options()
				o.Timeout = 50 * time.Millisecond
				p, err := source.ParsePattern(source.Naming{BaseFilename: "<>", Extension: "x"})
				if err != nil {
					t.Fatal(err)
				}
				slice, err := source.NewFiles(bucket(t, o), p, shapeOf(b)).Open(t.Context(), 7)
				if err != nil {
					t.Fatal(err)
				}
				defer slice.Close()
				s.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
					faults[cause](w, r)
					return true
				}
				err = slice.ReadRows(t.Context(), voxel.NewBlock(b.Box, b.Type))
				if err == nil || !fatal(err) || !strings.Contains(err.Error(), "row ") || !strings.Contains(err.Error(), "s3://b/7.x") {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

// What is wrong from the start is said at the start.
func TestNewErrors(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		change     func(t *testing.T, s *store, o *s3.Options)
	}{
		{"no bucket", "no bucket is named", func(_ *testing.T, _ *store, o *s3.Options) { o.Bucket = "" }},
		{"bucket missing", "s3://b: no such bucket at 127.0.0.1:", func(_ *testing.T, s *store, _ *s3.Options) {
			s.head = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }
		}},
		{"region", "s3://b: the bucket is in region eu-west-1, not in us-west-2: correct --s3-region", func(_ *testing.T, s *store, o *s3.Options) {
			o.Region = "us-west-2"
			s.head = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
				w.WriteHeader(301)
			}
		}},
		{"profile", `there is no AWS profile "nobody": correct --aws-profile`, func(t *testing.T, _ *store, o *s3.Options) { o.Profile = "nobody" }},
		{"profile of no use", "the AWS credentials cannot be had", func(t *testing.T, _ *store, o *s3.Options) {
			profiles(t, "[profile p]\ncredential_process = false\n")
			o.Profile = "p"
		}},
		{"profiles broken", "the AWS configuration cannot be used", func(t *testing.T, _ *store, o *s3.Options) {
			profiles(t, "[profile p]\nrole_arn = arn:aws:iam::1:role/r\ncredential_source = Nowhere\n")
			o.Profile = "p"
		}},
		{"sign-on", "the AWS sign-on is not valid any more: run `aws sso login`", func(t *testing.T, _ *store, o *s3.Options) {
			t.Setenv("HOME", t.TempDir())
			profiles(t, "[profile p]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://example.org/start\n")
			o.Profile = "p"
		}},
		{"no credentials", "no AWS credentials are found: name a profile with --aws-profile, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or read open data with --s3-anonymous", func(t *testing.T, _ *store, _ *s3.Options) {
			t.Setenv("AWS_ACCESS_KEY_ID", "")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "")
		}},
		{"both", "anonymous requests have no profile", func(_ *testing.T, _ *store, o *s3.Options) { o.Anonymous, o.Profile = true, "p" }},
		{"no url", "the endpoint is not a URL", func(_ *testing.T, _ *store, o *s3.Options) { o.Endpoint = "s3.example.org" }},
		{"password", "credentials belong in the environment", func(_ *testing.T, _ *store, o *s3.Options) { o.Endpoint = "https://u:" + secret + "@example.org" }},
		{"unreachable", "connect to 127.0.0.1:1: connection refused: check the network and --s3-endpoint", func(_ *testing.T, _ *store, o *s3.Options) { o.Endpoint = "http://127.0.0.1:1" }},
		{"no host", "there is no host nowhere.invalid", func(_ *testing.T, _ *store, o *s3.Options) { o.Endpoint = "http://nowhere.invalid" }},
		{"https", "speaks http, not https", func(_ *testing.T, s *store, o *s3.Options) { o.Endpoint = strings.Replace(s.url, "http", "https", 1) }},
		{"bucket's name", "no request can be made of it", func(_ *testing.T, _ *store, o *s3.Options) { o.Bucket, o.Endpoint = "arn:aws:s3:x", "" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStore(t)
			o := s.options()
			tt.change(t, s, &o)
			_, err := s3.New(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got  %v\nwant %s", err, tt.want)
			}
			if !fatal(err) || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("fatal %v, missing %v: %v", fatal(err), errors.Is(err, fs.ErrNotExist), err)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error holds credentials: %v", err)
			}
		})
	}
}

// The bucket's own region is found, whatever the profile's is.
func TestRegion(t *testing.T) {
	s := newStore(t)
	s.put("a", []byte("x"))
	profiles(t, "[default]\nregion = ap-south-1\n")
	s.head = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
		w.WriteHeader(400)
	}
	s.fault = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		if auth := r.Header.Get("Authorization"); !strings.Contains(auth, "/eu-west-1/s3/") {
			t.Errorf("signed with %s", auth)
		}
		return false
	}
	open(t, bucket(t, s.options()), "a")
}

// An anonymous request is signed by nobody.
func TestAnonymous(t *testing.T) {
	s := newStore(t)
	s.put("a", []byte("x"))
	s.fault = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		if auth := r.Header.Get("Authorization"); auth != "" {
			t.Errorf("signed with %s", auth)
		}
		return false
	}
	o := s.options()
	o.Anonymous = true
	b := bucket(t, o)
	open(t, b, "a")
	s.fault = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		refuse(w, 403, "AccessDenied", "Access Denied")
		return true
	}
	if _, err := b.Open(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "it is not open data, so leave out --s3-anonymous") || !fatal(err) {
		t.Errorf("got %v", err)
	}
}
