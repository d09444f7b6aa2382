package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// faultWords are what people call the kinds of faults.
var faultWords = [...]string{ingest.Absent: "absent", ingest.Unreadable: "unreadable", ingest.Damaged: "damaged", ingest.Wrong: "not what the job says"}

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
	census, err := c.road.Census(ctx, shown.Looked)
	shown.Stop()
	c.road.Plan.Slice = census.Slice
	for _, f := range census.Of(ingest.Absent) {
		c.absent = append(c.absent, f.Z)
	}
	switch {
	case err != nil:
		c.tellErr(resultFail, what, err)
	case len(census.Faults) == 0:
		w, h := c.job.ImageSize()
		c.ok(what, "%s, each of %v", human.Count(census.Slices, "slice"), source.Shape{Width: w, Height: h, Type: c.job.Type})
	case c.passes(census) && len(census.Faults) == census.Slices && !c.anySlice(ctx):
		c.fail(what, "neither of the %d slices %v nor any other of the stack can be used, the first because: %v", census.Slices, c.inSource(), census.Faults[0].Err)
	default:
		c.tellFaults(census)
	}
}

// passes reports whether the ingest goes on without the slices that have faults.
func (c *checkup) passes(census *ingest.Census) bool {
	return c.job.Missing != job.Fail && len(census.Of(ingest.Wrong)) == 0
}

// anySlice reports whether any slice of the stack can be used, as the ingest does
// when none of its own can.
func (c *checkup) anySlice(ctx context.Context) bool {
	one, ok, err := c.road.Any(ctx)
	c.road.Plan.Slice = one
	return ok && err == nil
}

// tellFaults counts the faults by kind and names the first, those that no policy
// passes over before others.
func (c *checkup) tellFaults(census *ingest.Census) {
	result := resultFail
	if c.passes(census) {
		result = resultWarn
		c.missing += len(census.Faults)
	}
	var words []string
	for kind, word := range faultWords {
		if n := len(census.Of(ingest.FaultKind(kind))); n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, word))
		}
	}
	lines := []string{fmt.Sprintf("%d of %s cannot be used: %s", len(census.Faults), human.Count(census.Slices, "slice"), strings.Join(words, ", "))}
	faults := slices.Concat(census.Of(ingest.Wrong), census.Of(ingest.Absent, ingest.Unreadable, ingest.Damaged))
	for _, f := range firstOf(faults, told) {
		lines = append(lines, f.Err.Error())
	}
	if n := len(faults) - told; n > 0 {
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
	if list.Count()+list.StrayCount == 0 {
		c.worry(what, "%s", list.Instead(whole))
	}
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
