package ingest

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/source"
)

// surveyors is how many slices are opened side by side: opening is waiting.
const surveyors = 16

// A FaultKind is in which way a slice is not as it should be.
type FaultKind uint8

const (
	Absent     FaultKind = iota // there is none
	Unreadable                  // its head cannot be read
	Damaged                     // its head says more than there is; some rows may be good
	Wrong                       // it is of another size or type, or of a kind that is not read: no policy passes over it
)

// A Fault is a slice that is not as it should be, as far as its head tells.
type Fault struct {
	Z    int // source coordinates
	Kind FaultKind
	Err  error // names the slice
}

// A Census is what the heads of slices say.
type Census struct {
	Slices int        // to be looked at
	Slice  plan.Slice // what it takes to read those that can be
	Faults []Fault    // in ascending z
}

// Of gives the faults of some kinds, in ascending z.
func (c *Census) Of(kinds ...FaultKind) (list []Fault) {
	for _, f := range c.Faults {
		if slices.Contains(kinds, f.Kind) {
			list = append(list, f)
		}
	}
	return list
}

// Census opens every slice that the run will read and closes it again. An error
// is ctx's, or says that no other slice would fare better; what was found until then
// is given with it.
//
// After each slice looked is told how many were looked at, by one goroutine at a
// time; it may be nil.
func (r *Road) Census(ctx context.Context, looked func(n, of int)) (*Census, error) {
	return r.census(ctx, looked, math.MaxInt)
}

// errEnough ends a census that has found as many slices that are Wrong as it may.
var errEnough = errors.New("enough slices are wrong")

// census is Census, and ends early when enough slices are Wrong.
func (r *Road) census(ctx context.Context, looked func(n, of int), enough int) (*Census, error) {
	zs := r.slices()
	c := counter{census: Census{Slices: len(zs)}, looked: looked, enough: enough}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(surveyors)
	for _, z := range zs {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error {
			one, fault, err := r.look(gctx, z)
			if err != nil {
				return err
			}
			return c.add(one, fault)
		})
	}
	err := g.Wait()
	slices.SortFunc(c.census.Faults, func(a, b Fault) int { return a.Z - b.Z })
	if err == nil {
		err = ctx.Err()
	}
	return &c.census, err
}

// look opens slice z. A nil fault is that of a sound one; an error is not the
// slice's own. one is nil if it cannot be opened.
func (r *Road) look(ctx context.Context, z int) (one *plan.Slice, fault *Fault, err error) {
	slice, err := r.Source.Open(ctx, z)
	switch {
	case err == nil:
	case ctx.Err() != nil || endsRun(err):
		return nil, nil, err
	default:
		return nil, &Fault{z, kindOf(err), err}, nil
	}
	defer slice.Close() // only reading can lose data
	if d, ok := slice.(source.Damaged); ok && d.Damage() != nil {
		fault = &Fault{z, Damaged, d.Damage()}
	}
	takes := takesOf(slice)
	return &takes, fault, nil
}

// takesOf is what it takes to read an open slice.
func takesOf(s source.Slice) plan.Slice { return plan.Slice{Held: s.Held(), Step: s.Step()} }

// kindOf says what an error of opening or reading means for the slice.
func kindOf(err error) FaultKind {
	var mismatch *source.MismatchError
	switch {
	case errors.As(err, &mismatch) || errors.Is(err, errors.ErrUnsupported):
		return Wrong
	case errors.Is(err, fs.ErrNotExist):
		return Absent
	}
	return Unreadable
}

// A counter is a census that is being taken.
type counter struct {
	looked func(n, of int)
	enough int

	mu     sync.Mutex // guards what follows, and keeps the calls of looked apart
	n      int        // slices looked at
	wrong  int
	opened bool // one at least
	census Census
}

// add adds what one slice's head said; an error ends the census.
func (c *counter) add(one *plan.Slice, fault *Fault) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n++; c.looked != nil {
		c.looked(c.n, c.census.Slices)
	}
	switch {
	case one == nil:
	case c.opened:
		c.census.Slice = c.census.Slice.And(*one)
	default:
		c.census.Slice, c.opened = *one, true
	}
	if fault == nil {
		return nil
	}
	c.census.Faults = append(c.census.Faults, *fault)
	if fault.Kind != Wrong {
		return nil
	}
	if c.wrong++; c.wrong >= c.enough {
		return errEnough
	}
	return nil
}
