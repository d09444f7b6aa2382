package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"github.com/neurodata/ndpush/internal/retry"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/s3"
	"github.com/neurodata/ndpush/internal/source/sourcetest"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A gateway is a real S3 server, versitygw, that keeps objects in a directory
// and checks signatures.
type gateway struct {
	url    string
	client *sdk.Client // of the server's root
}

// startGateway starts the server, and stops it at the end of the test. Without
// the program the test is skipped, unless NDPUSH_PEERS=1 demands it:
//
//	go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
func startGateway(t testing.TB) *gateway {
	program := findGateway(t)
	environment(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	dir := t.TempDir()
	for _, sub := range []string{"data", "iam", "meta"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "--port", address, "--access", "AKIDTEST", "--secret", secret, "--iam-dir", filepath.Join(dir, "iam"),
		"--quiet", "--keep-alive", "posix", "--sidecar", filepath.Join(dir, "meta"), filepath.Join(dir, "data"))
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("versitygw said:\n%s", &log)
		}
	})
	for range 200 {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return newGateway("http://" + address)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("versitygw does not listen")
	return nil
}

func newGateway(url string) *gateway {
	return &gateway{url, sdk.New(sdk.Options{
		BaseEndpoint: &url, UsePathStyle: true, Region: "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDTEST", SecretAccessKey: secret}, nil
		}),
	})}
}

// findGateway is the program, on the path or where go puts programs.
func findGateway(t testing.TB) string {
	if path, err := exec.LookPath("versitygw"); err == nil {
		return path
	}
	if out, err := exec.Command("go", "env", "GOPATH").Output(); err == nil {
		path := filepath.Join(strings.TrimSpace(string(out)), "bin", "versitygw")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	if os.Getenv("NDPUSH_PEERS") == "1" {
		t.Fatal("versitygw is not installed")
	}
	t.Skip("versitygw is not installed")
	return ""
}

// bucket makes a bucket of that name.
func (g *gateway) bucket(t testing.TB, name string) {
	t.Helper()
	if _, err := g.client.CreateBucket(t.Context(), &sdk.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
}

func (g *gateway) put(t testing.TB, bucket, key string, p []byte) {
	t.Helper()
	if _, err := g.client.PutObject(t.Context(), &sdk.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader(p)}); err != nil {
		t.Fatal(err)
	}
}

// options are those for a bucket at url, with waits that take little time.
func options(url, bucket string) s3.Options {
	return s3.Options{Bucket: bucket, Endpoint: url, PathStyle: true, Retry: retry.Policy{Base: time.Millisecond, Max: 4 * time.Millisecond}}
}

// The contract of a source, over a store that sometimes is what S3 says it may
// be: slow down, in the midst of an answer, or not there.
func TestSuite(t *testing.T) {
	g := startGateway(t)
	faulty := httptest.NewServer(moody(t, g.url))
	t.Cleanup(faulty.Close)
	all := []voxel.Type{voxel.Uint8, voxel.Uint16, voxel.Uint32, voxel.Uint64}
	for _, f := range []struct {
		name, url string
		encode    encoder
		types     []voxel.Type
		broken    bool
		cut       encoder
		kept      int
	}{
		{"png", g.url, encodePNG, all[:2], true, encodePNG, 0},
		{"tiff", g.url, encodeTIFF(16, false), all, false, kind(sourcetest.TIFF{Rows: 16}), 60},
		{"tiff-deflate", g.url, encodeTIFF(16, true), all, true, kind(sourcetest.TIFF{Rows: 50, Codec: "deflate"}), 60},
		{"png-faulty", faulty.URL, encodePNG, all[:2], true, encodePNG, 0},
		{"tiff-faulty", faulty.URL, encodeTIFF(16, false), all[3:], false, kind(sourcetest.TIFF{Tile: 32}), 60},
		{"tiff-deflate-faulty", faulty.URL, encodeTIFF(16, true), all[1:2], true, kind(sourcetest.TIFF{Rows: 50, Codec: "lzw"}), 60},
	} {
		t.Run(f.name, func(t *testing.T) {
			buckets := 0
			store := func(t *testing.T, b *voxel.Block, encode encoder, want source.Shape) source.Source {
				buckets++
				return g.store(t, f.url, fmt.Sprintf("%s-%d", f.name, buckets), b, encode, want)
			}
			suite := sourcetest.Suite{
				Types: f.types,
				New: func(t *testing.T, b *voxel.Block) source.Source {
					return store(t, b, f.encode, shapeOf(b))
				},
				Odd: func(t *testing.T, b *voxel.Block, want source.Shape) source.Source {
					return store(t, b, f.encode, want)
				},
				Cut: func(t *testing.T, b *voxel.Block) source.Source {
					return store(t, b, cut(f.cut), shapeOf(b))
				},
				Kept: f.kept,
			}
			if f.broken {
				suite.Broken = func(t *testing.T, b *voxel.Block) source.Source {
					return store(t, b, damage(f.encode), shapeOf(b))
				}
			}
			suite.Run(t)
		})
	}
}

// store puts the slices of b into a new bucket and gives a source of them, read
// through url.
func (g *gateway) store(t *testing.T, url, bucketName string, b *voxel.Block, encode encoder, want source.Shape) source.Source {
	p, err := source.ParsePattern(source.Naming{BasePath: "Lab & Co/µm 1+1=2", BaseFilename: "<ch>/slice #<p:4>", Extension: "ome.x", Channel: "em", ZStep: 3})
	if err != nil {
		t.Fatal(err)
	}
	g.bucket(t, bucketName)
	for z := b.Box.Min.Z; z < b.Box.Max.Z; z++ {
		g.put(t, bucketName, p.Path(z), encode(t, b.Slice(z)))
	}
	o := options(url, bucketName)
	o.Prefix = p.Base()
	return source.NewFiles(bucket(t, o), p, want)
}

// What is read over a bad way, in whatever manner, is what the object holds.
func TestFaulty(t *testing.T) {
	g := startGateway(t)
	g.bucket(t, "large")
	want := noise(24<<20+5, 1)
	g.put(t, "large", "a", want)
	faulty := httptest.NewServer(moody(t, g.url))
	t.Cleanup(faulty.Close)
	b := bucket(t, options(faulty.URL, "large"))
	var wg sync.WaitGroup
	for _, n := range []int{4096, 32 << 10, 1_000_000, 3 << 20, 16 << 20, 32 << 20} {
		wg.Go(func() {
			f, err := b.Open(t.Context(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			got, err := io.ReadAll(&step{f, 0, n})
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes at a time: %d bytes, %v", n, len(got), err)
			}
			p := make([]byte, n)
			if m, err := f.ReadAt(p, 100); err != nil && err != io.EOF || !bytes.Equal(p[:m], want[100:100+m]) {
				t.Errorf("%d bytes at once: %d bytes, %v", n, m, err)
			}
		})
	}
	wg.Wait()
}

// moody is a way to url on which a tenth of the GETs meets 503, a twentieth gets
// half an answer and a twentieth a connection that breaks.
func moody(t *testing.T, to string) http.Handler {
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}}
	var requests, faults atomic.Int64
	t.Cleanup(func() { t.Logf("%d of %d requests met a fault", faults.Load(), requests.Load()) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		dice := rand.IntN(20)
		if r.Method != http.MethodGet || dice > 3 {
			proxy.ServeHTTP(w, r)
			return
		}
		faults.Add(1)
		switch dice {
		case 0, 1:
			refuse(w, 503, "SlowDown", "Please reduce your request rate.")
		case 2:
			proxy.ServeHTTP(&half{ResponseWriter: w}, r)
		case 3:
			hijack(w, "")
		}
	})
}

