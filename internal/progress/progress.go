// Package progress counts what is done and shows it.
//
// A [Counter] is told about every cuboid; a [Display] looks at it a few times a
// second and draws a block of two or three lines in place on a terminal, or writes
// a plain line now and then elsewhere. Work does not wait for the display.
package progress

import (
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Counter counts what became of the cuboids. It is safe for concurrent use.
// Its methods that return an error return nil.
type Counter struct {
	voxel voxel.Type

	mu  sync.Mutex // one lock for all, so that a Snapshot's numbers agree
	now Snapshot
}

// A Snapshot is what a Counter holds at one moment.
type Snapshot struct {
	// What this run has to do.
	TotalCuboids, TotalBytes int64

	// Cuboids that are finished with, by their fate. Those kept were known to be
	// in BOSS as they are.
	Posted, Empty, Failed, Kept int64

	// Bytes of voxels, before compression, of the cuboids finished with.
	Bytes int64

	// Slices that were absent or unreadable.
	Missing int64
}

// Cuboids is the number of cuboids that are finished with.
func (s Snapshot) Cuboids() int64 { return s.Posted + s.Empty + s.Failed + s.Kept }

// Percent is how many of the bytes are finished with, rounded down, so that it
// is 100 only at the end.
func (s Snapshot) Percent() int {
	if s.TotalBytes <= 0 {
		return 100
	}
	return int(min(s.Bytes, s.TotalBytes) * 100 / s.TotalBytes) // good for 92 PB
}

// NewCounter returns a counter for a run that has that many cuboids and bytes to
// carry, of voxels of type t: what plan.Plan counts.
func NewCounter(t voxel.Type, cuboids, bytes int64) *Counter {
	return &Counter{voxel: t, now: Snapshot{TotalCuboids: cuboids, TotalBytes: bytes}}
}

// Snapshot returns the numbers of this moment.
func (c *Counter) Snapshot() Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Posted counts a cuboid that BOSS took.
func (c *Counter) Posted(box voxel.Box, _ time.Duration) error {
	return c.finish(box, func(s *Snapshot) { s.Posted++ })
}

// Empty counts a cuboid that was skipped because all of it is zero.
func (c *Counter) Empty(box voxel.Box) error {
	return c.finish(box, func(s *Snapshot) { s.Empty++ })
}

// Failed counts a cuboid that finally failed.
func (c *Counter) Failed(box voxel.Box, _ error) error {
	return c.finish(box, func(s *Snapshot) { s.Failed++ })
}

// Kept counts a cuboid that was in BOSS already.
func (c *Counter) Kept(box voxel.Box) error {
	return c.finish(box, func(s *Snapshot) { s.Kept++ })
}

// Missing counts a slice that is absent or unreadable.
func (c *Counter) Missing(int, error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Missing++
	return nil
}

func (c *Counter) finish(box voxel.Box, count func(*Snapshot)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Bytes += box.Voxels() * int64(c.voxel.Size())
	count(&c.now)
	return nil
}
