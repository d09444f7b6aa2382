package localboss_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A rule is a request and how the real server was seen to answer it. Rules of
// a table are asked in turn, of one server.
type rule struct {
	method, path, body string
	headers            []string
	status             int
	code               int    // BOSS's, or 0 if the body is none of its errors
	kind               string // Content-Type; "" is application/json
	says               string // the body contains it
}

func (b *boss) check(rules []rule) {
	b.t.Helper()
	for _, tt := range rules {
		a, err := b.do(tt.method, tt.path, tt.body, tt.headers...)
		name := fmt.Sprintf("%s %s %.80q %v", tt.method, tt.path, tt.body, tt.headers)
		if err != nil {
			b.t.Errorf("%s: %v", name, err)
			continue
		}
		if tt.kind == "" {
			tt.kind = "application/json"
		}
		code := 0
		if n, ok := a.fields()["code"].(float64); ok {
			code = int(n)
			if status, _ := a.fields()["status"].(float64); int(status) != a.status {
				b.t.Errorf("%s: status %d, and %v in the body", name, a.status, status)
			}
		}
		if a.status != tt.status || code != tt.code || a.kind != tt.kind || !strings.Contains(string(a.body), tt.says) {
			b.t.Errorf("%s: got %v; want %d %s, code %d, %q", name, a, tt.status, tt.kind, tt.code, tt.says)
		}
	}
}

const (
	html    = "text/html"
	asJSON  = "Accept: application/json"
	asBlosc = "Accept: application/blosc"
	nobody  = "Authorization"
	wrong   = "Authorization: Token 00"
)

func h(headers ...string) []string { return headers }

