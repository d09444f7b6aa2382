package pace

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Timetable says what rate holds when. The zero value has no limit, ever.
type Timetable struct {
	entries []entry // as written, sorted; a constant has one entry with day always
	week    []change
}

// An entry is from a minute of a day on.
type entry struct {
	day    int // 0 is Sunday, as of time.Weekday; or one of the following
	minute int // of the day
	rate   Rate
}

const (
	daily  = -1
	always = -2
)

// A change is an entry at one minute of the week, counted from Sunday 00:00.
type change struct {
	minute int
	rate   Rate
}

const (
	minutesADay = 24 * 60
)

// maxEntries is one for each hour of the week.
const maxEntries = 7 * 24

var days = []string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

const tableForm = `want a rate like 10M or off, or a timetable like "08:00,5M 19:00,off" or "Mon-08:00,5M Sat-00:00,off"`

// ParseTimetable reads what rclone's --bwlimit takes: a rate that always holds,
// see [ParseRate], or entries "HH:MM,RATE" or "DAY-HH:MM,RATE" with spaces
// between them. Each holds until the next one, in the time of the place that
// [Timetable.At] is asked with, around the week; one without a day is for each
// day that has no entry of its own at that time. The rate is that of what is sent: rclone's "up:down" is not taken.
func ParseTimetable(s string) (Timetable, error) {
	if !strings.Contains(s, ",") {
		return parseConstant(s)
	}
	fields := strings.Fields(s)
	if len(fields) > maxEntries {
		return Timetable{}, fmt.Errorf("a timetable of %d entries: want at most %d", len(fields), maxEntries)
	}
	var t Timetable
	for _, f := range fields {
		e, err := parseEntry(f)
		if err != nil {
			return Timetable{}, err
		}
		t.entries = append(t.entries, e)
	}
	if err := t.lay(); err != nil {
		return Timetable{}, err
	}
	return t, nil
}

func parseConstant(s string) (Timetable, error) {
	rate, err := ParseRate(s)
	switch {
	case err == nil && rate == 0:
		return Timetable{}, nil
	case err == nil:
		return Timetable{[]entry{{always, 0, rate}}, []change{{0, rate}}}, nil
	case strings.TrimSpace(s) == "":
		return Timetable{}, errors.New("no rate: " + tableForm)
	case strings.Contains(s, ":"):
		return Timetable{}, fmt.Errorf("%q is neither a rate nor an entry of a timetable: %s", s, tableForm)
	}
	return Timetable{}, err
}

func parseEntry(s string) (entry, error) {
	e := entry{day: daily}
	when, rate, ok := strings.Cut(s, ",")
	if !ok {
		return e, fmt.Errorf("the entry %q has no comma: want HH:MM,RATE or DAY-HH:MM,RATE", s)
	}
	if day, clock, ok := strings.Cut(when, "-"); ok {
		e.day = slices.IndexFunc(days, func(d string) bool { return strings.EqualFold(d, day) })
		if e.day < 0 {
			return e, fmt.Errorf("the entry %q names the day %q: want one of %s", s, day, strings.Join(days, ", "))
		}
		when = clock
	}
	clock, err := time.Parse("15:04", when)
	if err != nil || len(when) != len("15:04") {
		return e, fmt.Errorf("the entry %q starts at %q: want a time from 00:00 to 23:59", s, when)
	}
	e.minute = clock.Hour()*60 + clock.Minute()
	if e.rate, err = ParseRate(rate); err != nil {
		return e, fmt.Errorf("the entry %q: %w", s, err)
	}
	return e, nil
}

// lay lays the entries out over the week. Those for one day go before those for
// each day.
func (t *Timetable) lay() error {
	slices.SortFunc(t.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.minute, b.minute))
	})
	for i, e := range t.entries {
		if i > 0 && e.day == t.entries[i-1].day && e.minute == t.entries[i-1].minute {
			return fmt.Errorf("the timetable has two rates for %s", e.when())
		}
		for day := range days {
			if e.day == day || e.day < 0 && !t.has(day, e.minute) {
				t.week = append(t.week, change{day*minutesADay + e.minute, e.rate})
			}
		}
	}
	slices.SortFunc(t.week, func(a, b change) int { return cmp.Compare(a.minute, b.minute) })
	return nil
}

// has reports whether there is an entry for this day alone.
func (t *Timetable) has(day, minute int) bool {
	return slices.ContainsFunc(t.entries, func(e entry) bool { return e.day == day && e.minute == minute })
}

// At is the rate that holds at a moment, by the clock of its location.
func (t Timetable) At(now time.Time) Rate {
	if len(t.week) == 0 {
		return 0
	}
	minute := int(now.Weekday())*minutesADay + now.Hour()*60 + now.Minute()
	i, found := slices.BinarySearchFunc(t.week, minute, func(c change, m int) int { return cmp.Compare(c.minute, m) })
	if !found {
		i--
	}
	return t.week[(i+len(t.week))%len(t.week)].rate // the week goes around
}

// Limits reports whether a limit ever holds.
func (t Timetable) Limits() bool {
	return slices.ContainsFunc(t.week, func(c change) bool { return c.rate > 0 })
}

// String is what ParseTimetable reads.
func (t Timetable) String() string {
	if len(t.entries) == 0 {
		return "off"
	}
	if t.entries[0].day == always {
		return t.entries[0].rate.String()
	}
	var out []string
	for _, e := range t.entries {
		out = append(out, e.when()+","+e.rate.String())
	}
	return strings.Join(out, " ")
}

// when is the moment as ParseTimetable reads it.
func (e entry) when() string {
	clock := fmt.Sprintf("%02d:%02d", e.minute/60, e.minute%60)
	if e.day < 0 {
		return clock
	}
	return days[e.day] + "-" + clock
}
