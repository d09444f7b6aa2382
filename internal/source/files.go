package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/neurodata/ndpush/internal/raster"
	"github.com/neurodata/ndpush/internal/voxel"
)

// An Opener opens files by name in a place that it knows: a directory, a
// bucket. It is safe for concurrent use.
//
// A file that does not exist wraps fs.ErrNotExist; a place that does not exist
// must not, or a mistyped base path would be a channel of missing slices. ctx
// governs the file until it is closed. Errors name the file.
type Opener interface {
	Open(ctx context.Context, name string) (File, error)
}

// A File is an open file. ReadAt is called by one goroutine at a time, mostly
// downwards, with few bytes (headers) or many (rows).
type File interface {
	io.ReaderAt
	io.Closer
	// Size is the file's size in bytes.
	Size() int64
}

// Files is a Source of image files, one slice each. It is safe for concurrent
// use.
type Files struct {
	opener  Opener
	pattern Pattern
	want    Shape
}

var (
	_ Source  = (*Files)(nil)
	_ Lister  = (*Files)(nil)
	_ Damaged = (*fileSlice)(nil)
)

// NewFiles gives the slices whose files pattern names. Each has to be of the
// shape want.
func NewFiles(opener Opener, pattern Pattern, want Shape) *Files {
	return &Files{opener, pattern, want}
}

// Open implements Source. A file that is an image of another shape is a
// *MismatchError; one that is no image, or of a kind that is not read (which
// wraps errors.ErrUnsupported), is an error that names the file. The slices are
// [Damaged] as far as a file's size and its headers tell.
func (f *Files) Open(ctx context.Context, z int) (Slice, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open slice %d: %w", z, err)
	}
	// The file outlives ctx, which is one of opening: a band is read with another.
	fctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, cancel)()
	file, err := f.opener.Open(fctx, f.pattern.Name(z))
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open slice %d: %w", z, cmp.Or(ctx.Err(), err))
	}
	img, err := f.image(file, z)
	if err != nil {
		file.Close() // nothing was written to it
		cancel()
		return nil, fmt.Errorf("open slice %d: %w", z, cmp.Or(ctx.Err(), err))
	}
	return &fileSlice{Image: img, file: file, cancel: cancel, name: f.pattern.Path(z)}, nil
}

// image opens the image in file and compares it with what is wanted, before
// memory for its pixels is taken.
func (f *Files) image(file File, z int) (*raster.Image, error) {
	img, err := raster.Open(file, file.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.pattern.Path(z), err)
	}
	w, h := img.Size()
	if got := (Shape{w, h, img.Type()}); got != f.want {
		return nil, &MismatchError{f.pattern.Path(z), got, f.want}
	}
	return img, nil
}

// A fileSlice is a slice in a file.
type fileSlice struct {
	*raster.Image
	file   File               // nil once closed
	cancel context.CancelFunc // ends what file is waiting for
	name   string
}

// ReadRows implements Slice.
func (s *fileSlice) ReadRows(ctx context.Context, dst *voxel.Block) error {
	if s.file == nil {
		return fmt.Errorf("read %s: %w", s.name, fs.ErrClosed)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("read %s: %w", s.name, err)
	}
	defer context.AfterFunc(ctx, s.cancel)()
	err := s.Image.ReadRows(ctx, dst)
	if broken, ok := errors.AsType[*raster.RowError](err); ok {
		err = &RowError{broken.Row, broken.Err}
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", s.name, err)
	}
	return nil
}

// Damage implements Damaged.
func (s *fileSlice) Damage() error {
	if err := s.Image.Damage(); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// Close implements Slice.
func (s *fileSlice) Close() error {
	if s.file == nil {
		return nil
	}
	file := s.file
	s.file = nil
	s.cancel()
	if err := file.Close(); err != nil {
		return fmt.Errorf("close %s: %w", s.name, err)
	}
	return nil
}
