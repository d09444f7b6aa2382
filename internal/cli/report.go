package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/report"
	"github.com/neurodata/ndpush/internal/script"
	"github.com/neurodata/ndpush/internal/verify"
	"github.com/neurodata/ndpush/internal/voxel"
)

type reportOptions struct {
	journals   journalsChoice
	out        string
	thumbnails int
	boss       bossFlags // what of them the journal does not say
}

// thumbnails is how many slices a report shows, if nobody says so.
const thumbnails = 3

func (a *app) newReportCmd() *cobra.Command {
	o := new(reportOptions)
	cmd := &cobra.Command{
		Use:   "report [JOURNAL…] [flags]",
		Short: "Write what arrived in BOSS, and how, as a page for a browser",
		Long: `Report writes a page about an ingest from its journals, those of all shares and
processes together, also while they work: the verdict, a map of what arrived, the
rate and the retries over time, what is missing and why, what was compared, a few
slices as BOSS gives them back, and the commands that go on. The page is one file
that needs no network, to be kept or sent.

JOURNAL is a directory ingest_journal_COLLECTION_EXPERIMENT_CHANNEL; without it,
there is a page for each in --log-dir. The page lies beside the journal, unless
--out says otherwise, and is called ingest_report_COLLECTION_EXPERIMENT_CHANNEL.html.
Logs and reports of ndpush verify (*.report) that lie there are looked at, too.

ndpush ingest writes the page itself when it ends, unless it does a share only.

Exit status:
  0    the page was written, whatever it says
  1    it could not be
  2    wrong usage`,
		Example: `  ndpush report
  ndpush report ingest_journal_lab_fly_em --out em.html`,
		Args: cobra.ArbitraryArgs,
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.journals.args = args
		return a.run(func(ctx context.Context) error { return a.runReport(ctx, o) })(cmd, args)
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	o.journals.bind(flags)
	flags.StringVarP(&o.out, "out", "o", "", "the file to write (default beside the journal)")
	flags.IntVar(&o.thumbnails, "thumbnails", thumbnails, "how many slices are read back from BOSS and shown; 0: BOSS is not asked")
	o.boss.bindAccess(flags, "that of the ingest")
	return cmd
}

func (a *app) runReport(ctx context.Context, o *reportOptions) error {
	if o.thumbnails < 0 || o.thumbnails > maxThumbnails {
		return usage(fmt.Errorf("--thumbnails %d: want 0 to %d", o.thumbnails, maxThumbnails))
	}
	dirs, err := o.journals.find()
	if err != nil {
		return err
	}
	if len(dirs) > 1 && o.out != "" {
		return usage(fmt.Errorf("--out names one file, and there are %d journals: %s", len(dirs), strings.Join(dirs, ", ")))
	}
	var errs []error
	for _, dir := range dirs {
		path, err := a.writeReport(ctx, o, filepath.Clean(dir))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if _, err := fmt.Fprintf(a.Stdout, "report: %s\n", path); err != nil {
			return err
		}
	}
	return errors.Join(errs...)
}

// writePage writes the page of a channel that was ingested, which never changes how
// that ended. A share leaves it to who looks at all of them.
func (c *channelIngest) writePage(ctx context.Context) {
	o, j := c.options, c.job
	if o.report == "none" || o.part != "" {
		return
	}
	dir := journal.Dir(o.logDir, j.Collection, j.Experiment, j.Channel)
	path, err := c.writeReport(ctx, &reportOptions{thumbnails: thumbnails, boss: o.boss}, dir)
	if err != nil {
		c.warn("no report: %v", err)
		return
	}
	fmt.Fprintf(c.Stdout, "report: %s\n", path)
}

// writeReport writes the page of the journal in dir, and gives its path. A page
// that is there is replaced at once, never left in part.
func (a *app) writeReport(ctx context.Context, o *reportOptions, dir string) (path string, err error) {
	l, err := readLedger(dir)
	if err != nil {
		return "", err
	}
	name := "ingest_report_" + strings.TrimPrefix(filepath.Base(dir), journalPrefix) + ".html"
	path = cmp.Or(o.out, filepath.Join(filepath.Dir(dir), name))
	part := fmt.Sprintf("%s.%d.part", path, os.Getpid())
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o666)
	if err != nil {
		return "", fmt.Errorf("write the report: %w", err)
	}
	w := bufio.NewWriter(f)
	err = errors.Join(a.collect(ctx, o, l).WriteHTML(w), w.Flush(), f.Close())
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		os.Remove(part)
		return "", fmt.Errorf("write the report: %w", err)
	}
	return path, nil
}

