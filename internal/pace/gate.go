package pace

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A gate lets so many attempts run at a time as the service bears: between 1
// and max. It works as TCP does on a path of unknown width: by additive increase
// and multiplicative decrease.
//
// The unit of learning is a round, a few round trips of attempts that all began
// after the last change, so that they show what the present limit does. Thereby
// the limit falls at most once a round trip.
type gate struct {
	mu  sync.Mutex
	max int

	limit    int
	inFlight int
	queue    []chan struct{} // those who wait, the first one first
	until    time.Time       // nobody is let in before, as the service asked

	seq     int64 // of the next attempt
	changed int64 // the first attempt since the limit changed
	wanted  bool  // somebody has waited in this round
	swift   bool  // nothing has spoken against growing yet
	former  int   // the limit before it fell last
	rest    int   // rounds to go before the next growth
	pause   int   // how many the next rest takes
	since   int   // rounds since the last dip, or since the limit fell
	dipped  int   // the limit before the dip that goes on; 0: none does

	usual map[string]*usual // by kind of attempt
	told  int
	tell  func(Limit)
}

const (
	// firstLimit is where the gate starts. A BOSS has 16 processes for everybody,
	// each with one request at a time: a quarter of them is a good guest's share,
	// and a first round with few shows how quick BOSS is when it is not pressed.
	firstLimit = 4

	// backoff is the factor after trouble, that of TCP's CUBIC: a half would leave
	// little of the limit on a line that loses one request in a hundred.
	backoff = 0.7
	// easeoff is the factor when answers take more than twice the usual time.
	easeoff = 0.8

	// The gate rests after a step that went too far: each time longer, so that
	// around the right limit it does not step up and down for ever.
	firstPause, longestPause = 4, 16

	// dipEvery so many rounds the limit is halved for one, to see how quick the
	// service is when it is pressed less: what was usual long ago may not be any
	// more. It costs a hundredth of the speed at most.
	dipEvery = 64

	// longestHold is how long one Retry-After keeps everybody out. The request that
	// got it waits as long as it says; the others may as well look after that.
	longestHold = time.Minute
)

func newGate(workers int, tell func(Limit)) *gate {
	limit := min(firstLimit, workers)
	return &gate{max: workers, limit: limit, told: limit, swift: true, pause: firstPause, usual: map[string]*usual{}, tell: tell}
}

func (g *gate) state() (limit, inFlight int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.limit, g.inFlight
}

// enter waits for a place and returns the number of the attempt that has it.
func (g *gate) enter(ctx context.Context) (seq int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	g.mu.Lock()
	if len(g.queue) == 0 && g.inFlight < g.limit && !g.held() {
		defer g.mu.Unlock()
		return g.admit(), nil
	}
	place := make(chan struct{})
	g.queue = append(g.queue, place)
	g.wanted = true
	g.mu.Unlock()

	select {
	case <-place:
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.number(), nil
	case <-ctx.Done():
		g.forgo(place)
		return 0, ctx.Err()
	}
}

// held reports whether the service wants to be left alone.
func (g *gate) held() bool { return !g.until.IsZero() && time.Now().Before(g.until) }

// admit takes a place.
func (g *gate) admit() int64 {
	g.inFlight++
	return g.number()
}

func (g *gate) number() int64 {
	g.seq++
	return g.seq - 1
}

// forgo leaves the queue; a place that came at the same moment goes to the next.
func (g *gate) forgo(place chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.queue, place); i >= 0 {
		g.queue = slices.Delete(g.queue, i, i+1)
		return
	}
	g.inFlight--
	g.next()
}

// next lets in whom it can.
func (g *gate) next() {
	if g.held() {
		return
	}
	for len(g.queue) > 0 && g.inFlight < g.limit {
		g.inFlight++
		close(g.queue[0])
		g.queue = slices.Delete(g.queue, 0, 1)
	}
}

// A sample is what an attempt says about the service.
type sample struct {
	outcome    Outcome
	err        error
	hold       time.Duration
	kind       string
	bytes      int64
	took, held time.Duration // held by the limiter is a part of took
}

