package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// surveyors is how many slices are opened side by side: opening is waiting.
const surveyors = 16

// listed is how many unreadable slices an error names before it only counts.
const listed = 10

// Survey opens every slice of z (source coordinates) and closes it again, so
// that what a header can tell is known before the first byte is posted: that
// all slices are there, and are what the job says. It gives the most that one
// of them holds while it is open, see [source.Slice].
//
// Under the policy Fail every slice that cannot be opened is part of the error.
// Under the others it is left to the run, which records it, but if no slice at
// all can be opened, that is an error: the pattern is wrong, not the stack.
// A slice of another type or size, or of a kind that is not read, is an error
// under every policy.
func Survey(ctx context.Context, src source.Source, z voxel.Range, missing job.Missing) (held int64, err error) {
	var mu sync.Mutex
	var lost []error
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(surveyors)
	for i := z.Min; i < z.Max && ctx.Err() == nil; i++ {
		g.Go(func() error {
			slice, err := src.Open(ctx, i)
			if err != nil {
				if ctx.Err() != nil || !isLoss(err) {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				lost = append(lost, err)
				return nil
			}
			defer slice.Close()
			mu.Lock()
			defer mu.Unlock()
			held = max(held, slice.Held())
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	if len(lost) == z.Len() || missing == job.Fail {
		return held, unreadable(lost, z)
	}
	return held, nil
}

// unreadable is the error for slices that cannot be opened; nil if there are none.
func unreadable(lost []error, z voxel.Range) error {
	switch n := len(lost); {
	case n == 0:
		return nil
	case n == 1:
		return lost[0]
	case n == z.Len():
		return fmt.Errorf("none of the %d slices %v can be opened, the first because: %w", n, z, lost[0])
	case n > listed:
		lost = append(lost[:listed:listed], fmt.Errorf("and %d more", n-listed))
		fallthrough
	default:
		return fmt.Errorf("%d of %d slices cannot be opened:\n%w", n, z.Len(), errors.Join(lost...))
	}
}