func TestResources(t *testing.T) {
	b := serve(t, localboss.Options{})
	set := func(body, field, value string) string { // with another value of a field
		i := strings.Index(body, `"`+field+`":`) + len(field) + 3
		j := i + strings.IndexAny(body[i:], ",}")
		return body[:i] + value + body[j:]
	}
	without := func(body, field string) string { return strings.Replace(body, `"`+field+`"`, `"other"`, 1) }
	frame, exp, im := "/v1/coord/", "/v1/collection/c/experiment/", em+"/channel/"
	image := channelBody("image", "uint8")
	b.check([]rule{
		// Collections and names.
		{method: "GET", path: "/v1/collection/c", status: 404, code: 4000, says: `"message":"c does not exist."`},
		{method: "POST", path: "/v1/collection/c", body: `{"name":"ignored","description":"d"}`, status: 201,
			says: `{"name":"c","public":false,"description":"d","experiments":[],"creator":"local"}`},
		{method: "POST", path: "/v1/collection/c", body: `{}`, status: 400, code: 1003, says: "already exists."},
		{method: "GET", path: "/latest/collection/c/", status: 200, says: `"name":"c"`},
		{method: "POST", path: "/v1/collection/bad%20name", body: `{}`, status: 201, says: `"name":"bad"`},
		{method: "POST", path: "/v1/collection/bad%20again", body: `{}`, status: 400, code: 1003},
		{method: "POST", path: "/v1/collection/%C3%A9t%C3%A9", body: `{}`, status: 400, code: 1003,
			says: `{'name': [ErrorDetail(string='Invalid Name.', code='invalid')]}`},
		{method: "POST", path: "/v1/collection/" + strings.Repeat("n", 256), body: `{}`, status: 400, code: 1003, says: "max_length"},
		{method: "POST", path: "/v1/collection/nobody", status: 201, says: `"description":""`}, // no body at all
		{method: "POST", path: "/v1/collection/n", body: `{`, status: 400, says: `{"detail":"JSON parse error - `},
		{method: "POST", path: "/v1/collection/n", body: `[]`, status: 500, kind: html},
		{method: "POST", path: "/v1/collection/n", body: `{}`, headers: h("Content-Type: text/plain"), status: 415,
			says: `{"detail":"Unsupported media type \"text/plain\" in request."}`},
		{method: "PATCH", path: "/v1/collection/c", status: 405, says: `{"detail":"Method \"PATCH\" not allowed."}`},
		{method: "GET", path: "/v1/collection/c", headers: h("Accept: text/csv"), status: 406},
		{method: "PUT", path: "/v1/collection/nobody", body: `{"name":"c"}`, status: 400, code: 1003},
		{method: "PUT", path: "/v1/collection/nobody", body: `{"name":"somebody","description":"e"}`, status: 200, says: `"name":"somebody"`},
		{method: "GET", path: "/v1/collection/nobody", status: 404, code: 4000},
		{method: "DELETE", path: "/v1/collection/somebody", status: 204, kind: html},
		{method: "GET", path: "/v1/collection/somebody", status: 404, code: 4005, says: "Invalid Request. This Resource has been marked for deletion"},
		{method: "POST", path: "/v1/collection/somebody", body: `{}`, status: 400, code: 1003},
		{method: "GET", path: "/v1/collection/", status: 200, says: `{"collections":["c","bad"]}`},
		{method: "GET", path: "/v1/nothing", status: 404, kind: html},
		{method: "GET", path: "/", status: 404, kind: html},

		// Coordinate frames.
		{method: "GET", path: frame + "f", status: 404, code: 4000, says: "f does not exist."},
		{method: "POST", path: frame + "f", body: frameBody, status: 201,
			says: `{"name":"f","description":"","x_start":0,"x_stop":2000,"y_start":0,"y_stop":2000,"z_start":0,"z_stop":100,"x_voxel_size":4.0,"y_voxel_size":4.0,"z_voxel_size":40.0,"voxel_unit":"nanometers"}`},
		{method: "POST", path: frame + "f", body: frameBody, status: 400, code: 1003},
		{method: "POST", path: frame + "bad%20name", body: frameBody, status: 404, kind: html},
		{method: "POST", path: frame + "g", body: set(frameBody, "x_stop", "2048.0"), status: 201, says: `"x_stop":2048,`},
		{method: "POST", path: frame + "g1", body: set(frameBody, "x_stop", "2048.5"), status: 400, code: 1003, says: `{'x_stop': [ErrorDetail(string='A valid integer is required.', code='invalid')]}`},
		{method: "POST", path: frame + "g2", body: set(frameBody, "x_stop", `"12"`), status: 201, says: `"x_stop":12,`},
		{method: "POST", path: frame + "g3", body: set(frameBody, "x_stop", "4294967296"), status: 400, code: 1003},
		{method: "POST", path: frame + "g4", body: set(frameBody, "x_start", "-5"), status: 201, says: `"x_start":-5,`},
		{method: "POST", path: frame + "g5", body: set(frameBody, "x_start", "3000"), status: 201}, // stop before start
		{method: "POST", path: frame + "g6", body: set(frameBody, "z_voxel_size", "-1"), status: 201, says: `"z_voxel_size":-1.0`},
		{method: "POST", path: frame + "g7", body: set(frameBody, "z_voxel_size", `"wide"`), status: 400, code: 1003},
		{method: "POST", path: frame + "g8", body: set(frameBody, "voxel_unit", `"Nanometers"`), status: 400, code: 1003, says: "is not a valid choice."},
		{method: "POST", path: frame + "g9", body: without(frameBody, "y_start"), status: 400, code: 1003, says: "This field is required."},
		{method: "POST", path: frame + "g9", body: without(frameBody, "voxel_unit"), status: 400, code: 1003, says: "This field is required."},
		{method: "POST", path: frame + "g9", body: set(frameBody, "y_voxel_size", "null"), status: 400, code: 1003, says: "This field may not be null."},
		{method: "PUT", path: frame + "f", body: `{"x_stop":5}`, status: 400, code: 1003, says: "Cannot update the following readonly fields"},
		{method: "PUT", path: frame + "f", body: `{"description":"d"}`, status: 200, says: `"description":"d"`},
		{method: "DELETE", path: frame + "g", status: 204, kind: html},
		{method: "GET", path: frame + "g", status: 404, code: 4005},
		{method: "GET", path: frame, status: 200, says: `{"coords":["f","g2",`},
		{method: "GET", path: frame + "f", headers: h(nobody), status: 200},

		// Experiments.
		{method: "GET", path: exp + "e", status: 404, code: 4000, says: "e does not exist."},
		{method: "POST", path: exp + "e", body: without(experimentBody, "coord_frame"), status: 400, code: 1003, says: "This request requires a valid coordinate frame"},
		{method: "POST", path: exp + "e", body: set(experimentBody, "coord_frame", `"nil"`), status: 404, code: 4000, says: "nil does not exist."},
		{method: "POST", path: "/v1/collection/none/experiment/e", body: experimentBody, status: 404, code: 4000, says: "none does not exist."},
		{method: "POST", path: exp + "e", body: set(experimentBody, "hierarchy_method", `"Isotropic"`), status: 400, code: 1003},
		{method: "POST", path: exp + "e", body: set(experimentBody, "time_step_unit", `"hours"`), status: 400, code: 1003},
		{method: "POST", path: exp + "e", body: experimentBody, status: 201,
			says: `{"channels":[],"name":"e","public":false,"description":"","collection":"c","coord_frame":"f","num_hierarchy_levels":3,"hierarchy_method":"anisotropic","num_time_samples":1,"time_step":0,"time_step_unit":"seconds","creator":"local"}`},
		{method: "POST", path: exp + "e", body: experimentBody, status: 400, code: 1003},
		{method: "POST", path: exp + "bad.name", body: experimentBody, status: 201, says: `"name":"bad"`},
		{method: "POST", path: exp + "zero", body: set(experimentBody, "num_hierarchy_levels", "0"), status: 201},
		{method: "POST", path: exp + "least", body: `{"coord_frame":"f"}`, status: 201, says: `"num_time_samples":1,"time_step":null,"time_step_unit":null`},
		{method: "PUT", path: exp + "bad", body: `{"coord_frame":"g2"}`, status: 400, code: 1003, says: "Cannot update"},
		{method: "PUT", path: exp + "bad", body: `{"num_hierarchy_levels":100}`, status: 200, says: `"num_hierarchy_levels":100`},
		{method: "DELETE", path: "/v1/collection/c", status: 400, code: 4003, says: "has experiments"},
		{method: "DELETE", path: frame + "f", status: 400, code: 4003, says: "has experiments"},
		{method: "GET", path: exp, status: 200, says: `{"experiments":["e","bad","zero","least"]}`},

		// Channels.
		{method: "GET", path: im + "im", status: 404, code: 4000, says: "im does not exist."},
		{method: "POST", path: im + "im", body: image, status: 201,
			says: `{"name":"im","public":false,"description":"","experiment":"e","default_time_sample":0,"type":"image","base_resolution":0,"datatype":"uint8","creator":"local","sources":[],"downsample_status":"NOT_DOWNSAMPLED","related":[],"storage_type":"spdb","bucket":null,"cv_path":null}`},
		{method: "POST", path: im + "im", body: image, status: 400, code: 1003},
		{method: "POST", path: im + "bad.ch", body: image, status: 201, says: `"name":"bad"`},
		{method: "POST", path: im + "x1", body: set(image, "datatype", `"UINT8"`), status: 400, code: 1003},
		{method: "POST", path: im + "x1", body: set(image, "datatype", `"float32"`), status: 400, code: 1003},
		{method: "POST", path: im + "x1", body: set(image, "type", `"Image"`), status: 400, code: 1003},
		{method: "POST", path: im + "x1", body: without(image, "type"), status: 400, code: 1003, says: "required"},
		{method: "POST", path: im + "x1", body: set(image, "default_time_sample", "1"), status: 400, code: 1003},
		{method: "POST", path: im + "high", body: set(image, "base_resolution", "7"), status: 201},
		{method: "POST", path: im + "x1", body: `{"type":"annotation","datatype":"uint64","sources":["none"]}`, status: 400, code: 1003, says: "Invalid channel names none"},
		{method: "POST", path: im + "x1", body: `{"type":"annotation","datatype":"uint64","sources":["im"],"related":["im"]}`, status: 400, code: 1003},
		{method: "POST", path: im + "x1", body: `{"type":"image","datatype":"uint8","bucket":"b"}`, status: 403, code: 3001},
		{method: "POST", path: im + "label", body: `{"type":"annotation","datatype":"uint64","sources":["im"]}`, status: 201, says: `"sources":["im"]`},
		{method: "POST", path: im + "free", body: `{"type":"annotation","datatype":"uint8"}`, status: 201},
		{method: "PUT", path: im + "im", body: `{"datatype":"uint16"}`, status: 400, code: 1003, says: "Cannot update"},
		{method: "PUT", path: im + "bad", body: `{"name":"good"}`, status: 200, says: `"name":"good"`},
		{method: "DELETE", path: im + "im", status: 400, code: 4003, says: "is the source"},
		{method: "DELETE", path: im + "label", status: 204, kind: html},
		{method: "DELETE", path: im + "im", status: 204, kind: html},
		{method: "GET", path: im + "im", status: 404, code: 4005},
		{method: "POST", path: im + "im", body: image, status: 400, code: 1003},
		{method: "POST", path: "/v1/cutout/c/e/im/0/0:1/0:1/0:1/", body: "x", headers: h(bloscBody), status: 404, code: 4005},
		{method: "GET", path: im, status: 200, says: `{"channels":["good","high","free"]}`},
		{method: "GET", path: exp + "e", status: 200, says: `"channels":["good","high","free"]`},

		// Logins.
		{method: "GET", path: exp + "e", headers: h(wrong), status: 401, says: `{"detail":"Invalid token."}`},
		{method: "GET", path: exp + "e", headers: h("Authorization: tOkEn " + testToken), status: 200},
		{method: "GET", path: exp + "e", headers: h("Authorization: Token"), status: 401, says: "No credentials"},
		{method: "GET", path: exp + "e", headers: h("Authorization: Token a b"), status: 401, says: "spaces"},
		{method: "GET", path: exp + "e", headers: h("Authorization: Bearer " + testToken), status: 403, code: 3001},
		{method: "GET", path: "/v1/collection/c", headers: h(nobody), status: 403, code: 3001, says: "Missing read permissions on the resource c"},
		{method: "GET", path: exp + "e", headers: h(nobody), status: 403, code: 3001, says: "Missing read permissions on the resource e"},
		{method: "GET", path: im + "good", headers: h(nobody), status: 403, code: 3001},
		{method: "GET", path: "/v1/collection/", headers: h(nobody), status: 200, says: `{"collections":[]}`},
		{method: "POST", path: "/v1/collection/d", body: `{}`, headers: h(nobody), status: 401, says: `{"detail":"Authentication credentials were not provided."}`},
	})
	a := b.must(401, "GET", em, "", wrong)
	if got := a.header.Get("WWW-Authenticate"); got != `Bearer realm="api"` {
		t.Errorf("WWW-Authenticate: %s", got)
	}
}

