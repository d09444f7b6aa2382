package slack_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/neurodata/ndpush/internal/slack"
	"github.com/neurodata/ndpush/internal/voxel"
)

var box = voxel.NewBox(voxel.Range{Min: 0, Max: 1024}, voxel.Range{Min: 1024, Max: 2048}, voxel.Range{Min: 16, Max: 32})

// A messenger keeps what it gets, and when.
type messenger struct {
	mu    sync.Mutex
	start time.Time
	got   []string
	err   error         // is returned instead
	slow  time.Duration // before anything is taken
	files bool
}

func (m *messenger) Send(ctx context.Context, text string) error {
	select {
	case <-time.After(m.slow):
	case <-ctx.Done():
		return ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.got = append(m.got, fmt.Sprintf("%v %s", time.Since(m.start), text))
	return nil
}

func (m *messenger) Upload(ctx context.Context, name, text string) error {
	if !m.files {
		return errors.ErrUnsupported
	}
	return m.Send(ctx, name+": "+text)
}

func (m *messenger) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

// telling runs f in a bubble, with a Notifier that has a messenger and a list of
// what it reported.
func telling(t *testing.T, m *messenger, log string, f func(t *testing.T, n *slack.Notifier, reported *[]string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var reported []string
		m.start = time.Now()
		n := slack.Start(m, slack.About{Title: "lab/fly/em", Log: log, Report: func(format string, args ...any) {
			reported = append(reported, fmt.Sprintf(format, args...))
		}})
		f(t, n, &reported)
		n.Close(t.Context())
	})
}

func check(t *testing.T, got, want []string) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// A message begins the trouble; those that follow are a minute apart and count.
func TestOnceAMinute(t *testing.T) {
	m := &messenger{}
	telling(t, m, "", func(t *testing.T, n *slack.Notifier, reported *[]string) {
		time.Sleep(10 * time.Second)
		n.Posted(box, time.Second)
		n.Empty(box)
		n.Failed(box, errors.New("boss: <500> & so on\nmore"))
		synctest.Wait()
		time.Sleep(time.Second / 2)
		for i := range 150 { // two and a half minutes of trouble, 100 a second
			time.Sleep(time.Second)
			for range 100 {
				n.Failed(box, fmt.Errorf("reason %d", i))
			}
			n.Missing(i, errors.New("no such file"))
		}
		time.Sleep(time.Hour) // peace
		n.Missing(7, errors.New("no such file"))
		time.Sleep(time.Minute - 1)
		n.Missing(8, errors.New("no such file"))
		n.Missing(9, errors.New("no such file"))
		time.Sleep(time.Minute)
		synctest.Wait()
		check(t, *reported, nil)
	})
	check(t, m.got, []string{
		"10s :warning: lab/fly/em: 1 cuboid failed\ncuboid 0:1024/1024:2048/16:32: boss: &lt;500&gt; &amp; so on",
		"1m10s :warning: lab/fly/em: 5900 cuboids failed, 59 slices missing since the last message; in all 5901 cuboids failed, 59 slices missing\ncuboid 0:1024/1024:2048/16:32: reason 0",
		"2m10s :warning: lab/fly/em: 6000 cuboids failed, 60 slices missing since the last message; in all 11901 cuboids failed, 119 slices missing\ncuboid 0:1024/1024:2048/16:32: reason 59",
		"3m10s :warning: lab/fly/em: 3100 cuboids failed, 31 slices missing since the last message; in all 15001 cuboids failed, 150 slices missing\ncuboid 0:1024/1024:2048/16:32: reason 119",
		"1h2m40.5s :warning: lab/fly/em: 1 slice missing since the last message; in all 15001 cuboids failed, 151 slices missing\nslice 7: no such file",
		"1h3m40.5s :warning: lab/fly/em: 2 slices missing since the last message; in all 15001 cuboids failed, 153 slices missing\nslice 8: no such file",
	})
}

// Slack that is down is reported once, tried once a minute, and gets the counts
// when it is back.
func TestSlackDown(t *testing.T) {
	m := &messenger{err: errors.New("slack: down")}
	telling(t, m, "", func(t *testing.T, n *slack.Notifier, reported *[]string) {
		n.Failed(box, errors.New("first"))
		time.Sleep(5*time.Minute + 1)
		n.Failed(box, errors.New("second"))
		m.fail(errors.New("slack: really down"))
		time.Sleep(5 * time.Minute)
		m.fail(nil)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		check(t, m.got, []string{"11m0s :warning: lab/fly/em: 2 cuboids failed\ncuboid 0:1024/1024:2048/16:32: first"})
		m.fail(errors.New("slack: really down"))
		n.Failed(box, errors.New("third"))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		check(t, *reported, []string{"slack: down", "slack: really down", "slack: really down"})
	})
}

