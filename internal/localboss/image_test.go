package localboss_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

// Pictures are what Pillow reads out of the voxels of the slice, in every plane,
// of every type that can be shown.
func TestImages(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	at := box(500, 640, 20, 90, 10, 40)
	for _, tt := range []struct {
		channel string
		typ     voxel.Type
		mode    string
	}{
		{"image8", voxel.Uint8, "L"}, {"image16", voxel.Uint16, "L"}, {"label8", voxel.Uint8, "L"}, {"label64", voxel.Uint64, "RGBA"},
	} {
		full := patches(at, tt.typ)
		b.post(tt.channel, 0, full)
		in, check := full.Data, ""
		for _, plane := range []struct {
			place string
			index string // into the array of all, z, y, x
		}{
			{"xy/0/500:640/20:90/17", "7, :, :"},
			{"xy/0/510:600/30:31/39/", "29, 10:11, 10:100"},
			{"xz/0/500:640/33/10:40", ":, 13, :"},
			{"yz/0/555/20:90/10:40/0", ":, :, 55"},
		} {
			a := b.must(200, "GET", "/v1/image/c/e/"+tt.channel+"/"+plane.place, "")
			if a.kind != "image/png" {
				t.Errorf("%s %s: %s", tt.channel, plane.place, a.kind)
			}
			in = append(in, a.body...)
			check += fmt.Sprintf("check(%d, a[%s], %q)\n", len(a.body), plane.index, plane.place)
		}
		peer(t, fmt.Sprintf(`
from PIL import Image
import colorsys
n = 30 * 70 * 140 * np.dtype(np.%[1]v).itemsize
a = np.frombuffer(data[:n], np.%[1]v).reshape(30, 70, 140)
if a.dtype == np.uint16: a = (a // 256).astype(np.uint8)
if a.dtype == np.uint64:
    hue = [(0.32494 + i * (5**.5 - 1) / 2) %% 1 for i in range(217)]
    rgb = [[int(256 * c) for c in colorsys.hsv_to_rgb(h, .5, .95)] for h in hue]
    assert rgb[0] == [127, 243, 121] and rgb[1] == [243, 121, 163] and rgb[34] == [121, 243, 125], rgb
    table = np.array([c[::-1] + [255] for c in rgb], np.uint8)
    a = np.where((a != 0)[..., None], table[a %% 217], 0).astype(np.uint8)
def check(length, want, place):
    global n
    m = Image.open(io.BytesIO(data[n:n+length]))
    n += length
    assert m.mode == %[2]q, (place, m.mode)
    assert np.array_equal(np.asarray(m), want), place
`, tt.typ, tt.mode)+check, in)
	}

	// JPEG is lossy: what is smooth stays nearly what it was.
	smooth := voxel.NewBlock(box(0, 64, 0, 48, 0, 2), voxel.Uint8)
	for i := range smooth.Data {
		smooth.Data[i] = byte(i%64*3 + i/64%48)
	}
	b.post("image8", 0, smooth)
	for _, path := range []string{"/v1/image/c/e/image8/xy/0/0:64/0:48/1", "/v1/cutout/c/e/image8/0/0:64/0:48/0:2/"} {
		a := b.must(200, "GET", path, "", "Accept: image/jpeg")
		if a.kind != "image/jpeg" {
			t.Errorf("%s: %s", path, a.kind)
		}
		peer(t, `
from PIL import Image
m = np.asarray(Image.open(io.BytesIO(data))).astype(int)
n = m.shape[0] // 48
want = np.tile(np.arange(64) * 3 + np.arange(48)[:, None], (n, 1))
assert m.shape == (48 * n, 64) and abs(m - want).max() < 12, (m.shape, abs(m - want).max())`, a.body)
	}
}

