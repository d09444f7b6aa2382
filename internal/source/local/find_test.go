package local_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/local"
	"github.com/neurodata/ndpush/internal/voxel"
)

// find gives what Find does, sorted.
func find(ctx context.Context, d local.Dir, prefix string, depth int) (names []string, err error) {
	for name, err := range d.Find(ctx, prefix, depth) {
		if err != nil {
			return names, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// touch makes empty files.
func touch(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	touch(t, dir, "a.tif", ".hidden", "em/1/x.tif", "em/2/x.tif", "em/2/deep/x.tif", "em/3.tif", "other/y.tif")
	for _, tt := range []struct {
		prefix string
		depth  int
		want   []string
	}{
		{"", 0, []string{".hidden", "a.tif"}},
		{"a", 0, []string{".hidden", "a.tif"}},
		{"em/", 0, []string{"em/3.tif"}},
		{"em/", 1, []string{"em/1/x.tif", "em/2/x.tif", "em/3.tif"}},
		{"em/2/d", 1, []string{"em/2/deep/x.tif", "em/2/x.tif"}},
		{"nothing/", 3, nil},
	} {
		got, err := find(t.Context(), local.Dir(dir), tt.prefix, tt.depth)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q, %d deep: %q, %v, want %q", tt.prefix, tt.depth, got, err, tt.want)
		}
	}
	for range local.Dir(dir).Find(t.Context(), "", 0) {
		break // nothing more is given, or it would panic
	}
}

// The gaps of a directory of slices, and the files beside them, are seen.
func TestList(t *testing.T) {
	dir := t.TempDir()
	touch(t, dir, "em/s_0001.tif", "em/s_0002.tif", "em/s_0005.tif", "em/s_0005.tiff", "em/s_3.tif", "em/.s_0004.tif.Qx1aB2", "em/notes.txt")
	p, err := source.ParsePattern(source.Naming{BasePath: dir, BaseFilename: "<ch>/s_<p:4>", Extension: "tif", Channel: "em"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := source.NewFiles(local.Dir(dir), p, source.Shape{}).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := []voxel.Range{{Min: 1, Max: 3}, {Min: 5, Max: 6}}; !slices.Equal(l.Slices, want) {
		t.Errorf("slices %v, want %v", l.Slices, want)
	}
	var strays []string
	for _, s := range l.Strays {
		strays = append(strays, s.Name)
	}
	if want := []string{"em/s_3.tif", "em/.s_0004.tif.Qx1aB2", "em/s_0005.tiff"}; !slices.Equal(strays, want) || l.Doubles != 1 || l.Others != 1 {
		t.Errorf("strays %q, want %q; %+v", strays, want, l)
	}
}

func TestFindErrors(t *testing.T) {
	dir := t.TempDir()
	touch(t, dir, "file")
	gone := filepath.Join(dir, "gone")
	for path, want := range map[string]string{
		gone:                       "the directory " + gone + " does not exist",
		filepath.Join(dir, "file"): filepath.Join(dir, "file"),
	} {
		if _, err := find(t.Context(), local.Dir(path), "", 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := find(ctx, local.Dir(dir), "", 0); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
}
