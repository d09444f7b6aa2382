package source_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A shelf is an Opener of files in memory that counts those that are open.
type shelf struct {
	files map[string][]byte
	open  int
}

func (s *shelf) Open(_ context.Context, name string) (source.File, error) {
	p, ok := s.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	s.open++
	return &book{bytes.NewReader(p), s}, nil
}

type book struct {
	*bytes.Reader
	shelf *shelf
}

func (b *book) Close() error {
	b.shelf.open--
	return nil
}

func gray(t *testing.T, m image.Image) []byte {
	var p bytes.Buffer
	if err := png.Encode(&p, m); err != nil {
		t.Fatal(err)
	}
	return p.Bytes()
}

// Every way that a slice can be wrong has its own error, and no file stays open.
func TestFilesErrors(t *testing.T) {
	s := &shelf{files: map[string][]byte{
		"1.png": gray(t, image.NewGray(image.Rect(0, 0, 4, 3))),
		"2.png": gray(t, image.NewGray16(image.Rect(0, 0, 4, 3))),
		"3.png": gray(t, image.NewPaletted(image.Rect(0, 0, 4, 3), color.Palette{color.Black, color.White})),
		"4.png": []byte("<html>not found</html>"),
		"5.png": {},
	}}
	p, err := source.ParsePattern(source.Naming{BasePath: "/d", BaseFilename: "<>", Extension: "png"})
	if err != nil {
		t.Fatal(err)
	}
	f := source.NewFiles(s, p, source.Shape{Width: 4, Height: 3, Type: voxel.Uint8})
	for z, want := range []string{
		"open slice 0: open 0.png: file does not exist",
		"",
		"open slice 2: /d/2.png is 4×3 uint16, the job says 4×3 uint8",
		"open slice 3: /d/3.png: png: cannot read palette images",
		"open slice 4: /d/4.png: neither TIFF nor PNG: it begins with 3c 68 74 6d 6c 3e 6e 6f",
		"open slice 5: /d/5.png: the file is empty",
	} {
		slice, err := f.Open(t.Context(), z)
		if want == "" && err == nil {
			if err := slice.Close(); err != nil {
				t.Error(err)
			}
			continue
		}
		if err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		var mismatch *source.MismatchError
		if errors.Is(err, fs.ErrNotExist) != (z == 0) || errors.As(err, &mismatch) != (z == 2) || errors.Is(err, errors.ErrUnsupported) != (z == 3) {
			t.Errorf("slice %d is of another kind of error: %v", z, err)
		}
	}
	if s.open != 0 {
		t.Errorf("%d files are still open", s.open)
	}
}

// A band that cannot be read says which file, and which row.
func TestFilesBroken(t *testing.T) {
	p := gray(t, image.NewGray(image.Rect(0, 0, 4, 3)))
	s := &shelf{files: map[string][]byte{"1.png": p[:len(p)-20]}}
	pattern, err := source.ParsePattern(source.Naming{BasePath: "/d", BaseFilename: "<>", Extension: "png"})
	if err != nil {
		t.Fatal(err)
	}
	slice, err := source.NewFiles(s, pattern, source.Shape{Width: 4, Height: 3, Type: voxel.Uint8}).Open(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	err = slice.ReadRows(t.Context(), voxel.NewBlock(voxel.Box{Min: voxel.Point{Y: 1}, Max: voxel.Point{X: 4, Y: 3, Z: 1}}, voxel.Uint8))
	if err == nil || !strings.HasPrefix(err.Error(), "read /d/1.png: row 0: png: truncated: ") {
		t.Errorf("got %v", err)
	}
}

// A file lives as long as its slice, whatever becomes of the context that it was
// opened with; the context of a read ends what the file waits for.
func TestFilesContext(t *testing.T) {
	s := &shelf{files: map[string][]byte{"1.png": gray(t, image.NewGray(image.Rect(0, 0, 4, 3)))}}
	p, err := source.ParsePattern(source.Naming{BasePath: "/d", BaseFilename: "<>", Extension: "png"})
	if err != nil {
		t.Fatal(err)
	}
	opener := &witness{Opener: s}
	ctx, cancel := context.WithCancel(t.Context())
	slice, err := source.NewFiles(opener, p, source.Shape{Width: 4, Height: 3, Type: voxel.Uint8}).Open(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := slice.ReadRows(t.Context(), voxel.NewBlock(voxel.Box{Max: voxel.Point{X: 4, Y: 1, Z: 1}}, voxel.Uint8)); err != nil || opener.ctx.Err() != nil {
		t.Errorf("a slice that was opened with a context that ended: %v, %v", err, opener.ctx.Err())
	}
	if err := slice.Close(); err != nil || opener.ctx.Err() == nil {
		t.Errorf("a slice that was closed: %v, %v", err, opener.ctx.Err())
	}
}

// A witness keeps the context that a file is opened with.
type witness struct {
	source.Opener
	ctx context.Context
}

func (w *witness) Open(ctx context.Context, name string) (source.File, error) {
	w.ctx = ctx
	return w.Opener.Open(ctx, name)
}
