package joblog

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Cutout is a box of a channel as a line of a log names it.
type Cutout struct {
	Collection, Experiment, Channel string
	Box                             voxel.Box // BOSS coordinates, not empty
}

// Failures are what a log says was not posted.
type Failures struct {
	Cutouts []Cutout // that failed and did not succeed later, by their names, then z, y and x
	Torn    int      // lines that tell of a failure and were cut off before they said of what
}

// failure is how a line of a failure begins after its time, and rest how it goes
// on: one that was cut off in between tells of a failure all the same.
var (
	failure = []byte("Error: data upload")
	rest    = []byte(" failed after multiple attempts, skipping. ")
)

// cutoutForm is how a line ends that names a cutout. The ranges are lists of
// Python, and were tuples in its first versions.
var cutoutForm = regexp.MustCompile(`^Coll: ([^,]+), Exp: ([^,]+), Ch: ([^,]+), ` +
	`x: [\[(](-?\d{1,9}), (-?\d{1,9})[\])], y: [\[(](-?\d{1,9}), (-?\d{1,9})[\])], z: [\[(](-?\d{1,9}), (-?\d{1,9})[\])]`)

// succeededForm is a whole line of a success. What is in front of it in a line, or
// behind, could be another line that was torn, or words of a server.
var succeededForm = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d POST succeeded in [\d.]{1,20} sec\. (Coll: .*)$`)

// longest is the length of a line that is looked at.
const longest = 64 << 10

// ReadFailures reads a log of the Python tool, or of this program: once, in
// memory for the cutouts that failed. Of a line that tells of a success all must
// be there, of one that tells of a failure only the end: to post again what is
// there does no harm.
func ReadFailures(r io.Reader) (Failures, error) {
	failed := make(map[Cutout]bool)
	var torn int
	in := bufio.NewReaderSize(r, longest)
	for {
		line, err := in.ReadSlice('\n')
		if note(failed, bytes.TrimRight(line, "\r\n")) {
			torn++
		}
		switch {
		case err == io.EOF:
			return Failures{sorted(failed), torn}, nil
		case err == bufio.ErrBufferFull:
			err = skip(in)
		}
		if err != nil && err != io.EOF {
			return Failures{}, fmt.Errorf("read the log: %w", err)
		}
	}
}

// skip goes on behind the next newline, since no line that matters is so long.
func skip(in *bufio.Reader) error {
	for {
		if _, err := in.ReadSlice('\n'); err != bufio.ErrBufferFull {
			return err
		}
	}
}

// note takes a line into account, and reports whether it tells of a failure and
// not of what.
func note(failed map[Cutout]bool, line []byte) (torn bool) {
	for {
		// Another process may have written its line into the middle of this one.
		_, after, ok := bytes.Cut(line, failure)
		if !ok {
			break
		}
		line = after
		if c, ok := parseCutout(bytes.TrimPrefix(after, rest), false); ok {
			failed[c] = true
		} else {
			torn = true
		}
	}
	if m := succeededForm.FindSubmatch(line); m != nil {
		if c, ok := parseCutout(m[1], true); ok {
			delete(failed, c)
		}
	}
	return torn
}

// parseCutout reads the cutout that text begins with and, if it is to be whole,
// consists of.
func parseCutout(text []byte, whole bool) (Cutout, bool) {
	m := cutoutForm.FindSubmatchIndex(text)
	if m == nil || whole && m[1] != len(text) {
		return Cutout{}, false
	}
	word := func(i int) string { return string(text[m[2*i]:m[2*i+1]]) }
	span := func(i int) voxel.Range {
		lo, _ := strconv.Atoi(word(i)) // at most nine digits
		hi, _ := strconv.Atoi(word(i + 1))
		return voxel.Range{Min: lo, Max: hi}
	}
	c := Cutout{word(1), word(2), word(3), voxel.NewBox(span(4), span(6), span(8))}
	return c, !c.Box.Empty()
}

func sorted(failed map[Cutout]bool) []Cutout {
	return slices.SortedFunc(maps.Keys(failed), func(a, b Cutout) int {
		return cmp.Or(cmp.Compare(a.Collection, b.Collection), cmp.Compare(a.Experiment, b.Experiment), cmp.Compare(a.Channel, b.Channel), a.Box.Compare(b.Box))
	})
}
