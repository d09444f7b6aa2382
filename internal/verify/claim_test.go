package verify_test

import (
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/verify"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A store is a BOSS that holds a function of the place, but for one voxel.
type store struct {
	typ     voxel.Type
	flipped voxel.Point // the voxel that is another one
	flip    bool
	err     error
	fetched atomic.Int64
}

func (s *store) GetInto(_ context.Context, dst *voxel.Block) error {
	s.fetched.Add(1)
	dst.Reset(dst.Box, s.typ)
	fill(dst)
	at := voxel.Box{Min: s.flipped, Max: s.flipped.Add(voxel.Point{X: 1, Y: 1, Z: 1})}
	if s.flip && dst.Box.Contains(at) {
		row := dst.Row(s.flipped.Y, s.flipped.Z)
		row[(s.flipped.X-dst.Box.Min.X)*s.typ.Size()] ^= 1
	}
	return s.err
}

// fill gives each voxel a value of its place's own.
func fill(b *voxel.Block) {
	size := b.Type.Size()
	for z := b.Box.Min.Z; z < b.Box.Max.Z; z++ {
		for y := b.Box.Min.Y; y < b.Box.Max.Y; y++ {
			row := b.Row(y, z)
			for i := 0; i < len(row); i += size {
				v := uint64(b.Box.Min.X+i/size)*0x9e3779b97f4a7c15 ^ uint64(y)*0xff51afd7ed558ccd ^ uint64(z)<<7
				var q [8]byte
				binary.LittleEndian.PutUint64(q[:], v|1<<1)
				copy(row[i:i+size], q[:])
			}
		}
	}
}

// claimsOf claims that fill was posted to all cuboids of a box.
func claimsOf(all voxel.Box, step voxel.Point, t voxel.Type) iter.Seq[verify.Claim] {
	return func(yield func(verify.Claim) bool) {
		for box := range all.Pieces(step) {
			b := voxel.NewBlock(box, t)
			fill(b)
			if !yield(verify.Claim{Box: box, Fate: verify.Posted, Sum: b.Sum()}) {
				return
			}
		}
	}
}

// Of ten thousand cuboids one voxel of one is another one: that cuboid is named,
// and the others match.
func TestOneVoxelOfTenThousandCuboids(t *testing.T) {
	step := voxel.Point{X: 16, Y: 16, Z: 8}
	all := voxel.Box{Max: voxel.Point{X: 16 * 25, Y: 16 * 20, Z: 8 * 20}}
	s := &store{typ: voxel.Uint16, flip: true, flipped: voxel.Point{X: 133, Y: 271, Z: 58}}
	var tally verify.Tally
	err := verify.Check(t.Context(), claimsOf(all, step, s.typ), s, 8, func(f verify.Finding) error { tally.Add(f); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tally.String(), "9999 cuboids match, 1 differ, 0 missing, 0 errors"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	want := voxel.NewBox(voxel.Range{Min: 128, Max: 144}, voxel.Range{Min: 256, Max: 272}, voxel.Range{Min: 56, Max: 64})
	if len(tally.First) != 1 || tally.First[0].Box != want || tally.First[0].Verdict != verify.Differ {
		t.Errorf("named are %v, want %v", tally.First, want)
	}
	if tally.Verified() {
		t.Error("it counts as verified")
	}
}

// Every claim has its verdict, and what was never posted is not fetched.
func TestVerdicts(t *testing.T) {
	full := voxel.NewBlock(cube, voxel.Uint8)
	for i := range full.Data {
		full.Data[i] = byte(i)
	}
	black := voxel.NewBlock(cube, voxel.Uint8)
	other := voxel.NewBlock(cube, voxel.Uint8)
	other.Data[61] = 200
	down := boss{err: errors.New("BOSS is down")}
	posted := verify.Claim{Box: cube, Fate: verify.Posted, Sum: full.Sum()}
	empty := verify.Claim{Box: cube, Fate: verify.Empty}
	vague := func(c verify.Claim) verify.Claim { c.Vague = true; return c }
	for name, tt := range map[string]struct {
		claim verify.Claim
		holds boss
		want  verify.Verdict
		why   string
	}{
		"posted":                {posted, boss{Block: full}, verify.Match, ""},
		"posted, other voxels":  {posted, boss{Block: other}, verify.Differ, "posted with"},
		"posted, gone":          {posted, boss{Block: black}, verify.Missing, "only zeros"},
		"posted, no answer":     {posted, down, verify.Error, "BOSS is down"},
		"empty":                 {empty, boss{Block: black}, verify.Match, ""},
		"empty, something":      {empty, boss{Block: other}, verify.Differ, "at 101, 51, 16 BOSS has 200"},
		"failed":                {verify.Claim{Box: cube, Fate: verify.Failed, Why: "500"}, down, verify.Missing, "posting it failed: 500"},
		"begun":                 {verify.Claim{Box: cube, Fate: verify.Begun}, down, verify.Missing, "not known"},
		"left":                  {verify.Claim{Box: cube, Fate: verify.Left}, down, verify.Missing, "never posted"},
		"again in part, same":   {vague(posted), boss{Block: full}, verify.Match, ""},
		"again in part, other":  {vague(posted), boss{Block: other}, verify.Error, "again later"},
		"again in part, black":  {vague(posted), boss{Block: black}, verify.Error, "again later"},
		"empty, then a part":    {vague(empty), boss{Block: other}, verify.Error, "again later"},
		"empty, a part, no use": {vague(empty), boss{Block: black}, verify.Match, ""},
	} {
		var tally verify.Tally
		err := verify.Check(t.Context(), slices.Values([]verify.Claim{tt.claim}), tt.holds, 1, func(f verify.Finding) error {
			if f.Verdict != tt.want || !strings.Contains(f.Why, tt.why) || f.Why == "" != (tt.want == verify.Match) {
				t.Errorf("%s: %s, %q; want %s, %q", name, f.Verdict, f.Why, tt.want, tt.why)
			}
			tally.Add(f)
			return nil
		})
		if err != nil || tally.Cuboids() != 1 {
			t.Errorf("%s: %v after %d findings", name, err, tally.Cuboids())
		}
		if gone := tally.Gone == 1; gone != (name == "posted, gone") {
			t.Errorf("%s: gone is %v", name, gone)
		}
	}
}

type fatal struct{ error }

func (fatal) Fatal() bool { return true }

// What no other cuboid would fare better with ends the run, and so do a report
// that cannot be written and a person.
func TestCheckEnds(t *testing.T) {
	all := voxel.Box{Max: voxel.Point{X: 800, Y: 800, Z: 8}}
	step := voxel.Point{X: 8, Y: 8, Z: 8}
	claims := func() iter.Seq[verify.Claim] { return claimsOf(all, step, voxel.Uint8) }
	keep := func(verify.Finding) error { return nil }
	token := fatal{errors.New("the token is refused")}
	s := &store{typ: voxel.Uint8, err: token}
	if err := verify.Check(t.Context(), claims(), s, 4, keep); !errors.Is(err, token) || s.fetched.Load() > 8 {
		t.Errorf("a fatal error: %v after %d fetches", err, s.fetched.Load())
	}
	s = &store{typ: voxel.Uint8}
	disk := errors.New("disk full")
	if err := verify.Check(t.Context(), claims(), s, 4, func(verify.Finding) error { return disk }); !errors.Is(err, disk) || s.fetched.Load() > 12 {
		t.Errorf("a full disk: %v after %d fetches", err, s.fetched.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := verify.Check(ctx, claims(), &store{typ: voxel.Uint8}, 4, func(verify.Finding) error {
		if n++; n == 10 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || n > 20 {
		t.Errorf("interrupted: %v after %d findings", err, n)
	}
}

// A latched store answers when it is told to, and knows how many wait.
type latched struct {
	*store
	now, most atomic.Int64
}

func (l *latched) GetInto(ctx context.Context, dst *voxel.Block) error {
	l.most.Store(max(l.most.Load(), l.now.Add(1)))
	time.Sleep(time.Second)
	l.now.Add(-1)
	return l.store.GetInto(ctx, dst)
}

// As many cuboids as there are workers are fetched at one time, and no more.
func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &latched{store: &store{typ: voxel.Uint8}}
		start := time.Now()
		claims := claimsOf(voxel.Box{Max: voxel.Point{X: 96, Y: 8, Z: 8}}, voxel.Point{X: 8, Y: 8, Z: 8}, voxel.Uint8)
		if err := verify.Check(t.Context(), claims, l, 3, func(verify.Finding) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); l.most.Load() != 3 || took != 4*time.Second {
			t.Errorf("%d at one time, all after %v; want 3 and 4s", l.most.Load(), took)
		}
	})
}
