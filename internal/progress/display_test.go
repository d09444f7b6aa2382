package progress_test

import (
	"errors"
	"io"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A screen is a terminal: it shows what a person would see.
type screen struct {
	mu     sync.Mutex
	lines  []string // the last is where the cursor is
	column int
	widest int
	writes int
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	if len(s.lines) == 0 {
		s.lines = []string{""}
	}
	for _, c := range p {
		last := &s.lines[len(s.lines)-1]
		switch c {
		case '\r':
			s.column = 0
		case '\n':
			s.lines = append(s.lines, "")
			s.column = 0
		default:
			for len(*last) <= s.column {
				*last += " "
			}
			*last = (*last)[:s.column] + string(c) + (*last)[s.column+1:]
			s.column++
			s.widest = max(s.widest, s.column)
		}
	}
	return len(p), nil
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
		s.mu.Lock()
		s.lines[0], s.widest = "", 0 // what a terminal does with the old line is its affair
		s.mu.Unlock()
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
