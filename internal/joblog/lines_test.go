package joblog_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/neurodata/ndpush/internal/joblog"
)

// Lines are told with their times, in the zone of who wrote them; what is no line
// of its own is not.
func TestReadLines(t *testing.T) {
	zone := time.FixedZone("there", 2*60*60)
	text := "2026-11-22 18:31:22 one\n" +
		"2026-11-22 18:31:23     the second line of a text\n" +
		"no time\n" +
		"2026-13-22 18:31:22 no month\n" +
		"2026-11-22 18:31:24 " + strings.Repeat("x", 100_000) + "\n" +
		"2026-11-22 18:31:25 two\r\n" +
		"2026-11-22 18:31:26 cut o"
	var got []string
	tell := func(at time.Time, text string) { got = append(got, at.UTC().Format(time.TimeOnly)+" "+text) }
	if err := joblog.ReadLines(strings.NewReader(text), zone, tell); err != nil {
		t.Fatal(err)
	}
	if want := []string{"16:31:22 one", "16:31:25 two"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	broken := errors.New("broken")
	r := io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))
	if err := joblog.ReadLines(r, zone, tell); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}
