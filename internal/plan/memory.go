package plan

import (
	"fmt"

	"github.com/neurodata/ndpush/internal/voxel"
)

// Memory is the most that one process takes at one time, in bytes, by purpose.
type Memory struct {
	Bands   int64 // the cuboids of those that are being read or posted
	Rows    int64 // rows of slices, on their way into these
	Slices  int64 // what the slices of a chunk hold: whole images, where a decoder can give nothing less, and what is fetched ahead
	Workers int64 // per worker a cuboid that is stored as another type, its frame, the compressor's tables and, to compare, the cuboid that came back
	Notes   int64 // what is remembered of all cuboids
	Process int64 // the program itself, its stacks and connections
}

// Total is the sum.
func (m Memory) Total() int64 { return m.Bands + m.Rows + m.Slices + m.Workers + m.Notes + m.Process }

// Heap is what the garbage collector has to keep to, so that the process keeps to
// Total.
func (m Memory) Heap() int64 { return m.Total() - code }

const (
	// process is what ndpush takes before it does anything, and a margin for
	// the garbage that decoding and HTTP leave between two collections.
	process = 64 << 20
	// code is the part of it that the garbage collector does not see: the program, as
	// it is mapped from its file.
	code = 16 << 20
	// compressor is a worker's scratch: blocks, shuffled, and tables of LZ4 and of
	// Zstd; see TestEncoderKeepsToThePlan.
	compressor = 4 << 20
)

// Memory predicts the peak of a run of p. Whoever runs p tells the garbage
// collector to keep to Heap; see the measurement in the README.
func (p Plan) Memory() Memory {
	depth := int64(longest(p.Data.Z(), p.Cuboid.Z))
	height := int64(longest(p.Data.Y(), p.Cuboid.Y))
	cuboid := int64(longest(p.Data.X(), p.Cuboid.X)) * height * depth * int64(p.Channel.Size())
	cuboids := int64(1) // its frame
	if p.Source != p.Channel {
		cuboids++ // itself
	}
	if p.Compare {
		cuboids++
	}
	return Memory{
		Bands:   p.bandBytes(),
		Rows:    p.rowBytes(),
		Slices:  depth*p.Slice.Held + p.Fetch,
		Workers: int64(p.Workers) * (cuboids*cuboid + compressor),
		Notes:   p.CountCuboids() * p.Note,
		Process: process,
	}
}

// bandBytes is the memory for cuboids.
func (p Plan) bandBytes() (n int64) {
	for _, room := range p.Rooms() {
		n += int64(room.Count) * room.Bytes
	}
	return n
}

// rowBytes is the memory for the rows that are read at one time, if any are.
func (p Plan) rowBytes() int64 {
	if p.Ahead == 0 {
		return 0
	}
	rows := longest(p.Data.Y(), p.Cuboid.Y)
	if n := p.rows(); n > 0 {
		rows = min(rows, n)
	}
	return int64(p.Reads()) * int64(rows) * int64(p.Data.Size().X) * int64(p.Source.Size())
}

// least is the smallest width and height of a cuboid: that of a stored cube. A
// smaller one would make BOSS read and merge each cube several times.
const least = 512

// enough are the workers that are not given up for larger cuboids.
const enough = 4

// A MemoryError says that a plan does not fit into the memory that it may take.
type MemoryError struct{ Least, Limit int64 }

func (e *MemoryError) Error() string {
	return fmt.Sprintf("it takes at least %d MiB of memory, and may take %d MiB", (e.Least+1<<20-1)>>20, e.Limit>>20)
}

// Within is p with as many bands in memory, as large cuboids and as many workers
// as limit bytes allow, and no more than p has. It gives up first what costs
// least time: bands beyond the second, which is read while the first is
// posted; workers beyond a few; the size of cuboids; and what is left of the rest.
// The error is a [*MemoryError] if nothing fits.
func (p Plan) Within(limit int64) (Plan, error) {
	if p.Memory().Total() <= limit {
		return p, nil
	}
	var best Plan
	for _, size := range []int{CuboidX, least} {
		for workers := 1; workers <= p.Workers; workers++ {
			q := p
			q.Cuboid.X, q.Cuboid.Y, q.Workers = size, size, workers
			for q.Ahead = q.bands(); q.Ahead > 0; q.Ahead-- {
				if q.Memory().Total() <= limit && q.better(best) {
					best = q
				}
			}
		}
	}
	if best.Workers == 0 {
		q := p
		q.Cuboid.X, q.Cuboid.Y, q.Workers, q.Ahead = least, least, 1, 1
		return p, &MemoryError{Least: q.Memory().Total(), Limit: limit}
	}
	return best, nil
}

// better reports whether p is quicker than q.
func (p Plan) better(q Plan) bool {
	for _, c := range [][2]int{
		{min(p.Ahead, 2), min(q.Ahead, 2)},
		{min(p.Workers, enough), min(q.Workers, enough)},
		{p.Cuboid.X, q.Cuboid.X},
		{p.Workers, q.Workers},
		{p.Ahead, q.Ahead},
	} {
		if c[0] != c[1] {
			return c[0] > c[1]
		}
	}
	return false
}

// longest is the length of the longest piece of r.
func longest(r voxel.Range, step int) int {
	most := 0
	for piece := range r.Pieces(step) {
		most = max(most, piece.Len())
		if most == step {
			break
		}
	}
	return most
}