func TestMetadata(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	const offsets = "?key=offsets&value=%5B100,%200,%200%5D"
	b.check([]rule{
		{method: "GET", path: "/v1/meta/c/e/?key=offsets", status: 400, code: 1003, says: "Key offsets Not found in the database"},
		{method: "GET", path: "/v1/meta/c/e/", status: 200, says: `{"keys":[]}`},
		{method: "PUT", path: "/v1/meta/c/e/" + offsets, status: 400, code: 1003, says: "Invalid request. The key offsets does not exists"},
		{method: "POST", path: "/v1/meta/c/e/" + offsets, status: 201, kind: html},
		{method: "POST", path: "/v1/meta/c/e/" + offsets, status: 400, code: 1003, says: "Invalid request. The key offsets already exists"},
		{method: "PUT", path: "/v1/meta/c/e" + offsets, body: "ignored", headers: h("Content-Type: text/plain"), status: 200, kind: html},
		{method: "GET", path: "/v1/meta/c/e/?key=offsets", status: 200, says: `{"key":"offsets","value":"[100, 0, 0]"}`},
		{method: "GET", path: "/v1/meta/c/?key=offsets", status: 400, code: 1003},
		{method: "POST", path: "/v1/meta/c/?key=a&value=", status: 201, kind: html},
		{method: "POST", path: "/v1/meta/c/e/image8/?key=a&value=1", status: 201, kind: html},
		{method: "GET", path: "/v1/meta/c/e/image8?key=a", status: 200, says: `"1"`},
		{method: "POST", path: "/v1/meta/c/?key=a", status: 400, code: 1003, says: "Missing optional argument"},
		{method: "GET", path: "/v1/meta/c/e/", status: 200, says: `{"keys":["offsets"]}`},
		{method: "DELETE", path: "/v1/meta/c/e/?key=offsets", status: 204, kind: html},
		{method: "DELETE", path: "/v1/meta/c/e/?key=offsets", status: 400, code: 1003, says: "not found"},
		{method: "DELETE", path: "/v1/meta/c/e/", status: 400, code: 1003},
		{method: "GET", path: "/v1/meta/none/", status: 404, code: 4000, says: "Collection none not found"},
		{method: "GET", path: "/v1/meta/c/none/", status: 404, code: 4000, says: "Experiment none not found"},
		{method: "GET", path: "/v1/meta/c/e/none/", status: 404, code: 4000, says: "Channel none not found"},
		{method: "GET", path: "/v1/meta/c/", headers: h(nobody), status: 500, kind: html},
		{method: "POST", path: "/v1/meta/c/?key=b&value=1", headers: h(nobody), status: 401},
	})
}

