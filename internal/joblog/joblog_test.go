package joblog_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/joblog"
	"github.com/neurodata/ndpush/internal/voxel"
)

func noon() time.Time { return time.Date(2018, 1, 31, 12, 0, 0, 0, time.UTC) }

var cuboid = voxel.NewBox(voxel.Range{Min: 0, Max: 1024}, voxel.Range{Min: 1024, Max: 2048}, voxel.Range{Min: 16, Max: 32})

func open(t *testing.T, dir string) *joblog.Log {
	t.Helper()
	l, err := joblog.Open(dir, "c", "e", "ch", "", noon)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func read(t *testing.T, l *joblog.Log) string {
	t.Helper()
	b, err := os.ReadFile(l.Path())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLines(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(*joblog.Log) error
		want  string
	}{
		{"posted", func(l *joblog.Log) error { return l.Posted(cuboid, 1268*time.Millisecond) },
			"2018-01-31 12:00:00 POST succeeded in 1.27 sec. Coll: c, Exp: e, Ch: ch, x: [0, 1024], y: [1024, 2048], z: [16, 32]\n"},
		{"empty", func(l *joblog.Log) error { return l.Empty(cuboid) },
			"2018-01-31 12:00:00 Block empty for Collection: c, Experiment: e, Channel: ch x/y/z: [0, 1024]/[1024, 2048]/[16, 32], skipping\n"},
		{"failed", func(l *joblog.Log) error { return l.Failed(cuboid, errors.New("POST: 500 oops")) },
			"2018-01-31 12:00:00 Error: data upload failed after multiple attempts, skipping. Coll: c, Exp: e, Ch: ch, x: [0, 1024], y: [1024, 2048], z: [16, 32]\n" +
				"2018-01-31 12:00:00 Reason: POST: 500 oops (0:1024/1024:2048/16:32)\n"},
		{"missing", func(l *joblog.Log) error { return l.Missing(-7, errors.New("open s_-7.tif: no such file")) },
			"2018-01-31 12:00:00 Warning: slice -7 is absent or unreadable: open s_-7.tif: no such file\n"},
		{"line", func(l *joblog.Log) error { return l.Line("%d cuboids of %s\tété", 3, "µm") },
			"2018-01-31 12:00:00 3 cuboids of µm\tété\n"},
		{"lines", func(l *joblog.Log) error { return l.Line("parameters:\r\na = %d\n\nb = 2\n\n", 1) },
			"2018-01-31 12:00:00 parameters:\n" +
				"2018-01-31 12:00:00     a = 1\n" +
				"2018-01-31 12:00:00     \n" +
				"2018-01-31 12:00:00     b = 2\n"},
		{"percent sign", func(l *joblog.Log) error { return l.Failed(cuboid, errors.New("%s 100%")) },
			"2018-01-31 12:00:00 Error: data upload failed after multiple attempts, skipping. Coll: c, Exp: e, Ch: ch, x: [0, 1024], y: [1024, 2048], z: [16, 32]\n" +
				"2018-01-31 12:00:00 Reason: %s 100% (0:1024/1024:2048/16:32)\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := open(t, t.TempDir())
			if err := tt.write(l); err != nil {
				t.Fatal(err)
			}
			if got := read(t, l); got != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

// A server that says what looks like lines of the log does not write them.
func TestForgery(t *testing.T) {
	line := "2018-01-31 12:00:00 POST succeeded in 1.27 sec. Coll: c, Exp: e, Ch: ch, x: [0, 1024], y: [1024, 2048], z: [16, 32]"
	posted := regexp.MustCompile(`(?m)^\S+ \S+ POST succeeded`)
	for _, breaks := range []string{"\n", "\r", "\r\n", "\v", "\f", "\x85", "\u0085", "\u2028", "\x1b[2K", "\x1b[1A\r", "\x00", "\u202e", "\xff"} {
		l := open(t, t.TempDir())
		said := errors.New("sorry" + breaks + line + breaks + line)
		if err := errors.Join(l.Failed(cuboid, said), l.Missing(1, said), l.Line("the server said: %v", said)); err != nil {
			t.Fatal(err)
		}
		got := read(t, l)
		if posted.MatchString(got) {
			t.Errorf("after %q a line is forged:\n%s", breaks, got)
		}
		if breaks != "\n" && breaks != "\r\n" && strings.Contains(got, breaks) {
			t.Errorf("%q went through", breaks)
		}
		// The Python tool's parse_log compares the ends of lines.
		if strings.Contains(strings.SplitAfter(got, "\n")[1], line+"\n") {
			t.Errorf("after %q the reason ends like a line about a cuboid", breaks)
		}
	}
}

func TestAppends(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{"one", "two"} {
		l := open(t, dir)
		if err := l.Line("%s", text); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if err := l.Line("late"); !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close: %v, want os.ErrClosed", err)
		}
	}
	l := open(t, dir)
	if got, want := l.Path(), filepath.Join(dir, "ingest_log_c_e_ch.txt"); got != want {
		t.Errorf("Path = %s, want %s", got, want)
	}
	if got, want := read(t, l), "2018-01-31 12:00:00 one\n2018-01-31 12:00:00 two\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// A line that a full disk cut off does not swallow the next one.
func TestTornLine(t *testing.T) {
	dir := t.TempDir()
	torn := "2018-01-31 11:00:00 POST succ"
	if err := os.WriteFile(filepath.Join(dir, "ingest_log_c_e_ch.txt"), []byte(torn), 0o644); err != nil {
		t.Fatal(err)
	}
	l := open(t, dir)
	if err := l.Line("on"); err != nil {
		t.Fatal(err)
	}
	if got, want := read(t, l), torn+"\n2018-01-31 12:00:00 on\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// Many goroutines of two logs, as two processes would have them, write into one
// file: all lines are whole, and a reason follows its failure.
func TestConcurrent(t *testing.T) {
	dir := t.TempDir()
	logs := []*joblog.Log{open(t, dir), open(t, dir)}
	long := errors.New(strings.Repeat("a long story ", 500))
	const each, workers = 50, 8
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			l := logs[i%len(logs)]
			for range each {
				if err := errors.Join(l.Posted(cuboid, time.Second), l.Failed(cuboid, long), l.Empty(cuboid), l.Missing(3, long)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var posted, empty, failed, missing int
	lines := strings.Split(strings.TrimSuffix(read(t, logs[0]), "\n"), "\n")
	for i, line := range lines {
		line, ok := strings.CutPrefix(line, "2018-01-31 12:00:00 ")
		switch {
		case !ok:
			t.Fatalf("line %d begins without a time: %.80s", i, line)
		case strings.HasPrefix(line, "POST succeeded in 1.00 sec. ") && strings.HasSuffix(line, "z: [16, 32]"):
			posted++
		case strings.HasPrefix(line, "Block empty") && strings.HasSuffix(line, ", skipping"):
			empty++
		case strings.HasPrefix(line, "Error: ") && strings.Contains(lines[i+1], " Reason: a long story"):
			failed++
		case strings.HasPrefix(line, "Warning: slice 3 "):
			missing++
		case !strings.HasPrefix(line, "Reason: "):
			t.Fatalf("line %d: %.80s", i, line)
		}
	}
	if n := each * workers; posted != n || empty != n || failed != n || missing != n || len(lines) != 5*n {
		t.Errorf("%d posted, %d empty, %d failed, %d missing, %d lines; want %d, and %d lines", posted, empty, failed, missing, len(lines), n, 5*n)
	}
}

// A disk that is full stops the run: every method says so, then and afterwards.
func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	for name, write := range map[string]func(*joblog.Log) error{
		"Posted":  func(l *joblog.Log) error { return l.Posted(cuboid, 0) },
		"Empty":   func(l *joblog.Log) error { return l.Empty(cuboid) },
		"Failed":  func(l *joblog.Log) error { return l.Failed(cuboid, errors.New("x")) },
		"Missing": func(l *joblog.Log) error { return l.Missing(1, errors.New("x")) },
		"Line":    func(l *joblog.Log) error { return l.Line("x") },
	} {
		dir := t.TempDir()
		if err := os.Symlink("/dev/full", filepath.Join(dir, "ingest_log_c_e_ch.txt")); err != nil {
			t.Fatal(err)
		}
		l := open(t, dir)
		for range 2 {
			err := write(l)
			if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), l.Path()) {
				t.Errorf("%s: %v, want the file and ENOSPC", name, err)
			}
		}
	}
}

func TestOpenError(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "logs")
	_, err := joblog.Open(missing, "c", "e", "ch", "", noon)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("missing directory: %v", err)
	}
	want := fmt.Sprintf("log file ingest_log_c_e_ch.txt cannot be written in %s: no such file or directory", missing)
	if err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}

	if os.Geteuid() == 0 {
		t.Skip("root may write to a read-only directory")
	}
	readOnly := t.TempDir()
	if err := os.Chmod(readOnly, 0o555); err != nil {
		t.Fatal(err)
	}
	_, err = joblog.Open(readOnly, "c", "e", "ch", "", noon)
	if !errors.Is(err, fs.ErrPermission) || !strings.HasSuffix(err.Error(), readOnly+": permission denied") {
		t.Errorf("read-only directory: %v", err)
	}
}

func BenchmarkPosted(b *testing.B) {
	l, err := joblog.Open(b.TempDir(), "c", "e", "ch", "", time.Now)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	for b.Loop() {
		if err := l.Posted(cuboid, time.Second); err != nil {
			b.Fatal(err)
		}
	}
}
