package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/voxel"
)

var _ ingest.Recorder = (*journal.Writer)(nil)

// imagesKey is the part of a job's fingerprint that says where its images are.
// They may move; nothing else of it may change.
const imagesKey = "images"

// fingerprint is what makes the ingest of j this one and not another: what is
// posted where. How the work is shared or cropped is no part of it, nor what
// becomes of missing slices: that only decides what is left to do.
func (f *jobFlags) fingerprint(j *job.Job, server string) map[string]string {
	return map[string]string{
		"boss":       server,
		"channel":    j.Path(),
		"resolution": fmt.Sprint(j.Res),
		"datatype":   j.Type.String(),
		"x-extent":   j.X.String(),
		"y-extent":   j.Y.String(),
		"offset":     j.Offset().String(),
		"z-step":     fmt.Sprint(j.ZStep),
		imagesKey:    f.images(),
	}
}

// images names the images of j, in words that stay the same from whichever
// directory ndpush is run.
func (f *jobFlags) images() string {
	if f.datasource == "render" {
		r := f.render
		return fmt.Sprintf("render %s %s/%s/%s %s, scale %v, window %v", r.BaseURL, r.Owner, r.Project, r.Stack, r.Channel, r.Scale, r.Window)
	}
	name := filepath.Join(f.naming.BasePath, f.naming.BaseFilename+"."+f.naming.Extension)
	if f.datasource == "s3" {
		return fmt.Sprintf("s3 %s %s %s", f.s3.Endpoint, f.s3.Bucket, name)
	}
	return absolute(name)
}

// absolute is path from the root, if that can be known.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// again are the flags by which the ingest of j can be repeated for all of its
// slices, by their names. None of them is a secret.
func (o *ingestOptions) again(j *job.Job) map[string]string {
	flags := make(map[string]string)
	o.flags.Visit(func(f *pflag.Flag) {
		if o.aboutJob[f.Name] {
			flags[f.Name] = f.Value.String()
		}
	})
	for _, name := range []string{"z-range", "channels-list-file", "shard", "shards"} {
		delete(flags, name)
	}
	flags["channel"] = j.Channel
	if o.datasource == "local" {
		flags["base-path"] = absolute(o.naming.BasePath) // that of the directory, if none is given
	}
	if config := "boss-config-file"; flags[config] != "" {
		flags[config] = absolute(flags[config])
	}
	if o.replace {
		flags["replace"] = "true" // what failed is to be erased before it is posted, too
	}
	return flags
}

// openJournal begins this run's journal and leaves out of the road what is done.
func (c *channelIngest) openJournal(ctx context.Context) (err error) {
	j, o := c.job, c.options
	dir := journal.Dir(o.logDir, j.Collection, j.Experiment, j.Channel)
	header := journal.Header{
		Version: version(), Job: o.fingerprint(j, c.client.URL()), Flags: o.again(j),
		Data: j.Data(), Whole: j.Whole(), Origin: j.Origin(), Type: j.ChannelType(),
		Replace: o.replace,
	}
	opts := journal.Options{Fresh: o.fresh, SyncEvery: j.Data().X().CountPieces(plan.CuboidX)} // a band's cuboids
	if o.moved {
		opts.MayDiffer = []string{imagesKey}
	}
	c.journal, c.before, err = journal.Open(ctx, dir, header, opts)
	if err != nil {
		if o.only != nil {
			return explainRetry(err)
		}
		return explainJournal(err)
	}
	c.road.Same = c.before.Same
	if o.replace {
		c.road.Same = c.before.Replaced
	}
	switch {
	case o.only != nil:
		c.road.Skip = func(cuboid voxel.Box) bool { return !o.only.overlaps(cuboid) || c.before.Done(cuboid) }
	case !o.replace:
		c.road.Skip = c.before.Done
	}
	if o.replace || slices.ContainsFunc(c.before.Files(), standsIn) {
		c.road.Eraser = eraser{c}
	}
	return nil
}

// standsIn reports whether a process may have posted what others are to correct.
func standsIn(f *journal.File) bool {
	return f.Header.Flags["missing"] == job.Previous.String() || f.Header.Flags["replace"] != ""
}

// An eraser erases what is to be replaced, or was something's stand-in: BOSS does
// not overwrite it where the true voxels are zero.
type eraser struct{ c *channelIngest } // whose channel is known only once BOSS was asked

func (e eraser) ToBlack(ctx context.Context, box voxel.Box) error {
	if !e.c.options.replace && !e.c.before.Stale(box) {
		return nil
	}
	return e.c.channel.ToBlack(ctx, box)
}

// explainJournal adds to an error about journals what to do.
func explainJournal(err error) error {
	var different *journal.DifferentError
	var busy *journal.BusyError
	switch {
	case errors.As(err, &different) && len(different.Diffs) == 1 && different.Diffs[0].Key == imagesKey:
		return withHint(err, "if these are the same images in another place, add --moved; to start anew, --fresh; for another log and journal, --log-dir")
	case errors.As(err, &different):
		return withHint(err, "to start anew, add --fresh; for another log and journal, --log-dir")
	case errors.As(err, &busy):
		return withHint(err, "wait for it, or end it; --z-range gives each process slices of its own")
	}
	return explainUnreadable(err)
}

// explainUnreadable adds to an error about a journal that is damaged what to do.
func explainUnreadable(err error) error {
	for _, other := range []error{fs.ErrNotExist, fs.ErrPermission, syscall.ENOSPC, context.Canceled} {
		if err == nil || errors.Is(err, other) {
			return err
		}
	}
	return withHint(err, "move the file away to go on without it: what only it knows of is then posted again")
}

// closeJournal ends this run's journal; err is what the run ended with.
func (c *channelIngest) closeJournal(err error) error {
	if c.journal == nil {
		return nil
	}
	w := c.journal
	c.journal = nil
	how := "done"
	if err == nil {
		err = c.outcome.err()
	}
	switch {
	case exitCode(err) == exitInterrupted:
		how = "interrupted"
	case err != nil:
		how = err.Error()
	}
	return w.Close(how)
}

// resumable adds to an error that ended the run early how to go on.
func (c *channelIngest) resumable(err error) error {
	switch exitCode(err) {
	case exitInterrupted:
		return &exitError{exitInterrupted, errors.New("interrupted; what was in flight is done and in the journal: the same command goes on from there")}
	case exitRefused:
		return withHint(err, "nothing is lost: the same command goes on when BOSS takes data again")
	}
	return err
}

// untouched reports whether nothing is known of the channel: no run before
// posted to it, and this one neither erases nor goes on with what another began.
func (c *channelIngest) untouched() bool {
	for range c.before.Entries() {
		return false
	}
	return !c.options.replace && c.options.only == nil
}

// looks is how many places of a channel are looked at for data that was there before.
const looks = 4

// occupied looks at some places of what p will post, and gives one where the
// channel holds something already; the zero Box if none does.
func occupied(ctx context.Context, ch *boss.Channel, p plan.Plan) (voxel.Box, error) {
	n := p.CountCuboids()
	step := max(1, (n-1)/(looks-1))
	i := int64(0)
	for box := range p.Cuboids(p.Data) {
		if i++; (i-1)%step != 0 {
			continue
		}
		z := (box.Min.Z + box.Max.Z) / 2
		b, err := ch.Get(ctx, box.WithZ(voxel.Range{Min: z, Max: z + 1}))
		if err != nil {
			return voxel.Box{}, fmt.Errorf("look for data that the channel holds already: %w", err)
		}
		if !voxel.IsZero(b.Data) {
			return b.Box, nil
		}
	}
	return voxel.Box{}, nil
}
