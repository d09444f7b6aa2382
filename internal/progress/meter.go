package progress

import (
	"math"
	"time"
)

// The rate is that of the last half minute, so that it follows the network; but
// of so many cuboids at least, twice the default workers, because large cuboids
// come in bursts of as many as there are workers, minutes apart on a slow line.
const (
	windowTime    = 30 * time.Second
	windowCuboids = 16
)

// A meter measures the rate in a moving window, which begins at a mark.
type meter struct {
	marks []sample // the start, and each time after which more was finished
	last  sample
}

type sample struct {
	at             time.Time
	cuboids, bytes int64
}

// add looks at s at a time, and forgets the marks that are too old to begin at.
// A mark is set only when cuboids were finished: a window that began later, in
// the lull before a burst, would find the rate too high.
func (m *meter) add(at time.Time, s Snapshot) {
	m.last = sample{at, s.Cuboids(), s.Bytes}
	if n := len(m.marks); n == 0 || m.marks[n-1].cuboids != m.last.cuboids {
		m.marks = append(m.marks, m.last)
	}
	for len(m.marks) > 1 && m.covers(m.marks[1]) {
		m.marks = m.marks[1:]
	}
}

// covers reports whether a window that begins at mark is long enough.
func (m *meter) covers(mark sample) bool {
	return m.last.at.Sub(mark.at) >= windowTime && m.last.cuboids-mark.cuboids >= windowCuboids
}

// rate is in bytes per second; 0 before anything can be said. Call add first.
func (m *meter) rate() float64 { return perSecond(m.marks[0], m.last) }

func perSecond(from, to sample) float64 {
	elapsed := to.at.Sub(from.at).Seconds()
	if elapsed <= 0 {
		return 0
	}
	return float64(to.bytes-from.bytes) / elapsed
}

// timeLeft is how long the rest takes at a rate; ok is false if nobody can say.
func timeLeft(s Snapshot, rate float64) (left time.Duration, ok bool) {
	rest := max(0, s.TotalBytes-s.Bytes)
	seconds := float64(rest) / rate
	if rate <= 0 || seconds > math.MaxInt32 { // some 68 years
		return 0, rest == 0
	}
	return time.Duration(seconds * float64(time.Second)), true
}
