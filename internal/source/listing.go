package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Lister is a Source that can name the slices that exist, so that gaps and
// strays in the numbering are seen.
type Lister interface {
	// List looks what is there now. An error says why nobody knows: listing may
	// take more permission than reading. It is no reason not to read.
	List(ctx context.Context) (*Listing, error)
}

// A Listing is what there is of a channel.
type Listing struct {
	// Slices are the z (source coordinates) of the slices that exist: ascending
	// ranges with a gap between each and the next. Nothing was opened: they need
	// not be sound.
	Slices []voxel.Range

	// Strays are those that look like slices and are not read, the first
	// MaxStrays of them by number; StrayCount is how many there are in all, and
	// Doubles how many of these stand for a slice that is there as well.
	Strays     []Stray
	StrayCount int
	Doubles    int

	// Others is how many files look like no slice, and Other is the name of one.
	// They are counted as far as it costs nothing.
	Others int
	Other  string
}

// MaxStrays is how many strays a Listing names.
const MaxStrays = 10

// A Stray looks like a slice and is not read.
type Stray struct {
	Name   string // as a source calls it
	Reason string // why it is not read, like "its extension is .tiff"
	Double bool   // the slice that it would be is there as well

	number, z int // what it is sorted by; the slice that it would be
	slice     bool
}

// String gives "em_0012.tiff: its extension is .tiff, …".
func (s Stray) String() string { return s.Name + ": " + s.Reason }

// Count is how many slices exist.
func (l *Listing) Count() (n int) {
	for _, r := range l.Slices {
		n += r.Len()
	}
	return n
}

// Missing are the z of r that do not exist, as ranges.
func (l *Listing) Missing(r voxel.Range) (missing []voxel.Range) {
	at := r.Min
	for _, there := range l.Slices {
		if there = there.Intersect(r); there.Empty() {
			continue
		}
		if at < there.Min {
			missing = append(missing, voxel.Range{Min: at, Max: there.Min})
		}
		at = there.Max
	}
	if at < r.Max {
		missing = append(missing, voxel.Range{Min: at, Max: r.Max})
	}
	return missing
}

// Ranges makes ranges of numbers, which it sorts.
func Ranges(z []int) (ranges []voxel.Range) {
	slices.Sort(z)
	for _, z := range z {
		if n := len(ranges); n > 0 && z <= ranges[n-1].Max {
			ranges[n-1].Max = z + 1
		} else {
			ranges = append(ranges, voxel.Range{Min: z, Max: z + 1})
		}
	}
	return ranges
}

// hintNames bounds what Hint looks at: a few requests of S3.
const hintNames = 5000

// Hint says, when slices of wanted (source coordinates) should exist and do not, what
// there is instead: see [Listing.Instead]. It is "" also if src cannot tell. It takes
// about a second at most: a look at a few thousand names.
func Hint(ctx context.Context, src Source, wanted voxel.Range) string {
	var l *Listing
	err := errors.ErrUnsupported
	switch src := src.(type) {
	case *Files:
		l, err = src.list(ctx, hintNames)
	case Lister:
		l, err = src.List(ctx)
	}
	if err != nil {
		return ""
	}
	return l.Instead(wanted)
}

// Instead says what there is in place of slices of wanted that do not exist, like
// "em_0012.tiff is there: its extension is .tiff, where slice 12 is em_0012.tif".
// It is "" if that is nothing but others of wanted.
func (l *Listing) Instead(wanted voxel.Range) string {
	for _, s := range l.Strays {
		if s.slice && !s.Double && wanted.Contains(voxel.Range{Min: s.z, Max: s.z + 1}) {
			return fmt.Sprintf("%s is there: %s", s.Name, s.Reason)
		}
	}
	switch {
	case slices.ContainsFunc(l.Slices, wanted.Overlaps):
		return ""
	case l.StrayCount > l.Count():
		return fmt.Sprintf("%s is there: %s", l.Strays[0].Name, l.Strays[0].Reason)
	case len(l.Slices) > 0:
		return fmt.Sprintf("slice %d is there", l.Slices[0].Min)
	case l.Others > 0:
		return l.Other + " is there, which looks like no slice"
	}
	return "there are no files"
}

// List implements [Lister], if the Opener is a [Finder].
func (f *Files) List(ctx context.Context) (*Listing, error) { return f.list(ctx, math.MaxInt) }

// list looks at that many names at most. Where no name begins as slices' do, it
// looks at others, too, for one that a person may have meant.
func (f *Files) list(ctx context.Context, most int) (*Listing, error) {
	finder, ok := f.opener.(Finder)
	if !ok {
		return nil, fmt.Errorf("list the files like %s: %w", f.pattern.Path(0), errors.ErrUnsupported)
	}
	if !numbered(f.pattern.parts) {
		return nil, fmt.Errorf("list the files like %s: the name holds no number: %w", f.pattern.Path(0), errors.ErrUnsupported)
	}
	dir, stem, depth := f.pattern.place()
	c := newCensus(f.pattern)
	err := c.count(ctx, finder, dir+stem, depth, most)
	if err == nil && stem != "" && c.empty() {
		c = newCensus(f.pattern)
		err = c.count(ctx, finder, dir, depth, min(most, hintNames))
	}
	if err != nil {
		return nil, fmt.Errorf("list the files like %s: %w", f.pattern.Path(0), err)
	}
	return c.listing(), nil
}

// A census counts the names of files.
type census struct {
	likeness likeness
	z        []int // of the slices that exist
	standIns []int // the z of all strays that stand for a slice
	Listing
}

func newCensus(p Pattern) *census { return &census{likeness: newLikeness(p)} }

// empty reports whether no name was like those of slices.
func (c *census) empty() bool { return len(c.z) == 0 && c.StrayCount == 0 }

// count looks at no more names than most.
func (c *census) count(ctx context.Context, finder Finder, prefix string, depth, most int) error {
	for name, err := range finder.Find(ctx, prefix, depth) {
		if err != nil {
			return err
		}
		c.add(name)
		if most--; most <= 0 {
			break
		}
	}
	return ctx.Err()
}

func (c *census) add(name string) {
	if z, ok := c.likeness.pattern.Match(name); ok {
		c.z = append(c.z, z)
		return
	}
	s, ok := c.likeness.judge(name)
	if !ok {
		if c.Others++; c.Others == 1 || name < c.Other {
			c.Other = name
		}
		return
	}
	c.StrayCount++
	if s.slice {
		c.standIns = append(c.standIns, s.z)
	}
	i, _ := slices.BinarySearchFunc(c.Strays, s, func(a, b Stray) int {
		return cmp.Or(cmp.Compare(a.number, b.number), strings.Compare(a.Name, b.Name))
	})
	c.Strays = slices.Insert(c.Strays, i, s)
	c.Strays = c.Strays[:min(len(c.Strays), MaxStrays)]
}

// listing is the sum of what was counted.
func (c *census) listing() *Listing {
	l := &c.Listing
	l.Slices = Ranges(c.z) // and sorts c.z
	there := func(z int) bool {
		_, ok := slices.BinarySearch(c.z, z)
		return ok
	}
	for _, z := range c.standIns {
		if there(z) {
			l.Doubles++
		}
	}
	for i, s := range l.Strays {
		l.Strays[i].Double = s.slice && there(s.z)
	}
	return l
}
