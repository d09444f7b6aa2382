package localboss_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

// set scripts faults.
func (b *boss) set(fs ...localboss.Fault) {
	b.t.Helper()
	if err := b.SetFaults(1, fs...); err != nil {
		b.t.Fatal(err)
	}
}

const cellPath = "/v1/cutout/c/e/image8/0/0:4/0:4/0:4/"

func TestFaultStatus(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	body := frame(t, make([]byte, 64), voxel.Uint8)
	post := rule{method: "POST", path: cellPath, body: body, headers: h(bloscBody), status: 201, kind: html}
	get := rule{method: "GET", path: em, status: 200}

	b.set(localboss.Fault{Kind: localboss.Status, Method: "POST", Path: "/v1/cutout/", Skip: 1, Times: 2, Status: 503, HTML: true})
	sick := post
	sick.status = 503
	b.check([]rule{post, get, sick, sick, get, post, post})

	b.set(localboss.Fault{Kind: localboss.Status, Path: "/v1/cutout/", Status: 400, Code: 9001, Message: "Error during write_cuboid: REDIS_ERROR: 103"})
	sick = rule{method: "POST", path: strings.Replace(cellPath, "v1", "latest", 1), status: 400, code: 9001, says: "REDIS_ERROR: 103"}
	b.check([]rule{sick, get})
	b.set()
	b.check([]rule{post})
}

// A share is met, and with the same seed the same ones are.
func TestFaultShare(t *testing.T) {
	b := serve(t, localboss.Options{})
	var runs [2]string
	for i := range runs {
		b.set(localboss.Fault{Kind: localboss.Status, Status: 502, Share: 0.2})
		for range 200 {
			a, err := b.do("GET", "/v1/coord/", "")
			if err != nil {
				t.Fatal(err)
			}
			runs[i] += fmt.Sprint(a.status, " ")
		}
	}
	if runs[0] != runs[1] {
		t.Error("the same seed meets others")
	}
	if n := strings.Count(runs[0], "502"); n < 20 || n > 60 {
		t.Errorf("%d of 200 are met, want about 40", n)
	}
}

func TestFaultDrops(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	one := frame(t, []byte{7}, voxel.Uint8)
	for i, tt := range []struct {
		kind   localboss.Kind
		stored byte
	}{
		{localboss.DropConnect, 0},
		{localboss.DropBody, 0},
		{localboss.DropAnswer, 7},
		{localboss.CutAnswer, 7},
	} {
		at := box(i, i+1, 0, 1, 0, 1)
		b.set(localboss.Fault{Kind: tt.kind, Method: "POST"})
		if a, err := b.do("POST", fmt.Sprintf("/v1/cutout/c/e/image8/0/%v/", at), one, bloscBody); err == nil {
			t.Errorf("%s: answered with %v", tt.kind, a)
		}
		if got := b.get("image8", 0, at, voxel.Uint8).Data[0]; got != tt.stored {
			t.Errorf("%s: the voxel is %d, want %d", tt.kind, got, tt.stored)
		}
	}
	b.set(localboss.Fault{Kind: localboss.CutAnswer})
	if a, err := b.do("GET", em, ""); err == nil || a.status != 200 || len(a.body) == 0 {
		t.Errorf("cut-answer: %v, %v, want half of an answer", a, err)
	}
}

func TestFaultWaits(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.set(localboss.Fault{Kind: localboss.Latency, DelayMS: 50})
	begin := time.Now()
	b.must(200, "GET", "/v1/coord/", "")
	if d := time.Since(begin); d < 50*time.Millisecond {
		t.Errorf("answered after %v, want 50 ms", d)
	}

	b.set(localboss.Fault{Kind: localboss.Hang})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", b.url+"/v1/coord/", nil)
	if _, err := http.DefaultClient.Do(r); err == nil {
		t.Error("hang: answered")
	}
	done := make(chan error)
	go func() {
		_, err := b.do("GET", "/v1/coord/", "")
		done <- err
	}()
	time.Sleep(10 * time.Millisecond)
	b.Close()
	if err := <-done; err == nil {
		t.Error("hang: answered at the end")
	}
	b.must(503, "GET", "/v1/coord/", "")
}

func TestFaultLock(t *testing.T) {
	b := serve(t, localboss.Options{Faults: []localboss.Fault{{Kind: localboss.Lock, Path: "/v1/cutout/c/e/image8/", Times: 1}}})
	b.fill()
	body := frame(t, make([]byte, 64), voxel.Uint8)
	locked := rule{method: "POST", path: cellPath, body: body, headers: h(bloscBody), status: 400, code: 9001, says: "Resource Locked"}
	free := locked
	free.status, free.code, free.kind, free.says = 201, 0, html, ""
	other := free
	other.path = strings.Replace(cellPath, "image8", "label8", 1)
	b.check([]rule{other, {method: "GET", path: cellPath, status: 200, kind: "application/blosc"}, locked, free})
	b.set(localboss.Fault{Kind: localboss.Lock})
	black := "/v1/cutout/to_black/c/e/image8/0/0:1/0:1/0:1/"
	b.check([]rule{{method: "PUT", path: black, status: 500, kind: html}})
}

