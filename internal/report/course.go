package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/human"
)

// A Course is what happened when.
type Course struct {
	Processes []Process
	Posts     []Post      // by time
	Retries   []time.Time // by time
	Note      string      // what is not known of the retries; "" if nothing
}

// A Post is what BOSS took in one second.
type Post struct {
	At    time.Time
	Bytes int64 // before compression
}

// A span is a time without breaks, and where it is drawn.
type span struct {
	from, to time.Time
	x, w     float64
}

func (s *span) length() time.Duration { return s.to.Sub(s.from) }

// work are the times at which a process worked, joined and ascending.
func (c *Course) work() (list []span) {
	for _, p := range c.Processes {
		list = append(list, span{from: p.Begun, to: later(p.Ended, p.Begun).Add(time.Second)})
	}
	for _, p := range c.Posts { // clocks may differ
		list = append(list, span{from: p.At, to: p.At.Add(time.Second)})
	}
	return join(list, 0)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// join makes one of spans that are not further apart than that.
func join(list []span, apart time.Duration) (joined []span) {
	slices.SortFunc(list, func(a, b span) int { return a.from.Compare(b.from) })
	for _, s := range list {
		if n := len(joined); n > 0 && s.from.Sub(joined[n-1].to) <= apart {
			joined[n-1].to = later(joined[n-1].to, s.to)
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// Worked is how long at least one process was at work.
func (c *Course) Worked() (sum time.Duration) {
	for _, s := range c.work() {
		sum += s.length()
	}
	return sum
}

// maxSpans is how many pieces the time axis has at most, and cut how wide what is
// left out between them.
const (
	maxSpans = 8
	cut      = 26
)

// An axis is the time from left to right. Where nobody worked for long, it is cut.
type axis struct {
	left, right float64
	spans       []span
	idle        []span // not cut out, and yet nobody worked
	bin         time.Duration
}

func newAxis(work []span, left, right float64, most int) *axis {
	a := &axis{left: left, right: right}
	var busy time.Duration
	for _, s := range work {
		busy += s.length()
	}
	for apart := max(busy/25, 5*time.Second); ; apart *= 2 {
		if a.spans = join(slices.Clone(work), apart); len(a.spans) <= maxSpans {
			break
		}
	}
	for i := 1; i < len(work); i++ {
		s := span{from: work[i-1].to, to: work[i].from}
		if slices.ContainsFunc(a.spans, func(in span) bool { return !s.from.Before(in.from) && !s.to.After(in.to) }) {
			a.idle = append(a.idle, s)
		}
	}
	var shown time.Duration
	for _, s := range a.spans {
		shown += s.length()
	}
	x, room := left, right-left-cut*float64(len(a.spans)-1)
	for i := range a.spans {
		s := &a.spans[i]
		s.x, s.w = x, room*float64(s.length())/float64(shown)
		x += s.w + cut
	}
	for i := range a.idle {
		s := &a.idle[i]
		s.x = a.at(s.from)
		s.w = a.at(s.to) - s.x
	}
	a.bin = niceTime(shown / time.Duration(most))
	return a
}

// at is where a time is drawn.
func (a *axis) at(t time.Time) float64 {
	x := a.left
	for _, s := range a.spans {
		if t.Before(s.from) {
			return x
		}
		x = s.x + s.w*min(1, float64(t.Sub(s.from))/float64(s.length()))
	}
	return x
}

var niceTimes = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
}

// niceTime is the first round time that is not below least.
func niceTime(least time.Duration) time.Duration {
	const day = 24 * time.Hour
	for _, d := range niceTimes {
		if d >= least {
			return d
		}
	}
	return (least + day - 1) / day * day
}

// A column is a bin of time.
type column struct {
	span
	sum float64
}

// columns are bins, and sum gives of each second that has something how much.
func (a *axis) columns(each func(add func(time.Time, float64))) (list []column) {
	for _, s := range a.spans {
		for from := s.from; from.Before(s.to); from = from.Add(a.bin) {
			to := from.Add(a.bin)
			if s.to.Before(to) {
				to = s.to
			}
			x := a.at(from)
			list = append(list, column{span: span{from: from, to: to, x: x, w: a.at(to) - x}})
		}
	}
	each(func(t time.Time, n float64) {
		i, _ := slices.BinarySearchFunc(list, t, func(c column, t time.Time) int { return c.from.Compare(t.Add(1)) })
		list[max(0, i-1)].sum += n
	})
	return list
}

// Heights of the parts of the drawing.
const (
	rateHeight  = 150
	retryHeight = 56
	laneHeight  = 10
	maxLanes    = 24
)

// draw draws the rate, the retries and the processes over the same time.
func (c *Course) draw(width float64, most int) drawing {
	const left, right, head = 46, 12, 30
	d := drawing{W: width, Says: "rate, retries and processes over time"}
	a := newAxis(c.work(), left, width-right, most)
	y := c.drawRate(&d, a, head)
	if len(c.Retries) > 0 {
		y = c.drawRetries(&d, a, y+head+10)
	}
	y = c.drawLanes(&d, a, y+head)
	a.drawTimes(&d, head, y, c.zoned)
	d.H = y + 40
	return d
}

func (c *Course) zoned(t time.Time) time.Time { return t.In(c.Processes[0].Begun.Location()) }

// drawRate draws what BOSS took a second, and gives where it ends.
func (c *Course) drawRate(d *drawing, a *axis, top float64) float64 {
	list := a.columns(func(add func(time.Time, float64)) {
		for _, p := range c.Posts {
			add(p.At, float64(p.Bytes)/1e6)
		}
	})
	most := 0.0
	for i := range list {
		list[i].sum /= list[i].length().Seconds()
		most = max(most, list[i].sum)
	}
	title := fmt.Sprintf("MB/s posted, in steps of %s", ShortTime(a.bin))
	a.drawColumns(d, list, top, rateHeight, most, "rate", title, func(c column) string { return fmt.Sprintf("%.1f MB/s", c.sum) })
	return top + rateHeight
}

func (c *Course) drawRetries(d *drawing, a *axis, top float64) float64 {
	list := a.columns(func(add func(time.Time, float64)) {
		for _, t := range c.Retries {
			add(t, 1)
		}
	})
	most := 0.0
	for _, b := range list {
		most = max(most, b.sum)
	}
	a.drawColumns(d, list, top, retryHeight, most, "again", "requests sent again, each "+ShortTime(a.bin),
		func(c column) string {
			return strings.Replace(human.Count(int64(c.sum), "retry"), "retrys", "retries", 1)
		})
	return top + retryHeight
}

// drawColumns draws bars from 0 to most, with a scale.
func (a *axis) drawColumns(d *drawing, list []column, top, height, most float64, class, title string, says func(column) string) {
	step, digits := niceScale(most, int(height/36))
	most = max(step, step*ceil(most/step))
	d.Labels = append(d.Labels, label{0, top - 14, title, "start", false})
	for v := 0.0; v <= most*1.0001; v += step {
		y := top + height - height*v/most
		for _, s := range a.spans {
			d.Back = append(d.Back, shape{"rule", fmt.Sprintf("M%s %sh%s", num(s.x), num(y), num(s.w))})
		}
		d.Labels = append(d.Labels, label{a.left - 7, y + 4, fmt.Sprintf("%.*f", digits, v), "end", true})
	}
	for _, s := range a.idle {
		d.Spots = append(d.Spots, spot{"nobody worked for " + ShortTime(s.length()), []shape{{"idle", box(s.x, top, max(1, s.w), height)}}})
	}
	for _, c := range list {
		if c.sum == 0 {
			continue
		}
		h := max(1, height*c.sum/most)
		gap := min(1, c.w/4)
		d.Spots = append(d.Spots, spot{
			c.from.Format(time.DateTime) + ": " + says(c),
			[]shape{{class, box(c.x, top+height-h, c.w-gap, h)}},
		})
	}
}

func ceil(f float64) float64 {
	n := float64(int64(f))
	if n < f-1e-9 {
		n++
	}
	return n
}

// niceScale is a step of 1, 2 or 5 times a power of ten, of which at most n reach
// most, and how many digits after the point it has.
func niceScale(most float64, n int) (step float64, digits int) {
	if most >= float64(n) {
		return float64(niceStep(int(ceil(most)), n)), 0
	}
	if most <= 0 {
		return 1, 0
	}
	unit := 1.0
	for digits = 0; digits < 6 && unit*float64(n) > most; digits++ {
		unit /= 10
	}
	for _, k := range []float64{1, 2, 5, 10} {
		if unit*k*float64(n) >= most {
			return unit * k, digits
		}
	}
	return unit * 10, digits
}

// lanes puts processes that did not work at one time into one lane.
func lanes(list []Process) (lane []int, n int) {
	var free []time.Time // by lane
	for _, p := range list {
		i := slices.IndexFunc(free, func(t time.Time) bool { return !t.After(p.Begun) })
		if i < 0 {
			i = len(free)
			free = append(free, time.Time{})
		}
		free[i] = later(p.Ended, p.Begun).Add(time.Second)
		lane = append(lane, i)
	}
	return lane, len(free)
}

var endClasses = [...]string{Done: "done", Gaps: "gaps", Stopped: "stopped", Working: "working"}

// drawLanes draws when which process worked.
func (c *Course) drawLanes(d *drawing, a *axis, top float64) float64 {
	lane, n := lanes(c.Processes)
	title := human.Count(len(c.Processes), "process")
	if len(c.Processes) > 1 {
		title = fmt.Sprintf("%d processes", len(c.Processes))
	}
	if n > maxLanes {
		title += fmt.Sprintf(", of which the first %d at a time are drawn", maxLanes)
	}
	d.Labels = append(d.Labels, label{0, top - 9, title, "start", false})
	for i, p := range c.Processes {
		if lane[i] >= maxLanes {
			continue
		}
		x, end := a.at(p.Begun), a.at(later(p.Ended, p.Begun).Add(time.Second))
		y := top + laneHeight*float64(lane[i])
		d.Spots = append(d.Spots, spot{
			fmt.Sprintf("process %d on %s, z %s: %s", p.PID, p.Host, p.Share, p.How),
			[]shape{{"lane " + endClasses[p.End], box(x, y, max(2, end-x-1), laneHeight-2)}},
		})
	}
	return top + laneHeight*float64(min(n, maxLanes))
}

// drawTimes draws the scale of the times, and what is cut out.
func (a *axis) drawTimes(d *drawing, top, bottom float64, zoned func(time.Time) time.Time) {
	const room = 64
	free := a.left - 20 // up to where there are labels
	day := ""
	put := func(t time.Time, x float64) {
		t = zoned(t)
		d.Front = append(d.Front, shape{"tick", fmt.Sprintf("M%s %sv5", num(x), num(bottom+3))})
		if x < free {
			return
		}
		form := "15:04:05"
		if a.bin >= time.Minute {
			form = "15:04"
		}
		at := "middle"
		if x+room/2 > a.right+12 {
			at = "end"
		}
		d.Labels = append(d.Labels, label{x, bottom + 20, t.Format(form), at, true})
		if now := t.Format("2 Jan"); now != day {
			d.Labels = append(d.Labels, label{x, bottom + 34, now, at, true})
			day = now
		}
		free = x + room
	}
	for i, s := range a.spans {
		if i > 0 {
			before := a.spans[i-1]
			x := before.x + before.w
			d.Spots = append(d.Spots, spot{"nobody worked for " + ShortTime(s.from.Sub(before.to)), []shape{{"idle", box(x+3, top, cut-6, bottom-top)}}})
		}
		put(s.from, s.x)
		step := niceTime(time.Duration(float64(s.length()) * room * 1.3 / max(room, s.w)))
		for t := s.from.Truncate(step).Add(step); t.Before(s.to); t = t.Add(step) {
			// The beginning of the next span is told, rather than what is in front of it.
			if x := a.at(t); x-s.x > room && (i == len(a.spans)-1 || a.spans[i+1].x-x > room) {
				put(t, x)
			}
		}
	}
}

// ShortTime is a time in its two largest units, like "3 h 12 min".
func ShortTime(d time.Duration) string {
	d = d.Round(time.Second)
	units := []struct {
		name string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
	var words []string
	for _, u := range units {
		if n := d / u.size; n > 0 && len(words) < 2 {
			words = append(words, fmt.Sprintf("%d %s", n, u.name))
			d -= n * u.size
		} else if len(words) > 0 {
			break
		}
	}
	if words == nil {
		return "less than 1 s"
	}
	return strings.Join(words, " ")
}

// TooShort reports whether there is too little to draw, or to divide by: journals
// have times to the second.
func (c *Course) TooShort() bool { return len(c.Processes) == 0 || c.Worked() < 4*time.Second }