func TestCutouts(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	b.must(201, "POST", em+"/channel/base2", `{"type":"image","datatype":"uint8","base_resolution":2}`)
	b.must(201, "POST", "/v1/collection/c/experiment/zero", strings.Replace(experimentBody, `"num_hierarchy_levels":3`, `"num_hierarchy_levels":0`, 1))
	b.must(201, "POST", "/v1/collection/c/experiment/zero/channel/ch", channelBody("image", "uint8"))
	b.must(201, "POST", "/v1/coord/big", strings.NewReplacer("2000", "2000000", `"z_stop":100`, `"z_stop":100000`).Replace(frameBody))
	b.must(201, "POST", "/v1/collection/c/experiment/big", strings.Replace(experimentBody, `"f"`, `"big"`, 1))
	b.must(201, "POST", "/v1/collection/c/experiment/big/channel/u8", channelBody("image", "uint8"))
	b.must(201, "POST", "/v1/collection/c/experiment/big/channel/u16", channelBody("image", "uint16"))
	b.must(201, "POST", "/v1/collection/c/experiment/big/channel/u64", channelBody("annotation", "uint64"))

	u8 := frame(t, bytes.Repeat([]byte{1}, 64), voxel.Uint8)
	u16 := frame(t, bytes.Repeat([]byte{1}, 128), voxel.Uint16)
	u64 := frame(t, bytes.Repeat([]byte{1}, 512), voxel.Uint64)
	flat := h(bloscBody)
	at := func(channel string, level any, ranges string) string {
		return fmt.Sprintf("/v1/cutout/c/e/%s/%v/%s/", channel, level, ranges)
	}
	const cell = "0:4/0:4/0:4"
	post := func(path, body string, status, code int, says string) rule {
		r := rule{method: "POST", path: path, body: body, headers: flat, status: status, code: code, says: says}
		if code == 0 {
			r.kind = html
		}
		return r
	}
	get := func(path string, status, code int, says string) rule {
		r := rule{method: "GET", path: path, headers: h(bloscBody, asBlosc), status: status, code: code, says: says}
		switch {
		case status == 200:
			r.kind = "application/blosc"
		case code == 0:
			r.kind = html
		}
		return r
	}
	unchunked := at("image8", 0, cell)
	b.check([]rule{
		// What is taken, with and without the last slash, under both names.
		post(at("image8", 0, cell), u8, 201, 0, ""),
		post(strings.TrimSuffix(at("image8", 0, cell), "/"), u8, 201, 0, ""),
		post(strings.Replace(at("image8", 0, cell), "/v1/", "/latest/", 1), u8, 201, 0, ""),
		post(at("image16", 0, cell), u16, 201, 0, ""),
		post(at("label64", 0, cell), u64, 201, 0, ""),
		post(at("image8", 1, cell), u8, 201, 0, ""),
		post(at("base2", 2, cell), u8, 201, 0, ""),
		post(at("base2", 3, cell), u8, 201, 0, ""),
		post(at("image8", 0, "0:4/0:4/0:4/0:1"), u8, 201, 0, ""),
		post(at("image8", 0, "0:4/0:4/0:4/1:2"), u8, 201, 0, ""), // off by one
		post(at("image8", 0, "0:8/0:2/0:4"), u8, 201, 0, ""),     // only the count is looked at
		get(at("image8", 0, "1000:1004/0:4/0:4"), 200, 0, ""),    // never written
		get(at("image8", 2, cell), 200, 0, ""),                   // nor that level
		get(at("image8", 0, cell)+"?access-mode=raw", 200, 0, ""),
		{method: "GET", path: at("image8", 0, cell), status: 200, kind: "application/blosc"}, // Accept: */*

		// Types that the models take and nothing else does.
		post(at("image64", 0, cell), u64, 400, 9001, "Can't instantiate abstract class Cube"),
		get(at("image64", 0, cell), 500, 0, ""),
		post(at("image32", 0, cell), u64, 500, 0, ""),
		post(at("label32", 0, cell), u64, 500, 0, ""),
		get(at("label32", 0, cell), 500, 0, ""),

		// Places.
		post(at("image8", 0, "-1:4/0:4/0:4"), u8, 404, 0, ""),
		post(at("image8", 10, cell), u8, 404, 0, ""),
		post(at("image8", 0, "0:4/0:4"), u8, 404, 0, ""),
		post("/v1/cutout/c/e/bad%20name/0/"+cell+"/", u8, 404, 0, ""),
		post(at("none", 0, cell), u8, 404, 4000, "Channel none not found"),
		post(strings.Replace(at("image8", 0, cell), "/e/", "/none/", 1), u8, 404, 4000, "Experiment none not found"),
		post(strings.Replace(at("image8", 0, cell), "/c/", "/none/", 1), u8, 404, 4000, "Collection none not found"),
		post(at("image8", 3, cell), u8, 400, 1002, "Invalid resolution 3. The resolution has to be within 0 and 3"),
		post(at("base2", 1, cell), u8, 400, 1002, "Invalid resolution 1. The resolution has to be within 2 and 5"),
		post("/v1/cutout/c/zero/ch/0/"+cell+"/", u8, 400, 1002, "Invalid resolution 0."),
		post(at("image8", 2, cell), u8, 400, 9001, "Resolution Mismatch"),
		post(at("image8", 0, "2000:2064/0:64/0:16"), u8, 400, 1001, "Incorrect cutout arguments 0/2000:2064/0:64/0:16"),
		post(at("image8", 1, "2000:2064/0:64/0:16"), u8, 400, 1001, "Incorrect cutout arguments 1/2000:2064/0:64/0:16"),
		post(at("image8", 1, "1996:2000/0:4/0:4"), u8, 201, 0, ""), // the frame of level 0 at every level
		post(at("image8", 0, "4:4/0:4/0:4"), u8, 400, 1001, ""),
		post(at("image8", 0, "4:0/0:4/0:4"), u8, 400, 1001, ""),
		post(at("image8", 0, "0:4/0:4/99:103"), u8, 400, 1001, ""),
		post(at("image8", 0, "0:99999999999999999999/0:4/0:4"), u8, 400, 1001, ""),
		get(at("image8", 0, "1999:2001/0:4/0:4"), 400, 1001, ""),
		post(at("image8", 0, cell+"/2:3"), u8, 400, 1000, "Start time is greater"),
		post(at("image8", 0, cell+"/0:9"), u8, 400, 1000, "Invalid time range 0:9"),
		post(at("image8", 0, cell+"/0:0"), frame(t, nil, voxel.Uint8), 400, 9001, ""),
		get(at("label64", 1, cell), 500, 0, ""), // not downsampled
		get(at("image8", 0, cell)+"?access-mode=bogus", 500, 0, ""),

		// Bodies.
		post(at("image8", 0, cell), u16, 400, 2002, "Failed to unpack data. Verify the datatype"),
		post(at("image8", 0, "0:4/0:4/0:5"), u8, 400, 2002, ""),
		post(at("image16", 0, cell), frame(t, make([]byte, 63), voxel.Uint8), 400, 2001, ""),
		post(at("image8", 0, cell), u8[:len(u8)-1], 400, 2001, "Failed to decompress data"),
		post(at("image8", 0, cell), u8+"x", 400, 2001, ""),
		post(at("image8", 0, cell), u8[:16], 400, 2001, ""),
		post(at("image8", 0, cell), "\x1f\x8b\x08 this is gzip, or so it says", 400, 2001, ""),
		post(at("image8", 0, cell), strings.Repeat("\x00", 64), 400, 2001, ""),
		post(at("image8", 0, cell), "", 500, 0, ""),

		// Sizes.
		post("/v1/cutout/c/big/u8/0/0:32768/0:16640/0:1/", u8, 400, 2002, ""), // 520 MiB
		post("/v1/cutout/c/big/u8/0/0:32769/0:16640/0:1/", u8, 413, 2000, "Cutout request is over 500MB when uncompressed. Reduce cutout dimensions."),
		post("/v1/cutout/c/big/u16/0/0:32768/0:8321/0:1/", u8, 413, 2000, ""),
		post("/v1/cutout/c/big/u64/0/0:32768/0:8320/0:1/", u8, 400, 2002, ""), // 2080 MiB
		post("/v1/cutout/c/big/u64/0/0:32768/0:8321/0:1/", u8, 413, 2000, ""),
		post("/v1/cutout/c/big/u64/0/0:2000000/0:2000000/0:100000/", u8, 413, 2000, ""),
		get("/v1/cutout/c/big/u8/0/0:32769/0:16640/0:1/", 413, 2000, ""),

		// The Accept trap.
		{method: "POST", path: unchunked, body: u8, headers: h(bloscBody, wrong), status: 500, kind: html},
		{method: "POST", path: unchunked, body: u8, headers: h(bloscBody, wrong, asBlosc), status: 500, kind: html},
		{method: "POST", path: unchunked, body: u8, headers: h(bloscBody, wrong, asJSON), status: 401, says: "Invalid token."},
		{method: "POST", path: unchunked, body: u8, headers: h(bloscBody, nobody), status: 500, kind: html},
		{method: "POST", path: unchunked, body: u8, headers: h(bloscBody, nobody, asJSON), status: 401, says: "not provided"},
		{method: "GET", path: unchunked, headers: h(wrong), status: 500, kind: html},
		{method: "GET", path: unchunked, headers: h(nobody), status: 500, kind: html},
		{method: "GET", path: unchunked, headers: h(nobody, asJSON), status: 500, kind: html},
		{method: "GET", path: unchunked, headers: h(asJSON), status: 500, kind: html}, // voxels are no JSON
		{method: "GET", path: unchunked, headers: h("Accept: text/csv"), status: 500, kind: html},
		{method: "DELETE", path: unchunked, status: 500, kind: html},
		{method: "DELETE", path: unchunked, headers: h(asJSON), status: 405, says: "DELETE"},
		{method: "POST", path: unchunked, body: u8, status: 500, kind: html}, // as application/json
		{method: "POST", path: unchunked, body: u8, headers: h(asJSON), status: 415, says: "Unsupported media type"},
		{method: "POST", path: unchunked, body: u8, headers: h(bloscBody, asJSON), status: 201, kind: html},
		{method: "POST", path: at("image8", 0, "0:4/0:4/0:9999"), body: u8, headers: h(bloscBody, asJSON), status: 400, code: 1001},

		// to_black has none.
		{method: "PUT", path: "/v1/cutout/to_black/c/e/image8/0/" + cell, headers: h("Content-Type: text/plain"), status: 200, kind: html},
		{method: "PUT", path: "/v1/cutout/to_black/c/e/image8/0/" + cell, headers: h(wrong), status: 401},
		{method: "POST", path: "/v1/cutout/to_black/c/e/image8/0/" + cell, status: 405},
		{method: "PUT", path: "/v1/cutout/to_black/c/e/image8/2/" + cell, status: 500, kind: html},
		{method: "PUT", path: "/v1/cutout/to_black/c/e/image8/3/" + cell, status: 400, code: 1002},
		{method: "PUT", path: "/v1/cutout/to_black/c/e/image8/0/0:4/0:4/0:999", status: 400, code: 1001},
		{method: "PUT", path: "/v1/cutout/to_black/c/big/u8/0/0:32769/0:16640/0:1", status: 413, code: 2000, says: "Cutout overwrite"},
	})
}

