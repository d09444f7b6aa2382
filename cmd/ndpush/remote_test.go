package main

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A remote is a BOSS as anybody sees it who has a token and net/http. It shares
// no code with the program's client.
type remote struct {
	t     *testing.T
	host  string
	token string
}

// do sends a request and gives the body of the answer.
func (r remote) do(method, path, accept string, body any) []byte {
	r.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.host+path, bytes.NewReader(text))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token "+r.token)
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		r.t.Fatalf("%s %s: %s: %v\n%.500s", method, path, resp.Status, err, answer)
	}
	return answer
}

// setFaults says what goes wrong from now on; nothing, if there are none.
func (r remote) setFaults(seed uint64, fs ...localboss.Fault) {
	r.t.Helper()
	r.do(http.MethodPut, "/local/faults", "application/json", localboss.Script{Seed: seed, Faults: fs})
}

// A fault is a localboss.Fault and what became of it.
type fault struct {
	localboss.Fault
	Seen, Hits int
}

// faults are those in force.
func (r remote) faults() []fault {
	r.t.Helper()
	var answer struct{ Faults []fault }
	r.decode("/local/faults", &answer)
	return answer.Faults
}

// seen is how many requests the first fault in force looked at.
func (r remote) seen() int { return r.faults()[0].Seen }

// hits is how many requests the first fault in force has met.
func (r remote) hits() int { return r.faults()[0].Hits }

// writes says what was stored so far.
func (r remote) writes() (w localboss.Writes) {
	r.t.Helper()
	r.decode("/local/writes", &w)
	return w
}

func (r remote) decode(path string, v any) {
	r.t.Helper()
	if err := json.Unmarshal(r.do(http.MethodGet, path, "application/json", nil), v); err != nil {
		r.t.Fatal(err)
	}
}

// meta is a value of an experiment's metadata.
func (r remote) meta(experiment, key string) string {
	r.t.Helper()
	var answer struct{ Value string }
	r.decode("/v1/meta/"+experiment+"/?key="+key, &answer)
	return answer.Value
}

// cutout reads voxels as NumPy's clients do: an .npy file that is compressed
// with zlib, read here by the standard library alone.
func (r remote) cutout(channel string, box voxel.Box) []byte {
	r.t.Helper()
	path := fmt.Sprintf("/v1/cutout/%s/0/%v/", channel, box)
	z, err := zlib.NewReader(bytes.NewReader(r.do(http.MethodGet, path, "application/npygz", nil)))
	if err != nil {
		r.t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		r.t.Fatal(err)
	}
	// Magic, version and the length of a Python dictionary, which ends in a newline.
	header, voxels, ok := bytes.Cut(all, []byte("\n"))
	shape := fmt.Sprintf("'shape': (%d, %d, %d)", box.Z().Len(), box.Y().Len(), box.X().Len())
	if !ok || !bytes.HasPrefix(header, []byte("\x93NUMPY\x01\x00")) || !strings.Contains(string(header), shape) {
		r.t.Fatalf("%v is no array with %s: %.200q", box, shape, all)
	}
	return voxels
}

// sent are the cutouts of a channel that were stored, and how often more than once.
func (r remote) sent(channel string) (cutouts map[string]int, twice int) {
	r.t.Helper()
	cutouts = make(map[string]int)
	for _, w := range r.writes().Cutouts {
		if w.Channel == channel {
			cutouts[w.Box] = w.Posts
			twice += max(0, w.Posts-1)
		}
	}
	return cutouts, twice
}
