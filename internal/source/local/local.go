// Package local opens the files of a directory.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/neurodata/ndpush/internal/source"
)

// A Dir is a directory on a disk, whichever way the system writes its path. It
// is a source.Opener.
type Dir string

var _ source.Opener = Dir("")

// Check reports an error, which says what is wrong, unless d is a directory.
func (d Dir) Check() error {
	info, err := os.Stat(d.path())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// %v: that no file is there would be another matter.
		return placeError{fmt.Errorf("the directory %s does not exist", d.path())}
	case err != nil:
		return placeError{fmt.Errorf("the directory %s cannot be looked at: %w", d.path(), err)}
	case !info.IsDir():
		return placeError{fmt.Errorf("%s is not a directory", d.path())}
	}
	return nil
}

// A placeError says that no file can be read here, or not now: a disk that is
// gone is no stack of missing slices.
type placeError struct{ error }

func (e placeError) Unwrap() error { return e.error }

// Fatal is true: no other file would fare better.
func (placeError) Fatal() bool { return true }

// path is d for the system: no path is where the program was started.
func (d Dir) path() string { return filepath.Clean(string(d)) }

// Open opens the file of that name, whose "/" part directories. Only regular
// files are opened, links to them included: a FIFO would wait for a writer that
// may never come.
//
// A file that is missing wraps fs.ErrNotExist if d itself is there.
func (d Dir) Open(ctx context.Context, name string) (source.File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path := filepath.Join(d.path(), filepath.FromSlash(name))
	info, err := os.Stat(path)
	if err != nil {
		return nil, d.explain(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is %s, not a file", path, kind(info.Mode()))
	}
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission):
		return nil, err
	case err != nil:
		return nil, placeError{err} // too many open files, say: no fault of this one's
	}
	// The size of what was opened: the name may stand for another file by now.
	if info, err = f.Stat(); err != nil {
		f.Close()
		return nil, err
	}
	return &file{f, info.Size()}, nil
}

// explain says what is wrong with the directory if that is why path cannot be
// looked at: a directory that is missing is no missing file, and a look at a
// file takes no permission but its directory's.
func (d Dir) explain(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return placeError{fmt.Errorf("the directory %s may not be searched: %w", filepath.Dir(path), err)}
	}
	if dirErr := d.Check(); dirErr != nil {
		return dirErr
	}
	return err
}

// kind is what a mode that is no regular file's is called.
func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "a directory"
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "something else"
}

// A file is an open file that knows its size.
type file struct {
	*os.File
	size int64
}

func (f *file) Size() int64 { return f.size }

// ReadAt reads. Where the system cannot, the disk or the network is to blame, and
// nobody knows what is in the file.
func (f *file) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.File.ReadAt(p, off)
	if err != nil && err != io.EOF && !errors.Is(err, fs.ErrClosed) {
		err = placeError{err}
	}
	return n, err
}
