package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/verify"
)

// A reportFile is a report in the making; without a file it writes nothing.
type reportFile struct {
	file *os.File
	*verify.Writer
}

// newReport begins a report. A file of that name is written over.
func newReport(path string, h verify.Head) (*reportFile, error) {
	if path == "" {
		w, err := verify.NewWriter(io.Discard, h)
		return &reportFile{nil, w}, err
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("--report: %w", err)
	}
	w, err := verify.NewWriter(file, h)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &reportFile{file, w}, nil
}

// Close makes sure that the report is on its disk.
func (r *reportFile) Close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Sync()
	if cerr := r.file.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// mergeReports sums up reports.
func (a *app) mergeReports(paths []string) error {
	var m verify.Merger
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		err = m.Read(file)
		file.Close()
		if err != nil {
			return fmt.Errorf("report %s: %w", path, err)
		}
	}
	all := m.Sum()
	if len(all) == 0 {
		return &exitError{exitIncomplete, errors.New("not verified: the reports are of nothing")}
	}
	return a.concludeAll(all)
}

// concludeAll says what comparing found, and gives what the program ends with: a
// difference weighs more than a gap.
func (a *app) concludeAll(all []verify.Merged) error {
	var differ, missing, errs, lost int64
	gaps := 0
	for _, m := range all {
		if err := a.conclude(&m); err != nil {
			return err
		}
		differ += m.Differ + m.Gone
		missing += m.Missing - m.Gone
		errs += m.Error
		lost += int64(len(m.Lost()))
		gaps += len(m.Gaps)
	}
	switch {
	case differ > 0:
		return &exitError{exitDiffers, fmt.Errorf("verification found a difference: %s", human.Count(differ, "cuboid"))}
	case missing > 0 || errs > 0 || gaps > 0:
		return &exitError{exitIncomplete, fmt.Errorf("not verified: %s never posted, %d could not be compared%s", human.Count(missing, "cuboid"), errs, map[bool]string{true: ", and some were not looked at"}[gaps > 0])}
	case lost > 0:
		return &exitError{exitIncomplete, fmt.Errorf("what was posted is there, and %s missing in it", human.Count(lost, "slice"))}
	}
	return nil
}

// conclude says what comparing a channel found.
func (a *app) conclude(m *verify.Merged) error {
	for _, f := range m.First {
		a.warn("cuboid %v %s: %s", f.Box, verdictWord(f.Verdict), f.Why)
	}
	if n := m.Cuboids() - m.Match - int64(len(m.First)); n > 0 {
		a.warn("and %d more, which a --report names", n)
	}
	for _, z := range m.Gaps {
		a.warn("z %v of %s: no report is about all of it", z, m.Channel)
	}
	word, more := "verified", ""
	if !m.Verified() || len(m.Gaps) > 0 || m.Cuboids() == 0 {
		word = "NOT verified"
	}
	if n := len(m.Lost()); n > 0 {
		more = fmt.Sprintf("; %s missing", human.Count(n, "slice"))
	}
	_, err := fmt.Fprintf(a.Stdout, "%s: %s: %v%s\n", m.Channel, word, &m.Tally, more)
	return err
}

func verdictWord(v verify.Verdict) string {
	switch v {
	case verify.Differ:
		return "differs"
	case verify.Missing:
		return "is missing"
	}
	return "was not compared"
}
