package plan_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/quick"

	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/voxel"
)

func box(x0, x1, y0, y1, z0, z1 int) voxel.Box {
	return voxel.NewBox(voxel.Range{Min: x0, Max: x1}, voxel.Range{Min: y0, Max: y1}, voxel.Range{Min: z0, Max: z1})
}

// For any range and number of workers the shares are disjoint, cut at multiples
// of 16, not empty, and cover the range exactly.
func TestSplit(t *testing.T) {
	property := func(start int16, length uint16, workers uint8) bool {
		z := voxel.Range{Min: int(start), Max: int(start) + int(length)}
		n := 1 + int(workers)
		shares := plan.Split(z, n)
		if z.Empty() {
			return len(shares) == 0
		}
		if len(shares) != min(n, z.CountPieces(16)) {
			return false
		}
		next, fewest, most := z.Min, length, uint16(0)
		for i, s := range shares {
			if s.Empty() || s.Min != next || i > 0 && s.Min%16 != 0 {
				return false
			}
			next = s.Max
			chunks := uint16(s.CountPieces(16))
			fewest, most = min(fewest, chunks), max(most, chunks)
		}
		return next == z.Max && most-fewest <= 1
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 20000}); err != nil {
		t.Error(err)
	}
}

func TestSplitExamples(t *testing.T) {
	for _, tt := range []struct {
		z    voxel.Range
		n    int
		want []voxel.Range
	}{
		{voxel.Range{Min: 0, Max: 64}, 4, []voxel.Range{{Min: 0, Max: 16}, {Min: 16, Max: 32}, {Min: 32, Max: 48}, {Min: 48, Max: 64}}},
		{voxel.Range{Min: 5, Max: 40}, 2, []voxel.Range{{Min: 5, Max: 16}, {Min: 16, Max: 40}}},
		{voxel.Range{Min: 0, Max: 20}, 9, []voxel.Range{{Min: 0, Max: 16}, {Min: 16, Max: 20}}},
		{voxel.Range{Min: -3, Max: 2}, 2, []voxel.Range{{Min: -3, Max: 0}, {Min: 0, Max: 2}}},
		{voxel.Range{Min: 4, Max: 4}, 2, nil},
	} {
		if got := plan.Split(tt.z, tt.n); !slices.Equal(got, tt.want) {
			t.Errorf("Split(%v, %d) = %v, want %v", tt.z, tt.n, got, tt.want)
		}
	}
}

// Chunks, bands and cuboids together are the data cut on the grid: each cuboid
// once, none across a boundary.
func TestPieces(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		x, y, z := rnd.IntN(3000), rnd.IntN(3000), rnd.IntN(60)
		data := box(x, x+1+rnd.IntN(5000), y, y+1+rnd.IntN(5000), z, z+1+rnd.IntN(60))
		p := plan.New(data, voxel.Uint8, voxel.Uint8, 8)
		var got []voxel.Box
		for chunk := range p.Chunks() {
			for band := range p.Bands(chunk) {
				got = slices.AppendSeq(got, p.Cuboids(band))
			}
		}
		want := slices.Collect(data.Pieces(voxel.Point{X: 1024, Y: 1024, Z: 16}))
		if !slices.Equal(got, want) {
			t.Fatalf("%v: cuboids %v, want %v", data, got, want)
		}
		if p.CountCuboids() != int64(len(want)) {
			t.Fatalf("%v: CountCuboids %d, want %d", data, p.CountCuboids(), len(want))
		}
	}
}

func TestBands(t *testing.T) {
	for _, tt := range []struct {
		data          voxel.Box
		workers, want int
	}{
		{box(0, 1024, 0, 1024, 0, 1600), 8, 9},  // a band is one cuboid: eight in work, one being decoded
		{box(0, 8192, 0, 8192, 0, 1600), 8, 2},  // a band keeps all workers busy
		{box(0, 4096, 0, 8192, 0, 1600), 16, 5}, // four bands do
		{box(0, 1024, 0, 1024, 0, 20), 8, 2},    // there are only two
		{box(0, 10, 0, 10, 0, 1), 8, 1},
	} {
		if got := plan.New(tt.data, voxel.Uint8, voxel.Uint8, tt.workers).Ahead; got != tt.want {
			t.Errorf("%v with %d workers: %d bands, want %d", tt.data, tt.workers, got, tt.want)
		}
	}
}

