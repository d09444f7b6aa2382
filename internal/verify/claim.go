package verify

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Fate is what became of a box when it was ingested.
type Fate string

const (
	Posted Fate = "posted" // BOSS took it
	Empty  Fate = "empty"  // all zero, and not sent
	Failed Fate = "failed" // finally failed; a part of it may be there
	Begun  Fate = "begun"  // sent perhaps, and nothing is known of it
	Left   Fate = "left"   // never sent
)

// A Claim is what a journal says of a box.
type Claim struct {
	Box  voxel.Box // BOSS coordinates, not empty
	Fate Fate
	Sum  uint64 // of a posted one: see [voxel.Block.Sum]
	Why  string // of a failed one
	Lost []int  // slices, in source coordinates, of which rows in it were put in the place of others

	// Vague says that a part of the box was carried again later, perhaps with
	// other voxels: if BOSS still holds exactly what the claim says, all of it is
	// there; if not, nobody can tell whether that is as it should be.
	Vague bool
}

// A Verdict is what comparing a cuboid found.
type Verdict string

const (
	Match   Verdict = "match"   // BOSS holds exactly what was posted or, of an empty one, nothing
	Differ  Verdict = "differ"  // it holds something else
	Missing Verdict = "missing" // it was not posted, or BOSS holds only zeros where voxels were
	Error   Verdict = "error"   // it could not be compared
)

// A Finding is a claim with what became of it.
type Finding struct {
	Claim
	Verdict Verdict
	Why     string // of any verdict but Match
}

// Gone reports whether voxels were posted of which BOSS holds none.
func (f Finding) Gone() bool { return f.Verdict == Missing && f.Fate == Posted }

// Check looks at every claim, so many at one time, and tells each finding, one
// after the other and in no order. It holds as many blocks as there are workers,
// each of the size of the largest box.
//
// It ends early, with the error, if one says that no other cuboid would fare
// better (see ingest.Sink), if tell returns one, or when ctx ends. It panics if
// there are no workers.
func Check(ctx context.Context, claims iter.Seq[Claim], from Fetcher, workers int, tell func(Finding) error) error {
	if workers < 1 {
		panic("verify: no workers")
	}
	g, ctx := errgroup.WithContext(ctx)
	todo := make(chan Claim)
	g.Go(func() error {
		defer close(todo)
		for c := range claims {
			select {
			case todo <- c:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	var telling sync.Mutex
	for range workers {
		g.Go(func() error {
			var got voxel.Block
			for c := range todo {
				f, err := c.judge(ctx, from, &got)
				if err != nil {
					return err
				}
				telling.Lock()
				err = tell(f)
				telling.Unlock()
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// judge compares the claim with what is fetched into got. It returns an error
// only if the run must end.
func (c Claim) judge(ctx context.Context, from Fetcher, got *voxel.Block) (Finding, error) {
	if c.Fate != Posted && c.Fate != Empty {
		return Finding{c, Missing, c.unposted()}, nil
	}
	got.Box = c.Box
	if err := from.GetInto(ctx, got); err != nil {
		if ctx.Err() != nil {
			return Finding{}, ctx.Err()
		}
		if endsRun(err) {
			return Finding{}, err
		}
		return Finding{c, Error, err.Error()}, nil
	}
	return c.compare(got), nil
}

// unposted says why there is nothing to be compared.
func (c Claim) unposted() string {
	switch {
	case c.Fate == Failed && c.Why != "":
		return "posting it failed: " + c.Why
	case c.Fate == Failed:
		return "posting it failed"
	case c.Fate == Begun:
		return "it was begun, and what became of it is not known"
	}
	return "it was never posted"
}

func (c Claim) compare(got *voxel.Block) Finding {
	zero := voxel.IsZero(got.Data)
	sum := got.Sum()
	switch {
	case c.Fate == Empty && zero, c.Fate == Posted && sum == c.Sum:
		return Finding{c, Match, ""}
	case c.Vague:
		return Finding{c, Error, "a part of it was carried again later, and BOSS no longer holds what was posted first: verify --against source compares with the images"}
	case c.Fate == Empty:
		at, value := first(got)
		return Finding{c, Differ, fmt.Sprintf("at %v BOSS has %d, where the images are black: data that was there before shows through", at, value)}
	case zero:
		return Finding{c, Missing, "BOSS holds only zeros, where voxels were posted"}
	}
	return Finding{c, Differ, fmt.Sprintf("its sum in BOSS is %016x, and it was posted with %016x", sum, c.Sum)}
}

// first finds the first voxel of b that is not zero; there is one.
func first(b *voxel.Block) (voxel.Point, uint64) {
	size := b.Type.Size()
	i := slices.IndexFunc(b.Data, func(c byte) bool { return c != 0 }) / size
	s := b.Box.Size()
	at := voxel.Point{X: i % s.X, Y: i / s.X % s.Y, Z: i / s.X / s.Y}
	return at.Add(b.Box.Min), value(b.Data[i*size : (i+1)*size])
}

// endsRun reports whether err says that no other cuboid can succeed.
func endsRun(err error) bool {
	var fatal interface{ Fatal() bool }
	var refused interface{ Refused() bool }
	return errors.As(err, &fatal) && fatal.Fatal() || errors.As(err, &refused) && refused.Refused()
}
