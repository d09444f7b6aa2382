// Package pace says how politely a service is asked.
//
// A [Pace] stands between requests and the wire. It decides when each attempt
// is sent and how fast its body, by three rules:
//
//   - The gate bounds how many attempts run at a time. The bound is not a
//     setting but what the service bears: it grows while answers come as
//     quickly as usual, and shrinks when they fail or become slow.
//   - The limiter bounds the bytes a second of all bodies together, by a
//     [Timetable].
//   - The breaker notices that everything fails. Then no request burns its
//     attempts: all wait, and one at a time tries whether the service is back.
//
// That is a policy of its own and not one of retries: package retry says how
// patient one request is, this one what all of them together do to a service.
// It knows nothing of HTTP; whoever speaks with the service says how an attempt
// went.
package pace

import (
	"context"
	"sync/atomic"
	"time"
)

// Options of a Pace. The zero value is sensible.
type Options struct {
	// Workers is how many attempts run at a time at most. Zero: 16.
	Workers int

	// Bandwidth is for the bodies of all requests together. Zero: not limited.
	Bandwidth Timetable

	// Patience is how long the service may be down before requests fail with a
	// [*Down]. Zero: an hour.
	Patience time.Duration

	// What a person may want to hear of; nil: nobody is told. They are called one
	// at a time and in order, from the goroutines of requests, which wait for it
	// and hold nothing; they must not send requests through the Pace.
	OnLimit  func(Limit)  // the gate's bound has doubled, halved or reached an end
	OnOutage func(Outage) // the breaker has opened, or closed
}

func (o *Options) setDefaults() {
	if o.Workers <= 0 {
		o.Workers = 16
	}
	if o.Patience <= 0 {
		o.Patience = time.Hour
	}
	if o.OnLimit == nil {
		o.OnLimit = func(Limit) {}
	}
	if o.OnOutage == nil {
		o.OnOutage = func(Outage) {}
	}
}

// A Limit is a change of how many attempts may run at a time.
type Limit struct {
	From, To int   // what was told last, and now
	Slow     bool  // it fell because answers came late
	Err      error // it fell because of this error; nil if not
}

// An Outage is a time in which every attempt failed.
type Outage struct {
	Since    time.Time // the last sign of life, or the first attempt if there was none
	Attempts int       // that have failed since
	Err      error     // of the last one
	Over     bool      // the service is back
}

// A Pace is safe for concurrent use, and may be shared by clients of one
// service. A nil *Pace lets everything pass.
type Pace struct {
	gate    *gate
	limiter *limiter
	breaker *breaker
	news    *news
	ids     atomic.Int64
}

// New returns a Pace. It starts no goroutines.
func New(opts Options) *Pace {
	opts.setDefaults()
	n := new(news)
	return &Pace{
		gate:    newGate(opts.Workers, func(l Limit) { n.add(func() { opts.OnLimit(l) }) }),
		limiter: &limiter{table: opts.Bandwidth, turn: make(chan struct{}, 1)},
		breaker: newBreaker(opts, func(o Outage) { n.add(func() { opts.OnOutage(o) }) }),
		news:    n,
	}
}

// A State is how things stand.
type State struct {
	Limit    int  // attempts that may run at a time
	InFlight int  // that do; for a moment more than Limit, after it fell
	Rate     Rate // of bodies, now
	Down     bool // the breaker is open
}

// State tells how things stand; a nil Pace has none.
func (p *Pace) State() State {
	if p == nil {
		return State{}
	}
	limit, inFlight := p.gate.state()
	return State{limit, inFlight, p.limiter.rate(time.Now()), p.breaker.isOpen()}
}

// A Request is one request, which may take several attempts, one at a time.
// A nil *Request lets everything pass.
type Request struct {
	pace *Pace
	id   int64
}

// Request returns a new one.
func (p *Pace) Request() *Request {
	if p == nil {
		return nil
	}
	return &Request{p, p.ids.Add(1)}
}

// Start waits for leave to send an attempt, which the caller ends with
// [Attempt.End]. The error is ctx's, or a [*Down].
func (r *Request) Start(ctx context.Context) (*Attempt, error) {
	if r == nil {
		return nil, nil
	}
	p := r.pace
	for {
		probe, err := p.breaker.pass(ctx)
		if err != nil {
			return nil, err
		}
		seq, err := p.gate.enter(ctx)
		if err != nil {
			if probe {
				p.breaker.giveBack()
			}
			return nil, err
		}
		// It may have opened while this one waited at the gate.
		if probe || !p.breaker.isOpen() {
			return &Attempt{request: r, seq: seq, probe: probe, began: time.Now()}, nil
		}
		p.gate.leave(seq, sample{})
	}
}
