package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"

	"github.com/neurodata/ndpush/internal/source"
)

var _ source.Finder = Dir("")

// batch is how many names of a directory are read at once.
const batch = 1000

// Find implements source.Finder. It gives all files of the directories that it
// looks at, also those that do not begin with prefix: the system reads their
// names anyway. A link counts as a file, whatever it leads to; hidden files
// count, too.
func (d Dir) Find(ctx context.Context, prefix string, depth int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		dir, _ := path.Split(prefix)
		err := d.walk(ctx, dir, depth, func(name string) bool { return yield(name, nil) })
		if err != nil && err != errStop {
			yield("", err)
		}
	}
}

// errStop ends a walk whose caller has enough.
var errStop = errors.New("enough")

// walk gives the files in dir, which ends in "/" or is empty, and below it as
// deep as depth, until yield is false.
func (d Dir) walk(ctx context.Context, dir string, depth int, yield func(string) bool) error {
	full := filepath.Join(d.path(), filepath.FromSlash(dir))
	f, err := os.Open(full)
	if errors.Is(err, fs.ErrNotExist) {
		return d.Check() // nothing is in a directory that is missing, if d is there
	}
	if err != nil {
		return fmt.Errorf("the directory %s cannot be listed: %w", full, reason(err))
	}
	defer f.Close() // nothing was written to it
	for {
		entries, err := f.ReadDir(batch)
		for _, e := range entries {
			if err := d.visit(ctx, dir, e, depth, yield); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("the directory %s cannot be listed: %w", full, reason(err))
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

// visit is walk for an entry of dir.
func (d Dir) visit(ctx context.Context, dir string, e fs.DirEntry, depth int, yield func(string) bool) error {
	name := dir + e.Name()
	if e.IsDir() {
		if depth == 0 {
			return nil
		}
		return d.walk(ctx, name+"/", depth-1, yield)
	}
	if t := e.Type(); !t.IsRegular() && t&fs.ModeSymlink == 0 || yield(name) {
		return nil
	}
	return errStop
}

// reason is err without the path, which has been named.
func reason(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
