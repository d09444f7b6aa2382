package progress_test

import (
	"errors"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A screen is a terminal: it shows what a person would see.
type screen struct {
	mu     sync.Mutex
	lines  []string
	row    int // where the cursor is
	column int
	widest int
	writes int
	colors int
}

var escape = regexp.MustCompile("^\x1b\\[([0-9]*)([A-Za-z])")

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	if len(s.lines) == 0 {
		s.lines = []string{""}
	}
	for rest := p; len(rest) > 0; {
		if rest[0] != '\x1b' {
			s.print(rest[0])
			rest = rest[1:]
			continue
		}
		m := escape.FindSubmatch(rest)
		if m == nil {
			panic("an escape that is no sequence")
		}
		n, _ := strconv.Atoi(string(m[1]))
		s.obey(string(m[2]), n)
		rest = rest[len(m[0]):]
	}
	return len(p), nil
}

func (s *screen) obey(command string, n int) {
	line := &s.lines[s.row]
	switch command {
	case "A":
		s.row = max(0, s.row-max(1, n))
	case "K", "J":
		*line = (*line)[:min(s.column, len(*line))]
		if command == "J" {
			s.lines = s.lines[:s.row+1]
		}
	case "m":
		s.colors++
	default:
		panic("a sequence that not every terminal knows: " + command)
	}
}

func (s *screen) print(c byte) {
	line := &s.lines[s.row]
	switch c {
	case '\r':
		s.column = 0
	case '\n':
		if s.row++; s.row == len(s.lines) {
			s.lines = append(s.lines, "")
		}
		s.column = 0
	default:
		for len(*line) <= s.column {
			*line += " "
		}
		*line = (*line)[:s.column] + string(c) + (*line)[s.column+1:]
		s.column++
		s.widest = max(s.widest, s.column)
	}
}

// narrow breaks the lines that have more columns, as a terminal does whose
// window becomes narrower.
func (s *screen) narrow(columns int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, line := range s.lines {
		for len(line) > columns {
			lines = append(lines, line[:columns])
			line = line[columns:]
		}
		lines = append(lines, line)
	}
	s.lines, s.row, s.column, s.widest = lines, len(lines)-1, len(lines[len(lines)-1]), 0
}

// shown is what is on the screen, without blanks at the ends of lines.
func (s *screen) shown() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, line := range s.lines {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

func (s *screen) last() string {
	lines := s.shown()
	return lines[len(lines)-1]
}

func columns(n int) func() int { return func() int { return n } }

func wantLine(t *testing.T, when, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\ngot  %q\nwant %q", when, got, want)
	}
}

func TestTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s screen
		c := progress.NewCounter(voxel.Uint8, 100, 100e6)
		d := progress.Start(&s, c, progress.Options{Terminal: true, Width: columns(80)})
		synctest.Wait()
		wantLine(t, "at the start", s.last(),
			"[>                           ]   0%  time left unknown  0/100 cuboids  0.0 MB/s")

		for range 25 { // 2.5 MB/s
			time.Sleep(400 * time.Millisecond)
			c.Posted(box, time.Second)
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		c.Failed(box, errors.New("x"))
		c.Missing(1, errors.New("x"))
		for range 25 {
			time.Sleep(400 * time.Millisecond)
			c.Empty(box)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		d.Stop()
		d.Stop()
		wantLine(t, "at the end", s.shown()[0], "[=====>     ]  51%  1 failed  1 slice missing  in 21s  51/100 cuboids  2.4 MB/s")
		if lines := s.shown(); len(lines) != 2 || lines[1] != "" {
			t.Errorf("the last line is not finished: %q", lines)
		}
		if s.widest > 79 {
			t.Errorf("a line of %d columns", s.widest)
		}
		writes := s.writes
		time.Sleep(time.Minute)
		if s.writes != writes {
			t.Error("drawn after Stop")
		}
	})
}

