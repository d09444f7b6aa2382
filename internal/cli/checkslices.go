package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A sliceKind is what is to be thought of a slice.
type sliceKind int

const (
	sliceAbsent     sliceKind = iota // there is none
	sliceUnreadable                  // its head cannot be read
	sliceDamaged                     // its head says more than there is
	sliceOther                       // of another size or type, or of a kind that is not read
)

// sliceWords are what people call them.
var sliceWords = [...]string{sliceAbsent: "absent", sliceUnreadable: "unreadable", sliceDamaged: "damaged", sliceOther: "not what the job says"}

// A sliceFault is a slice that is not as it should be.
type sliceFault struct {
	z    int // source coordinates
	kind sliceKind
	err  error
}

// A sliceCensus is a look at the heads of many slices.
type sliceCensus struct {
	of     int             // slices to look at
	looked func(n, of int) // is told after each

	mu     sync.Mutex
	n      int
	held   int64 // the most that one of them holds while it is read
	faults []sliceFault
}

// lookers is how many slices are opened side by side: opening is waiting.
const lookers = 16

// take opens all those slices of src. The error says that no other slice would fare
// better, or is ctx's.
func (c *sliceCensus) take(ctx context.Context, src source.Source, all voxel.Range) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(lookers, all.Len()) {
		wg.Go(func() {
			for z := range next {
				held, fault, err := lookAtSlice(ctx, src, z)
				if c.add(held, fault); err != nil {
					stop(err)
				}
			}
		})
	}
	for z := all.Min; z < all.Max && ctx.Err() == nil; z++ {
		select {
		case next <- z:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	slices.SortFunc(c.faults, func(a, b sliceFault) int { return a.z - b.z })
	return context.Cause(ctx)
}

func (c *sliceCensus) add(held int64, fault *sliceFault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	c.looked(c.n, c.of)
	c.held = max(c.held, held)
	if fault != nil {
		c.faults = append(c.faults, *fault)
	}
}

// lookAtSlice opens slice z. The fault is nil if it is sound; an error is not its
// own.
func lookAtSlice(ctx context.Context, src source.Source, z int) (held int64, fault *sliceFault, err error) {
	slice, err := src.Open(ctx, z)
	var fatal interface{ Fatal() bool }
	switch {
	case err == nil:
	case ctx.Err() != nil || errors.As(err, &fatal) && fatal.Fatal():
		return 0, nil, err
	default:
		return 0, &sliceFault{z, sliceKindOf(err), err}, nil
	}
	defer slice.Close() // only reading can lose data
	if d, ok := slice.(source.Damaged); ok && d.Damage() != nil {
		fault = &sliceFault{z, sliceDamaged, d.Damage()}
	}
	return slice.Held(), fault, nil
}

// sliceKindOf says what an error of opening means for the slice.
func sliceKindOf(err error) sliceKind {
	var mismatch *source.MismatchError
	switch {
	case errors.As(err, &mismatch) || errors.Is(err, errors.ErrUnsupported):
		return sliceOther
	case errors.Is(err, fs.ErrNotExist):
		return sliceAbsent
	}
	return sliceUnreadable
}

// count is how many slices have a fault of one of the kinds.
func (c *sliceCensus) count(kinds ...sliceKind) (n int) {
	for _, f := range c.faults {
		if slices.Contains(kinds, f.kind) {
			n++
		}
	}
	return n
}

// summary counts the faults by kind.
func (c *sliceCensus) summary() string {
	var words []string
	for kind, word := range sliceWords {
		if n := c.count(sliceKind(kind)); n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, word))
		}
	}
	return fmt.Sprintf("%d of %s cannot be used: %s", len(c.faults), human.Count(c.of, "slice"), strings.Join(words, ", "))
}

