package plan

import "github.com/neurodata/ndpush/internal/voxel"

// Memory is the most that one process takes at one time, in bytes, by purpose.
type Memory struct {
	Bands   int64 // rows decoded and not yet gathered into cuboids
	Slices  int64 // what the slices of a chunk hold: whole images, where a decoder can give nothing less, and what is fetched ahead
	Workers int64 // per worker a cuboid, its frame, the compressor's tables and, to compare, the cuboid that came back
	Process int64 // the program itself, its stacks and connections
}

// Total is the sum.
func (m Memory) Total() int64 { return m.Bands + m.Slices + m.Workers + m.Process }

const (
	// process is what ndpush takes before it does anything, and a margin for
	// the garbage that decoding and HTTP leave between two collections.
	process = 64 << 20
	// compressor is a worker's scratch: a block, shuffled, and LZ4 or zstd tables.
	compressor = 4 << 20
)

// Memory predicts the peak of a run of p. Whoever runs p tells the garbage
// collector to keep to it; see the measurement in the README.
func (p Plan) Memory() Memory {
	size := p.Data.Size()
	depth := int64(longest(p.Data.Z(), CuboidZ))
	height := int64(longest(p.Data.Y(), CuboidY))
	cuboid := int64(longest(p.Data.X(), CuboidX)) * height * depth * int64(p.Channel.Size())
	cuboids := int64(2) // itself and its frame
	if p.Compare {
		cuboids = 3
	}
	return Memory{
		Bands:   int64(p.Ahead) * int64(size.X) * height * depth * int64(p.Source.Size()),
		Slices:  depth*p.Held + p.Fetch,
		Workers: int64(p.Workers) * (cuboids*cuboid + compressor),
		Process: process,
	}
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
