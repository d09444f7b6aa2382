package localboss_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

const toBlack = "/v1/cutout/to_black/c/e/"

// blacken asks for it, and that is answered with an empty page.
func (b *boss) blacken(channel string, res int, part voxel.Box) {
	b.t.Helper()
	a := b.must(200, "PUT", fmt.Sprintf("%s%s/%d/%v/", toBlack, channel, res, part), "", bloscBody)
	if len(a.body) != 0 || a.kind != html {
		b.t.Errorf("to_black is answered with %v, want an empty page", a)
	}
}

// erase is the slow twin of to_black.
func erase(b *voxel.Block, part voxel.Box) {
	part = part.Intersect(b.Box)
	size := b.Type.Size()
	for z := part.Min.Z; z < part.Max.Z; z++ {
		for y := part.Min.Y; y < part.Max.Y; y++ {
			clear(b.Row(y, z)[(part.Min.X-b.Box.Min.X)*size : (part.Max.X-b.Box.Min.X)*size])
		}
	}
}

// A sequence of writes and erasures of all shapes leaves what the slow twins
// leave, and so after a restart. There are so many that logs are made short.
func TestToBlack(t *testing.T) {
	for _, tt := range []struct {
		channel string
		typ     voxel.Type
		dir     string
	}{{"image8", voxel.Uint8, ""}, {"image16", voxel.Uint16, t.TempDir()}, {"label64", voxel.Uint64, t.TempDir()}} {
		b := serve(t, localboss.Options{Dir: tt.dir})
		b.fill()
		rnd := rand.New(rand.NewPCG(7, uint64(tt.typ)))
		all := voxel.NewBlock(box(500, 524, 508, 516, 12, 20), tt.typ) // the corners of eight cubes
		in := func(r voxel.Range) voxel.Range {
			lo := r.Min + rnd.IntN(r.Len())
			return voxel.Range{Min: lo, Max: lo + 1 + rnd.IntN(r.Max-lo)}
		}
		for i := range 400 {
			part := voxel.NewBox(in(all.Box.X()), in(all.Box.Y()), in(all.Box.Z()))
			if rnd.IntN(3) == 0 {
				b.blacken(tt.channel, 0, part)
				erase(all, part)
			} else {
				block := random(rnd, part, tt.typ, 0.5)
				b.post(tt.channel, 0, block)
				overlay(all, block)
			}
			if i%100 != 99 {
				continue
			}
			if tt.dir != "" {
				b = serve(t, localboss.Options{Dir: tt.dir})
			}
			if got := b.get(tt.channel, 0, all.Box, tt.typ); !bytes.Equal(got.Data, all.Data) {
				t.Fatalf("%s: after %d requests another volume than it should be", tt.channel, i+1)
			}
		}
	}
}

// Whole cubes, boxes over several, and what was never written.
func TestToBlackCubes(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		b := serve(t, localboss.Options{Dir: dir})
		b.fill()
		block := voxel.NewBlock(box(0, 600, 0, 512, 0, 20), voxel.Uint8)
		for i := range block.Data {
			block.Data[i] = 7
		}
		b.post("image8", 0, block)
		for _, part := range []voxel.Box{
			box(590, 591, 3, 9, 2, 4),   // in a cube
			box(0, 512, 0, 512, 0, 16),  // a cube
			box(500, 700, 0, 9, 14, 18), // parts of four, beyond what was written
			box(0, 9, 600, 609, 0, 1),   // nothing there
		} {
			b.blacken("image8", 0, part)
			b.blacken("image8", 0, part) // again is the same
			erase(block, part)
		}
		b.blacken("image8", 1, block.Box) // another level
		b.blacken("label8", 0, block.Box) // another channel
		if got := b.get("image8", 0, block.Box, voxel.Uint8); !bytes.Equal(got.Data, block.Data) {
			t.Error("to_black left another volume than it should")
		}
		// A second ingest fills what was erased, and only that.
		again := voxel.NewBlock(block.Box, voxel.Uint8)
		for i, v := range block.Data {
			if v == 0 {
				again.Data[i], block.Data[i] = 8, 8
			}
		}
		b.post("image8", 0, again)
		if got := b.get("image8", 0, block.Box, voxel.Uint8); !bytes.Equal(got.Data, block.Data) {
			t.Error("what was erased cannot be written again")
		}
	}
}

