package progress_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/progress"
)

// On a terminal a line is drawn in place and taken away; elsewhere a plain line
// is written now and then; what is over at once is not shown.
func TestSurvey(t *testing.T) {
	for name, tt := range map[string]struct {
		terminal bool
		each     time.Duration
		want     string
	}{
		"terminal":       {true, 400 * time.Millisecond, "\rlooked at 3 of 4 slices\rlooked at 4 of 4 slices\r                       \r"},
		"quick terminal": {true, time.Millisecond, ""},
		"file":           {false, 20 * time.Second, "looked at 2 of 4 slices\nlooked at 4 of 4 slices\n"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out strings.Builder
			s := progress.NewSurvey(&out, progress.Options{Terminal: tt.terminal})
			for i := range 4 {
				time.Sleep(tt.each)
				s.Looked(i+1, 4)
			}
			s.Stop()
			if out.String() != tt.want {
				t.Errorf("%s: got %q, want %q", name, out.String(), tt.want)
			}
		})
	}
}
