// Package verify compares what BOSS holds with what was meant.
//
// What was meant is known in two ways. A source has the voxels: then it walks no
// road of its own, but a [Sink] takes the place of the one that posts, gets the
// same cuboids of the same source, fetches each and compares. So both agree on
// coordinates, widening and what stands for a missing slice, and what they could
// agree on wrongly is seen by whoever reads BOSS with another program.
//
// A journal has a sum of what was posted: then [Check] fetches each cuboid that
// it names and compares the sums, without the source. That finds what changed on
// the way to BOSS and in it, and no mistake in reading the source.
//
// A difference and a failure to compare are two things, and [Report] and [Tally]
// keep them apart.
package verify

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Fetcher fills dst with what BOSS holds in its box, as voxels of the channel's
// type, in the memory that dst has if that is large enough. It is safe for concurrent use.
type Fetcher interface {
	GetInto(ctx context.Context, dst *voxel.Block) error
}

// A Sink compares the cuboids it gets with what From holds.
// It is safe for concurrent use.
type Sink struct {
	From   Fetcher
	Except []voxel.Box // not compared where they overlap: known not to have been posted

	blocks sync.Pool
}

// ErrNotPosted is what Post returns for a cuboid that Sink.Except names.
var ErrNotPosted = errors.New("not compared, since posting it had failed")

// Post fetches the cuboid's box. A nil error means that all voxels are equal;
// a [*Difference] that some are not; any other that they could not be compared.
func (s *Sink) Post(ctx context.Context, cuboid *voxel.Block) error {
	if slices.ContainsFunc(s.Except, cuboid.Box.Overlaps) {
		return ErrNotPosted
	}
	got, _ := s.blocks.Get().(*voxel.Block)
	if got == nil {
		got = new(voxel.Block)
	}
	defer s.blocks.Put(got)
	got.Reset(cuboid.Box, cuboid.Type)
	if err := s.From.GetInto(ctx, got); err != nil {
		return err
	}
	if d := Compare(got, cuboid); d != nil {
		return d
	}
	return nil
}

// A Difference says how a box in BOSS differs from what was meant.
type Difference struct {
	Box       voxel.Box
	Voxels    int64       // how many differ
	At        voxel.Point // the first of them
	Got, Want uint64      // its values
}

// Error names the box, the first voxel that differs and its two values.
func (d *Difference) Error() string {
	text := fmt.Sprintf("%d of %d voxels of %v differ: at %v BOSS has %d, the source %d", d.Voxels, d.Box.Voxels(), d.Box, d.At, d.Got, d.Want)
	if d.Want == 0 {
		text += " (BOSS never overwrites with zero: data that was there before shows through)"
	}
	return text
}

// Compare returns nil if got and want, of one box and type, are equal.
func Compare(got, want *voxel.Block) *Difference {
	var d *Difference
	for z := want.Box.Min.Z; z < want.Box.Max.Z; z++ {
		for y := want.Box.Min.Y; y < want.Box.Max.Y; y++ {
			d = compareRow(d, got, want, y, z)
		}
	}
	return d
}

// compareRow adds the voxels in which a row differs to d, which it makes at the first.
func compareRow(d *Difference, got, want *voxel.Block, y, z int) *Difference {
	g, w := got.Row(y, z), want.Row(y, z)
	if bytes.Equal(g, w) {
		return d
	}
	size := want.Type.Size()
	for i := 0; i < len(w); i += size {
		if bytes.Equal(g[i:i+size], w[i:i+size]) {
			continue
		}
		if d == nil {
			at := voxel.Point{X: want.Box.Min.X + i/size, Y: y, Z: z}
			d = &Difference{Box: want.Box, At: at, Got: value(g[i : i+size]), Want: value(w[i : i+size])}
		}
		d.Voxels++
	}
	return d
}

// value is a little-endian voxel of any type.
func value(p []byte) uint64 {
	var q [8]byte
	copy(q[:], p)
	return binary.LittleEndian.Uint64(q[:])
}

// Sample picks n different z of r, or all if there are no more, in ascending order.
func Sample(r voxel.Range, n int, rnd *rand.Rand) []int {
	zs := rnd.Perm(r.Len())
	zs = zs[:min(n, len(zs))]
	for i := range zs {
		zs[i] += r.Min
	}
	slices.Sort(zs)
	return zs
}

// kept is how many sentences of each kind a report keeps; more are counted only.
const kept = 20

// A Report counts what became of each comparison. It is a recorder of the road,
// and safe for concurrent use while that is walked.
type Report struct {
	Match, Differ, Error int
	Lost                 map[int]error // slices (source coordinates) that could not be read: what stands for them was compared
	Differences          []error       // the first of them
	Errors               []error       // the first that could not be compared

	mu sync.Mutex
}

// Posted counts a cuboid that matches.
func (r *Report) Posted(voxel.Box, time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Match++
	return nil
}

// Empty is never called on a road that hands over all cuboids; an empty one
// that was not compared counts as an error, not as a match.
func (r *Report) Empty(box voxel.Box) error {
	return r.Failed(box, fmt.Errorf("%v was not compared", box))
}

// Failed counts a cuboid that differs or could not be compared.
func (r *Report) Failed(box voxel.Box, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var d *Difference
	if errors.As(err, &d) {
		r.Differ++
		r.Differences = keep(r.Differences, err)
	} else {
		r.Error++
		r.Errors = keep(r.Errors, fmt.Errorf("%v: %w", box, err))
	}
	return nil
}

// Missing notes that slice z could not be read.
func (r *Report) Missing(z int, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Lost == nil {
		r.Lost = make(map[int]error)
	}
	r.Lost[z] = err
	return nil
}

func keep(list []error, err error) []error {
	if len(list) < kept {
		list = append(list, err)
	}
	return list
}
