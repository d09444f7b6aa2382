package progress_test

import (
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/voxel"
)

// box is a cuboid of a million voxels.
var box = voxel.NewBox(voxel.Range{Min: 0, Max: 1000}, voxel.Range{Min: 0, Max: 100}, voxel.Range{Min: 0, Max: 10})

func TestCounter(t *testing.T) {
	c := progress.NewCounter(voxel.Uint16, 100, 200e6)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range 4 {
				c.Posted(box, time.Second)
			}
			c.Empty(box)
			c.Failed(box, errors.New("x"))
			c.Missing(3, errors.New("x"))
			if s := c.Snapshot(); s.Bytes != s.Cuboids()*2e6 {
				t.Errorf("%d bytes of %d cuboids", s.Bytes, s.Cuboids())
			}
		})
	}
	wg.Wait()
	want := progress.Snapshot{TotalCuboids: 100, TotalBytes: 200e6, Posted: 40, Empty: 10, Failed: 10, Missing: 10, Bytes: 120e6}
	if got := c.Snapshot(); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestPercent(t *testing.T) {
	const big = math.MaxInt64 / 100
	for _, tt := range []struct {
		done, total int64
		want        int
	}{
		{0, 10, 0}, {1, 3, 33}, {999, 1000, 99}, {1000, 1000, 100}, {1001, 1000, 100},
		{0, 0, 100}, {big - 1, big, 99}, {big, big, 100},
	} {
		if got := (progress.Snapshot{Bytes: tt.done, TotalBytes: tt.total}).Percent(); got != tt.want {
			t.Errorf("%d of %d: %d%%, want %d%%", tt.done, tt.total, got, tt.want)
		}
	}
}
