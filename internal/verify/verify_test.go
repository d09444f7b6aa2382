package verify_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/verify"
	"github.com/neurodata/ndpush/internal/voxel"
)

// boss is a Fetcher over a block, or one that fails.
type boss struct {
	*voxel.Block
	err error
}

func (b boss) GetInto(_ context.Context, dst *voxel.Block) error {
	if b.err == nil {
		dst.Reset(dst.Box, b.Type)
		dst.Copy(b.Block)
	}
	return b.err
}

var cube = voxel.Box{Min: voxel.Point{X: 100, Y: 50, Z: 16}, Max: voxel.Point{X: 160, Y: 90, Z: 32}}

// One voxel that differs anywhere is found and named, whatever its type.
func TestSink(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, ty := range []voxel.Type{voxel.Uint8, voxel.Uint16, voxel.Uint32, voxel.Uint64} {
		want := voxel.NewBlock(cube, ty)
		for i := range want.Data {
			want.Data[i] = byte(rnd.Uint32())
		}
		held := &voxel.Block{Box: cube, Type: ty, Data: slices.Clone(want.Data)}
		sink := &verify.Sink{From: boss{Block: held}}
		if err := sink.Post(t.Context(), want); err != nil {
			t.Fatalf("%v: %v", ty, err)
		}
		i := rnd.IntN(int(cube.Voxels()))
		held.Data[i*ty.Size()+rnd.IntN(ty.Size())] ^= 0x40
		var d *verify.Difference
		if err := sink.Post(t.Context(), want); !errors.As(err, &d) {
			t.Fatalf("%v: Post = %v, want a difference", ty, err)
		}
		at := voxel.Point{X: 100 + i%60, Y: 50 + i/60%40, Z: 16 + i/60/40}
		if d.Voxels != 1 || d.At != at || d.Got == d.Want {
			t.Errorf("%v: got %+v, want one voxel at %v", ty, d, at)
		}
	}
}

func TestOldDataShowsThrough(t *testing.T) {
	held := voxel.NewBlock(cube, voxel.Uint8)
	held.Data[7], held.Data[9] = 5, 6
	err := (&verify.Sink{From: boss{Block: held}}).Post(t.Context(), voxel.NewBlock(cube, voxel.Uint8))
	if err == nil || !strings.Contains(err.Error(), "2 of 38400 voxels") || !strings.Contains(err.Error(), "never overwrites with zero") {
		t.Errorf("Post = %v", err)
	}
}

// A failure to compare is no difference, and neither is what was not posted.
func TestReport(t *testing.T) {
	var r verify.Report
	down := errors.New("BOSS is down")
	post := func(s *verify.Sink) {
		b := voxel.NewBlock(cube, voxel.Uint8)
		if err := s.Post(t.Context(), b); err != nil {
			r.Failed(b.Box, err)
		} else {
			r.Posted(b.Box, 0)
		}
	}
	other := voxel.NewBlock(cube, voxel.Uint8)
	other.Data[0] = 1
	post(&verify.Sink{From: boss{Block: voxel.NewBlock(cube, voxel.Uint8)}})
	for range 25 {
		post(&verify.Sink{From: boss{Block: other}})
	}
	post(&verify.Sink{From: boss{err: down}})
	post(&verify.Sink{From: boss{Block: other}, Except: []voxel.Box{cube}})
	r.Empty(cube)
	r.Missing(7, down)
	r.Missing(7, down)
	if len(r.Lost) != 1 || !errors.Is(r.Lost[7], down) {
		t.Errorf("lost slices: %v", r.Lost)
	}
	if r.Match != 1 || r.Differ != 25 || r.Error != 3 {
		t.Errorf("%d match, %d differ, %d errors, want 1, 25, 3", r.Match, r.Differ, r.Error)
	}
	if len(r.Differences) != 20 || len(r.Errors) != 3 || !errors.Is(r.Errors[0], down) || !errors.Is(r.Errors[1], verify.ErrNotPosted) {
		t.Errorf("%d differences are kept, and errors %v", len(r.Differences), r.Errors)
	}
}

func TestSample(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	r := voxel.Range{Min: -5, Max: 40}
	for range 100 {
		zs := verify.Sample(r, 3, rnd)
		if len(zs) != 3 || !slices.IsSorted(zs) || len(slices.Compact(slices.Clone(zs))) != 3 || zs[0] < r.Min || zs[2] >= r.Max {
			t.Fatalf("Sample = %v", zs)
		}
	}
	if zs := verify.Sample(voxel.Range{Min: 3, Max: 5}, 9, rnd); !slices.Equal(zs, []int{3, 4}) {
		t.Errorf("Sample of two = %v", zs)
	}
}
