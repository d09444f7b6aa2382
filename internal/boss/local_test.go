package boss_test

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/pace"
	"github.com/neurodata/ndpush/internal/voxel"
)

// local is a BOSS in memory with the experiment lab/exp1, and a client of it.
func local(t testing.TB, server localboss.Options, opts boss.Options) (*boss.Client, *localboss.Server) {
	t.Helper()
	server.Token = secret
	s, err := localboss.New(server)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(func() { s.Close(); srv.Close() })
	return newClient(t, srv.URL, opts), s
}

var labFrame = boss.Frame{
	Name: "lab_exp1", Extent: voxel.Box{Max: voxel.Point{X: 2048, Y: 2048, Z: 64}},
	VoxelSize: [3]float64{4, 4, 40}, VoxelUnit: "nanometers",
}

// create makes all resources down to a channel and returns it.
func create(t testing.TB, c *boss.Client, info boss.ChannelInfo) *boss.Channel {
	t.Helper()
	ctx := t.Context()
	for _, err := range []error{
		c.CreateCollection(ctx, boss.Collection{Name: "lab", Description: "a lab"}),
		c.CreateFrame(ctx, labFrame),
		c.CreateExperiment(ctx, boss.Experiment{Name: "exp1", Collection: "lab", Frame: "lab_exp1", Levels: 3, Method: "anisotropic", TimeSamples: 1}),
		c.CreateChannel(ctx, "lab", "exp1", info),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ty, err := voxel.ParseType(info.Datatype)
	if err != nil {
		t.Fatal(err)
	}
	ch, err := c.Channel("lab", "exp1", info.Name, info.BaseResolution, ty)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func TestResources(t *testing.T) {
	c, _ := local(t, localboss.Options{}, boss.Options{})
	ctx := t.Context()
	_, err1 := c.Collection(ctx, "lab")
	_, err2 := c.Frame(ctx, "lab_exp1")
	if !boss.IsMissing(err1) || !boss.IsMissing(err2) || boss.IsDeleted(err1) || boss.IsExisting(err1) {
		t.Errorf("before they are created: %v; %v", err1, err2)
	}
	create(t, c, boss.ChannelInfo{Name: "im1", Type: "image", Datatype: "uint16"})
	if _, err := c.ChannelInfo(ctx, "lab", "exp1", "im2"); !boss.IsMissing(err) {
		t.Errorf("a channel that is not there: %v", err)
	}
	err := c.CreateChannel(ctx, "lab", "exp1", boss.ChannelInfo{Name: "labels", Type: "annotation", Datatype: "uint64", Sources: []string{"im1"}})
	if err != nil {
		t.Error(err)
	}

	if names, err := c.Collections(ctx); err != nil || !slices.Equal(names, []string{"lab"}) {
		t.Errorf("the collections are %q, %v", names, err)
	}
	coll, err := c.Collection(ctx, "lab")
	if err != nil || coll.Name != "lab" || coll.Description != "a lab" || !slices.Equal(coll.Experiments, []string{"exp1"}) {
		t.Errorf("got %+v, %v", coll, err)
	}
	if f, err := c.Frame(ctx, "lab_exp1"); err != nil || f != labFrame {
		t.Errorf("got %+v, %v", f, err)
	}
	exp, err := c.Experiment(ctx, "lab", "exp1")
	if err != nil || exp.Frame != "lab_exp1" || exp.Levels != 3 || exp.Method != "anisotropic" || exp.TimeSamples != 1 || len(exp.Channels) != 2 {
		t.Errorf("got %+v, %v", exp, err)
	}
	im, err := c.ChannelInfo(ctx, "lab", "exp1", "im1")
	if err != nil || im.Type != "image" || im.Datatype != "uint16" || im.StorageType != "spdb" || im.DownsampleStatus != "NOT_DOWNSAMPLED" {
		t.Errorf("got %+v, %v", im, err)
	}
	labels, err := c.ChannelInfo(ctx, "lab", "exp1", "labels")
	if err != nil || labels.Type != "annotation" || !slices.Equal(labels.Sources, []string{"im1"}) {
		t.Errorf("got %+v, %v", labels, err)
	}
	for _, err := range []error{
		c.CreateCollection(ctx, boss.Collection{Name: "lab"}),
		c.CreateFrame(ctx, labFrame),
		c.CreateChannel(ctx, "lab", "exp1", boss.ChannelInfo{Name: "im1", Type: "image", Datatype: "uint8"}),
	} {
		if !boss.IsExisting(err) {
			t.Errorf("created a second time: %v", err)
		}
	}
}

func TestMeta(t *testing.T) {
	c, _ := local(t, localboss.Options{}, boss.Options{})
	create(t, c, boss.ChannelInfo{Name: "im1", Type: "image", Datatype: "uint8"})
	for _, names := range [][]string{{"lab"}, {"lab", "exp1"}, {"lab", "exp1", "im1"}} {
		if got, ok, err := c.Meta(t.Context(), "offsets", names...); got != "" || ok || err != nil {
			t.Errorf("%v: got %q, %v, %v before it is set", names, got, ok, err)
		}
		for _, value := range []string{"[100, 0, 0]", "a+b & c=ü", "[100, 0, 0]"} {
			if err := c.SetMeta(t.Context(), "offsets", value, names...); err != nil {
				t.Error(err)
			}
			if got, ok, err := c.Meta(t.Context(), "offsets", names...); got != value || !ok || err != nil {
				t.Errorf("%v: got %q, %v, %v, want %q", names, got, ok, err, value)
			}
		}
	}
	if _, ok, err := c.Meta(t.Context(), "offsets", "nothere"); ok || err == nil {
		t.Error("a key of a collection that is not there is merely absent")
	}
}

func TestPostAndGet(t *testing.T) {
	for _, info := range []boss.ChannelInfo{
		{Name: "im1", Type: "image", Datatype: "uint8"},
		{Name: "im1", Type: "image", Datatype: "uint16", BaseResolution: 1},
		{Name: "im1", Type: "annotation", Datatype: "uint64"},
	} {
		c, _ := local(t, localboss.Options{}, boss.Options{})
		ch := create(t, c, info)
		want := noise(voxel.Box{Min: voxel.Point{X: 500, Y: 30, Z: 10}, Max: voxel.Point{X: 520, Y: 130, Z: 16}}, ch.Type())
		if err := ch.Post(t.Context(), want); err != nil {
			t.Fatalf("%s: %v", info.Datatype, err)
		}
		got, err := ch.Get(t.Context(), want.Box)
		if err != nil || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%s: other voxels come back, %v", info.Datatype, err)
		}
		empty, err := ch.Get(t.Context(), voxel.Box{Min: voxel.Point{X: 1500}, Max: voxel.Point{X: 1600, Y: 1, Z: 1}})
		if err != nil || !voxel.IsZero(empty.Data) {
			t.Errorf("%s: what was never written is not 0, %v", info.Datatype, err)
		}
		// Zeros do not erase, to_black does.
		if err := ch.Post(t.Context(), voxel.NewBlock(want.Box, ch.Type())); err != nil {
			t.Error(err)
		}
		if got, err := ch.Get(t.Context(), want.Box); err != nil || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%s: zeros erased, %v", info.Datatype, err)
		}
		if err := ch.ToBlack(t.Context(), want.Box); err != nil {
			t.Error(err)
		}
		if got, err := ch.Get(t.Context(), want.Box); err != nil || !voxel.IsZero(got.Data) {
			t.Errorf("%s: to_black left something, %v", info.Datatype, err)
		}
	}
}

