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
		p := plan.New(data, voxel.Uint8, voxel.Uint8, 8, 0)
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
		if got := plan.New(tt.data, voxel.Uint8, voxel.Uint8, tt.workers, 0).Ahead; got != tt.want {
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
		if got := plan.New(tt.data, voxel.Uint8, voxel.Uint8, tt.workers, 0).Workers; got != tt.want {
			t.Errorf("%v with %d workers: %d, want %d", tt.data, tt.workers, got, tt.want)
		}
	}
}

func TestMemory(t *testing.T) {
	const MiB = 1 << 20
	p := plan.New(box(0, 8192, 0, 8192, 0, 32), voxel.Uint16, voxel.Uint16, 8, 5*MiB)
	m := p.Memory()
	if want := int64(2 * 8192 * 1024 * 16 * 2); m.Bands != want {
		t.Errorf("Bands = %d, want %d", m.Bands, want)
	}
	if want := int64(16 * 5 * MiB); m.Slices != want {
		t.Errorf("Slices = %d, want %d", m.Slices, want)
	}
	if cuboid := int64(32 * MiB); m.Workers < 8*2*cuboid {
		t.Errorf("Workers = %d, want a cuboid and a frame each, %d at least", m.Workers, 8*2*cuboid)
	}
	if m.Total() != m.Bands+m.Slices+m.Workers+m.Process {
		t.Errorf("Total %d is not the sum of %+v", m.Total(), m)
	}
	small := plan.New(box(0, 100, 0, 100, 3, 5), voxel.Uint8, voxel.Uint64, 1, 0).Memory()
	if small.Bands != 100*100*2 {
		t.Errorf("Bands of a small job = %d, want %d", small.Bands, 100*100*2)
	}
}

// A limit of memory is kept, at the cost of what matters least, and what cannot
// be kept is said.
func TestWithin(t *testing.T) {
	section := voxel.NewBox(voxel.Range{Max: 30000}, voxel.Range{Max: 30000}, voxel.Range{Max: 16})
	full := plan.New(section, voxel.Uint8, voxel.Uint8, 8, 0)
	for _, tt := range []struct {
		limit                int64
		size, workers, ahead int
	}{
		{8 << 30, 1024, 8, 2},
		{1200 << 20, 1024, 5, 2},
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
