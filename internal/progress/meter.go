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

// A sample is what was done by a time.
type sample struct {
	at                         time.Time
	cuboids, bytes, read, sent int64
}

// add notes s, and forgets the marks that are too old to begin at.
// A mark is set only when cuboids were finished: a window that began later, in
// the lull before a burst, would find the rate too high.
func (m *meter) add(s sample) {
	m.last = s
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

// rates are those of the window. Call add first.
func (m *meter) rates() rates { return ratesOf(m.marks[0], m.last) }

// quiet is how long no cuboid was finished. Call add first.
func (m *meter) quiet() time.Duration { return m.last.at.Sub(m.marks[len(m.marks)-1].at) }

// rates are in bytes a second; 0 before anything can be said.
type rates struct{ done, read, sent float64 }

func ratesOf(from, to sample) rates {
	elapsed := to.at.Sub(from.at).Seconds()
	if elapsed <= 0 {
		return rates{}
	}
	return rates{
		done: float64(to.bytes-from.bytes) / elapsed,
		read: float64(to.read-from.read) / elapsed,
		sent: float64(to.sent-from.sent) / elapsed,
	}
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