// collect puts together what is known of an ingest.
func (a *app) collect(ctx context.Context, o *reportOptions, l *ledger) *report.Report {
	s, now := newStatus(l), a.Now()
	r := &report.Report{Channel: s.channel(), Written: now, Version: version(), Coverage: coverage(l)}
	r.Course = course(l, now)
	a.readLogs(l, r)
	r.State, r.Verdict = judgement(s, r)
	tellTrouble(s, r)
	tellFacts(s, r)
	tellCommands(s, r)
	if o.thumbnails > 0 {
		a.addPictures(ctx, o, s, r)
	}
	return r
}

// coverage counts the cuboids by place.
func coverage(l *ledger) *report.Coverage {
	c := report.NewCoverage(grid)
	for box, entries := range l.cuboids() {
		c.Add(box, reportFate(fateOf(box, entries), entries))
	}
	return c
}

func reportFate(f verify.Fate, entries []journal.Entry) report.Fate {
	lossy := slices.ContainsFunc(entries, func(e journal.Entry) bool { return len(e.Lost) > 0 })
	switch {
	case f == verify.Failed:
		return report.Failed
	case f == verify.Begun:
		return report.InFlight
	case f == verify.Left:
		return report.Left
	case lossy:
		return report.Lossy
	case f == verify.Empty:
		return report.Empty
	}
	return report.Posted
}