// leave gives a place back and learns.
func (g *gate) leave(seq int64, s sample) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inFlight--
	if s.hold > 0 && s.outcome.trouble() {
		g.keepOut(min(s.hold, longestHold))
	}
	if seq >= g.changed { // else it began under another limit
		switch {
		case s.outcome.trouble():
			g.shrink(backoff, Limit{Err: s.err})
		case s.outcome == Succeeded:
			g.learn(s)
		}
	}
	g.next()
}

// keepOut lets nobody in for a while.
func (g *gate) keepOut(d time.Duration) {
	if until := time.Now().Add(d); until.After(g.until) {
		g.until = until
		time.AfterFunc(d, func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.next()
		})
	}
}

// learn adds a success to its round, and acts when the round is full.
func (g *gate) learn(s sample) {
	// Behind a limiter, a time says little of the service, and more attempts at a
	// time would only make each of them longer.
	if s.kind == "" || s.held > s.took/10 {
		return
	}
	u := g.usual[s.kind]
	if u == nil {
		u = new(usual)
		g.usual[s.kind] = u
	}
	u.add(s)
	if len(u.round) < roundLength(g.limit) {
		return
	}
	g.since++
	switch {
	case g.dipped > 0:
		u.close(1. / 2)
		g.endDip()
	case g.limit == 1: // then it is not we who make the service slow
		u.close(1. / 4)
		g.rest = max(0, g.rest-3) // such rounds are long
		g.judge(1)
	default:
		g.judge(u.close(0))
	}
}

// endDip goes back to the limit before the dip.
func (g *gate) endDip() {
	limit := g.dipped
	g.dipped, g.since = 0, 0
	g.set(limit, Limit{})
}

// roundLength is four round trips, within bounds: of so many times the median is
// steady enough, see TestGateFindsCapacity.
func roundLength(limit int) int { return min(max(16, 4*limit), 32) }

// judge acts on how many times as long as usual answers take. Between the bounds
// it does nothing, so that the limit comes to rest.
func (g *gate) judge(ratio float64) {
	switch {
	case ratio >= 2:
		g.tire()
		g.shrink(easeoff, Limit{Slow: true})
	case ratio >= 1.5:
		g.tire()
		g.set(g.limit-1, Limit{Slow: true})
	case g.since >= dipEvery && g.limit > 1:
		g.dipped = g.limit
		g.set(g.limit/2, Limit{})
	case g.rest > 0:
		g.rest--
	case ratio < 1.2 && g.wanted:
		g.grow()
	}
	g.wanted = len(g.queue) > 0
}

// tire makes the gate rest from growing.
func (g *gate) tire() {
	g.swift = false
	g.rest = g.pause
	g.pause = min(2*g.pause, longestPause)
}

func (g *gate) grow() {
	if g.swift { // as TCP's slow start
		g.set(g.limit+max(1, g.limit/2), Limit{})
		return
	}
	g.pause = max(g.pause/2, firstPause)
	// Quickly to where it was before, as CUBIC does, for that was mostly right:
	// what fails once in a while fails at any limit.
	g.set(g.limit+max(1, (g.former-g.limit)/2), Limit{})
}

func (g *gate) shrink(factor float64, why Limit) {
	g.swift, g.since, g.dipped, g.former = false, 0, 0, max(g.limit, g.dipped)
	g.set(min(int(float64(g.limit)*factor+0.5), g.limit-1), why)
}

// set changes the limit; rounds begin anew even if it is the same, for one with
// trouble in it is no reason to grow.
func (g *gate) set(limit int, why Limit) {
	g.limit = min(max(1, limit), g.max)
	g.anew()
	if g.dipped == 0 {
		g.report(why)
	}
}

// anew starts all rounds with the attempts to come.
func (g *gate) anew() {
	g.changed = g.seq
	for _, u := range g.usual {
		u.round = u.round[:0]
	}
}

// report tells of a change that a person may want to know.
func (g *gate) report(why Limit) {
	worth := g.limit >= 2*g.told || 2*g.limit <= g.told || g.limit == g.max && g.told < g.max
	if !worth {
		return
	}
	why.From, why.To = g.told, g.limit
	g.told = g.limit
	g.tell(why)
}