// The rate is that of the last half minute, not of the whole run.
func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s screen
		c := progress.NewCounter(voxel.Uint8, 1000, 1000e6)
		d := progress.Start(&s, c, progress.Options{Terminal: true, Width: columns(60)})
		defer d.Stop()
		post := func(n int, every time.Duration) {
			for range n {
				time.Sleep(every)
				c.Posted(box, every)
			}
			synctest.Wait()
		}
		check := func(when, want string) {
			t.Helper()
			if got := s.last(); !regexp.MustCompile(want).MatchString(got) {
				t.Errorf("%s: %q, want %s", when, got, want)
			}
		}
		time.Sleep(50 * time.Millisecond) // from here between two drawings
		post(300, time.Second/5)
		check("5 MB/s for a minute", "2m(19|20)s left  299/1000 cuboids  5.0 MB/s$")
		post(40, time.Second)
		check("then 1 MB/s for 40 s", "1[01]m..s left  339/1000 cuboids  1.0 MB/s$")
		post(18, 10*time.Second)
		check("large cuboids, 10 s apart", "1h[45].m left  357/1000 cuboids  0.1 MB/s$")
		time.Sleep(time.Hour)
		synctest.Wait()
		check("after an hour of nothing", "[12]d..h left  358/1000 cuboids  0.0 MB/s$")
	})
}

// Large cuboids arrive eight at a time, minutes apart: the time left follows
// all the same, and is not unknown between two bursts.
func TestRateOfBursts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s screen
		c := progress.NewCounter(voxel.Uint8, 800, 800e6)
		d := progress.Start(&s, c, progress.Options{Terminal: true, Width: columns(40)})
		defer d.Stop()
		left := regexp.MustCompile(`(\d+)h(\d+)m left`)
		for burst := range 50 {
			for part := range 4 {
				time.Sleep(30 * time.Second)
				if burst < 3 {
					continue
				}
				synctest.Wait()
				m := left.FindStringSubmatch(s.last())
				if m == nil {
					t.Fatalf("burst %d: %q", burst, s.last())
				}
				hours, _ := strconv.Atoi(m[1])
				minutes, _ := strconv.Atoi(m[2])
				if got, want := hours*60+minutes, 2*(100-burst); got < want*9/10 || got > want*16/10 {
					t.Fatalf("burst %d, part %d: %d minutes left, want about %d", burst, part, got, want)
				}
			}
			for range 8 {
				c.Posted(box, 2*time.Minute)
			}
		}
	})
}

func TestPlainLines(t *testing.T) {
	for _, tt := range []struct {
		every, want time.Duration
	}{{0, 30 * time.Second}, {5 * time.Second, 5 * time.Second}, {time.Hour, time.Hour}} {
		synctest.Test(t, func(t *testing.T) {
			var s screen
			c := progress.NewCounter(voxel.Uint8, 10, 10e6)
			d := progress.Start(&s, c, progress.Options{Every: tt.every})
			time.Sleep(tt.want / 2)
			c.Posted(box, time.Second)
			time.Sleep(tt.want/2 - 1)
			synctest.Wait()
			if got := s.shown(); len(got) != 0 {
				t.Errorf("too early: %q", got)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			d.Println("a warning")
			time.Sleep(tt.want)
			synctest.Wait()
			c.Posted(box, time.Second)
			d.Stop()
			got := s.shown()
			if len(got) != 5 || !strings.HasPrefix(got[0], "10%  ") || got[1] != "a warning" ||
				!strings.HasPrefix(got[2], "10%  ") || !strings.HasPrefix(got[3], "20%  in ") || got[4] != "" {
				t.Errorf("%q", got)
			}
		})
	}
}

// Nothing is ever NaN, infinite or wider than the terminal, whatever the numbers.
func TestExtremes(t *testing.T) {
	for _, total := range []int64{0, 1, 1e6, 9e16} {
		for _, width := range []int{-1, 0, 1, 2, 5, 20, 50, 79, 80, 81, 300} {
			synctest.Test(t, func(t *testing.T) {
				var s screen
				c := progress.NewCounter(voxel.Uint8, total/1e6, total)
				d := progress.Start(&s, c, progress.Options{Terminal: true, Width: columns(width)})
				check := func() {
					t.Helper()
					synctest.Wait()
					if got := strings.Join(s.shown(), "\n"); strings.Contains(got, "NaN") || strings.Contains(got, "Inf") || strings.Contains(got, "-") {
						t.Errorf("total %d, width %d: %q", total, width, got)
					}
				}
				check()
				c.Posted(box, 0) // in no time at all
				check()
				time.Sleep(time.Second)
				c.Failed(box, errors.New("x"))
				c.Posted(box, 0) // more than the total
				time.Sleep(time.Second)
				check()
				d.Stop()
				check()
				if width > 0 && s.widest >= width || s.widest > 120 {
					t.Errorf("width %d: a line of %d columns", width, s.widest)
				}
			})
		}
	}
}

// A window that becomes narrower does not break the line.
func TestNarrower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s screen
		var mu sync.Mutex
		width := 100
		c := progress.NewCounter(voxel.Uint8, 10, 10e6)
		d := progress.Start(&s, c, progress.Options{Terminal: true, Width: func() int {
			mu.Lock()
			defer mu.Unlock()
			return width
		}})
		time.Sleep(time.Second)
		synctest.Wait()
		mu.Lock()
		width = 12
		mu.Unlock()
		s.narrow(12)
		time.Sleep(time.Second)
		d.Println("ok")
		d.Stop()
		if s.widest > 11 {
			t.Errorf("a line of %d columns", s.widest)
		}
		if got := s.shown(); got[0] != "ok" || strings.TrimSpace(got[1]) != "0%  in 2s" {
			t.Errorf("%q", got)
		}
	})
}