// Only the time samples that the URL names are erased.
func TestToBlackTimes(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	const at = "image8/0/0:4/0:1/0:1/"
	b.must(201, "POST", "/v1/cutout/c/e/"+at+"0:2/", frame(t, []byte{1, 2, 3, 4, 5, 6, 7, 8}, voxel.Uint8), bloscBody)
	b.must(200, "PUT", toBlack+at+"1:2/", "")
	want := []byte{1, 2, 3, 4, 0, 0, 0, 0}
	if got := unframe(t, b.must(200, "GET", "/v1/cutout/c/e/"+at+"0:2/", "").body, 8); !bytes.Equal(got, want) {
		t.Errorf("got %d, want %d", got, want)
	}
	b.must(200, "PUT", toBlack+at, "") // without times it is the channel's own
	if got := unframe(t, b.must(200, "GET", "/v1/cutout/c/e/"+at+"0:1/", "").body, 4); !voxel.IsZero(got) {
		t.Errorf("got %d, want zeros", got)
	}
}

// Who writes and erases rows of a cube at the same time as others do so with
// the rows between keeps all of it.
func TestToBlackConcurrent(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		b := serve(t, localboss.Options{Dir: dir})
		b.fill()
		const workers = 6
		all := voxel.NewBlock(box(400, 600, 0, 10*workers, 0, 4), voxel.Uint8)
		var g errgroup.Group
		for i := range workers {
			g.Go(func() error {
				rnd := rand.New(rand.NewPCG(9, uint64(i)))
				for range 60 { // more than a log is long
					y := 10*i + rnd.IntN(10) // its own rows
					part := random(rnd, box(500, 530, y, y+1, 0, 4), voxel.Uint8, 0.5)
					method, path, body, want := "POST", "/v1/cutout/c/e/", frame(t, part.Data, part.Type), 201
					if rnd.IntN(3) == 0 {
						method, path, body, want = "PUT", toBlack, "", 200
						erase(all, part.Box)
					} else {
						overlay(all, part)
					}
					a, err := b.do(method, fmt.Sprintf("%simage8/0/%v", path, part.Box), body, bloscBody)
					if err == nil && a.status != want {
						err = errors.New(a.String())
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		if got := b.get("image8", 0, all.Box, voxel.Uint8); !bytes.Equal(got.Data, all.Data) {
			t.Error("another volume than was written")
		}
	}
}

// What to_black refuses, and how: in JSON what the URL or the user is to blame
// for, as a page what storing is.
func TestToBlackRefuses(t *testing.T) {
	b := serve(t, localboss.Options{})
	b.fill()
	b.must(201, "POST", em+"/channel/gone", channelBody("image", "uint8"))
	b.must(204, "DELETE", em+"/channel/gone", "")
	put := func(path string, status, code int, says string, headers ...string) rule {
		r := rule{method: "PUT", path: toBlack + path, headers: headers, status: status, code: code, says: says}
		if code == 0 && status != 401 {
			r.kind = html
		}
		return r
	}
	const cell = "0:4/0:4/0:4"
	b.check([]rule{
		put("image8/0/"+cell, 200, 0, ""),
		put("image8/0/"+cell+"/", 200, 0, "", "Content-Type"),
		put("image8/1/"+cell+"/", 200, 0, ""),
		put("image8/2/"+cell+"/", 500, 0, ""), // the level cannot be written
		put("image64/0/"+cell+"/", 500, 0, ""),
		put("image32/0/"+cell+"/", 500, 0, ""),
		put("image8/3/"+cell+"/", 400, 1002, "Invalid resolution 3."),
		put("image8/0/0:4/0:4/99:101/", 400, 1001, "Incorrect cutout arguments 0/0:4/0:4/99:101"),
		put("image8/0/0:4/4:4/0:4/", 400, 1001, ""),
		put("image8/0/"+cell+"/5:6/", 400, 1000, "Invalid time range"),
		put("none/0/"+cell+"/", 404, 4000, "Channel none not found"),
		put("gone/0/"+cell+"/", 404, 4005, "marked for deletion"),
		put("image8/0/-1:4/0:4/0:4/", 404, 0, ""),
		put("image8/0/"+cell+"/", 401, 0, "Invalid token.", wrong),
		put("image8/0/"+cell+"/", 401, 0, "not provided", nobody),
	})
	b.set(localboss.Fault{Kind: localboss.Lock}, localboss.Fault{Kind: localboss.Quota, Bytes: 1})
	b.check([]rule{put("image8/0/"+cell+"/", 500, 0, "Internal Server Error")})
	b.set(localboss.Fault{Kind: localboss.Quota, Bytes: 1}) // is none of its business
	for range 3 {
		b.check([]rule{put("image8/0/"+cell+"/", 200, 0, "")})
	}
}
