// Package plan decides the pieces: what is open, in memory and on its way at one time.
//
// All boxes are in BOSS coordinates, for it is BOSS's grid that makes pieces
// good or bad. BOSS stores cubes of 512×512×16; a write to a part of a cube
// reads and merges the cube, so pieces are cut on the grid wherever the data
// allows it:
//
//	chunk   16 slices           what is read at one time; the next is open already
//	band    1024 rows of it     what is read until its cuboids are whole
//	cuboid  1024 columns of it  what is posted at once, four stored cubes
//
// What is in memory are cuboids, of one band or several. The rows of a slice come
// by way of a buffer, a few at a time, so that they are in the processor's cache
// when they are shared among the cuboids.
//
// A chunk's first or last slices, a band's rows and a cuboid's columns are fewer
// where the data does not start or end on the grid, and the latter two half of
// that where memory is short.
package plan

import (
	"iter"
	"slices"

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
	Ahead   int         // bands in memory at one time: those being posted and the one being read
	Readers int         // slices that are read side by side; 0: all of a chunk
	Slice   Slice       // what it takes to read one
	Piece   int64       // bytes that are read of a slice at one time, as far as its Step allows; 0: all of a band
	Fetch   int64       // bytes that the source holds beside, of what it fetches over a network
	Note    int64       // bytes that are remembered of each cuboid
	Compare bool        // cuboids are fetched and compared, not posted
}

// A Slice is what it takes to read one, or the most of several: see source.Slice.
type Slice struct {
	Held int64 // bytes, while it is read
	Step int   // rows that come at a time; 0: all that are wanted
}

// And is what both take.
func (s Slice) And(t Slice) Slice {
	most := Slice{max(s.Held, t.Held), max(s.Step, t.Step)}
	if s.Step == 0 || t.Step == 0 {
		most.Step = 0
	}
	return most
}

// DefaultWorkers is how many cuboids are on their way at one time unless a
// person says otherwise: what the Python tool used, whose server is the same.
const DefaultWorkers = 8

// New plans the carrying of data. Workers may be 0 for the default; there are no
// more than there are cuboids.
func New(data voxel.Box, source, channel voxel.Type, workers int) Plan {
	if workers == 0 {
		workers = DefaultWorkers
	}
	p := Plan{Data: data, Source: source, Channel: channel}
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
// is being read: with small images a band is a single cuboid. More than
// there are at all would be waste.
func (p Plan) bands() int {
	return max(1, min(p.busy()+1, p.countBands()))
}

// busy is the number of bands that have cuboids for all workers.
func (p Plan) busy() int {
	perBand := max(1, p.Data.X().CountPieces(p.Cuboid.X))
	return (p.Workers + perBand - 1) / perBand
}

// countBands is the number of bands of all chunks.
func (p Plan) countBands() int {
	return p.Data.Y().CountPieces(p.Cuboid.Y) * p.Data.Z().CountPieces(p.Cuboid.Z)
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

// Reads is how many slices are read side by side at most.
func (p Plan) Reads() int {
	n := longest(p.Data.Z(), p.Cuboid.Z)
	if p.Readers > 0 {
		n = min(n, p.Readers)
	}
	return n
}

// Rows cuts y, rows of a slice (from 0), into what is read at one time.
func (p Plan) Rows(y voxel.Range) iter.Seq[voxel.Range] {
	n := p.rows()
	if n == 0 {
		n = max(1, y.Max) // no multiple of it lies within y
	}
	return y.Pieces(n)
}

// rows is how many rows are read at one time: a multiple of a slice's Step; 0: all of a band.
func (p Plan) rows() int {
	if p.Piece == 0 || p.Slice.Step == 0 {
		return 0
	}
	n := int(p.Piece / max(1, int64(p.Data.Size().X)*int64(p.Source.Size())))
	return max(p.Slice.Step, n-n%p.Slice.Step)
}

// A Room is the memory for cuboids of one width. What is read is kept there until
// it is posted.
type Room struct {
	Width int
	Count int   // cuboids at one time
	Bytes int64 // of each, as the source has its voxels
}

// Rooms are the memory for all cuboids, in the order in which their widths come
// first in a band. Of a single band there is more than it takes: what is posted of
// it would else be in the way of the next.
func (p Plan) Rooms() []Room {
	height, depth := int64(longest(p.Data.Y(), p.Cuboid.Y)), int64(longest(p.Data.Z(), p.Cuboid.Z))
	var rooms []Room
	for x := range p.Data.X().Pieces(p.Cuboid.X) {
		i := slices.IndexFunc(rooms, func(r Room) bool { return r.Width == x.Len() })
		if i < 0 {
			i = len(rooms)
			rooms = append(rooms, Room{Width: x.Len(), Bytes: int64(x.Len()) * height * depth * int64(p.Source.Size())})
		}
		rooms[i].Count++
	}
	for i, r := range rooms {
		rooms[i].Count *= p.Ahead
		if p.Ahead == 1 && p.countBands() > 1 {
			rooms[i].Count += min(p.Workers, p.busy()*r.Count)
		}
	}
	return rooms
}

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
