// Package stack makes up stacks of images to measure with.
//
// They have the structure and the noise that microscopes give, and are the same
// whenever they are made. A directory that holds one already is left as it is.
package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
)

// A cuboid, which ndpush posts at once, is so wide and high, and so deep: a stack
// tells beforehand how many it has that are not empty.
const side, depth = 1024, 16

// A Kind is what the images are, and how their files hold them.
type Kind struct {
	Name      string
	Datatype  string
	Extension string // of the files: tif or png
	ItemSize  int    // bytes of a pixel
	Labels    bool   // they are to be an annotation channel
	Raw       bool   // the pixels lie in the files as they are, from [PixelOffset] on
	half      bool   // sides are half as long, for the pixels are large

	paint painter
	write func(path string, pixels []byte, side int) error
}

// Kinds are all that can be made.
func Kinds() []Kind {
	return []Kind{
		{Name: "em-raw", Datatype: "uint8", Extension: "tif", ItemSize: 1, Raw: true, paint: em, write: writeRaw(1)},
		{Name: "em-png", Datatype: "uint8", Extension: "png", ItemSize: 1, paint: em, write: writePNG},
		{Name: "light-lzw", Datatype: "uint16", Extension: "tif", ItemSize: 2, paint: light, write: writeLZW},
		{Name: "light-deflate", Datatype: "uint16", Extension: "tif", ItemSize: 2, paint: light, write: writeDeflate(2)},
		{Name: "labels-deflate", Datatype: "uint64", Extension: "tif", ItemSize: 8, Labels: true, half: true, paint: labels, write: writeDeflate(8)},
		{Name: "sparse", Datatype: "uint8", Extension: "tif", ItemSize: 1, Raw: true, paint: sparse, write: writeRaw(1)},
	}
}

// A Stack is one that was made.
type Stack struct {
	Kind    string `json:"kind"`
	Version int    `json:"version"` // of what makes it
	Side    int    `json:"side"`
	Slices  int    `json:"slices"`
	Cuboids int64  `json:"cuboids"` // of which a voxel is not zero
	Bytes   int64  `json:"bytes"`   // of the voxels of these

	Extension string `json:"extension"`
	Dir       string `json:"-"`
}

// version changes when stacks do.
const version = 1

// Voxels is the bytes of all voxels of a stack of kind k.
func (s *Stack) Voxels(k Kind) int64 {
	return int64(s.Side) * int64(s.Side) * int64(s.Slices) * int64(k.ItemSize)
}

// Path is the file of slice z, for the pattern z<p:4>.
func (s *Stack) Path(z int) string {
	return filepath.Join(s.Dir, fmt.Sprintf("z%04d.%s", z, s.Extension))
}

// manifest is the file that says that a directory holds a whole stack.
const manifest = "stack.json"

// Make makes a stack of so many slices of width² pixels, or of half that width if
// pixels are large, below dir, or finds the one that is there.
func Make(dir string, k Kind, width, slices int) (*Stack, error) {
	if k.half {
		width /= 2
	}
	s := &Stack{Kind: k.Name, Version: version, Side: width, Slices: slices, Extension: k.Extension}
	s.Dir = filepath.Join(dir, fmt.Sprintf("%s-%dx%d", k.Name, width, slices))
	if there, err := Read(s.Dir); err == nil && there.Version == version {
		return there, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.MkdirAll(s.Dir, 0o777); err != nil {
		return nil, err
	}
	if err := s.write(k); err != nil {
		return nil, fmt.Errorf("make %s: %w", s.Dir, err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return s, os.WriteFile(filepath.Join(s.Dir, manifest), text, 0o666)
}

// Read reads what a directory of [Make] says of its stack.
func Read(dir string) (*Stack, error) {
	text, err := os.ReadFile(filepath.Join(dir, manifest))
	if err != nil {
		return nil, err
	}
	s := &Stack{Dir: dir}
	return s, json.Unmarshal(text, s)
}

// write writes the files, and counts what is in them.
func (s *Stack) write(k Kind) error {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	full := fullness{width: s.Side, cuboids: make(map[[3]int]bool)}
	for z := range s.Slices {
		g.Go(func() error {
			pixels := k.pixels(s.Side, z)
			full.look(pixels, z)
			return k.write(s.Path(z), pixels, s.Side)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for at := range full.cuboids {
		s.Cuboids++
		s.Bytes += int64(k.ItemSize * length(at[0], side, s.Side) * length(at[1], side, s.Side) * length(at[2], depth, s.Slices))
	}
	return nil
}

// length is how long the i-th piece of n is, in steps.
func length(i, step, n int) int { return min(step, n-i*step) }

// fullness is which cuboids of slices of width² are not all zero.
type fullness struct {
	width int

	mu      sync.Mutex
	cuboids map[[3]int]bool // by x, y, z
}

// look looks at the pixels of slice z.
func (f *fullness) look(pixels []byte, z int) {
	n := len(pixels) / f.width // bytes of a row
	step := n / f.width * side
	for y := range f.width {
		row := pixels[y*n:][:n]
		for x := 0; x*step < n; x++ {
			if hasVoxel(row[x*step : min(n, (x+1)*step)]) {
				f.mark([3]int{x, y / side, z / depth})
			}
		}
	}
}

func (f *fullness) mark(at [3]int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cuboids[at] = true
}

func hasVoxel(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return true
		}
	}
	return false
}

// writePNG writes 8-bit gray with the settings that encoders have by default.
func writePNG(path string, pixels []byte, side int) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return png.Encode(f, &image.Gray{Pix: pixels, Stride: side, Rect: image.Rect(0, 0, side, side)})
}

// writeLZW has libtiff's own program compress the pixels: no package for Go writes the
// LZW of TIFF.
func writeLZW(path string, pixels []byte, side int) error {
	raw := path + ".raw"
	if err := writeRaw(2)(raw, pixels, side); err != nil {
		return err
	}
	defer os.Remove(raw)
	out, err := exec.Command("tiffcp", "-c", "lzw", raw, path).CombinedOutput()
	if err != nil {
		return fmt.Errorf("tiffcp, of libtiff-tools: %w %s", err, out)
	}
	return nil
}
