package cli

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/s3"
	"github.com/neurodata/ndpush/internal/voxel"
)

// BenchmarkS3 carries slices of 64 MiB, and of 1 MiB, from a store that takes
// 20 ms to begin an answer to a sink that takes 100 ms for a cuboid, with slices
// opened while those before are on their way, and with slices opened when their
// turn comes. Of large ones a band is on its way for longer than opening takes;
// of small ones a chunk is a single cuboid.
func BenchmarkS3(b *testing.B) {
	for _, size := range []struct {
		name        string
		side, depth int
	}{{"64MiB", 8192, 48}, {"1MiB", 1024, 800}} {
		data := voxel.Box{Max: voxel.Point{X: size.side, Y: size.side, Z: size.depth}}
		src := slowStore(b, size.side)
		for _, bb := range []struct {
			name string
			src  source.Source
		}{{"ahead", src}, {"inTurn", inTurn{src, size.side}}} {
			b.Run(size.name+"/"+bb.name, func(b *testing.B) {
				b.SetBytes(data.Voxels())
				for b.Loop() {
					road := &ingest.Road{
						Plan: plan.New(data, voxel.Uint8, voxel.Uint8, 8), Stack: data.Z(),
						Source: bb.src, Sink: slowSink(100 * time.Millisecond), Recorder: new(recorders), All: true,
					}
					if err := road.Run(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// slowStore is a bucket in which every object is the same black TIFF.
func slowStore(b *testing.B, side int) source.Source {
	object := blackTIFF(side)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		w.Header().Set("ETag", `"black"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(object))
	}))
	b.Cleanup(srv.Close)
	b.Setenv("AWS_CONFIG_FILE", filepath.Join(b.TempDir(), "none"))
	b.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(b.TempDir(), "none"))
	bucket, err := s3.New(b.Context(), s3.Options{Bucket: "b", Endpoint: srv.URL, PathStyle: true, Anonymous: true})
	if err != nil {
		b.Fatal(err)
	}
	pattern, err := source.ParsePattern(source.Naming{BaseFilename: "<p:4>", Extension: "tif"})
	if err != nil {
		b.Fatal(err)
	}
	return source.NewFiles(bucket, pattern, source.Shape{Width: side, Height: side, Type: voxel.Uint8})
}

// blackTIFF is an uncompressed uint8 TIFF in one strip (TIFF 6.0, section 4).
func blackTIFF(side int) []byte {
	le16 := func(n int) []byte { return []byte{byte(n), byte(n >> 8)} }
	le32 := func(n int) []byte { return append(le16(n&0xffff), le16(n>>16)...) }
	entries := [][2]int{{256, side}, {257, side}, {258, 8}, {259, 1}, {262, 1}, {273, 1024}, {278, side}, {279, side * side}}
	p := append([]byte("II*\x00\x08\x00\x00\x00"), le16(len(entries))...)
	for _, e := range entries {
		p = append(append(append(append(p, le16(e[0])...), le16(4)...), le32(1)...), le32(e[1])...)
	}
	return append(p, make([]byte, 1024-len(p)+side*side)...)
}

type slowSink time.Duration

func (s slowSink) Post(context.Context, *voxel.Block) error {
	time.Sleep(time.Duration(s))
	return nil
}

// inTurn is a source whose slices are opened when they are first read.
type inTurn struct {
	source.Source
	side int
}

func (s inTurn) Open(ctx context.Context, z int) (source.Slice, error) {
	return &lateSlice{open: sync.OnceValues(func() (source.Slice, error) { return s.Source.Open(context.WithoutCancel(ctx), z) }), side: s.side}, nil
}

type lateSlice struct {
	open func() (source.Slice, error)
	side int
}

func (s *lateSlice) Size() (width, height int) { return s.side, s.side }
func (s *lateSlice) Type() voxel.Type          { return voxel.Uint8 }
func (s *lateSlice) Step() int                 { return 1 }
func (s *lateSlice) Held() int64               { return 0 }

func (s *lateSlice) ReadRows(ctx context.Context, dst *voxel.Block) error {
	slice, err := s.open()
	if err != nil {
		return err
	}
	return slice.ReadRows(ctx, dst)
}

func (s *lateSlice) Close() error {
	slice, err := s.open()
	if err != nil {
		return err
	}
	return slice.Close()
}