// A body whose length is not said is not seen.
func TestChunked(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	a := b.chunked("/v1/cutout/c/e/image8/0/0:4/0:4/0:4/", frame(t, make([]byte, 64), voxel.Uint8))
	if a.status != 500 || a.kind != html {
		t.Errorf("got %v, want an HTML 500", a)
	}
}

func TestPermissions(t *testing.T) {
	b := serve(t, localboss.Options{NoVolumeWrite: true})
	b.fill()
	b.check([]rule{
		{method: "POST", path: "/v1/cutout/c/e/image8/0/0:1/0:1/0:1/", body: "x", headers: h(bloscBody), status: 403, code: 3001, says: "This user does not have the required permissions"},
		{method: "PUT", path: "/v1/cutout/to_black/c/e/image8/0/0:1/0:1/0:1/", status: 403, code: 3001},
		{method: "POST", path: "/v1/downsample/c/e/image8", status: 403, code: 3001},
		{method: "GET", path: "/v1/cutout/c/e/image8/0/0:1/0:1/0:1/", status: 200, kind: "application/blosc"},
	})
	reader := serve(t, localboss.Options{NoResourceManager: true, User: "reader"})
	for _, path := range []string{"/v1/collection/c", "/v1/coord/f", em, em + "/channel/ch"} {
		for _, method := range []string{"POST", "DELETE"} {
			reader.check([]rule{{method: method, path: path, body: "{}", status: 403, code: 3000,
				says: "reader does not have the required role resource-manager"}})
		}
	}
}

