package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/joblog"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

type retryOptions struct {
	ingestOptions
	args      []string
	pythonLog string
}

// notForRetry are flags of ingest that make no sense where only what failed is posted.
var notForRetry = []string{"create-resources", "fresh", "channels-list-file"}

func (a *app) newRetryCmd() *cobra.Command {
	o := new(retryOptions)
	cmd := &cobra.Command{
		Use:   "retry [JOURNAL] [flags]",
		Short: "Post again the cuboids that failed",
		Long: `Retry posts the cuboids that the journals of a channel list as failed, those of
all shares together, and reads no other slices. JOURNAL is the directory
ingest_journal_COLLECTION_EXPERIMENT_CHANNEL; it can be left out if --log-dir has
only one. The flags of the ingest are taken from there; those of the command line
win, for a source or an access file that is in another place now. After an
ingest with --replace what is posted again is erased first.

What was begun when a process was ended, and what is left, is not retried: the
command of the ingest, run again, does all that.

With --python-log the cuboids are those that a log of the Python tool says failed
and did not succeed later, of the one channel that --channel names if there are
several; then the flags of the ingest are given on the command line. Every cuboid
that has voxels of such a cutout is posted.

Retry writes a journal, a log and a summary as ingest does. It reads back what it
posts, unless --verify none says otherwise.

` + exitHelp,
		Example: `  ndpush retry ingest_journal_lab_fly_em
  ndpush retry --python-log ingest_log_lab_fly_em.txt \
      --base-path em --base-filename 'em_<p:4>' --extension tif \
      --collection lab --experiment fly --channel em --datatype uint8 \
      --x-extent 0:1100 --y-extent 0:1060 --z-extent 0:20`,
		Args: cobra.MaximumNArgs(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.args = args
		return a.run(func(ctx context.Context) error {
			return a.watched(ctx, o.watch, func(ctx context.Context) error { return a.runRetry(ctx, o) })
		})(cmd, args)
	}
	flags := cmd.Flags()
	o.bind(flags, "workers")
	o.verify = "full"
	verify := flags.Lookup("verify")
	verify.Value.(*value).text, verify.DefValue = o.verify, o.verify
	verify.Value.(*value).parse = parseOneOf(&o.verify, "none", "full")
	verify.Usage = "what is read back and compared at the end: none, or full, which is what was posted again"
	for _, name := range notForRetry {
		flags.MarkHidden(name)
	}
	flags.StringVar(&o.pythonLog, "python-log", "", "a log of the Python tool that says what failed")
	o.watch.bind(flags)
	o.bindJobFile(cmd, nil)
	return cmd
}

func (a *app) runRetry(ctx context.Context, o *retryOptions) error {
	if err := o.judge(a.Getenv); err != nil {
		return usage(err)
	}
	if o.pythonLog != "" {
		return a.retryLog(ctx, o)
	}
	return a.retryJournal(ctx, o)
}

// judge says what is wrong with the flags as far as no journal is needed for that.
func (o *retryOptions) judge(getenv func(string) string) error {
	p := slices.Clone(o.problems)
	_, err := o.share(getenv)
	p.addAll(err)
	for _, name := range notForRetry {
		if o.flags.Changed(name) {
			p.add("--%s is not for retry", name)
		}
	}
	switch {
	case o.pythonLog != "" && len(o.args) > 0:
		p.add("either a journal or --python-log says what failed, and both are given")
	case len(o.args) > 0 && o.flags.Changed("log-dir"):
		p.add("--log-dir is where the journal is, and the journal is given too")
	}
	return errors.Join(p...)
}

// retryJournal posts what the journals say failed.
func (a *app) retryJournal(ctx context.Context, o *retryOptions) error {
	choice := journalChoice{o.args, o.logDir}
	dir, err := choice.find(&o.jobFlags)
	if err != nil {
		return err
	}
	l, err := readLedger(dir)
	if err != nil {
		return err
	}
	var boxes []voxel.Box
	for _, e := range l.failed() {
		boxes = append(boxes, e.Box)
	}
	if len(boxes) == 0 {
		return a.nothingFailed(l)
	}
	if err := o.restore(l); err != nil {
		return err
	}
	o.logDir = filepath.Dir(dir)
	return a.retry(ctx, o, boxes, dir, nil)
}

// nothingFailed says so, and what is left all the same.
func (a *app) nothingFailed(l *ledger) error {
	text := l.channel() + ": nothing failed"
	if n := newStatus(l).all.undone(); n > 0 {
		text += fmt.Sprintf("; %s left, which the command of the ingest does", human.Count(n, "cuboid"))
	}
	_, err := fmt.Fprintln(a.Stdout, text)
	return err
}

// instead are flags that stand for each other: who gives one means it instead of
// the other that a journal has.
var instead = map[string]string{"missing": "warn-missing-files", "warn-missing-files": "missing"}

// restore sets the flags with which the last process of an ingest was run, but
// for those that the command line has.
func (o *retryOptions) restore(l *ledger) error {
	was := maps.Clone(l.last.Flags)
	if was == nil {
		was = make(map[string]string)
	}
	for _, f := range l.files {
		if f.Header.Flags["replace"] == "true" {
			was["replace"] = "true"
		}
	}
	given := func(name string) bool { return name != "" && o.flags.Changed(name) }
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if given(name) || given(instead[name]) {
			delete(was, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if err := o.flags.Set(name, was[name]); err != nil {
			return fmt.Errorf("journal %s: this ndpush cannot repeat an ingest with --%s=%s: %w", l.dir, name, was[name], err)
		}
	}
	return nil
}

// retry posts the cuboids that have voxels of boxes. dir is the journal that says
// so; "" if another log does. If undone is not nil, something else is left undone.
func (a *app) retry(ctx context.Context, o *retryOptions, boxes []voxel.Box, dir string, undone error) error {
	jobs, client, err := a.begin(ctx, &o.jobFlags, &o.boss)
	if err != nil || jobs == nil {
		return err
	}
	defer client.Close()
	j := jobs[0]
	if at := journal.Dir(o.logDir, j.Collection, j.Experiment, j.Channel); dir != "" && filepath.Clean(dir) != at {
		return fmt.Errorf("journal %s is of channel %s, whose journal is called %s", dir, j.Path(), filepath.Base(at))
	}
	o.only = newBoxSet(boxes)
	var beyond []voxel.Box
	for _, box := range boxes {
		if !j.Whole().Contains(box) {
			beyond = append(beyond, box)
		}
	}
	if len(beyond) > 0 {
		undone = errors.Join(undone, fmt.Errorf("%d of %d that failed are not, or not all, in %v, which the flags say: the first is %v", len(beyond), len(boxes), j.Whole(), beyond[0]))
	}
	if err := a.ingest(ctx, &o.ingestOptions, jobs, client); err != nil {
		return err
	}
	if undone != nil {
		return &exitError{exitIncomplete, undone}
	}
	return nil
}

// retryLog posts what a log of the Python tool says failed.
func (a *app) retryLog(ctx context.Context, o *retryOptions) error {
	file, err := os.Open(o.pythonLog)
	if err != nil {
		return fmt.Errorf("--python-log: %w", err)
	}
	defer file.Close()
	failures, err := joblog.ReadFailures(file)
	if err != nil {
		return fmt.Errorf("%s: %w", o.pythonLog, err)
	}
	boxes, err := o.pick(failures.Cutouts)
	if err != nil {
		return usage(err)
	}
	var torn error
	if failures.Torn > 0 {
		torn = fmt.Errorf("%s of %s told of a failure, cut off before it said of what: ndpush verify finds those", human.Count(failures.Torn, "line"), o.pythonLog)
	}
	if len(boxes) == 0 {
		fmt.Fprintf(a.Stdout, "%s: nothing%s failed that did not succeed later\n", o.pythonLog, o.ofChannel())
		if torn != nil {
			return &exitError{exitIncomplete, torn}
		}
		return nil
	}
	return a.retry(ctx, o, boxes, "", torn)
}

// ofChannel says which channel is meant, if that is known.
func (o *retryOptions) ofChannel() string {
	if o.spec.Channel == "" {
		return ""
	}
	return " of channel " + o.spec.Channel
}

// pick gives the boxes of the channel that is meant, whose names it takes from
// the cutouts if the command line has none.
func (o *retryOptions) pick(cutouts []joblog.Cutout) ([]voxel.Box, error) {
	s := &o.spec
	var boxes []voxel.Box
	var names []string
	for _, c := range cutouts {
		is := func(asked, name string) bool { return asked == "" || asked == name }
		if !is(s.Collection, c.Collection) || !is(s.Experiment, c.Experiment) || !is(s.Channel, c.Channel) {
			continue
		}
		boxes = append(boxes, c.Box)
		if name := strings.Join([]string{c.Collection, c.Experiment, c.Channel}, "/"); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	switch len(names) {
	case 0:
		return nil, nil
	case 1:
		part := strings.Split(names[0], "/")
		for i, name := range []string{"collection", "experiment", "channel"} {
			if err := o.flags.Set(name, cmp.Or(o.flags.Lookup(name).Value.String(), part[i])); err != nil {
				return nil, err
			}
		}
		return boxes, nil
	}
	return nil, fmt.Errorf("%s tells of failures in %d channels, %s: pick one with --channel (and --collection and --experiment)", o.pythonLog, len(names), strings.Join(names, ", "))
}

// explainRetry adds to an error about journals what a person who retries can do.
func explainRetry(err error) error {
	var different *journal.DifferentError
	var busy *journal.BusyError
	switch {
	case errors.As(err, &different):
		return withHint(err, "only cuboids of the same ingest can be tried again; if its images are in another place now, add --moved")
	case errors.As(err, &busy):
		return withHint(err, "wait for it, or end it")
	}
	return err
}
