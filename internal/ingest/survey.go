package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/voxel"
)

// listed is how many unreadable slices an error names before it only counts.
const listed = 10

// Survey takes a census of the slices that the run will read and judges it, so
// that what a head can tell is known before the first byte is posted: that all
// slices are there, and are what the job says. It gives what it takes
// to read one of them, which is for the plan.
//
// Under the policy Fail every slice with a fault is part of the error. Under the
// others it is left to the run, which records it, but if no slice of the whole
// stack can be opened, that is an error: the pattern is wrong, not the stack.
// A slice that is [Wrong] is an error under every policy; of many, not all are
// looked at.
//
// After each slice looked is told as by [Road.Census].
func (r *Road) Survey(ctx context.Context, looked func(n, of int)) (one plan.Slice, err error) {
	c, err := r.census(ctx, looked, listed)
	wrong, lost := c.Of(Wrong), c.Of(Absent, Unreadable)
	switch {
	case len(wrong) >= listed:
		return c.Slice, fmt.Errorf("at least %w\nand the others were not looked at", c.list(wrong))
	case len(wrong) > 0:
		return c.Slice, c.list(wrong)
	case err != nil:
		return c.Slice, err
	case r.Missing == job.Fail:
		return c.Slice, c.list(c.Faults)
	case c.Slices > 0 && len(lost) == c.Slices:
		one, ok, err := r.Any(ctx)
		if err == nil && !ok {
			err = c.list(lost)
		}
		return one, err
	}
	return c.Slice, nil
}

// Any looks for a slice of the whole stack that can be opened, and gives what
// it takes to read it; ok is false if there is none. It is for a run whose own slices are all
// lost: whether that is a gap in the stack, or the stack is looked for in the wrong
// place.
func (r *Road) Any(ctx context.Context) (one plan.Slice, ok bool, err error) {
	for z := r.Stack.Min; z < r.Stack.Max; z++ {
		slice, err := r.Source.Open(ctx, z)
		if err == nil {
			one = takesOf(slice)
			return one, true, slice.Close()
		}
		if ctx.Err() != nil || !isLoss(err) {
			return one, false, err
		}
	}
	return one, false, nil
}

// list is the error for slices that cannot be used; nil if there are none.
func (c *Census) list(faults []Fault) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f.Err
	}
	switch n := len(errs); {
	case n == 0:
		return nil
	case n == 1:
		return errs[0]
	case n == c.Slices:
		all := voxel.Range{Min: faults[0].Z, Max: faults[n-1].Z + 1}
		return fmt.Errorf("none of the %d slices %v can be used, the first because: %w", n, all, errs[0])
	case n > listed:
		errs = append(errs[:listed], fmt.Errorf("and %d more", n-listed))
		fallthrough
	default:
		return fmt.Errorf("%d of %d slices cannot be used:\n%w", n, c.Slices, errors.Join(errs...))
	}
}
