package journal_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

// Done is what a slow twin says, which looks at one voxel after the other.
func TestReplayTwin(t *testing.T) {
	// The places where boxes begin and end, so that the twin has few voxels.
	xs, ys, zs := []int{0, 300, 1024, 1500, 2048}, []int{0, 600, 700, 1024}, []int{0, 5, 6, 16, 20}
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(cuts []int, cell int) voxel.Range {
		for {
			i, j := rnd.IntN(len(cuts)), rnd.IntN(len(cuts))
			r := voxel.Range{Min: cuts[i], Max: cuts[j]}
			if !r.Empty() && (cell == 0 || r.CountPieces(cell) == 1) {
				return r
			}
		}
	}
	type word struct {
		box    voxel.Box
		fate   string
		fresh  bool
		lost   []voxel.Box
		posted bool
	}
	for round := range 300 {
		var said []word
		dir := t.TempDir()
		fresh := round%3 == 0
		for n := range 1 + rnd.IntN(4) {
			data := voxel.NewBox(pick(xs, 0), pick(ys, 0), pick(zs, 0))
			top := headText("n1", data.String())
			if fresh && n > 0 && rnd.IntN(2) == 0 {
				top = headText("n1", data.String(), `"fresh":true`)
				said = append(said, word{box: data, fresh: true})
			}
			lines := []string{top}
			var lost []voxel.Box
			count := 0
			for range 8 {
				if rnd.IntN(4) == 0 {
					z, rows := zs[rnd.IntN(4)], pick(ys, 0)
					lines = append(lines, fmt.Sprintf(`{"missing":%d,"rows":"%v","why":"x"}`, z, rows))
					lost = append(lost, voxel.NewBox(voxel.Range{Min: 0, Max: 2048}, rows, voxel.Range{Min: z, Max: z + 1}))
					continue
				}
				b := voxel.NewBox(pick(xs, 1024), pick(ys, 1024), pick(zs, 16))
				if !data.Contains(b) {
					continue
				}
				count++
				switch fate := []string{"begin", "posted", "posted", "empty", "failed"}[rnd.IntN(5)]; fate {
				case "begin":
					lines = append(lines, fmt.Sprintf(`{"begin":"%v"}`, b))
					said = append(said, word{box: b, fate: fate})
				default:
					lines = append(lines, fmt.Sprintf(`{%q:"%v",%s}`, fate, b, sum))
					said = append(said, word{b, fate, false, slices.Clone(lost), fate == "posted" || fate == "empty"})
				}
			}
			if count == 0 && len(said) > 0 && said[len(said)-1].fresh {
				said = said[:len(said)-1] // a file in which nothing was begun counts for nothing
			}
			write(t, dir, n, lines...)
		}
		s := read(t, dir)
		// done is the twin: whether all is well with a voxel.
		done := func(p voxel.Box) bool {
			for i, w := range slices.Backward(said) {
				if w.fresh || !w.box.Contains(p) {
					continue
				}
				for _, later := range said[i+1:] {
					if later.fresh && later.box.Overlaps(w.box) {
						return false
					}
				}
				return w.posted && !slices.ContainsFunc(w.lost, p.Overlaps)
			}
			return false
		}
		for range 60 {
			b := voxel.NewBox(pick(xs, 0), pick(ys, 0), pick(zs, 0))
			want := true
			for x := range cut(b.X(), xs) {
				for y := range cut(b.Y(), ys) {
					for z := range cut(b.Z(), zs) {
						want = want && done(voxel.NewBox(x, y, z))
					}
				}
			}
			// With fresh ones, more may have been forgotten than had to be.
			if got := s.Done(b); got != want && (got || !fresh) {
				t.Fatalf("round %d: Done(%v) = %v, want %v, after %+v", round, b, got, want, said)
			}
		}
		for e := range s.Entries() {
			if e.Over {
				continue
			}
			if got, want := s.Done(e.Box), (e.Fate == journal.Posted || e.Fate == journal.Empty) && e.Lost == nil; got != want {
				t.Fatalf("round %d: Done(%v) = %v, and its entry is %+v", round, e.Box, got, e)
			}
		}
	}
}

// cut gives the pieces of r between the cuts.
func cut(r voxel.Range, cuts []int) func(func(voxel.Range) bool) {
	return func(yield func(voxel.Range) bool) {
		for i := range cuts[1:] {
			if p := (voxel.Range{Min: cuts[i], Max: cuts[i+1]}); r.Contains(p) && !yield(p) {
				return
			}
		}
	}
}
