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
	"unicode/utf8"

	"golang.org/x/term"
)

// Options says what the display writes to, and what it knows. The zero value is
// for a file or a pipe: a plain line every 30 seconds.
type Options struct {
	// Terminal draws in place instead of writing plain lines. It has to know
	// three of ECMA-48's sequences: cursor up, erase line, erase display.
	Terminal bool

	// Color marks trouble, on a terminal.
	Color bool

	// Vitals tells how the run does; nil: nobody knows, and the drawing is one
	// line instead of a block of two or three.
	Vitals func() Vitals

	// Width gives the terminal's columns. It is asked before each drawing,
	// since people resize windows. Nil or less than 1 counts as 80.
	Width func() int

	// Every is the time between plain lines. 0 is 30 s: often enough to see
	// that a job is alive, 3000 lines a day.
	Every time.Duration
}

// redraw is the time between drawings on a terminal; faster is only flicker.
const redraw = 200 * time.Millisecond

// For gives the options that suit f: in place if f is a terminal that can, and
// in colour unless a person has set NO_COLOR (https://no-color.org).
func For(f *os.File) Options {
	fd := int(f.Fd())
	terminal := term.IsTerminal(fd) && os.Getenv("TERM") != "dumb" && draws(f)
	return Options{
		Terminal: terminal,
		Color:    terminal && os.Getenv("NO_COLOR") == "",
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

	halt, halted chan struct{}
	once         sync.Once

	measure sync.Mutex // guards meter
	meter   meter

	mu      sync.Mutex // guards w and what follows
	rows    []string   // what is drawn on the terminal now
	color   string     // of the last of them
	partial []byte     // written, but not a whole line yet
	stopped bool
}

// Start shows c on w from now on. The caller stops the display.
func Start(w io.Writer, c *Counter, opts Options) *Display {
	opts.Every = cmp.Or(max(0, opts.Every), 30*time.Second)
	d := &Display{
		w: w, counter: c, opts: opts,
		halt: make(chan struct{}), halted: make(chan struct{}),
	}
	d.begin = d.now().sample()
	d.meter.add(d.begin)
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

// Status is how the run stands.
func (d *Display) Status() Status {
	d.measure.Lock()
	defer d.measure.Unlock()
	s := d.now()
	d.meter.add(s.sample())
	s.Quiet = d.meter.quiet()
	s.setRates(d.meter.rates())
	return s
}

// total is how the run stands, with the mean rates of all of it.
func (d *Display) total() Status {
	s := d.now()
	s.setRates(ratesOf(d.begin, s.sample()))
	return s
}

// now is how the run stands, without rates.
func (d *Display) now() Status {
	s := Status{Snapshot: d.counter.Snapshot(), At: time.Now()}
	if d.opts.Vitals != nil {
		s.Vitals = d.opts.Vitals()
	}
	if !d.begin.at.IsZero() {
		s.Elapsed = s.At.Sub(d.begin.at)
	}
	return s
}

// Report writes the numbers of this moment, with the mean rate, on a line of their own.
func (d *Display) Report() {
	s := d.total()
	d.Println(strings.TrimSpace(strings.Join(s.parts(s.remaining()), gap)))
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
	if _, err := io.WriteString(d.w, d.cleared()+text+d.drawing()); err != nil {
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
	s := d.Status()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opts.Terminal && d.opts.Vitals != nil {
		rows, trouble := s.block(d.width() - 1)
		d.redraw(rows, trouble)
		return
	}
	d.put(s, s.remaining())
}

// finish shows the numbers of the end and leaves them there.
func (d *Display) finish() {
	s := d.total()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.put(s, "in "+duration(s.Elapsed))
	var end string
	if d.rows != nil {
		end = "\n"
	}
	if len(d.partial) > 0 {
		end += string(d.partial) + "\n"
	}
	d.rows, d.partial, d.stopped = nil, nil, true
	io.WriteString(d.w, end)
}

// put shows s on one line. It is for who holds mu.
func (d *Display) put(s Status, when string) {
	parts := s.parts(when)
	if d.opts.Terminal {
		// A character in the last column makes some terminals begin a new line.
		d.redraw([]string{fit(s.Percent(), parts, d.width()-1)}, false)
		return
	}
	io.WriteString(d.w, strings.TrimSpace(strings.Join(parts, gap))+"\n")
}

const (
	eraseLine    = "\x1b[K"
	eraseDisplay = "\x1b[J"
	yellow       = "\x1b[33m"
	plain        = "\x1b[m"
)

// redraw puts rows where the drawing was, with one write: what else writes to
// the terminal comes before or after it. It is for who holds mu.
func (d *Display) redraw(rows []string, trouble bool) {
	up := d.top()
	d.rows, d.color = rows, ""
	if trouble && d.opts.Color {
		d.color = yellow
	}
	io.WriteString(d.w, up+d.drawing()+eraseDisplay)
}

// drawing is what is drawn, as it is written. It is for who holds mu.
func (d *Display) drawing() string {
	if d.rows == nil {
		return ""
	}
	last := len(d.rows) - 1
	var b strings.Builder
	for _, row := range d.rows[:last] {
		b.WriteString(row + eraseLine + "\n")
	}
	if d.color != "" {
		return b.String() + d.color + d.rows[last] + plain
	}
	return b.String() + d.rows[last]
}

// cleared is what takes the drawing away. It is for who holds mu.
func (d *Display) cleared() string {
	if d.rows == nil {
		return ""
	}
	return d.top() + eraseDisplay
}

// top is what goes from the end of the drawing to its beginning. A terminal that
// has become narrower has broken the rows that no longer fit. It is for who holds mu.
func (d *Display) top() string {
	up, width := -1, max(1, d.width())
	for _, row := range d.rows {
		up += max(1, (utf8.RuneCountInString(row)+width-1)/width)
	}
	if up <= 0 {
		return "\r"
	}
	return fmt.Sprintf("\r\x1b[%dA", up)
}

func (d *Display) width() int {
	if d.opts.Width != nil {
		if width := d.opts.Width(); width > 0 {
			return width
		}
	}
	return 80
}