// Whoever records waits for nobody, and the end is soon, however slow Slack is.
func TestSlackHangs(t *testing.T) {
	m := &messenger{slow: 1000 * time.Hour}
	telling(t, m, "", func(t *testing.T, n *slack.Notifier, reported *[]string) {
		start := time.Now()
		for range 10000 {
			n.Failed(box, errors.New("no"))
			n.Missing(3, errors.New("no"))
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("recording took %v", took)
		}
		time.Sleep(time.Second)
		start = time.Now()
		n.Done(t.Context(), slack.Summary{})
		if took := time.Since(start); took != 15*time.Second {
			t.Errorf("the end took %v", took)
		}
		check(t, *reported, []string{"context deadline exceeded"})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		n2 := slack.Start(m, slack.About{})
		n2.Failed(box, errors.New("no"))
		synctest.Wait()
		start = time.Now()
		n2.Close(ctx)
		n2.Done(t.Context(), slack.Summary{}) // too late: says nothing
		if took := time.Since(start); took != 0 {
			t.Errorf("closing took %v", took)
		}
	})
	check(t, m.got, nil)
}

// What is said a moment before the end is either said or in the summary.
func TestEndOfTrouble(t *testing.T) {
	m := &messenger{slow: time.Second}
	telling(t, m, "", func(t *testing.T, n *slack.Notifier, reported *[]string) {
		n.Missing(1, errors.New("no"))
		synctest.Wait()
		n.Missing(2, errors.New("no"))
		n.Done(t.Context(), slack.Summary{Posted: 1, Missing: 2, Bytes: 1e6, Took: time.Second, Err: errors.New("incomplete: 2 slices missing")})
		n.Done(t.Context(), slack.Summary{}) // only once
		check(t, *reported, nil)
	})
	check(t, m.got, []string{
		"1s :warning: lab/fly/em: 1 slice missing\nslice 1: no",
		"2s :x: lab/fly/em: incomplete: 2 slices missing\n1 cuboid posted, 0 empty, 0 failed; 2 slices missing; 977 KiB in 1s (1.0 MB/s)",
	})
}

func TestSummary(t *testing.T) {
	for _, tt := range []struct {
		s    slack.Summary
		want string
	}{
		{slack.Summary{
			Posted: 11, Empty: 2, Bytes: 123456789, Took: 61234 * time.Millisecond,
			Verdict: "lab/fly/em: verified: 3 slices: 4 cuboids equal",
			Link:    "https://neuroglancer.bossdb.io/#!%7B%22a%22&b|c",
		}, ":white_check_mark: lab/fly/em: all done\n11 cuboids posted, 2 empty, 0 failed; 0 slices missing; 118 MiB in 1m1.2s (2.0 MB/s)\nverified: 3 slices: 4 cuboids equal\n<https://neuroglancer.bossdb.io/#!%7B%22a%22&amp;b%7Cc|show it in the viewer>"},
		{slack.Summary{Err: errors.New("BOSS says <no>\nand more")}, ":x: lab/fly/em: BOSS says &lt;no&gt;"},
		{slack.Summary{Err: errors.New(strings.Repeat("é", 300))}, ":x: lab/fly/em: " + strings.Repeat("é", 200) + "…"},
		{slack.Summary{Err: fmt.Errorf("post: %w", context.Canceled), Posted: 1}, ":octagonal_sign: lab/fly/em: interrupted\n1 cuboid posted, 0 empty, 0 failed; 0 slices missing; 0 B in 0s (0.0 MB/s)"},
	} {
		m := &messenger{}
		telling(t, m, "", func(t *testing.T, n *slack.Notifier, reported *[]string) { n.Done(t.Context(), tt.s) })
		check(t, m.got, []string{"0s " + tt.want})
	}
}

