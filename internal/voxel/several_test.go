package voxel_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/neurodata/ndpush/internal/voxel"
)

// randomRange is one of up to five integers, some of them below 0; maybe empty.
func randomRange(rnd *rand.Rand) voxel.Range {
	lo := rnd.IntN(7) - 3
	return voxel.Range{Min: lo, Max: lo + rnd.IntN(6)}
}

func randomBox(rnd *rand.Rand) voxel.Box {
	return voxel.NewBox(randomRange(rnd), randomRange(rnd), randomRange(rnd))
}

// single is the step of a grid whose pieces are voxels.
var single = voxel.Point{X: 1, Y: 1, Z: 1}

// Every voxel outside of what is taken away is left once, and no other.
func TestSubtract(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 1000 {
		box := randomBox(rnd)
		away := make([]voxel.Box, rnd.IntN(5))
		left := []voxel.Box{box}
		for i := range away {
			away[i] = randomBox(rnd)
			before := slices.Clone(left)
			after := voxel.Subtract(left, away[i])
			if !slices.Equal(left, before) {
				t.Fatalf("taking %v away changes %v into %v", away[i], before, left)
			}
			left = after
		}
		for p := range box.Pieces(single) {
			want := 1
			if slices.ContainsFunc(away, func(b voxel.Box) bool { return b.Contains(p) }) {
				want = 0
			}
			got := 0
			for _, b := range left {
				if b.Contains(p) {
					got++
				}
			}
			if got != want {
				t.Fatalf("%v without %v is %v: %v is in %d of them, want %d", box, away, left, p.Min, got, want)
			}
		}
	}
}

func TestJoin(t *testing.T) {
	type list = []voxel.Range
	for _, tt := range []struct{ in, want list }{
		{nil, nil},
		{list{{Min: 3, Max: 3}}, nil},
		{list{{Min: 5, Max: 7}, {Min: 1, Max: 3}}, list{{Min: 1, Max: 3}, {Min: 5, Max: 7}}},
		{list{{Min: 3, Max: 5}, {Min: 1, Max: 3}}, list{{Min: 1, Max: 5}}},
		{list{{Min: 0, Max: 9}, {Min: 2, Max: 3}, {Min: 9, Max: 10}, {Min: 12, Max: 13}}, list{{Min: 0, Max: 10}, {Min: 12, Max: 13}}},
	} {
		in := slices.Clone(tt.in)
		if got := voxel.Join(in); !slices.Equal(got, tt.want) {
			t.Errorf("Join(%v) = %v, want %v", tt.in, got, tt.want)
		}
		if !slices.Equal(in, tt.in) {
			t.Errorf("Join(%v) changed it into %v", tt.in, in)
		}
	}
}

// Overlaps and Around agree with what Intersect and Contains say.
func TestTwoBoxes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 1000 {
		a, b := randomBox(rnd), randomBox(rnd)
		if got, want := a.Overlaps(b), !a.Intersect(b).Empty(); got != want {
			t.Errorf("%v.Overlaps(%v) = %v, want %v", a, b, got, want)
		}
		if a.Empty() || b.Empty() {
			continue
		}
		// The smallest that contains both: each of its sides is one of theirs.
		around := a.Around(b)
		if !around.Contains(a) || !around.Contains(b) {
			t.Errorf("%v.Around(%v) = %v, which lacks some of them", a, b, around)
		}
		for _, side := range []struct{ r, a, b voxel.Range }{{around.X(), a.X(), b.X()}, {around.Y(), a.Y(), b.Y()}, {around.Z(), a.Z(), b.Z()}} {
			if side.r.Min != side.a.Min && side.r.Min != side.b.Min || side.r.Max != side.a.Max && side.r.Max != side.b.Max {
				t.Errorf("%v.Around(%v) = %v, which is too large", a, b, around)
			}
		}
	}
}

// Boxes are in the order in which Pieces gives them.
func TestCompare(t *testing.T) {
	box := voxel.NewBox(voxel.Range{Min: -3, Max: 2}, voxel.Range{Min: -1, Max: 3}, voxel.Range{Min: 4, Max: 7})
	want := slices.Collect(box.Pieces(single))
	got := slices.Clone(want)
	rand.New(rand.NewPCG(9, 10)).Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
	slices.SortFunc(got, voxel.Box.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("sorted: %v, want %v", got, want)
	}
}