func TestDownsample(t *testing.T) {
	b := serve(t, localboss.Options{HoldDownsample: true})
	b.fill()
	experiment := func(name, frame, edit string) {
		body := strings.Replace(experimentBody, `"f"`, `"`+frame+`"`, 1)
		b.must(201, "POST", "/v1/collection/c/experiment/"+name, strings.NewReplacer(strings.Split(edit, "|")...).Replace(body))
		b.must(201, "POST", "/v1/collection/c/experiment/"+name+"/channel/ch", channelBody("image", "uint8"))
	}
	b.must(201, "POST", "/v1/coord/skew", strings.Replace(frameBody, `"y_voxel_size":4.0`, `"y_voxel_size":5.0`, 1))
	b.must(201, "POST", "/v1/coord/huge", strings.NewReplacer("2000", "102400", `"z_stop":100`, `"z_stop":3201`).Replace(frameBody))
	b.must(201, "POST", "/v1/coord/full", strings.NewReplacer("2000", "102400", `"z_stop":100`, `"z_stop":3200`).Replace(frameBody))
	experiment("iso", "f", "anisotropic|isotropic")
	experiment("skew", "skew", "x|x")
	experiment("skewiso", "skew", "anisotropic|isotropic")
	experiment("deep", "f", `levels":3|levels":14`)
	experiment("huge", "huge", "x|x")
	experiment("full", "full", "x|x")
	const ch = "/v1/downsample/c/e/image8"
	b.check([]rule{
		{method: "GET", path: ch, status: 200, says: `{"status":"NOT_DOWNSAMPLED","num_hierarchy_levels":3,` +
			`"voxel_size":{"0":[4.0,4.0,40.0],"1":[8.0,8.0,40.0],"2":[16.0,16.0,40.0]},` +
			`"extent":{"0":[2000,2000,100],"1":[1000,1000,100],"2":[500,500,100]},` +
			`"cuboid_size":{"0":[512,512,16],"1":[512,512,16],"2":[512,512,16]}}`},
		{method: "GET", path: "/v1/downsample/c/iso/ch/", status: 200, says: `"2":[16.0,16.0,160.0]`},
		{method: "GET", path: "/v1/downsample/c/iso/ch/", status: 200, says: `"2":[500,500,25]`},
		{method: "DELETE", path: ch, status: 409, code: 2006, says: "You can only cancel"},
		{method: "POST", path: ch, body: `{"x_start":5}`, status: 201, kind: html},
		{method: "POST", path: ch, status: 409, code: 2006, says: "Channel is already waiting to be downsampled. Invalid Request."},
		{method: "GET", path: ch, status: 200, says: `"status":"QUEUED"`},
		{method: "GET", path: em + "/channel/image8", status: 200, says: `"downsample_status":"QUEUED"`},
		{method: "DELETE", path: ch, status: 204, kind: html},
		{method: "GET", path: ch, status: 200, says: `"status":"NOT_DOWNSAMPLED"`},
		{method: "GET", path: "/v1/downsample/c/skew/ch", status: 400, code: 9001},
		{method: "POST", path: "/v1/downsample/c/skew/ch", status: 500, kind: html},
		{method: "GET", path: "/v1/downsample/c/skewiso/ch", status: 200},
		{method: "GET", path: "/v1/downsample/c/deep/ch", status: 500, kind: html},
		{method: "POST", path: "/v1/downsample/c/huge/ch", status: 409, code: 2006, says: "Large downsamples"},
		{method: "POST", path: "/v1/downsample/c/full/ch", status: 201, kind: html},
		{method: "GET", path: "/v1/downsample/c/e/none", status: 404, code: 4000},
		{method: "GET", path: ch, headers: h(nobody), status: 500, kind: html},
		{method: "PUT", path: ch, status: 405},
	})
}

// Whoever writes to a downsampled channel makes it one that is not.
func TestDownsampled(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	const ch = "/v1/downsample/c/e/label8"
	b.downsample("label8")
	b.check([]rule{
		{method: "POST", path: ch, status: 409, code: 2006, says: "Channel is already downsampled."},
		{method: "GET", path: "/v1/cutout/c/e/label8/1/0:1/0:1/0:1/", status: 200, kind: "application/blosc"},
	})
	b.post("label8", 0, &voxel.Block{Box: box(0, 1, 0, 1, 0, 1), Type: voxel.Uint8, Data: []byte{1}})
	b.check([]rule{{method: "GET", path: ch, status: 200, says: `"status":"NOT_DOWNSAMPLED"`}})
}
