package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/human"
	"github.com/neurodata/ndpush/internal/joblog"
	"github.com/neurodata/ndpush/internal/report"
	"github.com/neurodata/ndpush/internal/verify"
)

// readLog adds the retries in a log, and gives what was compared last.
func readLog(log io.Reader, channel string, since time.Time, zone *time.Location, c *report.Course) (checks []report.Check, err error) {
	err = joblog.ReadLines(log, zone, func(at time.Time, text string) {
		if at.Before(since) {
			return
		}
		if strings.HasPrefix(text, "Warning: ") && strings.Contains(text, "; trying again in ") {
			c.Retries = append(c.Retries, at)
		}
		rest, ours := strings.CutPrefix(text, channel+": ")
		if m := verdictForm.FindStringSubmatch(rest); ours && m != nil {
			count := func(i int) int64 { n, _ := strconv.ParseInt(m[i], 10, 64); return n }
			checks = []report.Check{{What: m[1], At: at, Equal: count(2), Differ: count(3), Unknown: count(4)}}
		}
	})
	return checks, err
}

// readVerified is what the reports of ndpush verify beside the journal found. Files
// that are something else are no matter.
func (a *app) readVerified(l *ledger) (checks []report.Check) {
	paths, _ := filepath.Glob(filepath.Join(escapeGlob(filepath.Dir(l.dir)), "*.report"))
	for _, path := range paths {
		m, at, err := mergedOf(path)
		if err != nil {
			continue
		}
		for _, sum := range m {
			if sum.Channel != l.channel() || at.Before(l.files[0].Header.Started) {
				continue
			}
			what := "the journal"
			if len(sum.Gaps) > 0 {
				what = "a part of the journal"
			}
			checks = append(checks, report.Check{
				What: fmt.Sprintf("%s, by %s", what, human.Line(filepath.Base(path))), At: at.In(a.Now().Location()),
				Equal: sum.Match, Differ: sum.Differ + sum.Gone, Unknown: sum.Error + sum.Missing - sum.Gone,
			})
		}
	}
	return checks
}

// escapeGlob is a path whose letters mean themselves.
func escapeGlob(path string) string {
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(path)
}

func mergedOf(path string) (sums []verify.Merged, at time.Time, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, at, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, at, err
	}
	var m verify.Merger
	err = m.Read(f)
	return m.Sum(), info.ModTime(), err
}
