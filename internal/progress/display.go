package progress

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// Options says what the display writes to. The zero value is for a file or a
// pipe: a plain line every 30 seconds.
type Options struct {
	// Terminal draws one line in place instead of writing plain lines.
	Terminal bool

	// Width gives the terminal's columns. It is asked before each drawing,
	// since people resize windows. Nil or less than 1 counts as 80.
	Width func() int

	// Every is the time between plain lines. 0 is 30 s: often enough to see
	// that a job is alive, 3000 lines a day.
	Every time.Duration
}

// redraw is the time between drawings on a terminal; faster is only flicker.
const redraw = 200 * time.Millisecond

// For gives the options that suit f: in place if f is a terminal that can.
func For(f *os.File) Options {
	fd := int(f.Fd())
	return Options{
		Terminal: term.IsTerminal(fd) && os.Getenv("TERM") != "dumb",
		Width: func() int {
			width, _, err := term.GetSize(fd)
			if err != nil {
				return 0
			}
			return width
		},
	}
}

// A Display shows a Counter until it is stopped. Messages that go through it,
// by Println or as an io.Writer, appear above the line that it redraws.
// It is safe for concurrent use.
//
// It is a courtesy: if a drawing cannot be written, the work goes on without.
type Display struct {
	w       io.Writer
	counter *Counter
	opts    Options
	begin   sample
	meter   meter // only show touches it

	halt, halted chan struct{}
	once         sync.Once

	mu      sync.Mutex // guards w and what follows
	line    string     // what is drawn on the terminal now
	partial []byte     // written, but not a whole line yet
	stopped bool
}

// Start shows c on w from now on. The caller stops the display.
func Start(w io.Writer, c *Counter, opts Options) *Display {
	opts.Every = cmp.Or(max(0, opts.Every), 30*time.Second)
	s := c.Snapshot()
	d := &Display{
		w: w, counter: c, opts: opts,
		begin: sample{time.Now(), s.Cuboids(), s.Bytes},
		halt:  make(chan struct{}), halted: make(chan struct{}),
	}
	d.meter.add(d.begin.at, s)
	go d.show()
	return d
}

// Stop shows the last numbers, how long it all took and the mean rate, and ends
// the line. Nothing is drawn afterwards; Println and Write go on working.
func (d *Display) Stop() {
	d.once.Do(func() {
		close(d.halt)
		<-d.halted
		d.finish()
	})
}

// Println writes a message on lines of its own, as fmt.Println does.
func (d *Display) Println(args ...any) { fmt.Fprintln(d, args...) }

// Report writes the numbers of this moment, with the mean rate, on a line of their own.
func (d *Display) Report() {
	s := d.counter.Snapshot()
	rate := perSecond(d.begin, sample{time.Now(), s.Cuboids(), s.Bytes})
	d.Println(strings.TrimSpace(strings.Join(parts(s, rate, remaining(s, rate)), gap)))
}

// Write writes the whole lines of p above the drawing, and keeps a rest until
// its line is complete or the display stops; a stopped display writes p as it is.
func (d *Display) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return d.w.Write(p)
	}
	end := bytes.LastIndexByte(p, '\n') + 1
	if end == 0 {
		d.partial = append(d.partial, p...)
		return len(p), nil
	}
	text := string(d.partial) + string(p[:end])
	d.partial = append(d.partial[:0], p[end:]...)
	if _, err := io.WriteString(d.w, d.cleared()+text+d.line); err != nil {
		return 0, err
	}
	return len(p), nil
}

// show draws until it is told to halt.
func (d *Display) show() {
	defer close(d.halted)
	every := d.opts.Every
	if d.opts.Terminal {
		every = redraw
		d.draw()
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-d.halt:
			return
		case <-tick.C:
			d.draw()
		}
	}
}

// draw shows the numbers of this moment.
func (d *Display) draw() {
	s := d.counter.Snapshot()
	d.meter.add(time.Now(), s)
	rate := d.meter.rate()
	d.put(s.Percent(), parts(s, rate, remaining(s, rate)))
}

// finish shows the numbers of the end and leaves them there.
func (d *Display) finish() {
	s := d.counter.Snapshot()
	now := sample{time.Now(), s.Cuboids(), s.Bytes}
	d.put(s.Percent(), parts(s, perSecond(d.begin, now), "in "+duration(now.at.Sub(d.begin.at))))

	d.mu.Lock()
	defer d.mu.Unlock()
	var end string
	if d.line != "" {
		end = "\n"
	}
	if len(d.partial) > 0 {
		end += string(d.partial) + "\n"
	}
	d.line, d.partial, d.stopped = "", nil, true
	io.WriteString(d.w, end)
}

// put shows parts the way that suits what the display writes to. One write each
// time: what else writes to the terminal comes before or after it.
func (d *Display) put(percent int, parts []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.opts.Terminal {
		io.WriteString(d.w, strings.TrimSpace(strings.Join(parts, gap))+"\n")
		return
	}
	// A character in the last column makes some terminals begin a new line.
	line := fit(percent, parts, d.width()-1)
	text := "\r" + line
	if len(line) < len(d.line) {
		text = d.cleared() + line
	}
	d.line = line
	io.WriteString(d.w, text)
}

// cleared is what takes the drawn line away: blanks, which every terminal knows,
// and no more than fit if it has become narrower. It is for who holds mu.
func (d *Display) cleared() string {
	if d.line == "" {
		return ""
	}
	return "\r" + strings.Repeat(" ", min(len(d.line), d.width()-1)) + "\r"
}

func (d *Display) width() int {
	if d.opts.Width != nil {
		if width := d.opts.Width(); width > 0 {
			return width
		}
	}
	return 80
}
