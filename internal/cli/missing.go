package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

// imageRows are those of a slice of j that its runs read, in pixels.
func imageRows(j *job.Job) voxel.Range { return j.ToSource(j.Whole()).Y().Add(-j.Y.Min) }

// lossList writes losses as "3, 16:20, 31 (rows 600:1024)", where rows are those
// of a whole slice. A loss without rows is one of all.
func lossList(losses []journal.Loss, rows voxel.Range) string {
	whole := func(i int) bool {
		return i < len(losses) && (losses[i].Rows == nil || losses[i].Rows[0].Contains(rows))
	}
	var words []string
	for i := 0; i < len(losses); i++ {
		first := losses[i]
		if !whole(i) {
			words = append(words, inPart(first))
			continue
		}
		for whole(i+1) && losses[i+1].Z == losses[i].Z+1 {
			i++
		}
		words = append(words, slicesWord(voxel.Range{Min: first.Z, Max: losses[i].Z + 1}))
	}
	return strings.Join(words, ", ")
}

// slicesWord writes one z as a number and several as a range.
func slicesWord(z voxel.Range) string {
	if z.Len() == 1 {
		return fmt.Sprint(z.Min)
	}
	return z.String()
}

// inPart names a slice and the rows of it that are lost.
func inPart(l journal.Loss) string {
	var rows []string
	for _, r := range l.Rows {
		rows = append(rows, r.String())
	}
	return fmt.Sprintf("%d (rows %s)", l.Z, strings.Join(rows, ", "))
}

// maxMeta is the length of a metadata value, in bytes. BOSS takes it in the
// address of the request, which its front end bounds at 8 KiB in all.
const maxMeta = 2000

// publishMissing lists in the experiment's metadata what is missing of the
// channel, as the journals of all shares have it by now.
func (c *channelIngest) publishMissing(ctx context.Context) error {
	j := c.job
	s, err := journal.Read(journal.Dir(c.options.logDir, j.Collection, j.Experiment, j.Channel))
	if err != nil {
		return err
	}
	text := lossList(s.Losses(), imageRows(j))
	switch {
	case text == "":
		text = "none"
	case len(text) > maxMeta:
		text = text[:strings.LastIndex(text[:maxMeta], ",")] + ", and more"
	}
	key := "missing_slices_" + j.Channel
	if err := c.client.SetMeta(ctx, key, text, j.Collection, j.Experiment); err != nil {
		return fmt.Errorf("list the missing slices in BOSS: %w", err)
	}
	return c.log.Line("missing slices are listed in the metadata of %s/%s under %s", j.Collection, j.Experiment, key)
}
