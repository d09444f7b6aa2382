package pace

import (
	"sync"
	"sync/atomic"
	"time"
)

// news are calls to the outside that wait until no lock is held. They are made
// one at a time, in the order in which they were added.
type news struct {
	mu      sync.Mutex
	calls   []func()
	telling sync.Mutex
}

func (n *news) add(call func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.calls = append(n.calls, call)
}

func (n *news) next() func() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.calls) == 0 {
		return nil
	}
	call := n.calls[0]
	n.calls = n.calls[1:]
	return call
}

// empty spares those who have nothing to tell from waiting for those who have.
func (n *news) empty() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.calls) == 0
}

func (n *news) tell() {
	if n.empty() {
		return
	}
	n.telling.Lock()
	defer n.telling.Unlock()
	for call := n.next(); call != nil; call = n.next() {
		call()
	}
}

// A duration adds up concurrently.
type duration struct{ ns atomic.Int64 }

func (d *duration) add(t time.Duration) { d.ns.Add(int64(t)) }
func (d *duration) load() time.Duration { return time.Duration(d.ns.Load()) }