// Messages from anywhere appear whole, above the line, and the line stays.
func TestMessages(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var s screen
			c := progress.NewCounter(voxel.Uint8, 100, 100e6)
			d := progress.Start(&s, c, progress.Options{Terminal: terminal, Width: columns(70)})
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					for j := range 10 {
						time.Sleep(37 * time.Millisecond)
						d.Println("message", i, j)
						c.Posted(box, time.Second)
					}
				})
			}
			wg.Wait()
			log := slog.New(slog.NewTextHandler(d, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}}))
			log.Warn("slow")
			io.WriteString(d, "one\ntw")
			io.WriteString(d, "o")
			io.WriteString(d, "\nrest")
			time.Sleep(time.Second)
			synctest.Wait()
			if terminal && !strings.HasSuffix(s.last(), "80/100 cuboids  66.7 MB/s") {
				t.Errorf("the line is not the last: %q", s.last())
			}
			d.Stop()
			d.Println("after")
			io.WriteString(d, "as it is")
			got := s.shown()
			for i := range 80 {
				if !regexp.MustCompile(`^message \d \d$`).MatchString(got[i]) {
					t.Errorf("line %d is %q", i, got[i])
				}
			}
			want := []string{"level=WARN msg=slow", "one", "two", "<the numbers>", "rest", "after", "as it is"}
			tail := got[80:]
			if len(tail) != len(want) {
				t.Fatalf("got %q\nwant %q", tail, want)
			}
			for i := range want {
				if got := tail[i]; got != want[i] && !(i == 3 && strings.Contains(got, "80%  in 1s")) {
					t.Errorf("line %d is %q, want %q", i, got, want[i])
				}
			}
		})
	}
}

// A terminal that is gone does not stop the work, but who writes is told.
func TestBrokenWriter(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	d := progress.Start(w, progress.NewCounter(voxel.Uint8, 1, 1), progress.Options{Terminal: true})
	defer d.Stop()
	if _, err := io.WriteString(d, "hello\n"); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Write: %v, want io.ErrClosedPipe", err)
	}
}

// vitals are those of a run that goes well, and then does not.
func vitals(retries int64, trouble string, since time.Time) func() progress.Vitals {
	start := time.Now()
	return func() progress.Vitals {
		seconds := int64(time.Since(start).Seconds())
		return progress.Vitals{Read: seconds * 3e6, Sent: seconds * 1e6, Workers: 6, Allowed: 8, Retries: retries, Trouble: trouble, Since: since}
	}
}