// Workers without work would be counted as memory.
func TestWorkers(t *testing.T) {
	for _, tt := range []struct {
		data          voxel.Box
		workers, want int
	}{
		{box(0, 8192, 0, 8192, 0, 16), 0, plan.DefaultWorkers},
		{box(0, 8192, 0, 8192, 0, 16), 20, 20},
		{box(0, 1024, 0, 1024, 0, 20), 8, 2},
		{box(0, 1, 0, 1, 0, 1), 8, 1},
	} {
		if got := plan.New(tt.data, voxel.Uint8, voxel.Uint8, tt.workers).Workers; got != tt.want {
			t.Errorf("%v with %d workers: %d, want %d", tt.data, tt.workers, got, tt.want)
		}
	}
}

func TestMemory(t *testing.T) {
	const MiB = 1 << 20
	const cuboid = 32 * MiB
	p := plan.New(box(0, 8192, 0, 8192, 0, 32), voxel.Uint16, voxel.Uint16, 8)
	p.Slice.Held = 5 * MiB
	m := p.Memory()
	if want := int64(2 * 8 * cuboid); m.Bands != want {
		t.Errorf("Bands = %d, want two bands, %d", m.Bands, want)
	}
	if want := int64(16 * 5 * MiB); m.Slices != want {
		t.Errorf("Slices = %d, want %d", m.Slices, want)
	}
	if m.Workers < 8*cuboid || m.Workers > 9*cuboid {
		t.Errorf("Workers = %d, want a frame each and a little more, %d", m.Workers, 8*cuboid)
	}
	if want := int64(16 * 8192 * 1024 * 2); m.Rows != want {
		t.Errorf("Rows = %d, want those of all slices of a band, %d", m.Rows, want)
	}
	if m.Total() != m.Bands+m.Rows+m.Slices+m.Workers+m.Process {
		t.Errorf("Total %d is not the sum of %+v", m.Total(), m)
	}
	p.Slice.Step, p.Piece, p.Readers = 1, 256<<10, 2
	if got := p.Memory().Rows; got != 2*256<<10 {
		t.Errorf("Rows = %d, want two pieces", got)
	}
	small := plan.New(box(0, 100, 0, 100, 3, 5), voxel.Uint8, voxel.Uint64, 1).Memory()
	if small.Bands != 100*100*2 || small.Workers < 9*2*100*100 {
		t.Errorf("a small job takes %+v, want a cuboid as it is read, and as labels with its frame", small)
	}
}

// Rows of a slice are read in pieces that are whole steps of it, from its first row on.
func TestRows(t *testing.T) {
	p := plan.New(box(0, 1000, 0, 2000, 0, 16), voxel.Uint8, voxel.Uint8, 8)
	for _, tt := range []struct {
		piece int64
		step  int
		y     voxel.Range
		want  []int // where they end
	}{
		{0, 1, voxel.Range{Min: 24, Max: 1024}, []int{1024}},
		{300_000, 0, voxel.Range{Min: 24, Max: 1024}, []int{1024}},
		{0, 0, voxel.Range{Max: 1}, []int{1}},
		{300_000, 1, voxel.Range{Min: 24, Max: 1024}, []int{300, 600, 900, 1024}},
		{300_000, 256, voxel.Range{Min: 24, Max: 1024}, []int{256, 512, 768, 1024}},
		{300_000, 128, voxel.Range{Min: 300, Max: 513}, []int{512, 513}},
		{100, 1, voxel.Range{Min: 7, Max: 9}, []int{8, 9}},
		{100, 512, voxel.Range{Min: 7, Max: 600}, []int{512, 600}},
	} {
		p.Piece, p.Slice.Step = tt.piece, tt.step
		var got []int
		for y := range p.Rows(tt.y) {
			if len(got) == 0 && y.Min != tt.y.Min || len(got) > 0 && y.Min != got[len(got)-1] {
				t.Errorf("%+v: %v follows %v", tt, y, got)
			}
			got = append(got, y.Max)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("pieces of %d bytes, steps of %d, rows %v: %v, want %v", tt.piece, tt.step, tt.y, got, tt.want)
		}
	}
}