func TestDownsample(t *testing.T) {
	c, _ := local(t, localboss.Options{HoldDownsample: true}, boss.Options{})
	ch := create(t, c, boss.ChannelInfo{Name: "im1", Type: "image", Datatype: "uint8"})
	d, err := ch.Downsample(t.Context())
	if err != nil || d.Status != "NOT_DOWNSAMPLED" || d.Levels != 3 || d.CuboidSize["0"] != [3]int{512, 512, 16} || d.Extent["0"] != [3]int{2048, 2048, 64} || d.VoxelSize["1"][0] != 8 {
		t.Errorf("got %+v, %v", d, err)
	}
	if err := ch.StartDownsample(t.Context()); err != nil {
		t.Error(err)
	}
	if d, err := ch.Downsample(t.Context()); err != nil || d.Status != "QUEUED" {
		t.Errorf("got %+v, %v", d, err)
	}
	err = ch.StartDownsample(t.Context())
	if e := (*boss.Error)(nil); !errors.As(err, &e) || e.Status != 409 || e.Class() != boss.Permanent {
		t.Errorf("asked a second time: %v", err)
	}
}

func TestRefusedByLocal(t *testing.T) {
	ctx := context.Background()
	cuboid := noise(box, voxel.Uint8)
	image := boss.ChannelInfo{Name: "im1", Type: "image", Datatype: "uint8"}

	t.Run("token", func(t *testing.T) {
		c, s := local(t, localboss.Options{}, boss.Options{})
		create(t, c, image)
		srv := httptest.NewServer(s)
		defer srv.Close()
		wrong, err := boss.New(boss.Access{Protocol: "http", Host: strings.TrimPrefix(srv.URL, "http://"), Token: boss.NewToken("f" + secret[1:])}, boss.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ch := newChannel(t, wrong, voxel.Uint8)
		for _, err := range []error{wrong.CheckToken(ctx, "lab"), wrong.CheckToken(ctx, "nothere"), ch.Post(ctx, cuboid), ch.ToBlack(ctx, box)} {
			if e := (*boss.Error)(nil); !errors.As(err, &e) || e.Status != 401 || !e.Fatal() {
				t.Errorf("a wrong token: %v", err)
			}
		}
		for _, name := range []string{"lab", "nothere"} {
			if err := c.CheckToken(ctx, name); err != nil {
				t.Errorf("the right token, and the collection %s: %v", name, err)
			}
		}
	})
	t.Run("permission", func(t *testing.T) {
		c, _ := local(t, localboss.Options{NoVolumeWrite: true}, boss.Options{})
		err := create(t, c, image).Post(ctx, cuboid)
		if e := (*boss.Error)(nil); !errors.As(err, &e) || e.Code != 3001 || !e.Fatal() {
			t.Errorf("got %v", err)
		}
	})
	t.Run("role", func(t *testing.T) {
		c, _ := local(t, localboss.Options{NoResourceManager: true}, boss.Options{})
		err := c.CreateCollection(ctx, boss.Collection{Name: "lab"})
		if e := (*boss.Error)(nil); !errors.As(err, &e) || e.Code != 3000 || !e.Fatal() {
			t.Errorf("got %v", err)
		}
	})
	t.Run("place", func(t *testing.T) {
		c, _ := local(t, localboss.Options{}, boss.Options{})
		ch := create(t, c, image)
		out := noise(voxel.Box{Min: voxel.Point{X: 2000}, Max: voxel.Point{X: 2064, Y: 64, Z: 16}}, voxel.Uint8)
		err := ch.Post(ctx, out)
		if e := (*boss.Error)(nil); !errors.As(err, &e) || e.Code != 1001 || e.Class() != boss.Permanent {
			t.Errorf("outside of the frame: %v", err)
		}
		if _, err := ch.Get(ctx, out.Box); err == nil {
			t.Error("voxels from outside of the frame")
		}
		// The server takes uint16 for uint8 of another size.
		if ch, err = c.Channel("lab", "exp1", "im1", 0, voxel.Uint16); err != nil {
			t.Fatal(err)
		}
		err = ch.Post(ctx, noise(box, voxel.Uint16))
		if e := (*boss.Error)(nil); !errors.As(err, &e) || e.Code != 2002 || e.Class() != boss.Permanent {
			t.Errorf("another type: %v", err)
		}
		if _, err := ch.Get(ctx, box); err == nil || !strings.Contains(err.Error(), "decode") {
			t.Errorf("another type is read: %v", err)
		}
	})
	for _, tt := range []struct {
		fault localboss.Fault
		class boss.Class
		tries int
	}{
		{localboss.Fault{Kind: localboss.Lock}, boss.Refused, 1},
		{localboss.Fault{Kind: localboss.Quota, Bytes: 1}, boss.Refused, 1},
		{localboss.Fault{Kind: localboss.Status, Status: 503, HTML: true}, boss.Transient, 8},
		{localboss.Fault{Kind: localboss.Status, Status: 500, HTML: true}, boss.Transient, 3},
		{localboss.Fault{Kind: localboss.Status, Status: 400, Code: 9001, Message: "Error during write_cuboid: REDIS_ERROR: 103"}, boss.Transient, 8},
		{localboss.Fault{Kind: localboss.DropConnect}, boss.Transient, 8},
		{localboss.Fault{Kind: localboss.DropBody}, boss.Transient, 8},
		{localboss.Fault{Kind: localboss.DropAnswer}, boss.Transient, 8},
		{localboss.Fault{Kind: localboss.Hang}, boss.Transient, 8},
	} {
		t.Run(string(tt.fault.Kind), func(t *testing.T) {
			c, s := local(t, localboss.Options{}, boss.Options{})
			create(t, c, image)
			tries := 1
			ch := newChannel(t, newClient(t, c.URL(), boss.Options{
				OnRetry: func(f boss.Failure) {
					if f.Err.Class() == tt.class {
						tries++
					}
				},
				Timeouts: boss.Timeouts{Continue: 50 * time.Millisecond, Answer: 50 * time.Millisecond},
			}), voxel.Uint8)
			tt.fault.Path = "/v1/cutout/"
			if err := s.SetFaults(1, tt.fault); err != nil {
				t.Fatal(err)
			}
			var err error
			for range 2 { // a quota is spent by the first
				if err = ch.Post(ctx, cuboid); err != nil {
					break
				}
			}
			if e := (*boss.Error)(nil); !errors.As(err, &e) || e.Class() != tt.class || tries != tt.tries {
				t.Errorf("after %d attempts: %v", tries, err)
			}
		})
	}
}

// Through a bad network every voxel arrives.
func TestBadNetwork(t *testing.T) {
	c, s := local(t, localboss.Options{}, boss.Options{
		Workers: 4, Timeouts: boss.Timeouts{Continue: 50 * time.Millisecond}, Pace: pace.New(pace.Options{Workers: 4}),
	})
	ch := create(t, c, boss.ChannelInfo{Name: "im1", Type: "image", Datatype: "uint8"})
	var faults []localboss.Fault
	for _, f := range []localboss.Fault{
		{Kind: localboss.Status, Status: 502, HTML: true},
		{Kind: localboss.DropConnect},
		{Kind: localboss.DropBody},
		{Kind: localboss.DropAnswer},
		{Kind: localboss.CutAnswer},
	} {
		f.Path, f.Share = "/v1/cutout/", 0.1
		faults = append(faults, f)
	}
	if err := s.SetFaults(1, faults...); err != nil {
		t.Fatal(err)
	}
	want := noise(voxel.Box{Max: voxel.Point{X: 512, Y: 256, Z: 16}}, voxel.Uint8)
	cuboids := make(chan voxel.Box)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for b := range cuboids {
				cuboid := voxel.NewBlock(b, voxel.Uint8)
				cuboid.Copy(want)
				if err := ch.Post(t.Context(), cuboid); err != nil {
					t.Error(err)
				}
				got, err := ch.Get(t.Context(), b)
				if err != nil || !bytes.Equal(got.Data, cuboid.Data) {
					t.Errorf("%v: other voxels come back, %v", b, err)
				}
			}
		})
	}
	for b := range want.Box.Pieces(voxel.Point{X: 256, Y: 64, Z: 16}) {
		cuboids <- b
	}
	close(cuboids)
	wg.Wait()
}