func TestBlock(t *testing.T) {
	trouble := "POST https://api.bossdb.io/v1/cutout/lab/fly/em/0/0:1024/0:1024/0:16/: 503: the endpoint is down"
	for _, tt := range []struct {
		width   int
		retries int64
		trouble string
		want    []string
	}{
		{80, 0, "", []string{
			"[================>                       ]  40%  15s left",
			"read 3.0 MB/s  sent 1.0 MB/s  60 cuboids left  6 of 8 workers"}},
		{200, 0, "", []string{
			"[================>                       ]  40%  15s left",
			"read 3.0 MB/s  sent 1.0 MB/s  60 cuboids left  6 of 8 workers"}},
		{60, 12, trouble, []string{
			"[================>                       ]  40%  15s left",
			"read 3.0 MB/s  sent 1.0 MB/s  60 cuboids left",
			"12 retries  1m10s ago: POST https://api.bossdb.io/v1/cutout"}},
		{31, 1, trouble, []string{
			"[=====>       ]  40%  15s left",
			"read 3.0 MB/s  sent 1.0 MB/s",
			"1 retry  1m10s ago: POST https"}},
		{4, 0, "", []string{" 40", "rea"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			var s screen
			c := progress.NewCounter(voxel.Uint8, 100, 100e6)
			since := time.Now().Add(-time.Minute)
			d := progress.Start(&s, c, progress.Options{Terminal: true, Width: columns(tt.width), Vitals: vitals(tt.retries, tt.trouble, since)})
			time.Sleep(500 * time.Millisecond) // between two drawings
			for range 10 {
				for range 4 {
					c.Posted(box, time.Second)
				}
				d.Println("a message")
				time.Sleep(time.Second - 50*time.Millisecond)
			}
			synctest.Wait()
			got := s.shown()
			for i, line := range got[:10] {
				if line != "a message" {
					t.Errorf("%d columns: message %d is %q", tt.width, i, line)
				}
			}
			if !slices.Equal(got[10:], tt.want) {
				t.Errorf("%d columns:\ngot  %q\nwant %q", tt.width, got[10:], tt.want)
			}
			d.Stop()
			if got := s.shown(); len(got) != 12 || got[11] != "" || !strings.Contains(got[10], " 40%"[:min(4, tt.width-1)]) {
				t.Errorf("%d columns: at the end %q", tt.width, got[10:])
			}
		})
	}
}

// While nothing arrives the block says so, and what the trouble is.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s screen
		c := progress.NewCounter(voxel.Uint8, 100, 100e6)
		d := progress.Start(&s, c, progress.Options{Terminal: true, Color: true, Width: columns(100), Vitals: vitals(3, "BOSS is away", time.Now())})
		defer d.Stop()
		time.Sleep(time.Second)
		c.Posted(box, time.Second)
		time.Sleep(50 * time.Second)
		synctest.Wait()
		if got := s.shown()[0]; strings.Contains(got, "nothing") {
			t.Errorf("too early: %q", got)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		got := s.shown()
		if !strings.Contains(got[0], "nothing finished for 3m50s") || got[2] != "3 retries  3m51s ago: BOSS is away" {
			t.Errorf("%q", got)
		}
		if s.colors == 0 {
			t.Error("the trouble has no color")
		}
		if st := d.Status(); st.Retries != 3 || st.Posted != 1 || st.Elapsed != 231*time.Second || st.Rate <= 0 {
			t.Errorf("the status is %+v", st)
		}
	})
}

// A window that becomes narrower breaks the block; the next drawing takes all of
// it away, and nothing else.
func TestNarrowerBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s screen
		var width atomic.Int64
		width.Store(100)
		c := progress.NewCounter(voxel.Uint8, 10, 10e6)
		d := progress.Start(&s, c, progress.Options{Terminal: true, Width: func() int { return int(width.Load()) }, Vitals: vitals(2, "BOSS is away", time.Now())})
		d.Println("first")
		time.Sleep(time.Second)
		synctest.Wait()
		width.Store(20)
		s.narrow(20)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := s.shown(); len(got) != 4 || got[0] != "first" || !strings.HasPrefix(got[1], "  0%") {
			t.Errorf("%q", got)
		}
		d.Stop()
	})
}

// Without a terminal the vitals come at the end of each line.
func TestPlainVitals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s screen
		c := progress.NewCounter(voxel.Uint8, 10, 10e6)
		d := progress.Start(&s, c, progress.Options{Vitals: vitals(2, "", time.Time{})})
		defer d.Stop()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		wantLine(t, "after 30 s", s.shown()[0], "0%  time left unknown  0/10 cuboids  0.0 MB/s  sent 1.0 MB/s  6 of 8 workers  2 retries")
	})
}
