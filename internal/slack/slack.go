// Package slack tells a person on Slack.
//
// A [Client] sends messages and files to one channel or person. A [Notifier] is
// told of every cuboid and says little: a message when trouble begins, then at
// most one a minute with counts, and at the end what became of it all, with the
// end of the log as a file.
//
// An ingest neither waits for Slack nor ends because of it. What Slack did not
// take is a line in the log, and the counts go into the next message.
package slack

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Messenger takes what a Notifier has to say. [Client] is one.
type Messenger interface {
	Send(ctx context.Context, text string) error

	// Upload sends a file, or returns errors.ErrUnsupported.
	Upload(ctx context.Context, name, text string) error
}

// About is what a Notifier speaks of.
type About struct {
	Title string // begins every message, for example the channel's path
	Log   string // path of the log file, whose end is sent at the end; "" for none

	// Report is told in one line of every message that Slack did not take. It is
	// not called after Done or Close have returned. Nil is for who does not care.
	Report func(format string, args ...any)
}

const (
	// every is the time between two messages of trouble.
	every = time.Minute

	// stubborn is how long one message of trouble is tried: longer than Slack
	// asks anybody to wait, and nobody waits for it here.
	stubborn = 5 * time.Minute

	// grace is what a message of trouble under way gets when the run is over;
	// the summary says the same.
	grace = 2 * time.Second

	// parting is how long all that is said at the end may take.
	parting = 15 * time.Second
)

// A Notifier gathers trouble and tells it. It is safe for concurrent use; its
// recording methods wait for nobody and return nil. A nil Notifier is silent.
//
// What waits to be told is two counts and the first sentence, however slow Slack
// is: there is no queue that could be full.
type Notifier struct {
	to    Messenger
	about About

	wake chan struct{} // holds a token if there is something to tell
	quit chan struct{} // closed when no more is to be told
	done chan struct{} // closed when the goroutine has ended
	stop func()        // ends the message that is under way
	once sync.Once

	mu    sync.Mutex
	all   tally
	first string // trouble since the last message

	told     tally  // the goroutine's, and Done's after it
	reported string // the same; what was reported last
}

// Start returns a Notifier that tells to. It ends with Done or Close.
func Start(to Messenger, about About) *Notifier {
	if about.Report == nil {
		about.Report = func(string, ...any) {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := &Notifier{
		to: to, about: about, stop: cancel,
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	go n.run(ctx)
	return n
}

// Posted is not worth a message.
func (n *Notifier) Posted(voxel.Box, time.Duration) error { return nil }

// Empty is not worth a message.
func (n *Notifier) Empty(voxel.Box) error { return nil }

// Failed notes that the cuboid at box finally failed.
func (n *Notifier) Failed(box voxel.Box, err error) error {
	n.note(tally{failed: 1}, func() string { return fmt.Sprintf("cuboid %v: %v", box, err) })
	return nil
}

// Missing notes that slice z is absent or unreadable.
func (n *Notifier) Missing(z int, err error) error {
	n.note(tally{missing: 1}, func() string { return fmt.Sprintf("slice %d: %v", z, err) })
	return nil
}

// Outage notes that nothing gets through to the service that the run posts to.
func (n *Notifier) Outage(what string) {
	n.note(tally{outages: 1}, func() string { return what })
}

func (n *Notifier) note(more tally, what func() string) {
	if n == nil {
		return
	}
	n.mu.Lock()
	n.all = n.all.plus(more)
	if n.first == "" {
		n.first = short(what())
	}
	n.mu.Unlock()
	n.poke()
}

func (n *Notifier) poke() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// run tells trouble until quit.
func (n *Notifier) run(ctx context.Context) {
	defer close(n.done)
	for {
		select {
		case <-n.wake:
		case <-n.quit:
			return
		}
		if !n.tell(ctx) {
			continue
		}
		timer := time.NewTimer(every)
		select {
		case <-timer.C:
		case <-n.quit:
			timer.Stop()
			return
		}
	}
}

// tell sends one message of trouble, if there is any that was not told. If Slack
// does not take it, what it says goes into the next.
func (n *Notifier) tell(ctx context.Context) (tried bool) {
	n.mu.Lock()
	all, first := n.all, n.first
	n.first = ""
	n.mu.Unlock()
	if all == n.told {
		return false // it was woken by what the last message already told
	}
	one, cancel := context.WithTimeout(ctx, stubborn)
	defer cancel()
	err := n.to.Send(one, troubleText(n.about.Title, all, n.told, first))
	if err == nil {
		n.told, n.reported = all, ""
		return true
	}
	if ctx.Err() != nil {
		return true // the summary says it
	}
	n.report(err)
	n.mu.Lock()
	n.first = first
	n.mu.Unlock()
	n.poke()
	return true
}

// report tells of an error, unless it is the last one again.
func (n *Notifier) report(err error) {
	if text := err.Error(); text != n.reported {
		n.reported = text
		n.about.Report("%s", text)
	}
}

// Close ends the Notifier without another message. One that is under way may be
// finished until ctx ends. After Done or Close it does nothing.
func (n *Notifier) Close(ctx context.Context) {
	if n != nil {
		n.once.Do(func() { n.end(ctx) })
	}
}

// end waits for the goroutine.
func (n *Notifier) end(ctx context.Context) {
	close(n.quit)
	defer n.stop()
	select {
	case <-n.done:
	case <-ctx.Done():
		n.stop()
		<-n.done
	}
}

// Done ends the Notifier and tells what became of the run. It returns within a
// quarter of a minute, or when ctx ends; for a run that was interrupted, ctx must
// not be the one that ended.
func (n *Notifier) Done(ctx context.Context, s Summary) {
	if n != nil {
		n.once.Do(func() { n.part(ctx, s) })
	}
}

func (n *Notifier) part(ctx context.Context, s Summary) {
	ctx, cancel := context.WithTimeout(ctx, parting)
	defer cancel()
	short, cancelShort := context.WithTimeout(ctx, grace)
	n.end(short)
	cancelShort()
	if err := n.to.Send(ctx, s.text(n.about.Title, n.about.Log)); err != nil {
		n.report(err)
		return
	}
	n.reported = ""
	if err := n.sendLog(ctx); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		n.report(err)
	}
}

// sendLog sends the end of the log file.
func (n *Notifier) sendLog(ctx context.Context) error {
	if n.about.Log == "" {
		return nil
	}
	text, err := tail(n.about.Log)
	if err != nil {
		return fmt.Errorf("slack: the log was not sent: %w", err)
	}
	if text == "" {
		return nil
	}
	return n.to.Upload(ctx, filepath.Base(n.about.Log), text)
}
