package localboss_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/neurodata/ndpush/internal/blosc"
	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

const testToken = "0123456789abcdef0123456789abcdef01234567"

// A boss is a server and a client with its token.
type boss struct {
	t *testing.T
	*localboss.Server
	url   string
	token string
}

// serve starts a server; it ends with the test.
func serve(t *testing.T, opt localboss.Options) *boss {
	t.Helper()
	if opt.Token == "" && opt.Dir == "" {
		opt.Token = testToken
	}
	s, err := localboss.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	t.Cleanup(func() { s.Close() })
	return &boss{t, s, h.URL, s.Token()}
}

// An answer is what came back.
type answer struct {
	status int
	kind   string // Content-Type, without parameters
	header http.Header
	body   []byte
}

// fields is the body as JSON.
func (a answer) fields() map[string]any {
	var m map[string]any
	json.Unmarshal(a.body, &m)
	return m
}

func (a answer) String() string {
	return fmt.Sprintf("%d %s %.300s", a.status, a.kind, a.body)
}

// do sends a request. Headers are "Name: value"; without an Accept the client
// says */*, as intern does.
func (b *boss) do(method, path, body string, headers ...string) (answer, error) {
	b.t.Helper()
	r, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Token "+b.token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "*/*")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if value == "" {
			r.Header.Del(name)
			continue
		}
		r.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	p, err := io.ReadAll(resp.Body)
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return answer{resp.StatusCode, kind, resp.Header, p}, err
}

// must sends a request that is answered with that status.
func (b *boss) must(status int, method, path, body string, headers ...string) answer {
	b.t.Helper()
	a, err := b.do(method, path, body, headers...)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	if a.status != status {
		b.t.Fatalf("%s %s: %v, want %d", method, path, a, status)
	}
	return a
}

// ask asks a server without a network, as intern does.
func ask(s *localboss.Server, method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Token "+s.Token())
	r.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(target, "/v1/cutout/") {
		r.Header.Set("Content-Type", "application/blosc")
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

const (
	frameBody = `{"name":"x","description":"","x_start":0,"x_stop":2000,"y_start":0,"y_stop":2000,"z_start":0,"z_stop":100,` +
		`"x_voxel_size":4.0,"y_voxel_size":4.0,"z_voxel_size":40.0,"voxel_unit":"nanometers"}`
	experimentBody = `{"name":"x","description":"","coord_frame":"f","num_hierarchy_levels":3,"hierarchy_method":"anisotropic",` +
		`"num_time_samples":1,"collection":"c","time_step":0,"time_step_unit":"seconds"}`
	em = "/v1/collection/c/experiment/e"
)

func channelBody(kind, datatype string) string {
	return fmt.Sprintf(`{"name":"x","description":"","default_time_sample":0,"datatype":%q,"base_resolution":0,"type":%q,"sources":[],"related":[]}`, datatype, kind)
}

// fill makes collection c, frame f and experiment e, with a channel for each
// type and datatype: image8, label64 and so on.
func (b *boss) fill() {
	b.t.Helper()
	b.must(201, "POST", "/v1/collection/c", `{"name":"c","description":""}`)
	b.must(201, "POST", "/v1/coord/f", frameBody)
	b.must(201, "POST", em, experimentBody)
	for _, bits := range []int{8, 16, 32, 64} {
		b.must(201, "POST", fmt.Sprintf(em+"/channel/image%d", bits), channelBody("image", fmt.Sprintf("uint%d", bits)))
		b.must(201, "POST", fmt.Sprintf(em+"/channel/label%d", bits), channelBody("annotation", fmt.Sprintf("uint%d", bits)))
	}
}

// frame compresses voxels.
func frame(t testing.TB, p []byte, typ voxel.Type) string {
	t.Helper()
	e, err := blosc.NewEncoder(blosc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := e.Append(nil, p, typ.Size())
	if err != nil {
		t.Fatal(err)
	}
	return string(f)
}

func unframe(t testing.TB, p []byte, limit int) []byte {
	t.Helper()
	var d blosc.Decoder
	out, err := d.Append(nil, p, limit)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

const bloscBody = "Content-Type: application/blosc"

// post sends a block to a channel at a resolution.
func (b *boss) post(channel string, res int, block *voxel.Block) {
	b.t.Helper()
	a := b.must(201, "POST", fmt.Sprintf("/v1/cutout/c/e/%s/%d/%v/", channel, res, block.Box), frame(b.t, block.Data, block.Type), bloscBody)
	if len(a.body) != 0 || a.kind != "text/html" {
		b.t.Errorf("a POST is answered with %v, want an empty page", a)
	}
}

// get reads a box.
func (b *boss) get(channel string, res int, box voxel.Box, typ voxel.Type) *voxel.Block {
	b.t.Helper()
	a := b.must(200, "GET", fmt.Sprintf("/v1/cutout/c/e/%s/%d/%v/?access-mode=no-cache", channel, res, box), "", bloscBody, "Accept: application/blosc")
	n := int(box.Voxels()) * typ.Size()
	if a.kind != "application/blosc" {
		b.t.Errorf("Content-Type %s", a.kind)
	}
	h, err := blosc.ParseHeader(a.body)
	if err != nil || h.TypeSize != 8*typ.Size() {
		b.t.Errorf("items of %d bytes, %v; the server says the bits: %d", h.TypeSize, err, 8*typ.Size())
	}
	return &voxel.Block{Box: box, Type: typ, Data: unframe(b.t, a.body, n)}
}

func box(x0, x1, y0, y1, z0, z1 int) voxel.Box {
	return voxel.NewBox(voxel.Range{Min: x0, Max: x1}, voxel.Range{Min: y0, Max: y1}, voxel.Range{Min: z0, Max: z1})
}

// random is a block of voxels of which the share is not zero.
func random(rnd *rand.Rand, b voxel.Box, t voxel.Type, share float64) *voxel.Block {
	block := voxel.NewBlock(b, t)
	for z := b.Min.Z; z < b.Max.Z; z++ {
		for y := b.Min.Y; y < b.Max.Y; y++ {
			row := block.Row(y, z)
			for range int(share * float64(b.X().Len())) {
				i := rnd.IntN(len(row)/t.Size()) * t.Size()
				row[i+rnd.IntN(t.Size())] = byte(1 + rnd.IntN(255))
			}
		}
	}
	return block
}

// overlay is the slow twin of the server's merge.
func overlay(dst, src *voxel.Block) {
	size := dst.Type.Size()
	for z := src.Box.Min.Z; z < src.Box.Max.Z; z++ {
		for y := src.Box.Min.Y; y < src.Box.Max.Y; y++ {
			to, from := dst.Row(y, z), src.Row(y, z)
			to = to[(src.Box.Min.X-dst.Box.Min.X)*size:]
			for i := 0; i < len(from); i += size {
				if v := from[i : i+size]; slices.Max(v) != 0 {
					copy(to[i:], v)
				}
			}
		}
	}
}

// Blocks of all shapes are merged as a slow twin merges them.
func TestMergeBoxes(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		b := serve(t, localboss.Options{Dir: dir})
		b.fill()
		rnd := rand.New(rand.NewPCG(1, 2))
		all := voxel.NewBlock(box(0, 520, 0, 516, 10, 18), voxel.Uint8)
		for _, part := range []voxel.Box{
			box(0, 512, 0, 512, 16, 18),
			box(0, 512, 0, 512, 16, 18),     // again
			box(500, 520, 500, 516, 14, 17), // the corners of eight cubes
			box(7, 8, 9, 10, 11, 12),        // a voxel
		} {
			block := random(rnd, part, all.Type, 0.4)
			b.post("image8", 0, block)
			overlay(all, block)
		}
		for _, part := range []voxel.Box{all.Box, box(511, 513, 511, 513, 15, 17), box(0, 520, 300, 301, 16, 17)} {
			want := voxel.NewBlock(part, all.Type)
			want.Copy(all)
			if !bytes.Equal(b.get("image8", 0, part, all.Type).Data, want.Data) {
				t.Errorf("%v differs from what was sent", part)
			}
		}
	}
}

// Every channel that can hold voxels merges whole voxels of its type: one whose
// low byte is zero is not zero.
func TestMergeTypes(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	for _, tt := range []struct {
		channel string
		typ     voxel.Type
	}{
		{"image8", voxel.Uint8}, {"image16", voxel.Uint16},
		{"label8", voxel.Uint8}, {"label16", voxel.Uint16}, {"label64", voxel.Uint64},
	} {
		n := tt.typ.Size()
		row := func(voxels ...byte) *voxel.Block { // each in the highest byte
			block := voxel.NewBlock(box(3, 3+len(voxels), 5, 6, 7, 8), tt.typ)
			for i, v := range voxels {
				block.Data[i*n+n-1] = v
			}
			return block
		}
		b.post(tt.channel, 0, row(1, 2, 0, 0, 5, 6, 7, 8, 9))
		b.post(tt.channel, 0, row(0, 0, 0, 4, 9, 0, 1, 1, 0))
		want := row(1, 2, 0, 4, 9, 6, 1, 1, 9)
		if got := b.get(tt.channel, 0, want.Box, tt.typ); !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%s: got %d, want %d", tt.channel, got.Data, want.Data)
		}
		if got := b.get(tt.channel, 0, box(0, 3, 0, 1, 0, 1), tt.typ); !voxel.IsZero(got.Data) {
			t.Errorf("%s: what was never written is %d", tt.channel, got.Data)
		}
	}
}

// Many writers of one cube lose nothing of each other.
func TestConcurrentVoxels(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		b := serve(t, localboss.Options{Dir: dir})
		b.fill()
		var g errgroup.Group
		const writers = 16
		for i := range writers {
			g.Go(func() error {
				at := box(30*i, 30*i+1, i, i+1, i, i+1)
				path := fmt.Sprintf("/v1/cutout/c/e/image8/0/%v/", at)
				a, err := b.do("POST", path, frame(t, []byte{byte(i + 1)}, voxel.Uint8), bloscBody)
				if err == nil && a.status != 201 {
					err = fmt.Errorf("%s: %v", path, a)
				}
				return err
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		got := b.get("image8", 0, box(0, 512, 0, writers, 0, writers), voxel.Uint8)
		for i := range writers {
			if v := got.Row(i, i)[30*i]; v != byte(i+1) {
				t.Errorf("voxel %d is %d, want %d", i, v, i+1)
			}
		}
	}
}

// A channel of storage type cloudvol takes everything and shows nothing.
func TestCloudVolume(t *testing.T) {
	for _, byBody := range []bool{false, true} {
		b := serve(t, localboss.Options{CloudVolume: !byBody})
		b.fill()
		channel := "image8"
		if byBody {
			channel = "cloud"
			b.must(201, "POST", em+"/channel/cloud", `{"type":"image","datatype":"uint8","storage_type":"cloudvol"}`)
		}
		if got := b.must(200, "GET", em+"/channel/"+channel, "").fields()["storage_type"]; got != "cloudvol" {
			t.Errorf("storage_type %v", got)
		}
		one := &voxel.Block{Box: box(0, 1, 0, 1, 0, 1), Type: voxel.Uint8, Data: []byte{9}}
		b.post(channel, 0, one)
		if got := b.get(channel, 0, one.Box, voxel.Uint8).Data[0]; got != 0 {
			t.Errorf("a cloudvol channel shows %d", got)
		}
	}
}

// A server that is started again in its directory knows everything.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	one := &voxel.Block{Box: box(511, 513, 9, 10, 15, 16), Type: voxel.Uint16, Data: []byte{1, 2, 3, 4}}
	b := serve(t, localboss.Options{Dir: dir})
	b.fill()
	b.must(201, "POST", "/v1/meta/c/e/?key=offsets&value=%5B100,%200,%200%5D", "")
	b.must(204, "DELETE", em+"/channel/label8", "")
	b.post("image16", 1, one)

	again := serve(t, localboss.Options{Dir: dir})
	if again.token != b.token {
		t.Error("the token changed")
	}
	for _, path := range []string{"/v1/collection/c", "/v1/coord/f", em, em + "/channel/label64", "/v1/meta/c/e/?key=offsets", "/v1/collection/"} {
		if got, want := again.must(200, "GET", path, ""), b.must(200, "GET", path, ""); !bytes.Equal(got.body, want.body) {
			t.Errorf("%s: %v, before %v", path, got, want)
		}
	}
	again.must(404, "GET", em+"/channel/label8", "")
	if got := again.get("image16", 1, one.Box, one.Type); !bytes.Equal(got.Data, one.Data) {
		t.Errorf("voxels are %v, want %v", got.Data, one.Data)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", "*.tmp")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	other := serve(t, localboss.Options{Dir: dir, Token: testToken})
	if other.token != testToken {
		t.Error("a given token is not taken")
	}
	if os.WriteFile(filepath.Join(dir, "boss.json"), []byte("{"), 0o644); true {
		if _, err := localboss.New(localboss.Options{Dir: dir}); err == nil {
			t.Error("half of the resources is as good as none")
		}
	}
}

func TestAccessFile(t *testing.T) {
	b := serve(t, localboss.Options{Dir: filepath.Join(t.TempDir(), "new")})
	if !regexp.MustCompile("^[0-9a-f]{40}$").MatchString(b.token) {
		t.Errorf("token %q", b.token)
	}
	path := filepath.Join(t.TempDir(), "boss.cfg")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := b.WriteAccess(path, b.url); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	p, _ := os.ReadFile(path)
	want := "[Default]\nprotocol = http\nhost = " + strings.TrimPrefix(b.url, "http://") + "\ntoken = " + b.token + "\n"
	if string(p) != want {
		t.Errorf("got\n%swant\n%s", p, want)
	}
	for _, base := range []string{"", "127.0.0.1:8642", "ftp://x", "http://"} {
		if b.WriteAccess(path, base) == nil {
			t.Errorf("%q is taken for a server", base)
		}
	}
	if _, err := localboss.New(localboss.Options{Token: "two words"}); err == nil {
		t.Error("a token with a blank is taken")
	}
}

// The log tells of every request and never of a token, wherever it was put.
func TestLog(t *testing.T) {
	var log bytes.Buffer
	b := serve(t, localboss.Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Control: true})
	b.fill()
	b.must(404, "GET", "/v1/collection/"+b.token, "")
	b.must(201, "POST", "/v1/meta/c/?key=k&value="+b.token, "")
	b.must(401, "GET", "/v1/coord/f", "", "Authorization: Token "+b.token+"x")
	b.must(200, "GET", "/local/faults", "")
	b.Close()
	if strings.Contains(log.String(), b.token) {
		t.Errorf("the token is in the log:\n%s", &log)
	}
	for _, want := range []string{"status=404 code=4000", "url=/v1/coord/f", "status=401"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, &log)
		}
	}
}

// A cutout larger than all the memory allowed is worked on alone.
func TestMemory(t *testing.T) {
	b := serve(t, localboss.Options{Memory: 1})
	b.fill()
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			_, err := b.do("GET", "/v1/cutout/c/e/image8/0/0:64/0:64/0:1/", "")
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

// chunked posts a blosc body without saying how long it is.
func (b *boss) chunked(path, body string) answer {
	b.t.Helper()
	r, err := http.NewRequest("POST", b.url+path, io.NopCloser(strings.NewReader(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Token "+b.token)
	r.Header.Set("Content-Type", "application/blosc")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	p, _ := io.ReadAll(resp.Body)
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return answer{resp.StatusCode, kind, resp.Header, p}
}