// A half writes half of what its header promises, and then breaks the connection.
type half struct {
	http.ResponseWriter
	left int
}

func (h *half) WriteHeader(status int) {
	fmt.Sscan(h.Header().Get("Content-Length"), &h.left)
	h.left /= 2
	h.ResponseWriter.WriteHeader(status)
}

func (h *half) Write(p []byte) (int, error) {
	n, err := h.ResponseWriter.Write(p[:min(len(p), h.left)])
	h.left -= n
	if h.left == 0 {
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// What the real server says of what is not there or not allowed is understood.
func TestPeerErrors(t *testing.T) {
	g := startGateway(t)
	g.bucket(t, "bbb")
	g.put(t, "bbb", "a", noise(1<<20, 1))
	g.put(t, "bbb", "empty", nil)
	b := bucket(t, options(g.url, "bbb"))

	if _, err := b.Open(t.Context(), "nope"); !errors.Is(err, fs.ErrNotExist) || fatal(err) {
		t.Errorf("a missing key: %v", err)
	}
	if f := open(t, b, "empty"); f.Size() != 0 {
		t.Errorf("an empty object has %d bytes", f.Size())
	}
	f := open(t, b, "a")
	g.put(t, "bbb", "a", noise(1<<20, 2))
	if _, err := f.ReadAt(make([]byte, 10), 1<<19); err == nil || !strings.Contains(err.Error(), "was replaced or deleted") {
		t.Errorf("an object that was replaced: %v", err)
	}
	f = open(t, b, "a")
	if _, err := g.client.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: aws.String("bbb"), Key: aws.String("a")}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadAt(make([]byte, 10), 1<<19); err == nil || !strings.Contains(err.Error(), "was replaced or deleted") || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an object that was deleted: %v", err)
	}

	if _, err := s3.New(t.Context(), options(g.url, "other")); err == nil || !strings.Contains(err.Error(), "no such bucket") || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a bucket that is not there: %v", err)
	}
	o := options(g.url, "bbb")
	o.Anonymous = true
	if err := openError(t, o); err == nil || !strings.Contains(err.Error(), "access is denied") || !fatal(err) {
		t.Errorf("without a signature: %v", err)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "another")
	if err := openError(t, options(g.url, "bbb")); err == nil || !strings.Contains(err.Error(), "does not accept the AWS credentials") || !fatal(err) {
		t.Errorf("with a wrong secret: %v", err)
	}
}

// openError is what stands in the way of opening "a".
func openError(t *testing.T, o s3.Options) error {
	b, err := s3.New(t.Context(), o)
	if err != nil {
		return err
	}
	_, err = b.Open(context.WithoutCancel(t.Context()), "a")
	return err
}