// The cutout that passes the limit is taken, the next is not; the form of the
// refusal goes by the Accept header.
func TestFaultQuota(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	b.set(localboss.Fault{Kind: localboss.Quota, Bytes: 64})
	taken := rule{method: "POST", path: cellPath, body: frame(t, make([]byte, 64), voxel.Uint8), headers: h(bloscBody), status: 201, kind: html}
	over := taken
	over.status, over.code, over.kind, over.says = 429, 3004, "", "User is throttled. Expected available tomorrow."
	over.kind = "application/json"
	json := taken
	json.headers = h(bloscBody, asJSON)
	json.status, json.kind, json.says = 429, "", `{"detail":"User is throttled. Expected available tomorrow."}`
	broken := taken
	broken.body = "broken"
	broken.status, broken.code, broken.kind = 400, 2001, ""
	b.must(201, taken.method, taken.path, taken.body, bloscBody)
	b.check([]rule{taken, json, broken})
	a, err := b.do(over.method, over.path, over.body, bloscBody)
	if err != nil || a.status != 429 || a.fields()["code"] != 3004.0 || a.header.Get("Retry-After") != "" {
		t.Errorf("got %v, %v", a, err)
	}
	b.check([]rule{{method: "GET", path: cellPath, status: 200, kind: "application/blosc"}})
}

func TestControl(t *testing.T) {
	closed := serve(t, localboss.Options{})
	closed.must(404, "PUT", "/local/faults", `{}`)

	b := serve(t, localboss.Options{Control: true})
	b.must(401, "PUT", "/local/faults", `{}`, wrong)
	b.must(401, "GET", "/local/faults", "", nobody)
	b.must(404, "GET", "/local/other", "")
	b.must(405, "POST", "/local/faults", "{}")
	b.must(200, "PUT", "/local/faults", `{"seed":7,"faults":[
		{"kind":"status","status":503,"html":true,"method":"GET","path":"/v1/coord","share":1,"skip":1,"times":1},
		{"kind":"latency","delay_ms":1,"jitter_ms":1,"after_ms":0,"for_ms":100},
		{"kind":"quota","bytes":1000},{"kind":"lock"},{"kind":"hang","path":"/v1/meta/"},
		{"kind":"drop-connect","path":"/x"},{"kind":"drop-body","path":"/x"},{"kind":"drop-answer","path":"/x"},{"kind":"cut-answer","path":"/x"}]}`)
	b.must(200, "GET", "/v1/coord/", "")
	b.must(503, "GET", "/v1/coord/", "")
	b.must(200, "GET", "/v1/coord/", "")
	var state struct {
		Faults []struct{ Seen, Hits int }
	}
	if err := json.Unmarshal(b.must(200, "GET", "/local/faults", "").body, &state); err != nil {
		t.Fatal(err)
	}
	if len(state.Faults) != 9 || state.Faults[0].Seen != 3 || state.Faults[0].Hits != 1 {
		t.Errorf("told: %+v", state)
	}
	for _, body := range []string{
		``, `{`, `{"fault":[]}`,
		`{"faults":[{"kind":"quake"}]}`, `{"faults":[{"kind":"status","status":200}]}`,
		`{"faults":[{"kind":"late-raw"}]}`, `{"faults":[{"kind":"hang","for_ms":-1}]}`, `{"faults":[{"kind":"hang","after_ms":-1}]}`,
		`{"faults":[{"kind":"latency","delay_ms":9,"jitter_ms":-1}]}`, `{"faults":[{"kind":"latency","delay_ms":-1,"jitter_ms":2}]}`,
		`{"faults":[{"kind":"latency"}]}`, `{"faults":[{"kind":"quota"}]}`,
		`{"faults":[{"kind":"hang","share":2}]}`, `{"faults":[{"kind":"hang","path":"v1"}]}`, `{"faults":[{"kind":"hang","times":-1}]}`,
	} {
		b.must(400, "PUT", "/local/faults", body)
	}
	b.must(200, "DELETE", "/local/faults", "")
	if got := string(b.must(200, "GET", "/local/faults", "").body); got != `{"faults":[]}` {
		t.Errorf("after DELETE: %s", got)
	}
	if _, err := localboss.New(localboss.Options{Faults: []localboss.Fault{{Kind: "quake"}}}); err == nil {
		t.Error("a fault that means nothing is taken")
	}
}
