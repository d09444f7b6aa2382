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

// Survey opens every slice that the run will read and closes it again, so that
// what a header can tell is known before the first byte is posted: that all
// slices are there, and are what the job says. It gives the most that one of
// them holds while it is open, see [source.Slice], which is for Plan.Held.
//
// Under the policy Fail every slice that cannot be opened, or is known to be
// damaged, is part of the error. Under the others it is left to the run, which
// records it, but if no slice of the whole stack can be opened, that is an
// error: the pattern is wrong, not the stack.
// A slice of another type or size, or of a kind that is not read, is an error
// under every policy.
//
// After each slice looked is told how many were looked at; it may be nil.
func (r *Road) Survey(ctx context.Context, looked func(n, of int)) (held int64, err error) {
	zs := r.slices()
	s := survey{road: r, of: len(zs), looked: looked}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(surveyors)
	for _, z := range zs {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error { return s.look(gctx, z) })
	}
	err = g.Wait()
	switch {
	case len(s.wrong) >= listed:
		return s.held, fmt.Errorf("at least %w\nand the others were not looked at", s.list(s.wrong))
	case len(s.wrong) > 0:
		return s.held, s.list(s.wrong)
	case err != nil:
		return s.held, err
	case r.Missing == job.Fail:
		return s.held, s.list(slices.Concat(s.lost, s.damaged))
	case len(zs) > 0 && len(s.lost) == len(zs):
		return r.anyOf(ctx, s.list(s.lost))
	}
	return s.held, nil
}

// anyOf looks for a slice of the stack that can be opened, and gives what it
// holds; none is the error if there is none.
func (r *Road) anyOf(ctx context.Context, none error) (held int64, err error) {
	for z := r.Stack.Min; z < r.Stack.Max; z++ {
		slice, err := r.Source.Open(ctx, z)
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
	road   *Road
	of     int // slices to look at
	looked func(n, of int)

	mu                   sync.Mutex
	n                    int
	held                 int64
	lost, damaged, wrong []failure
}

type failure struct {
	z   int
	err error
}

// look opens slice z. It returns an error when there is no point in opening more.
func (s *survey) look(ctx context.Context, z int) error {
	slice, err := s.road.Source.Open(ctx, z)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n++; s.looked != nil {
		s.looked(s.n, s.of)
	}
	if err != nil {
		return s.fail(ctx, failure{z, err})
	}
	defer slice.Close()
	s.held = max(s.held, slice.Held())
	if d, ok := slice.(source.Damaged); ok && d.Damage() != nil {
		s.damaged = append(s.damaged, failure{z, d.Damage()})
	}
	return nil
}

// fail notes why a slice cannot be opened.
func (s *survey) fail(ctx context.Context, f failure) error {
	switch {
	case ctx.Err() != nil || endsRun(f.err):
		return f.err
	case isLoss(f.err):
		s.lost = append(s.lost, f)
		return nil
	}
	s.wrong = append(s.wrong, f)
	if len(s.wrong) == listed {
		return f.err
	}
	return nil
}

// list is the error for slices that cannot be used; nil if there are none.
func (s *survey) list(failures []failure) error {
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
	case n == s.of:
		all := voxel.Range{Min: failures[0].z, Max: failures[n-1].z + 1}
		return fmt.Errorf("none of the %d slices %v can be used, the first because: %w", n, all, errs[0])
	case n > listed:
		errs = append(errs[:listed], fmt.Errorf("and %d more", n-listed))
		fallthrough
	default:
		return fmt.Errorf("%d of %d slices cannot be used:\n%w", n, s.of, errors.Join(errs...))
	}
}
