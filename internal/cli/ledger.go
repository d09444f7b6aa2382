package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/verify"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A ledger is what the journals of a channel say of all of it.
type ledger struct {
	dir   string
	state *journal.State
	files []*journal.File // of the job that counts, the oldest first; at least one
	last  *journal.Header // of the last file that counts
	// wholes is what all processes together carry: one box, unless they were
	// cropped in different ways. None contains another.
	wholes []voxel.Box
}

// readLedger reads the journals in dir.
func readLedger(dir string) (*ledger, error) {
	state, err := journal.Read(dir)
	if err != nil {
		return nil, explainUnreadable(err)
	}
	l := &ledger{dir: dir, state: state}
	for _, f := range state.Files() {
		h := &f.Header
		if !worked(f) {
			l.files = append(l.files, f)
			continue
		}
		if h.Fresh && l.last != nil && !sameJob(h, l.last) {
			l.files, l.wholes = nil, nil // as package journal forgets what they said
		}
		l.files, l.last = append(l.files, f), h
		l.wholes = widened(l.wholes, h.Whole)
	}
	switch {
	case len(l.files) == 0:
		return nil, fmt.Errorf("there is no journal in %s", dir)
	case l.last == nil: // nothing was begun yet
		l.last = &l.files[len(l.files)-1].Header
		l.wholes = []voxel.Box{l.last.Whole}
	}
	return l, nil
}

// worked reports whether a process said anything of a cuboid. What others wrote
// does not count.
func worked(f *journal.File) bool { return f.Posted+f.Kept+f.Empty+f.Failed+f.Open > 0 }

func sameJob(a, b *journal.Header) bool {
	return maps.Equal(a.Job, b.Job) && a.Origin == b.Origin && a.Type == b.Type
}

// widened is boxes with one more, without those that others contain.
func widened(boxes []voxel.Box, box voxel.Box) []voxel.Box {
	if slices.ContainsFunc(boxes, func(b voxel.Box) bool { return b.Contains(box) }) {
		return boxes
	}
	boxes = slices.DeleteFunc(boxes, box.Contains)
	return append(boxes, box)
}

// channel is the name that a person knows it by.
func (l *ledger) channel() string {
	return cmp.Or(l.last.Job["channel"], strings.TrimPrefix(filepath.Base(l.dir), journalPrefix))
}

// bounds is the box around all that is carried.
func (l *ledger) bounds() voxel.Box {
	around := l.wholes[0]
	for _, w := range l.wholes[1:] {
		around = around.Around(w)
	}
	return around
}

// cuboids gives every cuboid of the wholes, once, with what is said of it.
func (l *ledger) cuboids() iter.Seq2[voxel.Box, []journal.Entry] {
	return func(yield func(voxel.Box, []journal.Entry) bool) {
		for i, whole := range l.wholes {
			for box, entries := range cuboidsOf(whole, l.state.Entries()) {
				before := slices.ContainsFunc(l.wholes[:i], func(w voxel.Box) bool { return w.Contains(box) })
				if !before && !yield(box, entries) {
					return
				}
			}
		}
	}
}

// grid is what the entries of journals are pieces of.
var grid = voxel.Point{X: plan.CuboidX, Y: plan.CuboidY, Z: plan.CuboidZ}

// cuboidsOf gives every cuboid of whole with the entries that overlap it, in one
// walk along both: they come in the same order.
func cuboidsOf(whole voxel.Box, entries iter.Seq[journal.Entry]) iter.Seq2[voxel.Box, []journal.Entry] {
	return func(yield func(voxel.Box, []journal.Entry) bool) {
		next, stop := iter.Pull(entries)
		defer stop()
		e, more := next()
		for box := range whole.Pieces(grid) {
			here := cellOf(box)
			var list []journal.Entry
			for ; more && cellOf(e.Box).Compare(here) <= 0; e, more = next() {
				if e.Box.Overlaps(box) {
					list = append(list, e)
				}
			}
			if !yield(box, list) {
				return
			}
		}
	}
}

