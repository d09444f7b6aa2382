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

// relief is the ratio below which the load of others has gone, and gain how
// quickly the usual cost then follows. Of what costs more nothing is learnt
// here: the load may be our own, which must not become usual. See gate.learn for
// the rounds that tell.
const (
	relief = 0.8
	gain   = 1. / 4
)

// close ends the round and returns its median cost as a multiple of what was
// usual before it. The median ignores the odd attempt that took very long. The
// usual cost moves by weight, from 0 to 1, of the way to that of the round.
func (u *usual) close(weight float64) (ratio float64) {
	slices.Sort(u.round)
	cost := u.round[len(u.round)/2]
	u.round = u.round[:0]
	if u.cost == 0 {
		u.cost = cost
	}
	if u.cost == 0 {
		return 1 // a clock that stands still
	}
	ratio = cost / u.cost
	if ratio < relief {
		weight = max(weight, gain)
	}
	u.cost += weight * (cost - u.cost)
	return ratio
}
