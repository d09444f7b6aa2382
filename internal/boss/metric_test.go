package boss_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A server that tells of a quota is understood, also once something was used.
func TestUsage(t *testing.T) {
	c, s := local(t, localboss.Options{}, boss.Options{})
	ch := create(t, c, boss.ChannelInfo{Name: "im1", Type: "image", Datatype: "uint8"})
	if err := s.SetFaults(1, localboss.Fault{Kind: localboss.Quota, Bytes: 1 << 30, Show: true}); err != nil {
		t.Fatal(err)
	}
	if err := ch.Post(t.Context(), noise(box, voxel.Uint8)); err != nil {
		t.Fatal(err)
	}
	list, err := c.Usage(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatalf("got %v, %v, want one quota", list, err)
	}
	since := list[0].Since
	want := boss.Usage{Metric: "user:local", Type: "ingress", Units: "byte_count", Limit: 1 << 30, Since: since, Value: box.Voxels()}
	if list[0] != want {
		t.Errorf("got %+v, want %+v", list[0], want)
	}
	if _, err := time.Parse(time.DateOnly, since); err != nil {
		t.Error(err)
	}
}

// What most servers do instead is an error, at once and without the token.
func TestUsageNotTold(t *testing.T) {
	c, _ := local(t, localboss.Options{}, boss.Options{})
	if list, err := c.Usage(t.Context()); err == nil {
		t.Errorf("a login page was read as %v", list)
	}
	for _, h := range []http.HandlerFunc{
		func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("<html><title>log in</title></html>")) },
		func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(`[{"metric": 7}]`)) },
	} {
		n := 0
		c := serve(t, boss.Options{}, func(w http.ResponseWriter, r *http.Request) { n++; h(w, r) })
		if _, err := c.Usage(t.Context()); err == nil || n != 1 || strings.Contains(err.Error(), secret) {
			t.Errorf("%d requests, error %v", n, err)
		}
	}
}

// The clock is that of whatever answer comes, and costs no token.
func TestClock(t *testing.T) {
	want := time.Date(2026, 11, 22, 18, 31, 22, 0, time.UTC)
	var got *http.Request
	c := serve(t, boss.Options{}, func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.Header().Set("Date", want.Format(http.TimeFormat))
		w.WriteHeader(http.StatusForbidden)
	})
	if at, err := c.Clock(t.Context()); err != nil || !at.Equal(want) {
		t.Errorf("got %v, %v, want %v", at, err, want)
	}
	if got.Method != http.MethodHead || got.Header.Get("Authorization") != "" {
		t.Errorf("%s with authorization %q", got.Method, got.Header.Get("Authorization"))
	}
	c = serve(t, boss.Options{}, func(w http.ResponseWriter, r *http.Request) { w.Header()["Date"] = nil })
	if at, err := c.Clock(t.Context()); err == nil {
		t.Errorf("got %v of an answer without a date", at)
	}
	c = newClient(t, "http://127.0.0.1:1", boss.Options{})
	if at, err := c.Clock(t.Context()); err == nil {
		t.Errorf("got %v from nobody", at)
	}
}