// There is memory for the cuboids of all bands, of each width as many as they have.
func TestRooms(t *testing.T) {
	for _, tt := range []struct {
		data           voxel.Box
		workers, ahead int
		want           []plan.Room
	}{
		{box(0, 8192, 0, 8192, 0, 64), 8, 0, []plan.Room{{Width: 1024, Count: 16, Bytes: 16 << 20}}},
		{box(0, 1030, 0, 8192, 0, 64), 8, 0, []plan.Room{{Width: 1024, Count: 5, Bytes: 16 << 20}, {Width: 6, Count: 5, Bytes: 6 << 14}}},
		{box(1000, 30000, 0, 8192, 0, 64), 8, 0, []plan.Room{{Width: 24, Count: 2, Bytes: 24 << 14}, {Width: 1024, Count: 56, Bytes: 16 << 20}, {Width: 304, Count: 2, Bytes: 304 << 14}}},
		{box(0, 1024, 0, 1024, 0, 64), 8, 0, []plan.Room{{Width: 1024, Count: 4, Bytes: 16 << 20}}}, // there are no more
		{box(0, 10, 5, 7, 0, 64), 1, 0, []plan.Room{{Width: 10, Count: 2, Bytes: 10 * 2 * 16}}},
		{box(0, 8192, 0, 8192, 0, 64), 8, 1, []plan.Room{{Width: 1024, Count: 8 + 8, Bytes: 16 << 20}}},
		{box(500, 30000, 0, 8192, 0, 64), 4, 1, []plan.Room{{Width: 524, Count: 1 + 1, Bytes: 524 << 14}, {Width: 1024, Count: 28 + 4, Bytes: 16 << 20}, {Width: 304, Count: 1 + 1, Bytes: 304 << 14}}},
		{box(0, 8192, 0, 1024, 0, 16), 8, 1, []plan.Room{{Width: 1024, Count: 8, Bytes: 16 << 20}}}, // there is no other band
	} {
		p := plan.New(tt.data, voxel.Uint8, voxel.Uint8, tt.workers)
		if tt.ahead > 0 {
			p.Ahead = tt.ahead
		}
		if got := p.Rooms(); !slices.Equal(got, tt.want) {
			t.Errorf("%v: %+v, want %+v", tt.data, got, tt.want)
		}
	}
}

// A limit of memory is kept, at the cost of what matters least, and what cannot
// be kept is said.
func TestWithin(t *testing.T) {
	section := voxel.NewBox(voxel.Range{Max: 30000}, voxel.Range{Max: 30000}, voxel.Range{Max: 16})
	full := plan.New(section, voxel.Uint8, voxel.Uint8, 8)
	full.Readers, full.Piece, full.Slice.Step = 2, 256<<10, 1
	for _, tt := range []struct {
		limit                int64
		size, workers, ahead int
	}{
		{8 << 30, 1024, 8, 2},
		{1200 << 20, 1024, 8, 2},
		{1 << 30, 512, 8, 2},
		{512 << 20, 512, 8, 1},
		{320 << 20, 512, 1, 1},
	} {
		p, err := full.Within(tt.limit)
		if err != nil {
			t.Fatal(err)
		}
		if p.Cuboid.X != tt.size || p.Cuboid.Y != tt.size || p.Cuboid.Z != 16 || p.Workers != tt.workers || p.Ahead != tt.ahead {
			t.Errorf("within %d MiB: cuboids of %v, %d workers, %d bands, want %d, %d, %d",
				tt.limit>>20, p.Cuboid, p.Workers, p.Ahead, tt.size, tt.workers, tt.ahead)
		}
		if got := p.Memory().Total(); got > tt.limit {
			t.Errorf("within %d MiB: it takes %d MiB", tt.limit>>20, got>>20)
		}
		var voxels int64
		for chunk := range p.Chunks() {
			for band := range p.Bands(chunk) {
				for c := range p.Cuboids(band) {
					voxels += c.Voxels()
				}
			}
		}
		if voxels != section.Voxels() {
			t.Errorf("within %d MiB: %d voxels are planned, want %d", tt.limit>>20, voxels, section.Voxels())
		}
	}
	var small *plan.MemoryError
	if _, err := full.Within(100 << 20); !errors.As(err, &small) || small.Least < 300<<20 || small.Least > 320<<20 {
		t.Errorf("within 100 MiB: %v", err)
	}
	if p, err := full.Within(small.Least); err != nil || p.Memory().Total() != small.Least {
		t.Errorf("within the least: %v, %d", err, p.Memory().Total())
	}
}
