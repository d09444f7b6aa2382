package verify

import (
	"fmt"
	"maps"
	"slices"
)

// listed is how many findings a tally keeps that are no match.
const listed = 10

// A Tally counts findings. The zero value is ready; it has one user at a time.
type Tally struct {
	Match, Differ, Missing, Error int64

	Gone  int64     // of the missing: those that were posted, and BOSS lost
	First []Finding // that are no match: the first ten

	lost map[int]bool
}

// Add counts f.
func (t *Tally) Add(f Finding) {
	switch f.Verdict {
	case Match:
		t.Match++
	case Differ:
		t.Differ++
	case Missing:
		t.Missing++
	default:
		t.Error++
	}
	if f.Gone() {
		t.Gone++
	}
	if f.Verdict != Match && len(t.First) < listed {
		t.First = append(t.First, f)
	}
	for _, z := range f.Lost {
		if t.lost == nil {
			t.lost = make(map[int]bool)
		}
		t.lost[z] = true
	}
}

// Cuboids is how many were counted.
func (t *Tally) Cuboids() int64 { return t.Match + t.Differ + t.Missing + t.Error }

// Lost are the slices, in source coordinates and ascending, in whose place
// something else was posted: that it matches does not make it theirs.
func (t *Tally) Lost() []int { return slices.Sorted(maps.Keys(t.lost)) }

// Verified reports whether every cuboid matches, whatever it stands for.
func (t *Tally) Verified() bool { return t.Match == t.Cuboids() }

// String is "10000 cuboids match, 0 differ, 0 missing, 0 errors".
func (t *Tally) String() string {
	match := "1 cuboid matches"
	if t.Match != 1 {
		match = fmt.Sprintf("%d cuboids match", t.Match)
	}
	return fmt.Sprintf("%s, %d differ, %d missing, %d errors", match, t.Differ, t.Missing, t.Error)
}
