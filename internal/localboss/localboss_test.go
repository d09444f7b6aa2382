package localboss_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

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

func TestRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		channel string
		typ     voxel.Type
	}{
		{"image8", voxel.Uint8}, {"image16", voxel.Uint16},
		{"label8", voxel.Uint8}, {"label16", voxel.Uint16}, {"label64", voxel.Uint64},
	} {
		for _, where := range []string{"memory", "dir"} {
			t.Run(tt.channel+"/"+where, func(t *testing.T) {
				var opt localboss.Options
				if where == "dir" {
					opt.Dir = t.TempDir()
				}
				b := serve(t, opt)
				b.fill()
				rnd := rand.New(rand.NewPCG(1, uint64(tt.typ)))
				all := voxel.NewBlock(box(0, 1040, 0, 530, 0, 18), tt.typ)
				if !bytes.Equal(b.get(tt.channel, 0, all.Box, tt.typ).Data, all.Data) {
					t.Fatal("what was never written is not zero")
				}
				for _, part := range []voxel.Box{
					box(0, 512, 0, 512, 0, 16),    // one cube
					box(0, 1024, 0, 512, 0, 16),   // two, one of them again
					box(500, 530, 500, 520, 3, 5), // the corners of four
					box(7, 8, 9, 10, 11, 12),      // a voxel
					box(100, 1040, 0, 530, 14, 18),
				} {
					block := random(rnd, part, tt.typ, 0.1)
					b.post(tt.channel, 0, block)
					overlay(all, block)
				}
				for _, part := range []voxel.Box{all.Box, box(511, 513, 511, 513, 15, 17), box(0, 1040, 300, 301, 7, 8)} {
					want := voxel.NewBlock(part, tt.typ)
					want.Gather(all)
					if !bytes.Equal(b.get(tt.channel, 0, part, tt.typ).Data, want.Data) {
						t.Errorf("%v differs from what was sent", part)
					}
				}
			})
		}
	}
}
