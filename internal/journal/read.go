package journal

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/neurodata/ndpush/internal/voxel"
)

// suffix is how the names of journals end; other files in the directory are not looked at.
const suffix = ".jsonl"

// Dir is the directory of a channel's journals in logDir, "" for the current one.
// The names are sound ones, as package job makes sure.
func Dir(logDir, coll, exp, ch string) string {
	return filepath.Join(cmp.Or(logDir, "."), fmt.Sprintf("ingest_journal_%s_%s_%s", coll, exp, ch))
}

// Read gives what the journals in dir say, also while processes write to them.
// It changes nothing. Without a directory the error wraps [fs.ErrNotExist].
func Read(dir string) (*State, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("this machine's name: %w", err)
	}
	names, err := list(dir)
	if err != nil {
		return nil, err
	}
	s := newState(host)
	for _, name := range names {
		if err := s.replay(filepath.Join(dir, name), nil); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// list gives the names of the journals in dir, ascending.
func list(dir string) ([]string, error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("journals in %s: %w", dir, cause(err))
	}
	var names []string
	for _, d := range all {
		if strings.HasSuffix(d.Name(), suffix) && !strings.HasPrefix(d.Name(), ".") {
			names = append(names, d.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// cause is err without the operation and the path, which the caller names.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// replay adds what a file says. With data, only boxes that intersect it are kept,
// and of a file whose data does not, only the header.
func (s *State) replay(path string, data *voxel.Box) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // its process was refused, and took it back
	}
	if err != nil {
		return fmt.Errorf("journal %s: %w", path, cause(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("journal %s: %w", path, cause(err))
	}
	f := &File{Path: path, Beat: info.ModTime(), size: info.Size(), host: s.host}
	r := &reader{state: s, file: f, data: data, lines: lines{in: bufio.NewReaderSize(file, maxLine)}}
	if err := r.read(); err != nil {
		if _, ok := errors.AsType[*DifferentError](err); ok {
			return err
		}
		return fmt.Errorf("journal %s, line %d: %w", path, r.lines.n, err)
	}
	if f.End == "" && r.headed {
		f.lock = probe(file)
	}
	return nil
}

// A reader adds a file to a state.
type reader struct {
	state  *State
	file   *File
	data   *voxel.Box // what is kept; nil: all
	lines  lines
	headed bool // there is a header
	index  uint32
	line   line // the one being read
}

func (r *reader) read() error {
	text, err := r.lines.next()
	if err != nil {
		return eof(err)
	}
	if text == nil {
		return r.nothing()
	}
	if r.file.Header, err = parseHeader(text); err != nil {
		return err
	}
	r.headed = true
	r.share()
	r.index = uint32(len(r.state.files))
	r.state.files = append(r.state.files, r.file)
	elsewhere := r.data != nil && !r.data.Overlaps(r.file.Header.Data)
	for !elsewhere || !r.file.worked {
		text, err := r.lines.next()
		if err != nil {
			r.file.Open, r.file.open = len(r.file.open), nil
			return eof(err)
		}
		if text == nil {
			r.file.hole = true
			continue
		}
		if err := r.take(text); err != nil {
			return err
		}
	}
	r.file.open = nil
	return nil
}

// nothing is the fate of a file whose header was cut off: it must not go on.
func (r *reader) nothing() error {
	for {
		text, err := r.lines.next()
		if err != nil {
			return eof(err)
		}
		if text != nil {
			return errors.New("there are lines after a header that cannot be read")
		}
	}
}

func eof(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// share lets files of one job have one map of it in memory.
func (r *reader) share() {
	if n := len(r.state.files); n > 0 {
		h, last := &r.file.Header, &r.state.files[n-1].Header
		if maps.Equal(h.Job, last.Job) {
			h.Job = last.Job
		}
		if maps.Equal(h.Flags, last.Flags) {
			h.Flags = last.Flags
		}
	}
}

// take adds a line.
func (r *reader) take(text []byte) error {
	l, f := &r.line, r.file
	if err := l.parse(text); err != nil {
		return err
	}
	if f.End != "" {
		return errors.New("there are lines after the end")
	}
	if fate, box, ok := l.fate(); ok {
		return r.takeFate(fate, box)
	}
	if l.Missing != nil {
		return r.takeLoss()
	}
	at, err := l.at()
	if err != nil {
		return err
	}
	f.End, f.Ended = l.End, f.see(at)
	return nil
}

func (r *reader) takeLoss() error {
	z, rows, err := r.line.loss()
	if err != nil {
		return err
	}
	f := r.file
	z += f.Header.Origin.Z
	if r.data != nil && !r.data.Z().Contains(voxel.Range{Min: z, Max: z + 1}) {
		return nil
	}
	if f.losses == nil {
		f.losses = make(map[int][]loss)
	}
	f.losses[z] = append(f.losses[z], loss{rows.Add(f.Header.Origin.Y), f.seq, r.state.note(shorten(r.line.Why))})
	f.seq++
	f.Missing = len(f.losses)
	return nil
}

// takeFate adds a line about a cuboid.
func (r *reader) takeFate(fate Fate, text string) error {
	box, err := voxel.ParseBox(text)
	if err != nil {
		return err
	}
	f, s := r.file, r.state
	if err := checkBox(box, f.Header.Data); err != nil {
		return err
	}
	e, err := r.entry(fate, box)
	if err != nil {
		return err
	}
	if !f.worked {
		if err := s.accept(f, r.data); err != nil {
			return err
		}
		f.worked = true
	}
	r.count(fate, box)
	if r.data != nil && !r.data.Overlaps(box) {
		return nil
	}
	if f.hole && fate.done() {
		e = entry{file: e.file, stale: true} // for rows whose loss was said in the hole
	}
	s.add(box, e)
	return nil
}

// entry is the line in little memory.
func (r *reader) entry(fate Fate, box voxel.Box) (entry, error) {
	l, f := &r.line, r.file
	e := entry{file: r.index, fate: fate}
	e.stale = !fate.done() && f.lost(box) != 0
	if fate == Begun {
		return e, nil
	}
	var err error
	if e.at, err = l.at(); err != nil {
		return e, err
	}
	f.see(e.at)
	switch fate {
	case Posted:
		e.sum, err = l.sum()
		e.took, e.kept = float32(l.Took), l.Kept
	case Failed:
		e.why = r.state.note(shorten(l.Why))
	}
	if fate.done() {
		e.seen, e.lost = f.seq, f.lost(box)
	}
	return e, err
}

// count counts a line of the file.
func (r *reader) count(fate Fate, box voxel.Box) {
	f := r.file
	if fate == Begun {
		if f.open == nil {
			f.open = make(map[voxel.Box]struct{})
		}
		f.open[box] = struct{}{}
		return
	}
	delete(f.open, box)
	switch {
	case fate == Posted && r.line.Kept:
		f.Kept++
	case fate == Posted:
		f.Posted++
	case fate == Empty:
		f.Empty++
	case fate == Failed:
		f.Failed++
	}
}

// accept takes f, in which something was begun, for the latest of its job.
func (s *State) accept(f *File, data *voxel.Box) error {
	h := &f.Header
	if s.job != nil {
		diffs := h.diff(s.job, nil)
		switch {
		case h.Fresh && len(diffs) > 0:
			clear(s.cells)
		case h.Fresh:
			s.forget(h.Data)
		case len(h.diff(s.job, h.Moved)) > 0:
			return &DifferentError{f.Path, h.diff(s.job, h.Moved)}
		}
	}
	s.job = h
	return nil
}

// lines cuts a file into lines.
type lines struct {
	in *bufio.Reader
	n  int // the number of the line last given
}

// next gives a line without its newline, valid until the next call; nil if it has a NUL
// in it, which never was written, or if it is the last one and was cut off.
// After the last it gives io.EOF.
func (l *lines) next() ([]byte, error) {
	l.n++
	text, err := l.in.ReadSlice('\n')
	switch {
	case err == io.EOF && len(text) == 0:
		l.n--
		return nil, io.EOF
	case err == io.EOF:
		return nil, nil
	case err == bufio.ErrBufferFull && bytes.IndexByte(text, 0) >= 0:
		return nil, l.skip()
	case err == bufio.ErrBufferFull:
		return nil, fmt.Errorf("it is longer than %d bytes", maxLine)
	case err != nil:
		return nil, err
	case bytes.IndexByte(text, 0) >= 0:
		return nil, nil
	}
	return text[:len(text)-1], nil
}

// skip goes on behind the next newline.
func (l *lines) skip() error {
	for {
		_, err := l.in.ReadSlice('\n')
		if err == nil || err == io.EOF {
			return nil
		}
		if err != bufio.ErrBufferFull {
			return err
		}
	}
}
