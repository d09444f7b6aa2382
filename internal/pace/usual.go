package pace

import "slices"

// usual is what one kind of attempt takes, and took lately.
type usual struct {
	round []float64 // the costs since the limit changed
	cost  float64   // the usual one; 0: not known yet
}

// fixed is the size of a body whose sending takes about as long as all else: a
// request of 10 kB is not a hundred times as quick as one of 1 MB.
const fixed = 1e6

// add takes the seconds that an attempt took, for each MB.
func (u *usual) add(s sample) {
	u.round = append(u.round, (s.took-s.held).Seconds()/(fixed+float64(s.bytes))*1e6)
}

// How quickly the usual cost follows that of a round. Times fall because a load
// has gone, and what shows then is the true cost; they rise because of load, our
// own above all, which must not become usual. But a service may also become
// slower for good, or the machine go to another network; so the usual cost does
// rise, over some hundred rounds. A load of our own has by then been answered.
const (
	down = 1. / 8
	up   = 1. / 128
)

// close ends the round and returns its median cost as a multiple of what was
// usual before it. The median ignores the odd attempt that took very long. The
// usual cost follows quickly if the load cannot be ours.
func (u *usual) close(alone bool) float64 {
	slices.Sort(u.round)
	cost := u.round[len(u.round)/2]
	u.round = u.round[:0]
	if u.cost == 0 {
		u.cost = cost
	}
	if cost == 0 {
		return 1 // a clock that stands still
	}
	ratio := cost / u.cost
	weight := up
	switch {
	case alone:
		weight = 1. / 4
	case cost < u.cost:
		weight = down
	}
	u.cost += weight * (cost - u.cost)
	return ratio
}