// A tile is the image of its square.
func TestTiles(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	full := voxel.NewBlock(box(0, 300, 0, 200, 0, 32), voxel.Uint8)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range full.Data {
		full.Data[i] = byte(r.Uint32())
	}
	b.post("image8", 0, full)
	for tile, image := range map[string]string{
		"xy/64/0/1/2/3":     "xy/0/64:128/128:192/3",
		"xz/32/0/4/77/0/":   "xz/0/128:160/77/0:32",
		"yz/16/0/299/2/1/0": "yz/0/299/32:48/16:32/0",
	} {
		got := b.must(200, "GET", "/v1/tile/c/e/image8/"+tile, "")
		want := b.must(200, "GET", "/v1/image/c/e/image8/"+image, "")
		if got.kind != "image/png" || !bytes.Equal(got.body, want.body) {
			t.Errorf("tile %s is not image %s", tile, image)
		}
	}
}

func TestImageRules(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	get := func(path string, status, code int, says string, headers ...string) rule {
		return rule{method: "GET", path: path, headers: headers, status: status, code: code, says: says}
	}
	const image, tile = "/v1/image/c/e/image8/", "/v1/tile/c/e/image8/"
	broken := func(path string, headers ...string) rule {
		return rule{method: "GET", path: path, headers: headers, status: 500, kind: html}
	}
	b.check([]rule{
		get(image+"xy/3/0:5/0:5/0", 400, 1002, "Invalid resolution 3. The resolution has to be within 0 and 3"),
		get(image+"xy/0/0:5/0:5/0:2", 400, 1002, "Type error in cutout argument0/0:5/0:5/0:2"),
		get(image+"xz/0/0:5/0:5/0:5", 400, 1002, "Type error in cutout argument"),
		get(image+"xy/0/5/0:5/0", 400, 1001, "Incorrect cutout arguments 5/0:5/0"),
		get(image+"yz/0/5/0:5/7", 400, 1001, "Incorrect cutout arguments 5/0:5/7"),
		get(image+"xy/0/5:5/0:5/0", 400, 1001, "Incorrect cutout arguments 0/5:5/0:5/0"),
		get(image+"xy/0/0:2001/0:5/0", 400, 1001, "Incorrect cutout arguments 0/0:2001/0:5/0"),
		get(image+"xy/0/0:99999999999999999999/0:5/0", 400, 1001, ""),
		get(image+"xy/0/0:5/0:5/100", 400, 1001, ""),
		get(image+"xy/0/0:5/0:5/0/2", 400, 1000, "Invalid time range 2."),
		get("/v1/image/c/e/none/xy/0/0:5/0:5/0", 404, 4000, "Channel none not found"),
		{method: "GET", path: image + "zy/0/0:5/0:5/0", status: 404, kind: html},
		{method: "GET", path: image + "xy/10/0:5/0:5/0", status: 404, kind: html},
		// The frame ends at 2000, in the middle of a tile.
		{method: "GET", path: tile + "xy/512/0/2/0/0", status: 200, kind: "image/png"},
		get(tile+"xy/512/0/3/0/0", 400, 1001, "Incorrect cutout arguments 0/3/0/0"),
		get(tile+"xz/512/0/0/0/0", 400, 1001, ""),
		get(tile+"xy/0/0/0/0/0", 400, 1001, ""),
		get(tile+"xy/99999999999999999999/0/99999999999999999999/0/0", 400, 1001, ""),
		get(tile+"xy/512/3/0/0/0", 400, 1002, "Invalid resolution 3."),
		// What has no picture, and the framework's errors, which are drawn too.
		broken("/v1/image/c/e/image64/xy/0/0:5/0:5/0"), broken("/v1/image/c/e/label32/xy/0/0:5/0:5/0"),
		broken("/v1/image/c/e/label8/xy/1/0:5/0:5/0"), // not downsampled
		broken("/v1/image/c/e/label64/xy/0/0:5/0:5/0", "Accept: image/jpeg"),
		broken(image+"xy/0/0:5/0:5/0", "Accept: application/json"),
		broken(image+"xy/0/0:5/0:5/0", nobody),
		broken(image + "xy/0/0:5/0:5/0?access-mode=fast"),
		{method: "POST", path: image + "xy/0/0:5/0:5/0", status: 500, kind: html},
		// A browser's <img>.
		{method: "GET", path: image + "xy/0/0:5/0:5/0", headers: h("Accept: image/avif,image/webp,image/*,*/*;q=0.8"), status: 200, kind: "image/png"},
		{method: "GET", path: "/v1/image/c/e/label64/xz/2/0:5/4/0:5", status: 500, kind: html},
		// The cutout service's pictures.
		{method: "GET", path: "/v1/cutout/c/e/image16/0/0:5/0:5/0:5/", headers: h("Accept: image/jpeg"), status: 400, code: 2001, says: "only supports uint8"},
		{method: "GET", path: "/v1/cutout/c/e/image8/0/0:5/0:5/0:5/0:1/", headers: h("Accept: image/jpeg"), status: 400, code: 2005, says: "does not support 4D"},
	})
}

