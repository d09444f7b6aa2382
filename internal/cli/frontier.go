package cli

import (
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A frontier knows up to which chunk everything is done.
type frontier struct {
	mu   sync.Mutex
	done map[int]int64 // cuboids whose fate is known, by the first z of their chunk
}

func (f *frontier) note(box voxel.Box) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done == nil {
		f.done = make(map[int]int64)
	}
	f.done[box.Min.Z]++
	return nil
}

func (f *frontier) Posted(box voxel.Box, _ time.Duration) error { return f.note(box) }
func (f *frontier) Empty(box voxel.Box) error                   { return f.note(box) }
func (f *frontier) Failed(box voxel.Box, _ error) error         { return f.note(box) }
func (f *frontier) Missing(int, error) error                    { return nil }

// left is the z, in BOSS coordinates, from the first chunk on that is not done.
func (f *frontier) left(p plan.Plan) voxel.Range {
	f.mu.Lock()
	defer f.mu.Unlock()
	for chunk := range p.Chunks() {
		if f.done[chunk.Min.Z] < p.Of(chunk).CountCuboids() {
			return voxel.Range{Min: chunk.Min.Z, Max: p.Data.Max.Z}
		}
	}
	return voxel.Range{}
}
