package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
// Under the others it is left to the run, which records it, but if no slice of
// the whole stack can be opened, that is an error: the pattern is wrong, not the
// stack.
// A slice of another type or size, or of a kind that is not read, is an error
// under every policy.
func Survey(ctx context.Context, src source.Source, z, stack voxel.Range, missing job.Missing) (held int64, err error) {
	var s survey
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(surveyors)
	for i := z.Min; i < z.Max && gctx.Err() == nil; i++ {
		g.Go(func() error {
			slice, err := src.Open(gctx, i)
			if err != nil {
				return s.fail(gctx, i, err)
			}
			defer slice.Close()
			s.open(slice.Held())
			return nil
		})
	}
	err = g.Wait()
	switch {
	case len(s.wrong) >= listed:
		return s.held, fmt.Errorf("at least %w\nand the others were not looked at", list(s.wrong, z))
	case len(s.wrong) > 0:
		return s.held, list(s.wrong, z)
	case err != nil:
		return s.held, err
	case missing == job.Fail:
		return s.held, list(s.lost, z)
	case len(s.lost) == z.Len():
		return anyOf(ctx, src, stack, list(s.lost, z))
	}
	return s.held, nil
}

// anyOf looks for a slice of the stack that can be opened, and gives what it
// holds; none is the error if there is none.
func anyOf(ctx context.Context, src source.Source, stack voxel.Range, none error) (held int64, err error) {
	for z := stack.Min; z < stack.Max; z++ {
		slice, err := src.Open(ctx, z)
		if err == nil {
			held = slice.Held()
			return held, slice.Close()
		}
		if ctx.Err() != nil || !isLoss(err) {
			return 0, err
		}
	}
	return 0, none
}

// A survey is what is known of the slices so far.
type survey struct {
	mu          sync.Mutex
	held        int64
	lost, wrong []failure
}

type failure struct {
	z   int
	err error
}

func (s *survey) open(held int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = max(s.held, held)
}

// fail notes why slice z cannot be opened. It returns an error when there is no
// point in opening more.
func (s *survey) fail(ctx context.Context, z int, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case ctx.Err() != nil || endsRun(err):
		return err
	case isLoss(err):
		s.lost = append(s.lost, failure{z, err})
		return nil
	}
	s.wrong = append(s.wrong, failure{z, err})
	if len(s.wrong) == listed {
		return err
	}
	return nil
}

// list is the error for slices of z that cannot be used; nil if there are none.
func list(failures []failure, z voxel.Range) error {
	slices.SortFunc(failures, func(a, b failure) int { return a.z - b.z })
	errs := make([]error, len(failures))
	for i, f := range failures {
		errs[i] = f.err
	}
	switch n := len(errs); {
	case n == 0:
		return nil
	case n == 1:
		return errs[0]
	case n == z.Len():
		return fmt.Errorf("none of the %d slices %v can be used, the first because: %w", n, z, errs[0])
	case n > listed:
		errs = append(errs[:listed], fmt.Errorf("and %d more", n-listed))
		fallthrough
	default:
		return fmt.Errorf("%d of %d slices cannot be used:\n%w", n, z.Len(), errors.Join(errs...))
	}
}