// course is what the journals say of when things happened.
func course(l *ledger, now time.Time) (c report.Course) {
	for _, f := range l.files {
		c.Processes = append(c.Processes, reportProcess(f, now))
	}
	size := int64(l.last.Type.Size())
	sums := make(map[time.Time]int64)
	for e := range l.state.Entries() {
		if e.Fate == journal.Posted && !e.Kept && !e.At.IsZero() {
			sums[e.At] += e.Box.Voxels() * size
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(sums), time.Time.Compare) {
		c.Posts = append(c.Posts, report.Post{At: at, Bytes: sums[at]})
	}
	return c
}

func reportProcess(f *journal.File, now time.Time) report.Process {
	h := &f.Header
	p := report.Process{
		Host: human.Line(h.Host), PID: h.PID, Version: h.Version, Share: h.Data.Z().String(),
		Begun: h.Started.In(now.Location()), Ended: sign(f).In(now.Location()), How: endText(f.End),
		Did: fmt.Sprintf("%d posted, %d empty, %d failed", f.Posted, f.Empty, f.Failed),
	}
	if f.Kept > 0 {
		p.Did += fmt.Sprintf(", %d as they were", f.Kept)
	}
	if f.Open > 0 {
		p.Did += fmt.Sprintf(", %d in flight", f.Open)
	}
	switch {
	case f.End == "done":
		p.End = report.Done
	case strings.HasPrefix(f.End, "incomplete"):
		p.End = report.Gaps
	case f.End != "":
		p.End = report.Stopped
	case f.Alive(now):
		p.End, p.How, p.Ended = report.Working, "at work", now
	default:
		// Its last line, as a copy of a journal has another time than the journal.
		p.End, p.How, p.Ended = report.Stopped, "died: no sign since then", f.Last.In(now.Location())
		if f.Last.IsZero() {
			p.Ended = p.Begun
		}
	}
	return p
}

// logs are the log files of the channel beside its journal, those of shares too.
func (l *ledger) logs() ([]string, error) {
	dir, name := filepath.Split(l.dir)
	name = "ingest_log_" + strings.TrimPrefix(name, journalPrefix)
	all, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil {
		return nil, err
	}
	form := regexp.MustCompile("^" + regexp.QuoteMeta(name) + `(_\d+of\d+)?\.txt$`)
	var paths []string
	for _, d := range all {
		if form.MatchString(d.Name()) {
			paths = append(paths, filepath.Join(dir, d.Name()))
		}
	}
	return paths, nil
}

// judgement is the verdict. The worst is said first.
func judgement(s *status, r *report.Report) (report.State, string) {
	t := s.all
	var differ, unknown int64
	var what []string
	for _, c := range r.Checks {
		differ, unknown = differ+c.Differ, unknown+c.Unknown
		what = append(what, c.What)
	}
	gaps := fmt.Sprintf("%s failed, %s missing", human.Count(t.failed, "cuboid"), human.Count(len(s.missing), "slice"))
	switch {
	case differ > 0:
		return report.Differs, fmt.Sprintf("Verification found a difference in %s.", human.Count(differ, "cuboid"))
	case t.begun+t.left > 0 && t.failed == 0 && len(s.missing) == 0:
		return report.Unfinished, fmt.Sprintf("Unfinished: %s of %d left.", human.Count(t.begun+t.left, "cuboid"), t.cuboids())
	case t.begun+t.left > 0:
		return report.Unfinished, fmt.Sprintf("Unfinished: %s of %d left; %s.", human.Count(t.begun+t.left, "cuboid"), t.cuboids(), gaps)
	case t.failed > 0 || len(s.missing) > 0:
		return report.Incomplete, fmt.Sprintf("Incomplete: %s.", gaps)
	case unknown > 0:
		return report.Complete, fmt.Sprintf("Complete, and not verified: %s could not be compared.", human.Count(unknown, "cuboid"))
	case len(what) > 0:
		return report.Verified, fmt.Sprintf("Complete and verified: %s read back and equal.", strings.Join(slices.Compact(what), "; "))
	}
	return report.Complete, "Complete."
}

// reported is how many failures, and how many ranges of missing slices, a page names.
const reported = 200

// tellTrouble says what failed and what was missing.
func tellTrouble(s *status, r *report.Report) {
	for _, e := range firstOf(s.failures, reported) {
		r.Failed = append(r.Failed, report.Failure{Box: e.Box, Why: noPasswords(human.Message(e.Why)), At: e.At})
	}
	r.FailedMore = len(s.failures) - len(r.Failed)
	all := s.missingRanges()
	r.Missing = firstOf(all, reported)
	r.MissingMore = len(all) - len(r.Missing)
}

// digits are what differs in the reasons of slices that are missing alike.
var digits = regexp.MustCompile(`\d+`)

// missingRanges are the missing slices, joined where the reasons are alike but for
// numbers.
func (s *status) missingRanges() (list []report.Missing) {
	shape := func(l journal.Loss) string { return digits.ReplaceAllString(l.Why, "0") }
	for i := 0; i < len(s.missing); {
		n := i + 1
		for n < len(s.missing) && shape(s.missing[n]) == shape(s.missing[i]) &&
			s.missing[n].Z == s.missing[n-1].Z+1 && slices.Equal(s.missing[n].Rows, s.missing[i].Rows) {
			n++
		}
		words := lossList(s.missing[i:n], s.rows())
		why := noPasswords(human.Message(s.missing[i].Why))
		if n > i+1 {
			why += fmt.Sprintf(" (and %d more like this)", n-i-1)
		}
		list = append(list, report.Missing{Slices: words, Why: why})
		i = n
	}
	return list
}

// password is what an address may hold in front of the host.
var password = regexp.MustCompile(`://[^/\s@"]+@`)

// noPasswords is a text without those of addresses.
func noPasswords(text string) string { return password.ReplaceAllString(text, "://…@") }

// tellFacts says what the ingest is, in numbers.
func tellFacts(s *status, r *report.Report) {
	t, h := s.all, s.last
	worked := r.Course.Worked()
	var sent int64
	for _, p := range r.Course.Posts {
		sent += p.Bytes
	}
	r.Figures = []report.Fact{
		{What: fmt.Sprintf("of %s done", human.Count(t.cuboids(), "cuboid")), Is: report.Share(t.posted+t.empty, t.cuboids())},
		{What: "voxels posted", Is: human.Size(t.bytes)},
	}
	if !r.Course.TooShort() {
		r.Figures = append(r.Figures, report.Fact{What: "mean rate", Is: human.Rate(sent, worked)})
	}
	r.Figures = append(r.Figures, []report.Fact{
		{What: "at work", Is: report.ShortTime(worked)},
		{What: "requests sent again", Is: fmt.Sprint(len(r.Course.Retries))},
	}...)
	fact := func(what, format string, args ...any) {
		r.Facts = append(r.Facts, report.Fact{What: what, Is: noPasswords(human.Line(fmt.Sprintf(format, args...)))})
	}
	fact("BOSS", "%s", h.Job["boss"])
	fact("voxels", "%v", h.Type)
	fact("box", "%s", wholeText(s.wholes))
	fact("resolution", "%s", h.Job["resolution"])
	if h.Origin != (voxel.Point{}) {
		fact("source begins at", "%v", h.Origin)
	}
	fact("images", "%s", h.Job[imagesKey])
	fact("size", "%s in %s", human.Size(s.bytes), human.Count(t.cuboids(), "cuboid"))
	first, last := r.Course.Processes[0].Begun, r.Course.Processes[0].Ended
	alive := false
	var versions []string
	for _, p := range r.Course.Processes {
		if p.Ended.After(last) {
			last = p.Ended
		}
		alive = alive || p.End == report.Working
		versions = append(versions, p.Version)
	}
	fact("begun", "%s", first.Format(time.DateTime))
	if alive {
		fact("ended", "at work, for %s so far", report.ShortTime(last.Sub(first)))
	} else {
		fact("ended", "%s, after %s", last.Format(time.DateTime), report.ShortTime(last.Sub(first)))
	}
	slices.Sort(versions)
	fact("ndpush", "%s", strings.Join(slices.Compact(versions), ", "))
}

// tellCommands says what to do, and how it was done.
func tellCommands(s *status, r *report.Report) {
	again := []string{"ndpush", "ingest"}
	for _, name := range slices.Sorted(maps.Keys(s.last.Flags)) {
		value := noPasswords(s.last.Flags[name])
		r.Flags = append(r.Flags, report.Fact{What: "--" + name, Is: value})
		again = append(again, "--"+name+"="+value)
	}
	if dir := filepath.Dir(s.dir); dir != "." {
		again = append(again, "--log-dir="+dir)
	}
	command := func(what string, words ...string) report.Command {
		return report.Command{What: what, Line: script.Command(words)}
	}
	goOn := command("Do all that is left, and look for missing slices again:", again...)
	retry := command("Post again only what failed:", "ndpush", "retry", s.dir)
	switch {
	case s.all.begun+s.all.left > 0 || len(s.missing) > 0:
		r.Next = append(r.Next, goOn)
	case s.all.failed > 0:
		r.Next = append(r.Next, retry)
	}
	if len(r.Next) == 0 || r.Next[0] != goOn {
		r.Commands = append(r.Commands, command("The same ingest again, which does what is not done:", again...))
	}
	if s.all.failed > 0 && r.Next[0] != retry {
		r.Commands = append(r.Commands, retry)
	}
	found := strings.TrimPrefix(filepath.Base(s.dir), journalPrefix) + ".report"
	r.Commands = append(r.Commands,
		command("Read back all of it, and compare:", "ndpush", "verify", s.dir, "--report", filepath.Join(filepath.Dir(s.dir), found)),
		command("Write this report anew:", "ndpush", "report", s.dir))
}

// verdictForm is a line of a log about what was compared: see [outcome.verdict].
var verdictForm = regexp.MustCompile(`^(?:verified|NOT verified): (.*): (\d+) cuboids? equal, (\d+) different, (\d+) not compared$`)

// readLogs adds what the logs and reports beside the journal say, of the time since
// the ingest was begun. Logs have the local time of who wrote them, taken for ours.
func (a *app) readLogs(l *ledger, r *report.Report) {
	since := l.files[0].Header.Started
	note := func(err error) {
		if err != nil {
			r.Course.Note = "Not all logs could be read: " + human.Message(err.Error())
		}
	}
	paths, err := l.logs()
	note(err)
	if paths == nil {
		r.Course.Note = "There is no log beside the journal: retries are not known."
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			note(err)
			continue
		}
		checks, err := readLog(f, l.channel(), since, a.Now().Location(), &r.Course)
		note(err)
		f.Close()
		r.Checks = append(r.Checks, checks...)
	}
	slices.SortFunc(r.Course.Retries, time.Time.Compare)
	r.Checks = append(r.Checks, a.readVerified(l)...)
}