// checkSlices looks at the head of every slice of the run.
func (c *checkup) checkSlices(ctx context.Context) {
	const what = "slices"
	in, err := c.options.input(ctx, c.job)
	if err != nil {
		c.tellErr(resultFail, what, err)
		return
	}
	for _, fact := range c.options.facts() {
		if text, ok := strings.CutPrefix(fact, "warning: "); ok {
			c.worry(what, "%s", text)
		} else {
			c.ok(what, "%s", fact)
		}
	}
	c.input = in
	c.road = c.newRoad(c.job.Data())
	shown := progress.NewSurvey(c.Stderr, c.Progress)
	census := &sliceCensus{of: c.inSource().Len(), looked: shown.Looked}
	err = census.take(ctx, in, c.inSource())
	shown.Stop()
	c.road.Plan.Held = census.held
	for _, f := range census.faults {
		if f.kind == sliceAbsent {
			c.absent = append(c.absent, f.z)
		}
	}
	switch {
	case err != nil:
		c.tellErr(resultFail, what, err)
	case len(census.faults) == 0:
		w, h := c.job.ImageSize()
		c.ok(what, "%s, each of %v", human.Count(census.of, "slice"), source.Shape{Width: w, Height: h, Type: c.job.Type})
	case c.job.Missing != job.Fail && census.count(sliceOther) == 0 && len(census.faults) == census.of && !c.anySlice(ctx):
		c.fail(what, "neither of the %d slices %v nor any other of the stack can be used, the first because: %v", census.of, c.inSource(), census.faults[0].err)
	default:
		c.tellFaults(census)
	}
}

// anySlice reports whether any slice of the stack can be used, as the ingest does
// when none of its own can.
func (c *checkup) anySlice(ctx context.Context) bool {
	held, err := c.road.Survey(ctx, nil)
	c.road.Plan.Held = held
	return err == nil
}

// tellFaults names the first faults, those that no policy passes over before others.
func (c *checkup) tellFaults(census *sliceCensus) {
	result := resultFail
	if census.count(sliceOther) == 0 && c.job.Missing != job.Fail {
		result = resultWarn
		c.missing += len(census.faults)
	}
	slices.SortStableFunc(census.faults, func(a, b sliceFault) int { return int(b.kind/sliceOther) - int(a.kind/sliceOther) })
	lines := []string{census.summary()}
	for _, f := range firstOf(census.faults, told) {
		lines = append(lines, f.err.Error())
	}
	if n := len(census.faults) - told; n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	c.tell(result, "slices", lines...)
}

// checkNumbering looks for gaps, and for what looks like a slice and is not read.
func (c *checkup) checkNumbering(ctx context.Context) {
	const what = "numbering"
	if c.road == nil {
		c.worry(what, "not looked at: the place of the slices cannot be read")
		return
	}
	lister, ok := c.input.Source.(source.Lister)
	if !ok {
		c.gaps(source.Ranges(slices.Clone(c.absent)))
		return
	}
	list, err := lister.List(ctx)
	if err != nil {
		if c.gaps(source.Ranges(slices.Clone(c.absent))); ctx.Err() == nil {
			c.worry(what, "whether there is more than is read is not known: %v", err)
		}
		return
	}
	whole := c.job.ToSource(c.job.Whole()).Z()
	c.gaps(list.Missing(whole))
	if outside := outsideOf(list.Slices, whole); len(outside) > 0 {
		c.worry(what, "slices outside of %v are there and not read: %s", whole, rangesWords(outside))
	}
	for _, s := range list.Strays {
		c.worry(what, "not read: %v", s)
	}
	if n := list.StrayCount - len(list.Strays); n > 0 {
		c.worry(what, "not read: %d more that look like slices", n)
	}
}

// gaps tells of those in the numbering.
func (c *checkup) gaps(gaps []voxel.Range) {
	const what = "numbering"
	if len(gaps) == 0 {
		c.ok(what, "no gaps")
		return
	}
	c.worry(what, "%s: %s", human.Count(len(gaps), "gap"), rangesWords(gaps))
}

// rangesWords writes the first ranges of z for people.
func rangesWords(list []voxel.Range) string {
	var words []string
	for _, r := range firstOf(list, told) {
		words = append(words, slicesWord(r))
	}
	if n := len(list) - told; n > 0 {
		words = append(words, fmt.Sprintf("and %d more", n))
	}
	return "z " + strings.Join(words, ", ")
}

// outsideOf is what of list lies outside of r.
func outsideOf(list []voxel.Range, r voxel.Range) (outside []voxel.Range) {
	for _, s := range list {
		for _, part := range []voxel.Range{{Min: s.Min, Max: min(s.Max, r.Min)}, {Min: max(s.Min, r.Max), Max: s.Max}} {
			if !part.Empty() {
				outside = append(outside, part)
			}
		}
	}
	return outside
}
