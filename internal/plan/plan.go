// Package plan decides the pieces: what is open, in memory and on its way at one time.
//
// All boxes are in BOSS coordinates, for it is BOSS's grid that makes pieces
// good or bad. BOSS stores cubes of 512×512×16; a write to a part of a cube
// reads and merges the cube, so pieces are cut on the grid wherever the data
// allows it:
//
//	chunk   16 slices         what is read at one time; the next is open already
//	band    1024 rows of it   what is in memory
//	cuboid  1024 columns of it  what is posted at once, four stored cubes
//
// A chunk's first or last slices, a band's rows and a cuboid's columns are fewer
// where the data does not start or end on the grid, and the latter two half of
// that where memory is short.
package plan

import (
	"iter"

	"github.com/neurodata/ndpush/internal/voxel"
)

// The size of a cuboid. The cutout service stores 512×512×16 cubes;
// 1024 posts four at a time, 16 MiB of uint8.
const (
	CuboidX = 1024
	CuboidY = 1024
	CuboidZ = 16
)

// A Plan is how one process carries a box of voxels.
type Plan struct {
	Data    voxel.Box   // what is to be posted, in BOSS coordinates
	Source  voxel.Type  // of the slices
	Channel voxel.Type  // of the cuboids
	Cuboid  voxel.Point // the size of a cuboid
	Workers int         // cuboids on their way at one time
	Ahead   int         // bands in memory at one time: those being posted and the one being decoded
	Held    int64       // bytes that one slice holds while it is read, see source.Slice
	Fetch   int64       // bytes that the source holds beside, of what it fetches over a network
	Note    int64       // bytes that are remembered of each cuboid
	Compare bool        // cuboids are fetched and compared, not posted
}

// DefaultWorkers is how many cuboids are on their way at one time unless a
// person says otherwise: what the Python tool used, whose server is the same.
const DefaultWorkers = 8

// New plans the carrying of data, where an open slice holds that many bytes.
// Workers may be 0 for the default; there are no more than there are cuboids.
func New(data voxel.Box, source, channel voxel.Type, workers int, held int64) Plan {
	if workers == 0 {
		workers = DefaultWorkers
	}
	p := Plan{Data: data, Source: source, Channel: channel, Held: held}
	p.Cuboid = voxel.Point{X: CuboidX, Y: CuboidY, Z: CuboidZ}
	p.Workers = int(max(1, min(int64(workers), p.CountCuboids())))
	p.Ahead = p.bands()
	return p
}

// Of plans the carrying of other data in the same way.
func (p Plan) Of(data voxel.Box) Plan {
	q := p
	q.Data = data
	q.Workers = int(max(1, min(int64(p.Workers), q.CountCuboids())))
	q.Ahead = min(p.Ahead, q.bands())
	return q
}

// bands is the number of bands that keep all workers busy while the next one
// is being decoded: with small images a band is a single cuboid. More than
// there are at all would be waste.
func (p Plan) bands() int {
	perBand := max(1, p.Data.X().CountPieces(p.Cuboid.X))
	busy := (p.Workers + perBand - 1) / perBand
	all := p.Data.Y().CountPieces(p.Cuboid.Y) * p.Data.Z().CountPieces(p.Cuboid.Z)
	return max(1, min(busy+1, all))
}

// Chunks gives the boxes whose slices are open together, in ascending z.
func (p Plan) Chunks() iter.Seq[voxel.Box] {
	return func(yield func(voxel.Box) bool) {
		for z := range p.Data.Z().Pieces(p.Cuboid.Z) {
			if !yield(p.Data.WithZ(z)) {
				return
			}
		}
	}
}

// Bands gives the bands of a chunk from the top down.
func (p Plan) Bands(chunk voxel.Box) iter.Seq[voxel.Box] {
	return func(yield func(voxel.Box) bool) {
		for y := range chunk.Y().Pieces(p.Cuboid.Y) {
			if !yield(voxel.NewBox(chunk.X(), y, chunk.Z())) {
				return
			}
		}
	}
}

// Cuboids gives the cuboids of a band, a chunk or any other box: x runs fastest,
// then y, then z.
func (p Plan) Cuboids(box voxel.Box) iter.Seq[voxel.Box] { return box.Pieces(p.Cuboid) }

// CountCuboids is the number of cuboids of all bands of all chunks.
func (p Plan) CountCuboids() int64 { return p.Data.CountPieces(p.Cuboid) }

// Bytes is the size of the data as it is posted, before compression.
func (p Plan) Bytes() int64 { return p.Data.Voxels() * int64(p.Channel.Size()) }

// Split shares a range of z, in BOSS coordinates, among n workers: shares are
// ascending, disjoint, cover z exactly and are cut at multiples of 16 only, so
// that no two workers write to the same stored cube. No share is empty, so there
// are fewer than n where z has fewer chunks. Sizes differ by one chunk at most.
// It panics if n < 1.
func Split(z voxel.Range, n int) []voxel.Range {
	if n < 1 {
		panic("plan: split among no workers")
	}
	chunks := z.CountPieces(CuboidZ)
	n = min(n, chunks)
	first := voxel.FloorDiv(z.Min, CuboidZ)
	shares := make([]voxel.Range, n)
	for i := range shares {
		shares[i] = z.Intersect(voxel.Range{
			Min: (first + i*chunks/n) * CuboidZ,
			Max: (first + (i+1)*chunks/n) * CuboidZ,
		})
	}
	return shares
}
