package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

// box reads "x0:x1/y0:y1/z0:z1".
func box(s string) voxel.Box {
	var b voxel.Box
	if _, err := fmt.Sscanf(s, "%d:%d/%d:%d/%d:%d", &b.Min.X, &b.Max.X, &b.Min.Y, &b.Max.Y, &b.Min.Z, &b.Max.Z); err != nil {
		panic(err)
	}
	return b
}

// head is the header of a process on host that carries data.
func head(host string, data voxel.Box) journal.Header {
	return journal.Header{
		Version: "v0.1", Host: host, PID: 77, Started: noon(),
		Job:   map[string]string{"channel": "lab/fly/em", "base-path": "em"},
		Flags: map[string]string{"workers": "8"},
		Data:  data, Type: voxel.Uint8,
	}
}

// headText is head as it is in a file, with other keys after the host's.
func headText(host, data string, more ...string) string {
	return fmt.Sprintf(`{"journal":1,"ndpush":"v0.1","started":"2026-11-22T18:31:22Z","host":%q,"pid":77,`+
		`"job":{"channel":"lab/fly/em","base-path":"em"},"data":%q,"whole":%[2]q,"origin":[0,0,0],"type":"uint8"%s}`,
		host, data, strings.Join(append([]string{""}, more...), ","))
}

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// write writes the n-th file of a directory, of these lines, as if a process had
// done so an hour ago.
func write(tb testing.TB, dir string, n int, lines ...string) string {
	tb.Helper()
	path := filepath.Join(dir, fmt.Sprintf("20261122T1831%02d.000000000Z_n1_77_aaaaaaaa.jsonl", n))
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o666); err != nil {
		tb.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	must(tb, os.Chtimes(path, old, old))
	return path
}

func read(tb testing.TB, dir string) *journal.State {
	tb.Helper()
	s, err := journal.Read(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// open opens a journal that nothing keeps from being opened.
func open(tb testing.TB, dir string, h journal.Header, opts journal.Options) (*journal.Writer, *journal.State) {
	tb.Helper()
	w, s, err := journal.Open(tb.Context(), dir, h, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return w, s
}

// must fails the test if one of the errors is one.
func must(tb testing.TB, errs ...error) {
	tb.Helper()
	for _, err := range errs {
		if err != nil {
			tb.Fatal(err)
		}
	}
}

func writeFile(path, text string) error { return os.WriteFile(path, []byte(text), 0o666) }