// cellOf is the place in the grid of a box that lies in one cell of it.
func cellOf(box voxel.Box) voxel.Point {
	return voxel.Point{X: voxel.FloorDiv(box.Min.X, grid.X), Y: voxel.FloorDiv(box.Min.Y, grid.Y), Z: voxel.FloorDiv(box.Min.Z, grid.Z)}
}

// fateOf is what became of a cuboid of which the entries tell. The worst of its
// parts decides.
func fateOf(box voxel.Box, entries []journal.Entry) verify.Fate {
	has := func(f journal.Fate) bool {
		return slices.ContainsFunc(entries, func(e journal.Entry) bool { return e.Fate == f })
	}
	switch {
	case has(journal.Failed):
		return verify.Failed
	case has(journal.Begun):
		return verify.Begun
	case len(outside(box, entries)) > 0:
		return verify.Left
	case has(journal.Posted):
		return verify.Posted
	}
	return verify.Empty
}

// outside is what of box no entry tells of.
func outside(box voxel.Box, entries []journal.Entry) []voxel.Box {
	left := []voxel.Box{box}
	for _, e := range entries {
		left = voxel.Subtract(left, e.Box)
	}
	return left
}

// failed gives the entries that failed.
func (l *ledger) failed() (list []journal.Entry) {
	for e := range l.state.Entries() {
		if e.Fate == journal.Failed {
			list = append(list, e)
		}
	}
	return list
}

const journalPrefix = "ingest_journal_"

// A journalsChoice is how a person says which journals are meant, of which there may
// be several.
type journalsChoice struct {
	args   []string
	logDir string
}

func (c *journalsChoice) bind(flags *pflag.FlagSet) {
	flags.StringVar(&c.logDir, "log-dir", ".", "directory of the journals, if none is given")
}

// find gives the journals that are named or, if none is, those in the log directory.
func (c *journalsChoice) find() ([]string, error) {
	if len(c.args) > 0 {
		return c.args, nil
	}
	return journalsIn(c.logDir)
}

// journalsIn finds the journals in a log directory; at least one.
func journalsIn(logDir string) ([]string, error) {
	all, err := os.ReadDir(cmp.Or(logDir, "."))
	if err != nil {
		return nil, fmt.Errorf("look for journals: %w", err)
	}
	var dirs []string
	for _, d := range all {
		// A link to a directory is one too.
		if path := filepath.Join(logDir, d.Name()); strings.HasPrefix(d.Name(), journalPrefix) && isDir(path) {
			dirs = append(dirs, path)
		}
	}
	if dirs == nil {
		return nil, withHint(fmt.Errorf("there is no journal in %s: %w", cmp.Or(logDir, "."), fs.ErrNotExist),
			"--log-dir names the directory that the ingest wrote its log and journal to")
	}
	return dirs, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// A journalChoice is how a person says which journal is meant.
type journalChoice struct {
	args   []string
	logDir string
}

// find gives the directory of the one journal that is meant: the argument, or that
// of the channel that the flags name, or the only one that there is.
func (c *journalChoice) find(f *jobFlags) (string, error) {
	s := &f.spec
	named := s.Collection != "" && s.Experiment != "" && s.Channel != ""
	switch {
	case len(c.args) > 1:
		return "", usage(errors.New("more than one journal is given: want one"))
	case len(c.args) == 1:
		return filepath.Clean(c.args[0]), nil
	case named:
		return journal.Dir(c.logDir, s.Collection, s.Experiment, s.Channel), nil
	}
	dirs, err := journalsIn(c.logDir)
	if err != nil {
		return "", err
	}
	if len(dirs) > 1 {
		return "", usage(withHint(fmt.Errorf("there are %d journals in %s: %s", len(dirs), cmp.Or(c.logDir, "."), strings.Join(dirs, ", ")),
			"give one of them as the argument, or --collection, --experiment and --channel"))
	}
	return dirs[0], nil
}
