package pace

import (
	"context"
	"time"
)

// A limiter spreads bytes over time. Senders take turns, in the order in which
// they come; who has the turn waits until the bytes before are through. Pieces
// are so small that a new rate of the timetable holds almost at once, and that
// no sender is silent for long: with 16 senders each has a turn every 2 s,
// however low the rate, where servers give up after some 60 s of silence.
type limiter struct {
	table Timetable
	turn  chan struct{} // holds one item while somebody has the turn
	free  time.Time     // when all bytes so far are through; of who has the turn
}

const (
	maxPiece = 64 << 10
	// pieceTime is how long a piece takes, unless it is of one byte.
	pieceTime = time.Second / 8
	// slack is how far behind its rate the limiter may catch up: timers are late by
	// a millisecond or so, in which a fast network carries many pieces.
	slack = 100 * time.Millisecond
)

func (l *limiter) rate(now time.Time) Rate { return l.table.At(now) }

// piece is how many of n bytes to pay for at once.
func (l *limiter) piece(n int) int {
	r := l.rate(time.Now())
	if r == 0 {
		return n
	}
	return min(n, maxPiece, max(1, int(r/Rate(time.Second/pieceTime))))
}

// pay waits until n bytes may be sent, and says how long it took.
func (l *limiter) pay(ctx context.Context, n int) (time.Duration, error) {
	start := time.Now()
	if l.rate(start) == 0 {
		return 0, ctx.Err()
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return time.Since(start), ctx.Err()
	}
	if err := sleepUntil(ctx, l.free); err != nil {
		return time.Since(start), err
	}
	now := time.Now()
	if earliest := now.Add(-slack); l.free.Before(earliest) {
		l.free = earliest
	}
	if r := l.rate(now); r > 0 {
		l.free = l.free.Add(time.Duration(float64(n) / float64(r) * float64(time.Second)))
	}
	return now.Sub(start), nil
}

// sleepUntil waits for t, or returns ctx's error as soon as ctx is done.
func sleepUntil(ctx context.Context, t time.Time) error {
	d := time.Until(t)
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