// The end of the log is sent: whole lines, not too many, and no empty file.
func TestLog(t *testing.T) {
	long := strings.Repeat("x", 1000) + "\n"
	for _, tt := range []struct {
		name, text, want string
	}{
		{"empty", "", ""},
		{"short", "one\ntwo\n", "one\ntwo\n"},
		{"unfinished", "one\ntwo", "one\ntwo"},
		{"many lines", strings.Repeat("old\n", 1000) + strings.Repeat("new\n", 200), strings.Repeat("new\n", 200)},
		{"long lines", strings.Repeat(long, 100), strings.Repeat(long, 65)},
		{"one long line", strings.Repeat("x", 100<<10), strings.Repeat("x", 64<<10)},
		{"no text", "a\xff\n", "a?\n"},
	} {
		path := filepath.Join(t.TempDir(), "ingest_log_lab_fly_em.txt")
		if err := os.WriteFile(path, []byte(tt.text), 0o666); err != nil {
			t.Fatal(err)
		}
		for _, files := range []bool{true, false} {
			m := &messenger{files: files}
			telling(t, m, path, func(t *testing.T, n *slack.Notifier, reported *[]string) {
				n.Done(t.Context(), slack.Summary{})
				check(t, *reported, nil)
			})
			want := []string{"0s :white_check_mark: lab/fly/em: all done\nlog: " + path}
			if files && tt.want != "" {
				want = append(want, "0s ingest_log_lab_fly_em.txt: "+tt.want)
			}
			if !reflect.DeepEqual(m.got, want) {
				t.Errorf("%s: got %.300q\nwant %.300q", tt.name, m.got, want)
			}
		}
	}
	m := &messenger{files: true}
	telling(t, m, filepath.Join(t.TempDir(), "gone.txt"), func(t *testing.T, n *slack.Notifier, reported *[]string) {
		n.Done(t.Context(), slack.Summary{})
		if len(*reported) != 1 || !strings.Contains((*reported)[0], "the log was not sent") {
			t.Errorf("reported %q", *reported)
		}
	})
}

// A whole run, with Slack at the other end and in a bad mood.
func TestNotifierAndSlack(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log.txt")
	if err := os.WriteFile(log, []byte("a line\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.fail("chat.postMessage", limited(30), hang, refuse("not_in_channel"), limited(4))
		f.fail("files.getUploadURLExternal", limited(4))
		var reported []string
		n := slack.Start(f.client(channel(t, "#ingests")), slack.About{Title: "lab/fly/em", Log: log, Report: func(format string, args ...any) {
			reported = append(reported, fmt.Sprintf(format, args...))
		}})
		n.Failed(box, errors.New("no"))
		time.Sleep(50 * time.Second)
		start := time.Now()
		n.Done(t.Context(), slack.Summary{Err: errors.New("incomplete: 1 cuboid failed"), Failed: 1})
		if took := time.Since(start); took != 8*time.Second {
			t.Errorf("the end took %v", took)
		}
		want := []said{
			{To: "C0000000001", Text: ":x: lab/fly/em: incomplete: 1 cuboid failed\n0 cuboids posted, 0 empty, 1 failed; 0 slices missing; 0 B in 0s (0.0 MB/s)\nlog: " + log},
			{To: "C0000000001", File: "log.txt", Text: "a line\n"},
		}
		if got := f.heard(); !reflect.DeepEqual(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if len(reported) != 1 || !strings.Contains(reported[0], "the app is not in #ingests") {
			t.Errorf("reported %q", reported)
		}
	})
}

// A nil Notifier is nobody who is told.
func TestNobody(t *testing.T) {
	var n *slack.Notifier
	if err := errors.Join(n.Posted(box, 0), n.Empty(box), n.Failed(box, nil), n.Missing(0, nil)); err != nil {
		t.Error(err)
	}
	n.Done(t.Context(), slack.Summary{})
	n.Close(t.Context())
}

// Many record at one time.
func TestConcurrent(t *testing.T) {
	m := &messenger{}
	n := slack.Start(m, slack.About{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 1000 {
				n.Failed(box, errors.New("no"))
				n.Missing(i, errors.New("no"))
			}
		})
	}
	wg.Wait()
	wg.Go(func() { n.Close(t.Context()) })
	n.Done(t.Context(), slack.Summary{})
	wg.Wait()
}

// An outage is trouble like any other.
func TestOutage(t *testing.T) {
	m := new(messenger)
	telling(t, m, "", func(t *testing.T, n *slack.Notifier, _ *[]string) {
		n.Outage("nothing gets through since 12:00:00")
		synctest.Wait()
	})
	check(t, m.got, []string{"0s :warning: lab/fly/em: 1 outage\nnothing gets through since 12:00:00"})
	var silent *slack.Notifier
	silent.Outage("nobody hears it")
}
