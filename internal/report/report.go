// Package report renders the report of an ingest.
//
// It is one HTML file that needs no other and no network, for a browser, a phone
// and paper: what arrived where, how fast, what did not and why, and what to do.
// Colors never stand alone: patterns and words say the same.
//
// The package is told everything, reads nothing and asks nobody, not even the
// clock. Names of files and what services said are shown as they are, and are never
// markup.
package report

import (
	"image"
	"time"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Report is what is known of the ingest of a channel. Boxes are in BOSS coordinates.
type Report struct {
	Channel string // collection/experiment/channel
	State   State
	Verdict string    // in one sentence
	Next    []Command // what to do now
	Written time.Time // all times are shown in its zone
	Version string    // of ndpush, that writes it

	Figures  []Fact // the few that matter most
	Facts    []Fact
	Coverage *Coverage
	Course   Course

	Missing     []Missing
	MissingMore int // ranges that are not in Missing
	Failed      []Failure
	FailedMore  int // cuboids that are not in Failed

	Checks       []Check
	Pictures     []Picture
	PicturesNote string // why there are none, or less than were asked for; "" if there is nothing to say

	Flags    []Fact
	Commands []Command
}

// A State is the verdict, for those who look at colors.
type State uint8

const (
	Unfinished State = iota // something is left
	Complete                // all is there, and was not compared
	Verified                // all is there, and what was compared is equal
	Incomplete              // something failed, or was missing
	Differs                 // BOSS holds something else
)

// A Fact is a line of a list.
type Fact struct{ What, Is string }

// A Command is a line for a shell, and what it does.
type Command struct{ What, Line string }

// A Missing is slices, in source coordinates, that were not carried, or not whole.
type Missing struct{ Slices, Why string }

// A Failure is a cuboid that was not posted.
type Failure struct {
	Box voxel.Box
	Why string
	At  time.Time
}

// A Check is what comparing with BOSS found.
type Check struct {
	What                   string    // was compared
	At                     time.Time // the zero time: not known
	Equal, Differ, Unknown int64     // cuboids
}

// good reports whether all was as it should be.
func (c *Check) good() bool { return c.Differ == 0 && c.Unknown == 0 }

// A Picture is a slice, as BOSS gave it back.
type Picture struct {
	Title, Note string
	Image       image.Image
	Labels      bool // colors that must not be blurred
}

// A Process is one that worked at the ingest.
type Process struct {
	Host    string
	PID     int
	Share   string // the slices that it carried
	Begun   time.Time
	Ended   time.Time // or the last sign of it
	How     string    // it ended
	End     End
	Did     string // the cuboids that it carried, counted
	Version string // of ndpush
}

// An End is how a process ended, in a color.
type End uint8

const (
	Done    End = iota // it did what it had to
	Gaps               // it did, but for what failed or was missing
	Stopped            // it gave up, was interrupted or died
	Working            // it is at work
)
