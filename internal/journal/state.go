package journal

import (
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Fate is the last that is known of a cuboid.
type Fate uint8

const (
	Begun  Fate = iota // about to be sent, or sent; nothing is known of it after that
	Posted             // BOSS took it
	Empty              // all zero, not sent
	Failed             // finally failed; a part of it may be there
)

// String is the fate in a word.
func (f Fate) String() string { return [...]string{"begun", "posted", "empty", "failed"}[f&3] }

// done reports whether nothing is left to do for the cuboid.
func (f Fate) done() bool { return f == Posted || f == Empty }

// An Entry is what the journals say of a box.
type Entry struct {
	Box  voxel.Box // BOSS coordinates
	Fate Fate
	Sum  uint64        // of a posted one
	Kept bool          // a posted one was there already and not sent again
	Took time.Duration // to the millisecond; of one that was posted, not kept
	At   time.Time     // to the second, in UTC; the zero time of one begun
	Why  string        // of a failed one
	Lost []int         // slices, in source coordinates, of which rows in it were put in the place of others
	Over bool          // a later entry speaks of a part of it, so Sum says nothing any more, and Fate is that of the rest
}

// An entry is an Entry in little memory. With its place in a map of cells it
// takes at most [Bytes].
type entry struct {
	sum  uint64
	at   int64 // seconds since 1970
	took float32
	seen uint32 // how many losses of its file came before it
	file uint32 // index in State.files
	why  uint32 // index in State.whys
	local
	lost uint16 // bit i: slice i of its cell has lost rows in it
	fate Fate
	kept bool
	// stale, of what is not done: it was done before, and what was there then may be
	// there still; or something stands in it for lost rows, which may have arrived.
	stale bool
}

// Bytes is what a State takes of memory for each cuboid, at most, beside the reasons of failed
// ones: see TestBytes, which measures it.
const Bytes = 200

// A State is what the journals of a channel say together. It does not change,
// and is safe for concurrent use.
type State struct {
	host  string // of this machine
	files []*File
	job   *Header          // of the last file that counts; nil if there is none
	cells map[cell][]entry // the last one said is last; none is hidden by later ones
	whys  []string
	index map[string]uint32 // of whys
}

func newState(host string) *State {
	return &State{host: host, cells: make(map[cell][]entry), whys: []string{""}, index: map[string]uint32{"": 0}}
}

// Job is the job that the journals are of, nil if nothing was begun yet. The
// caller must not change it.
func (s *State) Job() map[string]string {
	if s.job == nil {
		return nil
	}
	return s.job.Job
}

// Files are the files of all processes, in the order in which they were begun.
// The caller must not change them.
func (s *State) Files() []*File { return s.files }

// add notes the last word about a box.
func (s *State) add(box voxel.Box, e entry) {
	c := cellOf(box.Min)
	e.local = localOf(box, c)
	e.stale = e.stale || !e.fate.done() && slices.ContainsFunc(s.cells[c], func(old entry) bool {
		return (old.fate.done() || old.stale) && old.box(c).Overlaps(box)
	})
	list := slices.DeleteFunc(s.cells[c], func(old entry) bool { return box.Contains(old.box(c)) })
	list = append(list, e)
	// One that is hidden by several together, as when a cuboid that failed was
	// posted in pieces.
	for i := len(list) - 2; i >= 0; i-- {
		if old := list[i].box(c); old.Overlaps(box) && len(visible(c, list[i+1:], old)) == 0 {
			list = slices.Delete(list, i, i+1)
		}
	}
	s.cells[c] = list
}

// visible is what of box later entries of its cell do not speak of.
func visible(c cell, later []entry, box voxel.Box) []voxel.Box {
	left := []voxel.Box{box}
	for i := range later {
		left = voxel.Subtract(left, later[i].box(c))
	}
	return left
}

// forget drops what is said of boxes that intersect data.
func (s *State) forget(data voxel.Box) {
	drop := func(c cell) { s.forgetIn(c, data) }
	// Many shares may each be fresh: a small one looks at its own cells only.
	if data.CountPieces(grid) < int64(len(s.cells)) {
		for piece := range data.Pieces(grid) {
			drop(cellOf(piece.Min))
		}
		return
	}
	for c := range s.cells {
		drop(c)
	}
}

// forgetIn is forget of one cell. What one that is dropped had hidden must not
// come to light, so earlier ones that it overlaps go with it.
func (s *State) forgetIn(c cell, data voxel.Box) {
	gone := []voxel.Box{data}
	var stay []entry
	for _, e := range slices.Backward(s.cells[c]) {
		box := e.box(c)
		if slices.ContainsFunc(gone, box.Overlaps) {
			gone = append(gone, box)
		} else {
			stay = append(stay, e)
		}
	}
	if len(stay) == 0 {
		delete(s.cells, c)
		return
	}
	slices.Reverse(stay)
	s.cells[c] = stay
}

// Done reports whether nothing is left to do for box: the last word about every
// voxel of it is posted or empty, and none of them stands for a lost row. The
// boxes of earlier runs may have been other ones.
func (s *State) Done(box voxel.Box) bool {
	if !box.Empty() && box.CountPieces(grid) > int64(len(s.cells)) {
		return false
	}
	for piece := range box.Pieces(grid) {
		if !s.pieceDone(piece) {
			return false
		}
	}
	return true
}

// pieceDone is Done of a piece of one cell.
func (s *State) pieceDone(piece voxel.Box) bool {
	c := cellOf(piece.Min)
	left := []voxel.Box{piece}
	for _, e := range slices.Backward(s.cells[c]) {
		box := e.box(c)
		if !slices.ContainsFunc(left, box.Overlaps) {
			continue
		}
		if !e.fate.done() || s.lostIn(c, &e, left) {
			return false
		}
		if left = voxel.Subtract(left, box); len(left) == 0 {
			return true
		}
	}
	return false
}

// lostIn reports whether e stands for lost rows in one of the boxes.
func (s *State) lostIn(c cell, e *entry, boxes []voxel.Box) bool {
	for slab := range s.slabs(c, e) {
		if slices.ContainsFunc(boxes, slab.box.Overlaps) {
			return true
		}
	}
	return false
}

// A slab is what one loss is in one entry.
type slab struct {
	box voxel.Box // of one slice, BOSS coordinates
	why uint32
}

// slabs gives what is lost in e.
func (s *State) slabs(c cell, e *entry) iter.Seq[slab] {
	return func(yield func(slab) bool) {
		box := e.box(c)
		for z := box.Min.Z; z < box.Max.Z; z++ {
			if e.lost>>(z-c.corner().Z)&1 == 0 {
				continue
			}
			for _, l := range s.files[e.file].losses[z] {
				part := voxel.NewBox(box.X(), box.Y().Intersect(l.rows), voxel.Range{Min: z, Max: z + 1})
				if l.seq < e.seen && !part.Empty() && !yield(slab{part, l.why}) {
					return
				}
			}
		}
	}
}

// Same reports whether the journals already say exactly this of this box: that
// it was posted with that sum, or that it was empty and zero is true. What they
// say of lost rows in it plays no part: the same voxels are there.
func (s *State) Same(box voxel.Box, sum uint64, zero bool) bool {
	return s.same(box, sum, zero) != nil
}

// Replaced is Same by the word of a process that erased the box first. Of others it
// is not known what else shows through where voxels are zero: BOSS never overwrites
// with them, and something may have been there before.
func (s *State) Replaced(box voxel.Box, sum uint64, zero bool) bool {
	e := s.same(box, sum, zero)
	return e != nil && s.files[e.file].Header.Replace
}

// same is what says that, or nil.
func (s *State) same(box voxel.Box, sum uint64, zero bool) *entry {
	if box.CountPieces(grid) != 1 {
		return nil
	}
	c := cellOf(box.Min)
	list := s.cells[c]
	i := slices.IndexFunc(list, func(e entry) bool { return e.box(c) == box })
	if i < 0 || over(c, list, i) {
		return nil
	}
	if e := &list[i]; e.fate == Posted && e.sum == sum || e.fate == Empty && zero {
		return e
	}
	return nil
}

// over reports whether a later entry speaks of a part of list[i].
func over(c cell, list []entry, i int) bool {
	box := list[i].box(c)
	return slices.ContainsFunc(list[i+1:], func(e entry) bool { return e.box(c).Overlaps(box) })
}

// Stale reports whether BOSS may hold something in box that is not what the source
// has: what stands for lost rows, also if it was only begun or said to have failed,
// for it may have arrived; or what was there before somebody began to put something
// else in its place and did not end.
func (s *State) Stale(box voxel.Box) bool {
	for piece := range box.Pieces(grid) {
		c := cellOf(piece.Min)
		if slices.ContainsFunc(s.cells[c], func(e entry) bool {
			return (e.stale || e.lost != 0) && e.box(c).Overlaps(box)
		}) {
			return true
		}
	}
	return false
}

// claims reports whether the journals say of any voxel of box that it is done.
func (s *State) claims(box voxel.Box) bool {
	for piece := range box.Pieces(grid) {
		c := cellOf(piece.Min)
		if slices.ContainsFunc(s.cells[c], func(e entry) bool { return e.fate.done() && e.box(c).Overlaps(box) }) {
			return true
		}
	}
	return false
}

// sorted are the cells in ascending z, y, x.
func (s *State) sorted() []cell { return slices.SortedFunc(maps.Keys(s.cells), cell.compare) }

// Entries gives everything that is known, cuboid by cuboid of the grid in
// ascending z, then y, then x, and where a cuboid was sent in pieces, the pieces
// in that order. What later entries say all of is not among them.
func (s *State) Entries() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for _, c := range s.sorted() {
			var list []Entry
			for i := range s.cells[c] {
				list = append(list, s.entry(c, i))
			}
			slices.SortStableFunc(list, func(a, b Entry) int { return a.Box.Min.Compare(b.Box.Min) })
			for _, e := range list {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// entry is the i-th entry of a cell as others see it.
func (s *State) entry(c cell, i int) Entry {
	list := s.cells[c]
	e := &list[i]
	out := Entry{
		Box: e.box(c), Fate: e.fate, Sum: e.sum, Kept: e.kept, Why: s.whys[e.why],
		Took: time.Duration(e.took*1000+0.5) * time.Millisecond,
		Over: over(c, list, i),
	}
	if e.at != 0 {
		out.At = time.Unix(e.at, 0).UTC()
	}
	for slab := range s.slabs(c, e) {
		z := slab.box.Min.Z - s.files[e.file].Header.Origin.Z
		if !slices.Contains(out.Lost, z) && len(visible(c, list[i+1:], slab.box)) > 0 {
			out.Lost = append(out.Lost, z)
		}
	}
	return out
}

// note gives the index of a reason.
func (s *State) note(why string) uint32 {
	i, ok := s.index[why]
	if !ok {
		i = uint32(len(s.whys))
		s.whys = append(s.whys, why)
		s.index[why] = i
	}
	return i
}
