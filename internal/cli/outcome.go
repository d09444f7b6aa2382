package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/verify"
	"github.com/neurodata/ndpush/internal/voxel"
)

// An outcome is what became of a channel, or of several.
type outcome struct {
	progress.Snapshot
	took     time.Duration
	before   int64       // cuboids that were done before this run
	retries  int64       // requests that were sent again
	sent     boss.Sent   // what the cuboids that were posted came to
	failed   []voxel.Box // cuboids that were not posted
	missing  string      // the slices that were missing, and which rows of them
	verified bool        // something was compared
	what     string      // what was compared
	match    int
	differ   int
	unsure   int           // could not be compared
	lost     map[int]error // slices that could not be read to compare with
}

func (o *outcome) add(p outcome) {
	o.Failed += p.Failed
	o.Missing += p.Missing
	o.differ += p.differ
	o.unsure += p.unsure
}

// compared takes over what a verification found.
func (o *outcome) compared(what string, r *verify.Report) {
	o.verified, o.what = true, what
	o.match, o.differ, o.unsure, o.lost = r.Match, r.Differ, r.Error, r.Lost
}

// err is what the program ends with: a difference weighs more than a gap.
func (o *outcome) err() error {
	switch {
	case o.differ > 0:
		return &exitError{exitDiffers, fmt.Errorf("verification found a difference: %s", human.Count(o.differ, "cuboid"))}
	case o.Failed > 0 || o.Missing > 0:
		return &exitError{exitIncomplete, fmt.Errorf("incomplete: %s failed, %s missing", human.Count(o.Failed, "cuboid"), human.Count(o.Missing, "slice"))}
	case o.unsure > 0:
		return &exitError{exitIncomplete, fmt.Errorf("not verified: %s could not be compared", human.Count(o.unsure, "cuboid"))}
	}
	return nil
}

// lines sum up what became of j's channel.
func (o *outcome) lines(j *job.Job) []string {
	lines := []string{fmt.Sprintf("%s: %s posted, %d empty, %d failed%s%s; %s missing%s; %s in %v (%s)",
		j.Path(), human.Count(o.Posted, "cuboid"), o.Empty, o.Failed, o.left(), o.beforehand(), human.Count(o.Missing, "slice"), o.again(),
		human.Size(o.Bytes), o.took.Round(100*time.Millisecond), human.Rate(o.Bytes, o.took))}
	if o.Posted > 0 {
		lines = append(lines, fmt.Sprintf("%s: compressed: %v", j.Path(), compressed(o.sent)))
	}
	for _, box := range firstOf(slices.SortedFunc(slices.Values(o.failed), voxel.Box.Compare), told) {
		lines = append(lines, fmt.Sprintf("%s: failed: %v", j.Path(), box))
	}
	if o.missing != "" {
		lines = append(lines, fmt.Sprintf("%s: missing: slices %s", j.Path(), o.missing))
	}
	if verdict := o.verdict(j); verdict != "" {
		lines = append(lines, verdict)
	}
	return lines
}

// compressed says how cuboids were compressed, most of them first, and to what.
func compressed(s boss.Sent) string {
	type group struct {
		how     boss.Compression
		cuboids int64
	}
	var groups []group
	for how, n := range s.Cuboids {
		if n > 0 {
			groups = append(groups, group{boss.Compression(how), n})
		}
	}
	slices.SortStableFunc(groups, func(a, b group) int { return cmp.Compare(b.cuboids, a.cuboids) })
	var words []string
	for i, g := range groups {
		count := fmt.Sprint(g.cuboids)
		if i == 0 {
			count = human.Count(g.cuboids, "cuboid")
		}
		words = append(words, fmt.Sprintf("%s with %v", count, g.how))
	}
	return fmt.Sprintf("%s; %s of voxels in %s", strings.Join(words, ", "), human.Size(s.Voxels), human.Size(s.Frames))
}

// again says how often requests had to be repeated.
func (o *outcome) again() string {
	switch o.retries {
	case 0:
		return ""
	case 1:
		return "; 1 retry"
	}
	return fmt.Sprintf("; %d retries", o.retries)
}

// beforehand says how many cuboids this run need not carry.
func (o *outcome) beforehand() string {
	if n := o.before + o.Kept; n > 0 {
		return fmt.Sprintf(", %d done before", n)
	}
	return ""
}

// left says how many cuboids a run that ended early had not come to.
func (o *outcome) left() string {
	if n := o.TotalCuboids - o.Cuboids(); n > 0 {
		return fmt.Sprintf(", %d left", n)
	}
	return ""
}

// verdict says what comparing found, or "" if nothing was compared.
func (o *outcome) verdict(j *job.Job) string {
	if !o.verified {
		return ""
	}
	word := "verified"
	if o.differ > 0 || o.unsure > 0 {
		word = "NOT verified"
	}
	return fmt.Sprintf("%s: %s: %s: %s equal, %d different, %d not compared", j.Path(), word, o.what, human.Count(o.match, "cuboid"), o.differ, o.unsure)
}

func firstOf[T any](list []T, n int) []T { return list[:min(n, len(list))] }