// A public server can be read by everyone, and written with its token only.
func TestPublic(t *testing.T) {
	b := serve(t, localboss.Options{Public: true})
	b.fill()
	for _, who := range []string{nobody, "Authorization: Token public"} {
		b.check([]rule{
			{method: "GET", path: "/v1/collection/", headers: h(who), status: 200, says: `{"collections":["c"]}`},
			{method: "GET", path: em + "/channel/image8", headers: h(who), status: 200, says: `"name":"image8"`},
			{method: "GET", path: "/v1/downsample/c/e/image8", headers: h(who), status: 200},
			{method: "GET", path: "/v1/cutout/c/e/image8/0/0:5/0:5/0:5/", headers: h(who), status: 200, kind: "application/blosc"},
			{method: "GET", path: "/v1/image/c/e/image8/xy/0/0:5/0:5/0", headers: h(who), status: 200, kind: "image/png"},
			{method: "POST", path: "/v1/collection/d", body: `{}`, headers: h(who), status: 401},
			{method: "DELETE", path: em + "/channel/image8", headers: h(who), status: 401},
			{method: "PUT", path: "/v1/cutout/to_black/c/e/image8/0/0:5/0:5/0:5/", headers: h(who), status: 401},
		})
	}
	b.check([]rule{{method: "GET", path: "/v1/collection/", headers: h("Authorization: Token " + strings.Repeat("0", 40)), status: 401}})
}

// Other sites' pages may ask only where it was allowed.
func TestCrossOrigin(t *testing.T) {
	for _, allowed := range []bool{true, false} {
		b := serve(t, localboss.Options{CrossOrigin: allowed})
		b.fill()
		const origin = "Origin: https://neuroglancer.example"
		a := b.must(200, "GET", "/v1/collection/", "", origin)
		if got := a.header.Get("Access-Control-Allow-Origin"); (got == "*") != allowed {
			t.Errorf("allowed %v: origin %q", allowed, got)
		}
		a = b.must(404, "GET", "/v1/collection/none", "", origin)
		if got := a.header.Get("Access-Control-Allow-Origin"); (got == "*") != allowed {
			t.Errorf("allowed %v: origin %q with an error", allowed, got)
		}
		r := httptest.NewRequest("OPTIONS", "/v1/cutout/c/e/image8/0/0:5/0:5/0:5/", nil)
		r.Header = http.Header{"Origin": {"https://neuroglancer.example"}, "Access-Control-Request-Method": {"GET"}, "Access-Control-Request-Headers": {"authorization"}}
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		h := w.Header()
		if ok := w.Code == 200 && h.Get("Access-Control-Allow-Origin") == "*" && strings.Contains(h.Get("Access-Control-Allow-Headers"), "authorization") &&
			strings.Contains(h.Get("Access-Control-Allow-Methods"), "GET"); ok != allowed {
			t.Errorf("allowed %v: %d %v", allowed, w.Code, h)
		}
	}
}
