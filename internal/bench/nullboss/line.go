package nullboss

import (
	"net"
	"sync"
	"time"
)

const (
	// lineChunk is what a connection of a slow line brings at a time.
	lineChunk = 32 << 10
	// lineBuffer is what the system may take from a connection ahead of that. The
	// client feels the speed at once, not after megabytes.
	lineBuffer = 128 << 10
	// lateness is how much of a sleep that was too long is made up for.
	lateness = 20 * time.Millisecond
)

// A Line is a listener whose connections together bring at most so many bytes a second.
type Line struct {
	net.Listener
	rate float64

	mu   sync.Mutex
	next time.Time // when all that was brought may have arrived
}

// NewLine makes l a line of rate bytes a second.
func NewLine(l net.Listener, rate int64) *Line { return &Line{Listener: l, rate: float64(rate)} }

// Accept waits for a connection.
func (l *Line) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		if err := tcp.SetReadBuffer(lineBuffer); err != nil {
			c.Close()
			return nil, err
		}
	}
	return &lineConn{c, l}, nil
}

// bring waits until n more bytes may have arrived. At any time since the first
// byte no more than rate × time have.
func (l *Line) bring(n int) {
	l.mu.Lock()
	now := time.Now()
	if l.next.IsZero() {
		l.next = now
	}
	if earliest := now.Add(-lateness); l.next.Before(earliest) {
		l.next = earliest // time in which nothing was sent is lost
	}
	l.next = l.next.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
	wait := l.next.Sub(now)
	l.mu.Unlock()
	time.Sleep(wait)
}

type lineConn struct {
	net.Conn
	line *Line
}

func (c *lineConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p[:min(len(p), lineChunk)])
	c.line.bring(n)
	return n, err
}
