package journal

import (
	"time"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A File is what one process wrote.
type File struct {
	Path   string
	Header Header

	// How many lines say so, whatever other files say of the same cuboids. In the
	// State that Open gives, these and what follows are not counted of files whose
	// data is none of the new one's: these are not read to their ends.
	Posted, Kept, Empty, Failed int
	// Open is how many cuboids were begun and nothing more was said of them:
	// those on their way, or, of a process that was killed, those that may be there.
	Open int
	// Missing is how many slices have rows that could not be read.
	Missing int

	First, Last time.Time // of the fates and of the end; the zero time if there are none
	End         string    // how it ended; "" if it did not say
	Ended       time.Time
	Beat        time.Time // when the file server last saw a sign of life, by its clock

	worked bool // a cuboid was begun, or had a fate
	size   int64
	lock   lockState
	host   string // of the machine that reads
	open   map[voxel.Box]struct{}
	losses map[int][]loss // by z in BOSS coordinates
	seq    uint32         // number of losses
	hole   bool           // a NUL came before
}

// A loss is a missing line.
type loss struct {
	rows voxel.Range // y in BOSS coordinates
	seq  uint32      // how many came before
	why  uint32      // index in State.whys
}

// beat is how often a process touches its file.
const beat = 10 * time.Second

// Alive reports whether the process seems to be at work. It is as good an answer as
// one gets at once: on the machine that reads, and where locks work, it is right;
// else a file that was touched within the last minute counts, by now, the clock
// of this machine.
func (f *File) Alive(now time.Time) bool {
	switch {
	case f.End != "" || f.lock == lockFree && f.Header.Host == f.host:
		return false
	case f.lock == lockHeld:
		return true
	}
	return now.Sub(f.Beat) < 6*beat
}

// lost gives the bits of the slices of box's cell that have lost rows in it.
func (f *File) lost(box voxel.Box) uint16 {
	if f.seq == 0 {
		return 0
	}
	var bits uint16
	corner := cellOf(box.Min).corner()
	for z := box.Min.Z; z < box.Max.Z; z++ {
		for _, l := range f.losses[z] {
			if l.rows.Overlaps(box.Y()) {
				bits |= 1 << (z - corner.Z)
				break
			}
		}
	}
	return bits
}

// see notes the time of a line.
func (f *File) see(at int64) time.Time {
	t := time.Unix(at, 0).UTC()
	if f.First.IsZero() {
		f.First = t
	}
	f.Last = t
	return t
}

// A lockState is what the lock of a file says of its process.
type lockState uint8

const (
	lockUnknown lockState = iota // locks do not work here
	lockFree                     // nobody on this machine, and where locks work over the network nobody at all, has it
	lockHeld
)
