// Package joblog writes the log file of a channel's ingest.
//
// Every event is a line that begins with the local time. The lines about
// cuboids are those of the Python tool, letter by letter, because people have
// scripts that read them.
//
// A line is one write to a file that is opened for appending, so the lines of
// processes that share the file do not tear each other. That holds on local
// file systems; over NFS, processes on different machines need directories of
// their own. Nothing is buffered: what happened before a crash is in the file.
package joblog

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Log is an open log file. It is safe for concurrent use.
//
// Every method but Path returns an error if the line could not be written, and
// from then on always, so that nothing more is posted that is not in the log.
type Log struct {
	coll, exp, ch string
	now           func() time.Time

	mu   sync.Mutex // guards err, and keeps lines in the order of their times
	file *os.File
	err  error
}

// Open opens the log of a channel, ingest_log_<coll>_<exp>_<ch>.txt in dir, to
// append to it, and creates it if there is none. That of a part of the work, such
// as "2of4", is ingest_log_<coll>_<exp>_<ch>_2of4.txt. The names are sound ones,
// as package job makes sure. Times are written in now's own location.
func Open(dir, coll, exp, ch, part string, now func() time.Time) (*Log, error) {
	dir = cmp.Or(dir, ".")
	name := fmt.Sprintf("ingest_log_%s_%s_%s.txt", coll, exp, ch)
	if part != "" {
		name = fmt.Sprintf("ingest_log_%s_%s_%s_%s.txt", coll, exp, ch, part)
	}
	// Reading is for mend.
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o666)
	if err != nil {
		return nil, fmt.Errorf("log file %s cannot be written in %s: %w", name, dir, cause(err))
	}
	if err := mend(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("log file %s in %s: %w", name, dir, cause(err))
	}
	return &Log{coll: coll, exp: exp, ch: ch, now: now, file: file}, nil
}

// cause is err without the operation and the path, which the caller names.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// mend ends a last line that a full disk cut off, lest the next one be part of it.
func mend(file *os.File) error {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := file.ReadAt(last, info.Size()-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = file.WriteString("\n")
	return err
}

// Path is the file's path.
func (l *Log) Path() string { return l.file.Name() }

// Close closes the file. Methods called after it return an error.
func (l *Log) Close() error { return l.file.Close() }

// Posted writes that BOSS took the cuboid at box.
func (l *Log) Posted(box voxel.Box, took time.Duration) error {
	return l.write(fmt.Sprintf("POST succeeded in %.2f sec. %s", took.Seconds(), l.cutout(box)))
}

// Empty writes that the cuboid at box was skipped because all of it is zero.
func (l *Log) Empty(box voxel.Box) error {
	return l.write(fmt.Sprintf("Block empty for Collection: %s, Experiment: %s, Channel: %s x/y/z: %s/%s/%s, skipping",
		l.coll, l.exp, l.ch, span(box.X()), span(box.Y()), span(box.Z())))
}

// Failed writes that the cuboid at box finally failed, and on a second line why.
//
// The second line names the box again, for scripts sort these files; at its
// end, because they compare the ends of lines, which thus never are a server's
// words.
func (l *Log) Failed(box voxel.Box, err error) error {
	return l.write(
		"Error: data upload failed after multiple attempts, skipping. "+l.cutout(box),
		fmt.Sprintf("Reason: %s (%v)", escape(err.Error()), box))
}

// Missing writes that slice z, in source coordinates, is absent or unreadable.
func (l *Log) Missing(z int, err error) error {
	return l.write(fmt.Sprintf("Warning: slice %d is absent or unreadable: %s", z, escape(err.Error())))
}

// Line writes any other line, formatted as by fmt.Printf. A text of several
// lines becomes as many, each with the time; those after the first are
// indented, so that none can pass for a line of its own.
func (l *Log) Line(format string, args ...any) error {
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\r\n")
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := range lines {
		lines[i] = escape(lines[i])
		if i > 0 {
			lines[i] = "    " + lines[i]
		}
	}
	return l.write(lines...)
}

// write appends lines, which stay together, and remembers the first error: after
// half a line, as a full disk leaves it, another one would make it worse.
func (l *Log) write(lines ...string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	prefix := l.now().Format(time.DateTime + " ")
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(prefix + line + "\n")
	}
	if _, err := l.file.WriteString(b.String()); err != nil {
		l.err = fmt.Errorf("log file %s: write: %w", l.Path(), cause(err))
	}
	return l.err
}

// cutout names a box of the channel the way the Python tool did.
func (l *Log) cutout(box voxel.Box) string {
	return fmt.Sprintf("Coll: %s, Exp: %s, Ch: %s, x: %s, y: %s, z: %s",
		l.coll, l.exp, l.ch, span(box.X()), span(box.Y()), span(box.Z()))
}

// span writes a range as Python writes a list.
func span(r voxel.Range) string { return fmt.Sprintf("[%d, %d]", r.Min, r.Max) }
