package boss_test

import (
	"bytes"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/blosc"
	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/voxel"
)

func TestParseCompression(t *testing.T) {
	for _, want := range []boss.Compression{boss.Auto, boss.LZ4, boss.Zstd, boss.None} {
		if got, err := boss.ParseCompression(want.String()); got != want || err != nil {
			t.Errorf("%v: got %v, %v", want, got, err)
		}
	}
	for _, text := range []string{"", "gzip", "LZ4", "zstd "} {
		if got, err := boss.ParseCompression(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// An inbox takes posts, or refuses them all.
type inbox struct {
	refuse bool
	bodies [][]byte
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if b.refuse {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	b.bodies = append(b.bodies, body)
	w.WriteHeader(http.StatusCreated)
}

func TestCompression(t *testing.T) {
	want := tissue(voxel.Box{Max: voxel.Point{X: 300, Y: 200, Z: 5}})
	for _, tt := range []struct {
		how   boss.Compression
		codec blosc.Codec
		least float64 // of the frame, for each byte
		most  float64
	}{
		{boss.LZ4, blosc.LZ4, 0.9, 1.001},
		{boss.Zstd, blosc.Zstd, 0.5, 0.85},
		{boss.None, blosc.LZ4, 1, 1.001},   // a header has to name a codec
		{boss.Auto, blosc.Zstd, 0.5, 0.85}, // as nothing is known yet
	} {
		in := new(inbox)
		ch := newChannel(t, serve(t, boss.Options{Compression: tt.how}, in.ServeHTTP), voxel.Uint8)
		if err := ch.Post(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		h, err := blosc.ParseHeader(in.bodies[0])
		if err != nil || h.Codec != tt.codec {
			t.Errorf("%v: the frame is %v, %v", tt.how, h.Codec, err)
		}
		var d blosc.Decoder
		if got, err := d.Append(nil, in.bodies[0], len(want.Data)); err != nil || !bytes.Equal(got, want.Data) {
			t.Errorf("%v: the frame holds other voxels, %v", tt.how, err)
		}
		in.refuse = true
		if err := ch.Post(t.Context(), want); err == nil {
			t.Errorf("%v: a refused post", tt.how)
		}
		s := ch.Sent()
		counted := tt.how
		if counted == boss.Auto {
			counted = boss.Zstd
		}
		var wantSent boss.Sent
		wantSent.Cuboids[counted], wantSent.Voxels, wantSent.Frames = 1, int64(len(want.Data)), int64(len(in.bodies[0]))
		if s != wantSent {
			t.Errorf("%v: sent %+v, want %+v", tt.how, s, wantSent)
		}
		if ratio := float64(s.Frames) / float64(s.Voxels); ratio < tt.least || ratio > tt.most {
			t.Errorf("%v: %.3f of the bytes are sent, want %.3f to %.3f", tt.how, ratio, tt.least, tt.most)
		}
	}
}

// That a server is slow is noticed while the first cuboids are on their way. The
// cuboid is small, as the race detector makes compressing take up to a microsecond
// a byte, where it is on its way for a hundred. The answers do not come together, or
// all who wait for them would be taken for a crowd that waits for a core.
func TestAutoNoticesASlowWay(t *testing.T) {
	const workers, cuboids = 8, 12
	var requests atomic.Int64
	slow := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		time.Sleep(time.Second + time.Duration(requests.Add(1))*50*time.Millisecond)
		w.WriteHeader(http.StatusCreated)
	}
	ch := newChannel(t, serve(t, boss.Options{Workers: workers}, slow), voxel.Uint8)
	cuboid := tissue(voxel.Box{Max: voxel.Point{X: 64, Y: 64, Z: 4}})
	got := postAll(t, ch, cuboid, workers, cuboids).Cuboids
	if got[boss.LZ4] != 0 || got[boss.Zstd] != cuboids {
		t.Errorf("%d cuboids with lz4 and %d with zstd, want 0 and %d", got[boss.LZ4], got[boss.Zstd], cuboids)
	}
}
