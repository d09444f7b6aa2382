package local_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/source"
	"github.com/neurodata/ndpush/internal/source/local"
	"github.com/neurodata/ndpush/internal/source/sourcetest"
	"github.com/neurodata/ndpush/internal/voxel"
)

// An encoder makes a file of a block that is one deep.
type encoder func(t *testing.T, b *voxel.Block) []byte

// encodePNG writes gray of 8 or 16 bits.
func encodePNG(t *testing.T, b *voxel.Block) []byte {
	r := image.Rect(0, 0, b.Box.Max.X, b.Box.Max.Y)
	var img image.Image = &image.Gray{Pix: b.Data, Stride: r.Dx(), Rect: r}
	if b.Type == voxel.Uint16 {
		pix := make([]byte, len(b.Data))
		for i := 0; i < len(pix); i += 2 {
			pix[i], pix[i+1] = b.Data[i+1], b.Data[i]
		}
		img = &image.Gray16{Pix: pix, Stride: 2 * r.Dx(), Rect: r}
	}
	var p bytes.Buffer
	if err := png.Encode(&p, img); err != nil {
		t.Fatal(err)
	}
	return p.Bytes()
}

// encodeTIFF writes TIFF files of that kind.
func encodeTIFF(f sourcetest.TIFF) encoder {
	return func(_ *testing.T, b *voxel.Block) []byte { return f.Encode(b) }
}

// write writes the slices of b to a directory and gives a source of them.
func write(t *testing.T, b *voxel.Block, encode encoder, want source.Shape) source.Source {
	dir := t.TempDir()
	p, err := source.ParsePattern(source.Naming{BasePath: dir, BaseFilename: "<ch>/slice_<p:4>", Extension: "ome.x", Channel: "em", ZStep: 3})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "em"), 0o777); err != nil {
		t.Fatal(err)
	}
	for z := b.Box.Min.Z; z < b.Box.Max.Z; z++ {
		s := b.Slice(z)
		if err := os.WriteFile(p.Path(z), encode(t, s), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return source.NewFiles(local.Dir(p.Base()), p, want)
}

func shapeOf(b *voxel.Block) source.Shape {
	return source.Shape{Width: b.Box.Max.X, Height: b.Box.Max.Y, Type: b.Type}
}

// damage spoils what an encoder makes, two thirds down.
func damage(encode encoder) encoder {
	return func(t *testing.T, b *voxel.Block) []byte {
		p := encode(t, b)
		for i := range 20 {
			p[len(p)*2/3+i] ^= 0x5a
		}
		return p
	}
}

// cut leaves out the last quarter of what an encoder makes.
func cut(encode encoder) encoder {
	return func(t *testing.T, b *voxel.Block) []byte {
		p := encode(t, b)
		return p[:len(p)-len(p)/4]
	}
}

func TestSuite(t *testing.T) {
	all := []voxel.Type{voxel.Uint8, voxel.Uint16, voxel.Uint32, voxel.Uint64}
	for _, f := range []struct {
		name   string
		encode encoder
		types  []voxel.Type
		broken bool
		kept   int
	}{
		{"png", encodePNG, all[:2], true, 0},
		{"tiff", encodeTIFF(sourcetest.TIFF{Rows: 16}), all, false, 74},
		{"tiff-single", encodeTIFF(sourcetest.TIFF{}), all[1:2], false, 74},
		{"tiff-tiles", encodeTIFF(sourcetest.TIFF{Tile: 32}), all[:2], false, 70},
		{"tiff-deflate", encodeTIFF(sourcetest.TIFF{Rows: 16, Codec: "deflate"}), all, true, 70},
		{"tiff-deflate-single", encodeTIFF(sourcetest.TIFF{Codec: "deflate"}), all[1:3], true, 20},
		{"tiff-deflate-tiles", encodeTIFF(sourcetest.TIFF{Tile: 32, Codec: "deflate"}), all[:2], true, 60},
		{"tiff-lzw", encodeTIFF(sourcetest.TIFF{Rows: 50, Codec: "lzw"}), all[:2], false, 70},
		{"tiff-lzw-tiles", encodeTIFF(sourcetest.TIFF{Tile: 64, Codec: "lzw"}), all[:1], false, 60},
	} {
		t.Run(f.name, func(t *testing.T) {
			suite := sourcetest.Suite{
				Types: f.types,
				New:   func(t *testing.T, b *voxel.Block) source.Source { return write(t, b, f.encode, shapeOf(b)) },
				Odd: func(t *testing.T, b *voxel.Block, want source.Shape) source.Source {
					return write(t, b, f.encode, want)
				},
				Cut:  func(t *testing.T, b *voxel.Block) source.Source { return write(t, b, cut(f.encode), shapeOf(b)) },
				Kept: f.kept,
			}
			if f.broken {
				suite.Broken = func(t *testing.T, b *voxel.Block) source.Source {
					return write(t, b, damage(f.encode), shapeOf(b))
				}
			}
			suite.Run(t)
		})
	}
}

// A file that is cut short, and has its directory there, is no missing one.
func TestTruncated(t *testing.T) {
	b := sourcetest.Block(voxel.Box{Max: voxel.Point{X: 50, Y: 50, Z: 1}}, voxel.Uint8)
	cut := func(_ *testing.T, b *voxel.Block) []byte {
		p := sourcetest.TIFF{Rows: 10, DirectoryLast: true}.Encode(b)
		return p[:len(p)-1]
	}
	_, err := write(t, b, cut, shapeOf(b)).Open(t.Context(), 0)
	if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "truncated") || !strings.Contains(err.Error(), "slice_0000.ome.x") {
		t.Errorf("got %v", err)
	}
}

// What is not a file, and where there is no directory, have sentences of their own.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "sub", "a.tif"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b.tif"), []byte("II"), 0o666); err != nil {
		t.Fatal(err)
	}
	gone := filepath.Join(dir, "gone")
	for _, tt := range []struct {
		dir, name, want string
		missing         bool
	}{
		{dir, "sub/a.tif", filepath.Join(dir, "sub", "a.tif") + " is a directory, not a file", false},
		{dir, "c.tif", "c.tif", true},
		{dir, "other/c.tif", "c.tif", true},
		{gone, "c.tif", fmt.Sprintf("the directory %s does not exist", gone), false},
		{filepath.Join(dir, "b.tif"), "c.tif", filepath.Join(dir, "b.tif") + " is not a directory", false},
	} {
		_, err := local.Dir(tt.dir).Open(t.Context(), tt.name)
		if err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, fs.ErrNotExist) != tt.missing {
			t.Errorf("%s in %s: %v, want %q", tt.name, tt.dir, err, tt.want)
		}
	}
	f, err := local.Dir(dir+string(filepath.Separator)).Open(t.Context(), "b.tif")
	if err != nil || f.Size() != 2 {
		t.Fatalf("b.tif: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:                        "",
		"":                         "",
		file:                       file + " is not a directory",
		filepath.Join(dir, "nope"): "the directory " + filepath.Join(dir, "nope") + " does not exist",
	} {
		if err := local.Dir(path).Check(); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%q: %v, want %q", path, err, want)
		}
	}
}
