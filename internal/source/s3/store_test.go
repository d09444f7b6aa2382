package s3_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"fmt"
	"github.com/neurodata/ndpush/internal/retry"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/s3"
)

const secret = "SeCrEtKeYoFaTeSt"

// A store is a server of objects in the bucket "b" that does what a test says.
// It knows of S3 what a real one was seen to do; see TestSuite for that one.
type store struct {
	url     string
	mu      sync.Mutex
	objects map[string]content
	gets    []string     // the ranges asked for
	busy    atomic.Int32 // requests at this moment
	most    atomic.Int32 // and at most

	// fault answers the n-th GET, counted from 1, in the store's place if it
	// returns true.
	fault func(w http.ResponseWriter, r *http.Request, n int) bool
	// head answers HEAD of the bucket, if it is not nil.
	head http.HandlerFunc
}

// A content is what an object holds.
type content struct {
	data []byte
	etag string
}

func newStore(t testing.TB) *store {
	s := &store{objects: map[string]content{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	environment(t)
	return s
}

// environment is that of a user who has these credentials and no others.
func environment(t testing.TB) {
	for _, name := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3",
		"AWS_CA_BUNDLE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		t.Setenv(name, "")
	}
	dir := t.TempDir()
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "credentials"))
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
}

func (s *store) put(key string, p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.objects[key] = content{p, fmt.Sprintf(`"%x"`, md5.Sum(p))}
}

// ranges are those that were asked for until now.
func (s *store) ranges() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.gets...)
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		if s.head != nil {
			s.head(w, r)
		}
		return
	}
	now := s.busy.Add(1)
	defer s.busy.Add(-1)
	for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
	}
	s.mu.Lock()
	s.gets = append(s.gets, r.Header.Get("Range"))
	n := len(s.gets)
	object, ok := s.objects[strings.TrimPrefix(r.URL.Path, "/b/")]
	s.mu.Unlock()
	if s.fault != nil && s.fault(w, r, n) {
		return
	}
	switch match := r.Header.Get("If-Match"); {
	case !ok:
		refuse(w, 404, "NoSuchKey", "The specified key does not exist.")
	case match != "" && match != object.etag:
		refuse(w, 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	default:
		w.Header().Set("ETag", object.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(object.data))
	}
}

// refuse is an error as S3 sends it.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>%s</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>`, code, message)
}

// options are those for s, with waits that take no time.
func (s *store) options() s3.Options {
	return s3.Options{Bucket: "b", Endpoint: s.url, PathStyle: true, Retry: retry.Policy{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}}
}

func bucket(t testing.TB, o s3.Options) *s3.Bucket {
	t.Helper()
	b, err := s3.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// open opens a file until the test ends.
func open(t testing.TB, b *s3.Bucket, name string) source.File {
	t.Helper()
	f, err := b.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// noise is n bytes that differ everywhere.
func noise(n int, seed uint64) []byte {
	p := make([]byte, n)
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	rand.NewChaCha8(key).Read(p)
	return p
}

// profiles writes a file of AWS profiles.
func profiles(t testing.TB, text string) {
	if err := os.WriteFile(os.Getenv("AWS_CONFIG_FILE"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
