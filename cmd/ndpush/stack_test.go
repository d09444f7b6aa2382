package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A stack is a volume of uint8 noise, one TIFF file to a slice, and the channel
// where it is to be. Where it lies in BOSS says in how many cuboids it falls: a
// small one around a corner of the grid is many.
type stack struct {
	name          string // of its directory and its channel
	width, height int
	depth         int
	at            voxel.Point // in BOSS, of the first voxel
	seed          uint64
}

// small lies around 1024, 1024: four cuboids to a chunk, one of which is empty
// in every fourth.
func small(name string, depth int) stack {
	return stack{name: name, width: 300, height: 200, depth: depth, at: voxel.Point{X: 900, Y: 900}}
}

// channel is its place in BOSS.
func (s stack) channel() string { return "lab/story/" + s.name }

// cuboids is how many there are, also empty ones.
func (s stack) cuboids() int {
	return int(s.box().CountPieces(voxel.Point{X: 1024, Y: 1024, Z: 16}))
}

// box is where it lies in BOSS.
func (s stack) box() voxel.Box {
	b := voxel.NewBox(voxel.Range{Max: s.width}, voxel.Range{Max: s.height}, voxel.Range{Max: s.depth})
	return b.Add(s.at)
}

// slice gives the pixels of a slice. One in 256 is zero, which BOSS does not
// write over others, and so are some whole cuboids.
func (s stack) slice(z int) []byte {
	rnd := rand.New(rand.NewPCG(s.seed, uint64(z)))
	pix := make([]byte, 0, s.width*s.height+8)
	for len(pix) < s.width*s.height {
		pix = binary.LittleEndian.AppendUint64(pix, rnd.Uint64())
	}
	pix = pix[:s.width*s.height]
	if (s.at.Z+z)/16%4 == 3 {
		s.blacken(pix)
	}
	return pix
}

// blacken makes the cuboid in the upper left corner, or in the upper right one of
// a stack that begins on the grid, zero.
func (s stack) blacken(pix []byte) {
	for y := range min(s.height, 1024-s.at.Y%1024) {
		row := pix[y*s.width:][:s.width]
		if s.at.X%1024 == 0 && s.width > 1024 {
			clear(row[1024:])
		} else {
			clear(row[:min(s.width, 1024-s.at.X%1024)])
		}
	}
}

// write writes all slices into the stage.
func (s stack) write(g *stage) {
	g.Helper()
	if err := os.MkdirAll(g.path(s.name), 0o777); err != nil {
		g.Fatal(err)
	}
	for z := range s.depth {
		s.put(g, z, tiffOf(s.width, s.slice(z)))
	}
}

// file is the name of a slice's file.
func (s stack) file(z int) string { return fmt.Sprintf("%s/z%04d.img", s.name, z) }

// put writes the file of a slice.
func (s stack) put(g *stage, z int, file []byte) {
	g.Helper()
	if err := os.WriteFile(g.path(s.file(z)), file, 0o666); err != nil {
		g.Fatal(err)
	}
}

// args are those of a command about the stack, and more.
func (s stack) args(command string, more ...string) []string {
	return append([]string{command, "--base-path", s.name, "--base-filename", "z<p:4>", "--extension", "img",
		"--collection", "lab", "--experiment", "story", "--channel", s.name, "--datatype", "uint8", "--voxel-size", "1:1:1",
		"--x-extent", fmt.Sprintf("0:%d", s.width), "--y-extent", fmt.Sprintf("0:%d", s.height), "--z-extent", fmt.Sprintf("0:%d", s.depth),
		"--forced-offsets", fmt.Sprintf("%d:%d:%d", s.at.X, s.at.Y, s.at.Z),
		"--coord-frame-x-extent", "0:4096", "--coord-frame-y-extent", "0:4096", "--coord-frame-z-extent", "0:4096",
	}, more...)
}

// ingest are the arguments of an ingest that compares nothing unless it is told to.
func (s stack) ingest(more ...string) []string {
	return s.args("ingest", append([]string{"--verify", "none"}, more...)...)
}

// create makes its channel, and what that needs.
func (s stack) create(g *stage) {
	g.Helper()
	g.run(0, s.ingest("--create-resources")...)
}

// same fails the test unless BOSS holds the stack, voxel by voxel; at most most
// slices are read at once. want gives the slices.
func (s stack) same(r remote, want func(z int) []byte) {
	r.t.Helper()
	const most = 16
	for z := 0; z < s.depth; z += most {
		n := min(most, s.depth-z)
		box := s.box().WithZ(voxel.Range{Min: s.at.Z + z, Max: s.at.Z + z + n})
		got := r.cutout(s.channel(), box)
		for i := range n {
			s.compare(r.t, z+i, got[i*s.width*s.height:][:s.width*s.height], want(z+i))
		}
	}
}

func (s stack) compare(t *testing.T, z int, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	differ, first := 0, -1
	for i := range want {
		if got[i] != want[i] {
			if differ++; first < 0 {
				first = i
			}
		}
	}
	t.Errorf("slice %d: %d of %d voxels differ, the first at x %d, y %d: got %d, want %d",
		z, differ, len(want), first%s.width, first/s.width, got[first], want[first])
}

// stripRows is how many rows of a file lie together.
const stripRows = 64

// tiffHead is where the pixels begin in a file of tiffOf.
func tiffHead(height int) int {
	strips := (height + stripRows - 1) / stripRows
	return 8 + 2 + 12*9 + 4 + 8*strips
}

// tiffOf is an uncompressed uint8 TIFF, with the pixels behind all that says
// where they are (TIFF 6.0, sections 2 and 4).
func tiffOf(width int, pix []byte) []byte {
	height := len(pix) / width
	strips := (height + stripRows - 1) / stripRows
	le, head := binary.LittleEndian, tiffHead(height)
	lists := head - 8*strips
	offsets, counts := lists, lists+4*strips
	if strips == 1 { // a value alone stands in the directory
		offsets, counts = head, len(pix)
	}
	p := le.AppendUint32([]byte("II*\x00"), 8)
	p = le.AppendUint16(p, 9)
	for _, e := range [9][3]int{ // tag, count, value; all are LONGs
		{256, 1, width}, {257, 1, height}, {258, 1, 8}, {259, 1, 1}, {262, 1, 1},
		{273, strips, offsets}, {277, 1, 1}, {278, 1, stripRows}, {279, strips, counts},
	} {
		kind := 4
		if e[0] == 258 || e[0] == 259 || e[0] == 262 || e[0] == 277 {
			kind = 3 // a SHORT, at the left
		}
		p = le.AppendUint16(le.AppendUint16(p, uint16(e[0])), uint16(kind))
		p = le.AppendUint32(le.AppendUint32(p, uint32(e[1])), uint32(e[2]))
	}
	p = le.AppendUint32(p, 0)
	for i := range strips {
		p = le.AppendUint32(p, uint32(head+i*stripRows*width))
	}
	for i := range strips {
		p = le.AppendUint32(p, uint32(min(stripRows*width, len(pix)-i*stripRows*width)))
	}
	return append(p, pix...)
}
