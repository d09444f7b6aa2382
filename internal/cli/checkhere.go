package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/machine"
	"github.com/neurodata/ndpush/internal/plan"
	"github.com/neurodata/ndpush/internal/voxel"
)

// journalDir is where the channel's journals are.
func (c *checkup) journalDir() string {
	j := c.job
	return journal.Dir(c.options.logDir, j.Collection, j.Experiment, j.Channel)
}

// readJournal reads the journals, once.
func (c *checkup) readJournal() {
	if c.state == nil && c.unread == nil {
		c.state, c.unread = journal.Read(c.journalDir())
	}
}

// checkJournal says what is done already, and whether this ingest may go on with it.
func (c *checkup) checkJournal(ctx context.Context) {
	const what = "journal"
	c.readJournal()
	if err := c.unread; err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			c.ok(what, "nothing was done yet")
			return
		}
		c.blocked = true
		c.tellErr(resultFail, what, err)
		return
	}
	c.checkRivals()
	if err := c.otherJob(); err != nil && !c.options.fresh {
		c.blocked = true
		c.tellErr(resultFail, what, err)
		return
	}
	c.before = c.state
	c.tellDone()
}

// checkRivals looks for processes that are at work on slices of this run.
func (c *checkup) checkRivals() {
	for _, f := range c.state.Files() {
		if !f.Header.Data.Overlaps(c.job.Data()) || !f.Alive(c.Now()) {
			continue
		}
		c.blocked = true
		c.tellErr(resultFail, "journal", explainJournal(&journal.BusyError{Path: f.Path, Host: f.Header.Host, PID: f.Header.PID, Data: f.Header.Data}))
	}
}

// otherJob is the error of journals that are of another job; see [journal.Open].
func (c *checkup) otherJob() error {
	old := c.state.Job()
	if old == nil {
		return nil
	}
	server := old["boss"] // where BOSS cannot be asked
	if c.client != nil {
		server = c.client.URL()
	}
	var diffs []journal.Difference
	for key, now := range c.options.fingerprint(c.job, server) {
		if was := old[key]; was != now && (key != imagesKey || !c.options.moved) {
			diffs = append(diffs, journal.Difference{Key: key, Old: &was, New: &now})
		}
	}
	if len(diffs) == 0 {
		return nil
	}
	slices.SortFunc(diffs, func(a, b journal.Difference) int { return strings.Compare(a.Key, b.Key) })
	return explainJournal(&journal.DifferentError{Path: c.journalDir(), Diffs: diffs})
}

// tellDone says how much is done, and leaves that out of the road.
func (c *checkup) tellDone() {
	const what = "journal"
	if c.road == nil {
		return
	}
	all := c.road.Plan.CountCuboids()
	switch {
	case c.options.fresh:
		c.ok(what, "with --fresh nothing counts as done")
		return
	case c.options.replace:
		c.ok(what, "with --replace all is read again, and what is the same is not posted")
		return
	}
	c.road.Skip = c.state.Done
	left, _ := c.road.Left()
	c.ok(what, "%d of %s done before", all-left, human.Count(all, "cuboid"))
}

// checkDisk looks whether log and journal can be written, and have room.
func (c *checkup) checkDisk(ctx context.Context) {
	const what = "disk"
	dir := c.options.logDir
	j := c.job
	log := filepath.Join(dir, fmt.Sprintf("ingest_log_%s_%s_%s.txt", j.Collection, j.Experiment, j.Channel))
	if err := errors.Join(writable(dir), appendable(log)); err != nil {
		c.tellErr(resultFail, what, fmt.Errorf("log and journal cannot be written: %w", err))
		return
	}
	if _, err := os.Stat(c.journalDir()); err == nil {
		if err := writable(c.journalDir()); err != nil {
			c.tellErr(resultFail, what, fmt.Errorf("the journal cannot be written: %w", err))
			return
		}
	}
	if c.road == nil {
		return
	}
	need := noteBytes(c.road.Plan)
	free, ok := machine.FreeDisk(dir)
	switch {
	case !ok:
		c.ok(what, "log and journal can be written and take about %s; what is free is not known", human.Size(need))
	case free < need:
		c.fail(what, "log and journal take about %s, and %s are free in %s", human.Size(need), human.Size(free), dir)
	default:
		c.ok(what, "log and journal can be written and take about %s; %s are free", human.Size(need), human.Size(free))
	}
}

// writable tries to write to a directory, and leaves nothing behind.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".ndpush-check-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString("ndpush check\n") // a full disk takes an empty file
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// appendable tries to open a file that is there for appending.
func appendable(path string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// noteBytes is about how much log and journal grow in a run of p: the lines of
// each cuboid at their longest, and a few of the run. See packages joblog and journal.
func noteBytes(p plan.Plan) int64 {
	const lines = `{"begin":""}` + "\n" + `{"posted":"","sum":"0123456789abcdef","took":123.456,"at":"2006-01-02T15:04:05Z"}` + "\n" +
		"2006-01-02 15:04:05 POST succeeded in 123.45 sec. Coll: , Exp: , Ch: , x: [, ], y: [, ], z: [, ]\n"
	const names, perRun = 60, 16 << 10
	last := voxel.Box{Min: p.Data.Max, Max: p.Data.Max}
	return perRun + p.CountCuboids()*int64(len(lines)+names+3*len(last.String()))
}

// checkMemory compares what the run takes with what there is.
func (c *checkup) checkMemory(ctx context.Context) {
	const what = "memory"
	if c.road == nil {
		c.worry(what, "not looked at: the slices are not known")
		return
	}
	fitted, err := c.fit(c.road.Plan, &c.options.jobFlags)
	if err != nil {
		c.tight = true
		c.tellErr(resultFail, what, err)
		return
	}
	c.road.Plan = fitted
	need := fitted.Memory().Total()
	there, ok := machine.AvailableMemory(os.DirFS("/"))
	switch {
	case !ok:
		c.ok(what, "at most %s are taken; what there is is not known", human.Size(need))
	case need > there.Bytes:
		c.tight = true
		c.fail(what, "up to %s are taken, and %s are %s: --max-mem takes less", human.Size(need), human.Size(there.Bytes), there.Why)
	default:
		c.ok(what, "at most %s are taken, and %s are %s", human.Size(need), human.Size(there.Bytes), there.Why)
	}
}

// checkOpenFiles compares what the run opens at one time with the limit: the
// slices of two chunks, over a network as many connections again, a connection
// for each worker, and a few for everything else.
func (c *checkup) checkOpenFiles(ctx context.Context) {
	const what, rest = "open files", 16
	if c.road == nil {
		return
	}
	p := c.road.Plan
	need := int64(2*min(p.Cuboid.Z, p.Data.Z().Len()) + c.input.readers + p.Workers + rest)
	limit, ok := machine.OpenFiles()
	switch {
	case !ok:
		c.ok(what, "up to %d at one time; the limit is not known", need)
	case need > limit:
		c.fail(what, "up to %d at one time, and the limit is %d: raise it with ulimit -n %d", need, limit, need)
	default:
		c.ok(what, "up to %d at one time, and the limit is %d", need, limit)
	}
}
