package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/verify"
	"github.com/neurodata/ndpush/internal/voxel"
)

type statusOptions struct {
	journals journalsChoice
	json     bool
}

const statusHelp = `Exit status:
  0    all is complete
  1    a journal cannot be read
  2    wrong usage
  3    something failed, is left, or was missing`

func (a *app) newStatusCmd() *cobra.Command {
	o := new(statusOptions)
	cmd := &cobra.Command{
		Use:   "status [JOURNAL…] [flags]",
		Short: "Say what arrived in BOSS, as the journals have it",
		Long: `Status reads the journals of an ingest, those of all shares and processes
together, also while they work, and says what was posted, what failed and what
is left. It asks nobody but the journals; only of an ingest with --downsample it
asks BOSS how far that is. JOURNAL is a directory
ingest_journal_COLLECTION_EXPERIMENT_CHANNEL; without it, all in --log-dir are
read.

A channel is complete when each of its cuboids is posted, or empty and so not
sent, and no slice was missing. In flight are cuboids that were begun and of which
nothing more is known: they are on their way, or their process died. Boxes and z are
BOSS coordinates, missing slices and their rows those of the source.

With --json there is one object for each journal, on a line of its own:
journal, channel, complete, whole (boxes), type, origin, cuboids, bytes; posted,
empty, failed, in_flight, left (cuboids) and posted_bytes; z (ranges of chunks,
with the same counts); failures (box, why, at); missing (z, rows, why); processes
(host, pid, ndpush, started, data, last_sign, alive, ended, how, posted, kept,
empty, failed, in_flight, missing); downsampling, if it was asked for.

` + statusHelp,
		Example: `  ndpush status
  ndpush status --json ingest_journal_lab_fly_em`,
		Args: cobra.ArbitraryArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.journals.args = args
		return a.run(func(ctx context.Context) error { return a.runStatus(ctx, o) })(cmd, args)
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	o.journals.bind(flags)
	flags.BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// runStatus says what each journal says. One that cannot be read does not keep
// the others from being seen.
func (a *app) runStatus(ctx context.Context, o *statusOptions) error {
	dirs, err := o.journals.find()
	if err != nil {
		return err
	}
	var unread []error
	unfinished, failed := 0, false
	for _, dir := range dirs {
		if err := ctx.Err(); err != nil {
			return err
		}
		l, err := readLedger(dir)
		if err != nil {
			unread = append(unread, err)
			continue
		}
		s := newStatus(l)
		s.downsampling = a.downsampling(ctx, l)
		if !s.complete() {
			unfinished++
			failed = failed || s.all.failed > 0
		}
		if err := a.printStatus(s, o.json); err != nil {
			return err
		}
	}
	switch {
	case len(unread) > 0:
		return errors.Join(unread...)
	case unfinished > 0:
		hint := "the command of the ingest does what is left"
		if failed {
			hint += "; ndpush retry only what failed"
		}
		return &exitError{exitIncomplete, withHint(fmt.Errorf("%d of %s unfinished", unfinished, human.Count(len(dirs), "channel")), "%s", hint)}
	}
	return nil
}

func (a *app) printStatus(s *status, asJSON bool) error {
	if asJSON {
		return s.writeJSON(a.Stdout, a.Now())
	}
	return s.writeText(a.Stdout, a.Now())
}

// A status is what the journals of a channel say, counted.
type status struct {
	*ledger
	all      tally
	bytes    int64 // of all cuboids
	z        []zRun
	failures []journal.Entry
	missing  []journal.Loss

	downsampling string // "": nobody asked for it
}

// A tally counts cuboids by what became of them.
type tally struct {
	posted, empty, failed, begun, left int64

	bytes int64 // of those posted
}

func (t *tally) add(u tally) {
	t.posted += u.posted
	t.empty += u.empty
	t.failed += u.failed
	t.begun += u.begun
	t.left += u.left
	t.bytes += u.bytes
}

func (t *tally) cuboids() int64 { return t.posted + t.empty + t.undone() }
func (t *tally) undone() int64  { return t.failed + t.begun + t.left }

// A zRun is a range of slices, whole chunks, that are in the same state.
type zRun struct {
	z voxel.Range
	tally
}

func newStatus(l *ledger) *status {
	s := &status{ledger: l, failures: l.failed(), missing: l.state.Losses()}
	size := int64(l.last.Type.Size())
	chunks := make(map[int]*zRun)
	for box, entries := range l.cuboids() {
		bytes := box.Voxels() * size
		one := tallyOf(fateOf(box, entries), bytes)
		s.all.add(one)
		s.bytes += bytes
		run := chunks[cellOf(box).Z]
		if run == nil {
			run = &zRun{z: box.Z()}
			chunks[cellOf(box).Z] = run
		}
		run.add(one)
		run.z = voxel.Range{Min: min(run.z.Min, box.Min.Z), Max: max(run.z.Max, box.Max.Z)}
	}
	s.z = runs(chunks)
	return s
}

// tallyOf counts one cuboid.
func tallyOf(fate verify.Fate, bytes int64) tally {
	switch fate {
	case verify.Posted:
		return tally{posted: 1, bytes: bytes}
	case verify.Empty:
		return tally{empty: 1}
	case verify.Failed:
		return tally{failed: 1}
	case verify.Begun:
		return tally{begun: 1}
	}
	return tally{left: 1}
}

// runs puts neighbours together that are in the same state.
func runs(chunks map[int]*zRun) (list []zRun) {
	for _, c := range slices.SortedFunc(maps.Values(chunks), func(a, b *zRun) int { return a.z.Min - b.z.Min }) {
		if n := len(list); n > 0 && list[n-1].z.Max == c.z.Min && list[n-1].kind() == c.kind() {
			list[n-1].z.Max = c.z.Max
			list[n-1].add(c.tally)
			continue
		}
		list = append(list, *c)
	}
	return list
}

// complete reports whether every cuboid is done, and stands for what the source has.
func (s *status) complete() bool {
	return s.all.cuboids() > 0 && s.all.undone() == 0 && len(s.missing) == 0
}

// kind names the state, without its numbers.
func (t *tally) kind() string {
	return strings.Join(t.words(func(_ int64, what string) string { return "some " + what }), ", ")
}

// words say what is not done or, if all is, in which way; of what is only left in
// part, part makes a word.
func (t *tally) words(part func(n int64, what string) string) []string {
	switch {
	case t.undone() == 0 && t.posted == 0:
		return []string{"empty"}
	case t.undone() == 0:
		return []string{"posted"}
	case t.left == t.cuboids():
		return []string{"left"}
	}
	var words []string
	for _, w := range []struct {
		n    int64
		what string
	}{{t.failed, "failed"}, {t.begun, "in flight"}, {t.left, "left"}} {
		if w.n > 0 {
			words = append(words, part(w.n, w.what))
		}
	}
	return words
}

// sign is the last sign of life of a process.
func sign(f *journal.File) time.Time {
	if f.End != "" {
		return f.Ended
	}
	return f.Beat
}
