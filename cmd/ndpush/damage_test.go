package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// A torn stack has slices that are not what they should be. Of one that breaks
// at a row those above it are to be kept.
type torn struct {
	stack
	breaks map[int]int // rows that are there, by slice
}

// pngOf is the file of a slice, of which the checksum of the pixels is wrong.
func pngOf(t *testing.T, width int, pix []byte) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, &image.Gray{Pix: pix, Stride: width, Rect: image.Rect(0, 0, width, len(pix)/width)}); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	end := bytes.LastIndex(file, []byte("IEND")) - 4 // its length comes first
	file[end-1] ^= 1                                 // of the chunk before
	return file
}

// soundRows counts the rows that the PNG's chunks before the last hold: those
// whose checksums are right.
func soundRows(t *testing.T, file []byte, width int) int {
	var packed [][]byte
	for rest := file[8:]; len(rest) > 0; {
		n := binary.BigEndian.Uint32(rest)
		if string(rest[4:8]) == "IDAT" {
			packed = append(packed, rest[8:8+n])
		}
		rest = rest[12+n:]
	}
	if len(packed) < 2 {
		t.Fatal("the PNG has one chunk: nothing of it would be kept")
	}
	z, err := zlib.NewReader(bytes.NewReader(slices.Concat(packed[:len(packed)-1]...)))
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, z)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("got %v, want that the last chunk is missed", err)
	}
	return int(n) / (1 + width)
}

// tear damages the stack's files: two TIFFs are cut off, a PNG has a wrong
// checksum, a file is not there. A file is what its first bytes say, so one
// extension does for both kinds.
func (s stack) tear(g *stage) torn {
	const broken, gone = 33, 34
	d := torn{s, map[int]int{5: 60, 20: 150, broken: 0, gone: 0}}
	for z, rows := range d.breaks {
		switch z {
		case broken:
			file := pngOf(g.T, d.width, d.slice(z))
			d.put(g, z, file)
			d.breaks[z] = soundRows(g.T, file, d.width)
		case gone:
			if err := os.Remove(g.path(d.file(z))); err != nil {
				g.Fatal(err)
			}
		default:
			// In the middle of a row, and in that of a strip.
			d.put(g, z, tiffOf(d.width, d.slice(z))[:tiffHead(d.height)+rows*d.width+d.width/2])
		}
	}
	return d
}

// mended gives what is to be in BOSS: in the place of lost rows zeros or, if
// previous, those of the nearest slice before that has them.
func (d torn) mended(previous bool) func(z int) []byte {
	return func(z int) []byte {
		pix := d.slice(z)
		rows, ok := d.breaks[z]
		if !ok {
			return pix
		}
		for y := rows; y < d.height; y++ {
			row := pix[y*d.width:][:d.width]
			clear(row)
			if !previous {
				continue
			}
			from := z - 1
			for d.lost(from, y) {
				from--
			}
			copy(row, d.slice(from)[y*d.width:])
		}
		return pix
	}
}

func (d torn) lost(z, y int) bool {
	rows, ok := d.breaks[z]
	return ok && y >= rows
}

// list is what is missing, as the metadata name it.
func (d torn) list() string {
	return fmt.Sprintf("5 (rows 60:200), 20 (rows 150:200), 33 (rows %d:200), 34", d.breaks[33])
}

// Slices that are damaged or missing, under each policy: what can be read is in
// BOSS, what stands in the place of the rest is as the policy says, and all who
// keep a list of it have the same one.
func TestTornSlices(t *testing.T) {
	for _, policy := range []string{"zero", "previous"} {
		t.Run(policy, func(t *testing.T) {
			s := small(policy, 64)
			g, b := stories(t, s)
			d := s.tear(g)
			want := d.mended(policy == "previous")
			p := g.start(s.ingest("--missing", policy, "--record-missing", "--verify", "full")...)
			p.want(3, " 0 failed; 4 slices missing; ", "slice 5 is missing: from row 60 on: ", "slice 20 is missing: from row 150 on: ",
				"slice 33 is missing: ", "slice 34 is missing: ", "ndpush: incomplete: 0 cuboids failed, 4 slices missing",
				fmt.Sprintf("verified: all slices: %d cuboids equal", s.cuboids()))
			s.same(b.remote, want)
			d.listed(g, b)

			// Shares find the same, whatever is read beside.
			for _, z := range []string{"0:16", "16:32", "32:48", "48:64"} {
				status := 3
				if z == "48:64" {
					status = 0
				}
				g.run(status, s.ingest("--missing", policy, "--z-range", z, "--fresh", "--record-missing")...)
			}
			s.same(b.remote, want)
			d.listed(g, b)
		})
	}
}

