package main

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/cli"
	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/source/render/rendertest"
	"github.com/neurodata/ndpush/internal/voxel"
)

// versitygw is the program of a real S3 server, or "" if it is not here.
func versitygw() string {
	if path, err := exec.LookPath("versitygw"); err == nil {
		return path
	}
	out, err := exec.Command("go", "env", "GOPATH").Output()
	if err != nil {
		return ""
	}
	path, err := exec.LookPath(filepath.Join(filepath.SplitList(string(out[:len(out)-1]))[0], "bin", "versitygw"))
	if err != nil {
		return ""
	}
	return path
}

// A gateway is an S3 server whose buckets are the directories below root. It
// checks signatures.
type gateway struct {
	root  string
	url   string // as it is
	moody string // through a proxy that refuses and breaks answers
	env   []string
}

// startGateway starts a versitygw, or gives nil if there is none and there need
// not be.
func startGateway(t *testing.T) *gateway {
	program := versitygw()
	if program == "" {
		if os.Getenv("NDPUSH_PEERS") != "" {
			t.Fatal("versitygw is not here, and NDPUSH_PEERS wants it")
		}
		return nil
	}
	dir := t.TempDir()
	g := &gateway{root: filepath.Join(dir, "root"), env: []string{
		"AWS_ACCESS_KEY_ID=AKIDNDPUSHTEST", "AWS_SECRET_ACCESS_KEY=not/a/secret", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + filepath.Join(dir, "none"), "AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(dir, "none"),
	}}
	for _, sub := range []string{"root", "iam", "meta"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	address := freeAddress(t)
	cmd := exec.Command(program, "--port", address, "--iam-dir", filepath.Join(dir, "iam"), "--quiet",
		"posix", "--sidecar", filepath.Join(dir, "meta"), g.root)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY=AKIDNDPUSHTEST", "ROOT_SECRET_KEY=not/a/secret")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	g.url = "http://" + address
	for range 200 {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			g.moody = moody(t, g.url)
			return g
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("versitygw does not listen")
	return nil
}

// freeAddress is one that nobody listens at.
func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// moody is the URL of a proxy that answers 10 % of the GETs with 503 SlowDown
// and breaks 5 % of the answers off.
func moody(t *testing.T, to string) string {
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	var mu sync.Mutex
	rnd := rand.New(rand.NewPCG(1, 2))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		dice := rnd.Float64()
		mu.Unlock()
		switch {
		case r.Method == http.MethodGet && dice < 0.10:
			w.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(w, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
		case r.Method == http.MethodGet && dice < 0.15:
			proxy.ServeHTTP(&cut{ResponseWriter: w, left: 1000}, r)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// A cut lets so many bytes of an answer through and breaks the connection.
type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Write(p []byte) (int, error) {
	if len(p) < c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	c.ResponseWriter.Write(p[:c.left])
	panic(http.ErrAbortHandler)
}

// bucket makes a bucket of the files of some directories, which become
// prefixes.
func (g *gateway) bucket(name string, dirs ...string) error {
	for _, dir := range dirs {
		if err := os.CopyFS(filepath.Join(g.root, name, filepath.Base(dir)), os.DirFS(dir)); err != nil {
			return err
		}
	}
	return nil
}

// section is the stack that the render service of the tests has: five sections
// and a gap, bounds below 0, pixels of 16 bits.
var section = rendertest.Stack{
	Owner: "lab", Project: "fly", Name: "aligned",
	X: voxel.Range{Min: -1230, Max: 2570}, Y: voxel.Range{Min: -170, Max: 1430},
	Sections: []float64{-2, -1, 0, 2, 3}, Bits: 16, Tile: 512,
	At: pixelAt,
}

func pixelAt(x, y, z int) uint16 { return uint16(uint32(x*7+y*13+z*101+900000) % 60000) }

// startRender starts the double of a render web service.
func startRender(t *testing.T) string {
	srv := httptest.NewServer(rendertest.New(section))
	t.Cleanup(srv.Close)
	return srv.URL + "/render-ws/v1/"
}

// What comes out of BOSS after an ingest from render is what the service's
// pixels are, computed here once more, at any scale and in both types.
func TestRender(t *testing.T) {
	boss := startBOSS(t)
	service := startRender(t)
	for _, tt := range []struct {
		scale    float64
		datatype string
		size     int
	}{{1, "uint16", 2}, {0.25, "uint8", 1}, {0.25, "uint16", 2}, {0.3, "uint8", 1}, {0.3, "uint16", 2}} {
		t.Run(fmt.Sprintf("%v/%s", tt.scale, tt.datatype), func(t *testing.T) {
			experiment := fmt.Sprintf("s%d_%s", int(100*tt.scale), tt.datatype)
			args := []string{"ingest", "--datasource", "render", "--render-baseurl", service, "--render-owner", "lab", "--render-project", "fly",
				"--render-stack", "aligned", "--render-scale", strconv.FormatFloat(tt.scale, 'g', -1, 64), "--collection", "lab", "--experiment", experiment, "--channel", "em",
				"--datatype", tt.datatype, "--voxel-size", "4:4:40", "--offset-extents", "--missing", "zero", "--boss-config-file", boss.access, "--log-dir", t.TempDir()}
			if tt.datatype == "uint8" {
				args = append(args, "--render-window", "1000:41000")
			}
			boss.run(t, 0, append(args, "--create-resources")...)
			boss.run(t, 3, append(args, "--verify", "none")...) // 3: there is no section 1
			want, w, h := drawn(tt.scale, tt.datatype == "uint8")
			got := boss.cutout(t, fmt.Sprintf("lab/%s/em", experiment), w, h, 6)
			for i := range want {
				v := uint64(got[i*tt.size])
				if tt.size == 2 {
					v |= uint64(got[i*2+1]) << 8
				}
				if v != want[i] {
					t.Fatalf("voxel %d,%d,%d is %d, want %d", i%w, i/w%h, i/w/h, v, want[i])
				}
			}
		})
	}
}

// drawn are the voxels of the stack at a scale, from its first scaled pixel on,
// with z from the first section on: what is at the middle of each scaled pixel,
// and 0 where the stack has nothing. Eight bits are windowed from 1000 to 41000.
func drawn(scale float64, windowed bool) (voxels []uint64, w, h int) {
	lo := func(i int) int { return int(math.Floor(float64(i) * scale)) }
	hi := func(i int) int { return int(math.Ceil(float64(i) * scale)) }
	x0, x1, y0, y1 := lo(section.X.Min), hi(section.X.Max), lo(section.Y.Min), hi(section.Y.Max)
	for z := -2; z < 4; z++ {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				sx, sy := int(math.Floor((float64(x)+0.5)/scale)), int(math.Floor((float64(y)+0.5)/scale))
				var v uint64
				if z != 1 && sx >= section.X.Min && sx < section.X.Max && sy >= section.Y.Min && sy < section.Y.Max {
					v = uint64(pixelAt(sx, sy, z))
					if windowed {
						v = uint64(min(255, max(0, (float64(v)-1000)*256/40001)+0.5))
					}
				}
				voxels = append(voxels, v)
			}
		}
	}
	return voxels, x1 - x0, y1 - y0
}

// A boss is a server in this process, and an access file for it.
type boss struct {
	url, token, access string
}

func startBOSS(t *testing.T) *boss {
	local, err := localboss.New(localboss.Options{})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(local)
	t.Cleanup(srv.Close)
	b := &boss{srv.URL, local.Token(), filepath.Join(t.TempDir(), "boss.cfg")}
	if err := local.WriteAccess(b.access, srv.URL); err != nil {
		t.Fatal(err)
	}
	return b
}

// run runs the program in this process, and wants that exit status of it.
func (b *boss) run(t *testing.T, want int, args ...string) {
	t.Helper()
	var out bytes.Buffer
	env := cli.Env{
		Stdout: &out, Stderr: &out, Now: time.Now, Rand: rand.New(rand.NewPCG(1, 2)),
		Getenv: func(string) string { return "" },
	}
	if got := cli.Main(t.Context(), args, env); got != want {
		t.Fatalf("ndpush %v ends with %d, want %d:\n%s", args, got, want, out.String())
	}
}

// cutout reads voxels from the origin on, as numpy would: zlib'd .npy.
func (b *boss) cutout(t *testing.T, channel string, w, h, d int) []byte {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/v1/cutout/%s/0/0:%d/0:%d/0:%d/", b.url, channel, w, h, d), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token "+b.token)
	req.Header.Set("Accept", "application/npygz")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	z, err := zlib.NewReader(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	p, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return p[10+int(p[8])+int(p[9])<<8:] // behind the header of version 1.0
}
