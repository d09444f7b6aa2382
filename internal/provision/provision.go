// Package provision sees to it that BOSS has what a job posts to.
//
// A job needs a collection, a coordinate frame, an experiment and a channel.
// [Check] looks at them, [Create] also creates those that BOSS lacks. Both
// compare what BOSS has with the job and list all that disagrees, before a voxel
// is posted: a frame or a datatype that is wrong can never be corrected in BOSS.
//
// Creating comes after looking at everything: BOSS keeps the name of what is
// deleted, so nothing is created for a job that disagrees with what is there.
// Only BOSS's own word that a resource is missing makes it create one, never an
// answer that hides it, or a server in trouble. When several processes create
// at the same time, the ones that lose find what the winner made, and compare.
package provision

import (
	"context"
	"fmt"
	"strings"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/job"
)

// A Report says what the job posts to, parents first.
type Report struct{ Items []Item }

// An Item is a resource, or a thing recorded with one.
type Item struct {
	Kind    string // collection, coordinate frame, experiment, offsets, source channel or channel
	Name    string // with its parents, such as lab/exp1/im1
	Created bool   // by this call; else it was there
	Detail  string // what it is, in a few words, or ""
}

// String is a line such as "created coordinate frame lab_exp1 (0:2048/0:2048/0:64 of 4×4×40 nanometers)".
func (i Item) String() string {
	verb := "found"
	if i.Created {
		verb = "created"
	}
	s := fmt.Sprintf("%s %s %s", verb, i.Kind, i.Name)
	if i.Detail != "" {
		s += " (" + i.Detail + ")"
	}
	return s
}

// An Error lists all that keeps a job from being posted.
type Error struct{ Disagreements []Disagreement }

// Error has one sentence a line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Disagreements))
	for i, d := range e.Disagreements {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// OnlyMissing reports whether [Create] would help: all that disagrees is that
// something does not exist yet.
func (e *Error) OnlyMissing() bool {
	for _, d := range e.Disagreements {
		if !d.Missing {
			return false
		}
	}
	return true
}

// A Disagreement is a thing that is other in BOSS than the job has it.
type Disagreement struct {
	What        string // such as "the datatype of channel lab/exp1/im1"
	Found, Want string // in BOSS, in the job; both "" if Missing
	Do          string // what a person can do
	Missing     bool   // it does not exist in BOSS, and could
}

// String is a sentence.
func (d Disagreement) String() string {
	if d.Missing {
		return fmt.Sprintf("%s does not exist: %s", d.What, d.Do)
	}
	return fmt.Sprintf("%s is %s, not %s: %s", d.What, d.Found, d.Want, d.Do)
}

// Check compares what BOSS has with j. It returns an [*Error] if anything is
// missing or disagrees, and another error if that could not be found out. The
// report is of what was found in any case.
func Check(ctx context.Context, c *boss.Client, j *job.Job) (*Report, error) {
	s, err := look(ctx, c, j)
	if err != nil {
		return s.report(j, made{}), err
	}
	return s.report(j, made{}), s.disagreements(j, false)
}

// Create is Check, but creates what is missing, provided that what is there
// agrees with j. The report tells what was created also if there is an error.
func Create(ctx context.Context, c *boss.Client, j *job.Job) (*Report, error) {
	before, err := look(ctx, c, j)
	if err == nil {
		err = before.disagreements(j, true)
	}
	if err != nil || before.complete(j) {
		return before.report(j, made{}), err
	}
	if before.frame == nil && j.VoxelSize == [3]float64{} {
		return before.report(j, made{}), fmt.Errorf("create coordinate frame %s: the job has no voxel size, and a frame cannot be changed later", before.frameName(j))
	}
	made, lost, failed := before.create(ctx, c, j)
	if failed != nil && ctx.Err() != nil {
		return before.report(j, made), failed
	}
	// What another process made in the meantime has not been compared yet.
	after, err := look(ctx, c, j)
	switch report := after.report(j, made); {
	case failed != nil:
		return report, failed
	case err != nil:
		return report, err
	case lost != nil && !after.complete(j):
		return report, lost // so it was not that there is one already
	default:
		return report, after.disagreements(j, false)
	}
}
