package rendertest_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"github.com/neurodata/ndpush/internal/source/render/rendertest"
	"github.com/neurodata/ndpush/internal/voxel"
)

func at(x, y, z int) uint16 { return uint16(300*(x+20) + 7*(y+20) + z) }

func server() *rendertest.Server {
	return rendertest.New(rendertest.Stack{
		Owner: "lab", Project: "fly", Name: "v1", X: voxel.Range{Min: -10, Max: 90}, Y: voxel.Range{Min: 5, Max: 65},
		Sections: []float64{1, 2, 4.5}, At: at, Bits: 16, Tile: 10,
	})
}

func get(t *testing.T, s *rendertest.Server, path string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/render-ws/v1/owner/lab/project/fly/stack/v1"+path, nil)
	for name, v := range header {
		r.Header[name] = v
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// decode reads an image as other programs do.
func decode(t *testing.T, p []byte) image.Image {
	t.Helper()
	read := png.Decode
	if bytes.HasPrefix(p, []byte("MM")) {
		read = tiff.Decode
	}
	m, err := read(bytes.NewReader(p))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Images are of the kind, and the size, that they are said to be.
func TestImages(t *testing.T) {
	const box = "/z/2/box/-13,5,29,17,0.5/"
	nrgba := decode(t, get(t, server(), box+"png-image?minIntensity=0&maxIntensity=65535", nil).Body.Bytes()).(*image.NRGBA)
	gray := decode(t, get(t, server(), box+"png16-image", nil).Body.Bytes()).(*image.Gray16)
	strip := decode(t, get(t, server(), box+"tiff16-image", nil).Body.Bytes()).(*image.Gray16)
	for _, m := range []image.Image{nrgba, gray, strip} {
		if m.Bounds() != image.Rect(0, 0, 14, 8) { // 14.5 and 8.5, cut off
			t.Fatalf("%T: %v", m, m.Bounds())
		}
	}
	for j := range 8 {
		for i := range 14 {
			x, y := -13+2*i+1, 5+2*j+1
			var v uint16
			var c color.NRGBA
			if x >= -10 {
				v = at(x, y, 2)
				c = color.NRGBA{byte((int(v) + 128) / 256), byte((int(v) + 128) / 256), byte((int(v) + 128) / 256), 255}
			}
			if nrgba.NRGBAAt(i, j) != c || gray.Gray16At(i, j).Y != v || strip.Gray16At(i, j).Y != v {
				t.Fatalf("pixel %d, %d: %v, %v and %v, want %v and %d", i, j, nrgba.NRGBAAt(i, j), gray.Gray16At(i, j), strip.Gray16At(i, j), c, v)
			}
		}
	}
}

// Where there is nothing is an empty image.
func TestEmpty(t *testing.T) {
	for _, box := range []string{"/z/3/box/0,5,4,4,1/png-image", "/z/2/box/1000,5,4,4,1/png-image"} {
		w := get(t, server(), box, nil)
		m := decode(t, w.Body.Bytes()).(*image.NRGBA)
		if w.Code != http.StatusOK || m.Bounds().Dx() != 4 || strings.Trim(string(m.Pix), "\x00") != "" {
			t.Errorf("%s: %d, %v", box, w.Code, m.Pix)
		}
	}
}

// More tiles than are allowed are drawn as outlines, in the kind that the real
// one has for that.
func TestOutlines(t *testing.T) {
	for _, tt := range []struct {
		query    string
		deaf     bool
		outlines bool
	}{
		{"", false, true}, {"?maxTileSpecsToRender=0", false, true}, {"?maxTileSpecsToRender=59", false, true},
		{"?maxTileSpecsToRender=60", false, false}, {"?maxTileSpecsToRender=1000000", false, false},
		{"?maxTileSpecsToRender=1000000", true, true},
	} {
		for _, kind := range []string{"png-image", "png16-image", "tiff16-image"} {
			s := server()
			s.Deaf = tt.deaf
			m := decode(t, get(t, s, "/z/2/box/-10,5,100,60,0.25/"+kind+tt.query, nil).Body.Bytes())
			r, g, _, _ := m.At(0, 5).RGBA()
			_, gray := m.(*image.Gray16)
			if (r != g) != tt.outlines || gray != (kind != "png-image" && !tt.outlines) {
				t.Errorf("%s%s: %T with %d, %d", kind, tt.query, m, r, g)
			}
		}
	}
	if got := strings.TrimSpace(get(t, server(), "/z/2/box/-10,5,100,60/tile-count", nil).Body.String()); got != "60" {
		t.Errorf("%s tiles, want 60", got)
	}
}

// What is not an image.
func TestAnswers(t *testing.T) {
	s := server()
	etag := get(t, s, "/z/2/box/0,5,4,4,1/png-image", nil).Header().Get("ETag")
	same := http.Header{"If-None-Match": {etag}}
	old := server()
	old.NoTIFF16, old.NoPNG16 = true, true
	for _, tt := range []struct {
		server *rendertest.Server
		path   string
		header http.Header
		code   int
		body   string
	}{
		{s, "", nil, 200, `"nonIntegralSectionCount":1`},
		{s, "", nil, 200, `"maxX":89`},
		{s, "/bounds", nil, 200, `"maxZ":4.5`},
		{s, "/zValues", nil, 200, "[1,2,4.5]"},
		{s, "/z/2/bounds", nil, 200, `"minZ":2`},
		{s, "/z/3/bounds", nil, 400, "does not contain any tiles with a z value of 3"},
		{s, "/z/2/box/0,5,4,4,1/png-image", same, 304, ""},
		{s, "/z/2/box/0,5,4,4,0.1/png-image", nil, 400, "must be > 0"},
		{s, "/z/2/box/0,5,4,4,1/png-image?channels=DAPI", nil, 400, "does not exist"},
		{s, "/z/2/box/0,5,4/png-image", nil, 404, ""},
		{old, "/z/2/box/0,5,4,4,1/png16-image", nil, 404, ""},
		{old, "/z/2/box/0,5,4,4,1/tiff16-image", nil, 404, ""},
		{rendertest.New(), "", nil, 404, "stack with owner 'lab'"},
		{rendertest.New(rendertest.Stack{Owner: "lab", Project: "fly", Name: "v1", NoStats: true}), "", nil, 200, `"stats":null`},
		{rendertest.New(rendertest.Stack{Owner: "lab", Project: "fly", Name: "v1", NoStats: true}), "/bounds", nil, 400, ""},
	} {
		w := get(t, tt.server, tt.path, tt.header)
		if w.Code != tt.code || !strings.Contains(w.Body.String(), tt.body) {
			t.Errorf("%s: %d %s, want %d %s", tt.path, w.Code, w.Body, tt.code, tt.body)
		}
	}
	s.Edit()
	if w := get(t, s, "/z/2/box/0,5,4,4,1/png-image", same); w.Code != 200 || w.Header().Get("ETag") == etag {
		t.Errorf("after an edit: %d, ETag %s", w.Code, w.Header().Get("ETag"))
	}
	s.Remove("v1")
	if w := get(t, s, "", nil); w.Code != 404 {
		t.Errorf("after it was removed: %d", w.Code)
	}
}