// listed fails the test unless everybody has the list.
func (d torn) listed(g *stage, b *bossProcess) {
	g.Helper()
	if got := b.meta("lab/story", "missing_slices_"+d.name); got != d.list() {
		g.Errorf("the metadata list %q, want %q", got, d.list())
	}
	log := g.read("ingest_log_lab_story_" + d.name + ".txt")
	missing := g.pagesOf("", d.stack, 0).missing
	for z := range d.depth {
		_, torn := d.breaks[z]
		if got := strings.Contains(log, fmt.Sprintf("Warning: slice %d is absent or unreadable: ", z)); got != torn {
			g.Errorf("slice %d is in the log: %v, want %v", z, got, torn)
		}
		if rows, ok := missing[z]; ok != torn || torn && !covers(rows, d.breaks[z], d.height) {
			g.Errorf("slice %d: the journal has the rows %q, want all from %d on", z, rows, d.breaks[z])
		}
	}
	g.status(3, d.list())
}

// covers reports whether ranges of rows, "" for all, are together those from min
// to max.
func covers(ranges []string, min, max int) bool {
	if slices.Contains(ranges, "") {
		return min == 0
	}
	lost := make([]bool, max)
	for _, r := range ranges {
		var a, b int
		if n, err := fmt.Sscanf(r, "%d:%d", &a, &b); n != 2 || err != nil || a < 0 || b > max {
			return false
		}
		for y := a; y < b; y++ {
			lost[y] = true
		}
	}
	return !slices.Contains(lost[:min], true) && !slices.Contains(lost[min:], false)
}

// Without a policy a damaged stack is refused, before anything is posted if the
// headers tell; what comes to light while reading ends the run there.
func TestTornSlicesRefused(t *testing.T) {
	s := small("refused", 64)
	g, b := stories(t, s)
	d := s.tear(g)
	p := g.start(s.ingest()...)
	p.want(1, "3 of 64 slices cannot be used", "z0005.img", "z0020.img", "z0034.img", "hint: ")
	if cutouts, _ := b.sent(s.channel()); len(cutouts) > 0 {
		t.Errorf("sent: %v", cutouts)
	}

	// With the others put right, only the pixels of the PNG are wrong.
	for _, z := range []int{5, 20, 34} {
		s.put(g, z, tiffOf(s.width, s.slice(z)))
	}
	p = g.start(s.ingest()...)
	p.want(1, fmt.Sprintf("z0033.img: row %d: png: invalid checksum", d.breaks[33]), "8 left", "hint: ")
	cutouts, _ := b.sent(s.channel())
	for box := range cutouts {
		if strings.HasSuffix(box, "/32:48") {
			t.Errorf("%s was sent, and slice 33 cannot be read", box)
		}
	}
	s.recorded(g, b.remote, "")
	g.status(3, "unfinished")

	s.put(g, 33, tiffOf(s.width, s.slice(33)))
	g.run(0, s.ingest("--verify", "full")...)
	s.complete(g, b)
}

// Slices that are put right are posted by the same command, what stood in their
// place does not show through, and nobody says any more that they are missing.
func TestTornSlicesMended(t *testing.T) {
	for _, policy := range []string{"zero", "previous"} {
		t.Run(policy, func(t *testing.T) {
			s := small("mended", 64)
			g, b := stories(t, s)
			d := s.tear(g)
			g.run(3, s.ingest("--missing", policy, "--record-missing")...)
			for z := range d.breaks {
				s.put(g, z, tiffOf(s.width, s.slice(z)))
			}
			g.run(0, s.ingest("--missing", policy, "--record-missing", "--verify", "full")...)
			s.complete(g, b)
			if got := b.meta("lab/story", "missing_slices_mended"); got != "none" {
				t.Errorf("the metadata list %q, want none", got)
			}
		})
	}
}
