package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/localboss"
)

// slow holds up all cutouts but the first, so that there is a middle of a run.
var slow = localboss.Fault{Kind: localboss.Latency, Method: http.MethodPost, Path: "/v1/cutout/", Skip: 3, DelayMS: 1000}

// stories is a stage with a BOSS and a stack whose channel is there.
func stories(t *testing.T, s stack) (*stage, *bossProcess) {
	g := newStage(t)
	s.write(g)
	b := g.serve()
	s.create(g)
	return g, b
}

// complete fails the test unless BOSS holds the stack and the journal knows.
func (s stack) complete(g *stage, b *bossProcess) {
	g.Helper()
	b.setFaults(0)
	s.same(b.remote, s.slice)
	g.status(0, "complete")
}

// posted waits until BOSS holds so many cutouts of the channel that p fills.
func (p *process) posted(b *bossProcess, s stack, n int) {
	p.stage.Helper()
	p.until(fmt.Sprintf("%d cutouts are posted", n), func() bool {
		cutouts, _ := b.sent(s.channel())
		return len(cutouts) >= n
	})
}

// A BOSS that is killed and comes back is waited for, and nothing is lost.
func TestBOSSKilled(t *testing.T) {
	s := small("reborn", 64)
	g, b := stories(t, s)
	b.setFaults(1, slow)
	p := g.start(s.ingest("--workers", "3")...)
	p.posted(b, s, 3)
	b.kill()
	p.until("it sees that BOSS is gone", func() bool {
		return strings.Contains(g.read("ingest_log_lab_story_reborn.txt"), "; trying again in ")
	})
	b = b.again()
	p.want(0, " 0 failed; 0 slices missing; ", "retr")
	s.complete(g, b)
	s.recorded(g, b.remote, "")
	if _, twice := b.sent(s.channel()); twice > 3 {
		t.Errorf("%d cutouts were sent twice; 3 were in flight when BOSS was killed", twice)
	}
}

// Whoever is killed before he has sent anything has done no harm.
func TestKilledAtTheStart(t *testing.T) {
	s := small("early", 64)
	g, b := stories(t, s)
	const log = "ingest_log_lab_story_early.txt"
	runs := func() int { return strings.Count(g.read(log), ": ingest --") }
	for _, moment := range []struct {
		what string
		come func(p *process, before int) bool
	}{
		{"it runs", func(*process, int) bool { return true }},
		{"it has its log", func(_ *process, before int) bool { return runs() > before }},
		{"it has its journal", func(p *process, _ int) bool { return len(g.journals("", s, p.cmd.Process.Pid)) > 0 }},
	} {
		before := runs()
		p := g.start(s.ingest()...)
		p.until(moment.what, func() bool { return moment.come(p, before) })
		p.kill()
	}
	g.run(0, s.ingest("--verify", "full")...)
	s.recorded(g, b.remote, "")
	s.complete(g, b)
}

// Whoever is killed while comparing has posted all, and compares anew.
func TestKilledWhileComparing(t *testing.T) {
	s := small("compared", 64)
	g, b := stories(t, s)
	g.run(0, s.ingest()...)
	before := b.writes().Total.Posts
	late := slow
	late.Method = http.MethodGet
	b.setFaults(1, late)
	p := g.start(s.ingest("--verify", "full", "--workers", "2")...)
	p.until("some are compared", func() bool { return b.seen() > 4 })
	p.kill()
	b.setFaults(0)
	g.status(0, "complete")
	g.start(s.ingest("--verify", "full")...).want(0, " 0 cuboids posted, ", fmt.Sprintf("verified: all slices: %d cuboids equal", s.cuboids()))
	if got := b.writes().Total.Posts; got != before {
		t.Errorf("%d cutouts were posted, all of them before", got-before)
	}
	s.complete(g, b)
}

// Whoever is killed while replacing may leave holes behind, which the same
// command fills.
func TestKilledWhileReplacing(t *testing.T) {
	s := small("replaced", 64)
	g, b := stories(t, s)
	g.run(0, s.ingest("--replace")...) // what it puts there is left alone, if it does not change
	before := b.writes().Total.Posts

	// Slices 20 to 35 are corrected: all in the second chunk, and four of the third.
	old := s
	s.seed = 77
	corrected := func(z int) []byte {
		if z >= 20 && z < 36 {
			return s.slice(z)
		}
		return old.slice(z)
	}
	for z := 20; z < 36; z++ {
		s.put(g, z, tiffOf(s.width, corrected(z)))
	}
	held := localboss.Fault{Kind: localboss.Latency, Method: http.MethodPost, Path: "/v1/cutout/", DelayMS: 3000}
	for kills := range 2 {
		b.setFaults(1, held)
		p := g.start(s.ingest("--replace", "--workers", "2")...)
		// It is erased, and what is to stand there is on its way.
		p.until("a cuboid is erased", func() bool { return b.seen() > 0 })
		p.kill()
		b.still()
		if b.writes().Total.Blacks == 0 {
			t.Fatalf("kill %d: nothing was erased", kills)
		}
		g.status(3, "unfinished")
	}
	b.setFaults(0)
	p := g.run(0, s.ingest("--replace", "--verify", "full")...)
	if !strings.Contains(p.String(), "8 done before") {
		t.Errorf("two chunks did not change, which is eight cuboids:\n%s", p)
	}
	if got := b.writes().Total.Posts - before; got > 8+2*2 {
		t.Errorf("%d cutouts were posted, where 8 are corrected and 4 were in flight", got)
	}
	s.same(b.remote, corrected)
	g.status(0, "complete")
}

// A spent quota and a locked channel end the run at once: what is refused for
// months is not asked for again.
func TestRefused(t *testing.T) {
	const workers, taken = 4, 6
	refusal := func(status, code int, message string) localboss.Fault {
		return localboss.Fault{Kind: localboss.Status, Method: http.MethodPost, Path: "/v1/cutout/", Skip: taken, Status: status, Code: code, Message: message}
	}
	for name, tt := range map[string]struct {
		fault localboss.Fault
		says  string
	}{
		"quota": {refusal(http.StatusTooManyRequests, 3004, "User is throttled. Expected available tomorrow."), "throttled"},
		"lock":  {localboss.Fault{Kind: localboss.Lock, Path: "/v1/cutout/", Skip: taken}, "Resource Locked"},
	} {
		t.Run(name, func(t *testing.T) {
			s := small(name, 64)
			g, b := stories(t, s)
			b.setFaults(1, tt.fault)
			// Finding the channel empty are GETs, which a lock does not meet.
			g.start(s.ingest("--workers", fmt.Sprint(workers))...).want(5, tt.says, "hint: nothing is lost: the same command goes on")
			if n := b.hits(); n < 1 || n > workers {
				t.Errorf("%d requests were refused, want 1 to %d: one for each worker", n, workers)
			}
			cutouts, _ := b.sent(s.channel())
			if len(cutouts) != taken {
				t.Errorf("%d cutouts are in BOSS, want %d", len(cutouts), taken)
			}
			s.recorded(g, b.remote, "")
			g.status(3, "unfinished")
			// It is refused as long as it is, by one request for each worker.
			before := b.hits()
			g.start(s.ingest("--workers", "1")...).want(5, tt.says)
			if n := b.hits() - before; n != 1 {
				t.Errorf("%d more requests were refused, want 1", n)
			}
			b.setFaults(0)
			done := len(g.pagesOf("", s, 0).done())
			g.start(s.ingest()...).want(0, fmt.Sprintf("%d done before", done))
			s.complete(g, b)
			if _, twice := b.sent(s.channel()); twice > 0 {
				t.Errorf("%d cutouts were sent twice", twice)
			}
		})
	}
}

// A token that expires ends the run; another one, and it goes on.
func TestTokenExpires(t *testing.T) {
	const workers, taken = 4, 6
	s := small("token", 64)
	g, b := stories(t, s)
	old := b.token
	b.setFaults(1, localboss.Fault{Kind: localboss.Status, Method: http.MethodPost, Path: "/v1/cutout/", Skip: taken, Status: http.StatusUnauthorized, Message: "Invalid token."})
	p := g.start(s.ingest("--workers", fmt.Sprint(workers))...)
	p.want(1, "BOSS does not accept the token")
	if n := b.hits(); n < 1 || n > workers {
		t.Errorf("%d requests were refused, want 1 to %d: one for each worker", n, workers)
	}

	// BOSS has another token from now on, and a new access file says which.
	b.kill()
	if err := os.Remove(g.path("boss", "token")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(g.path(config), g.path("old.cfg")); err != nil {
		t.Fatal(err)
	}
	b = b.again()
	if b.token == old {
		t.Fatal("the token is the old one")
	}
	q := g.start(s.ingest("--boss-config-file", "old.cfg")...)
	q.want(1, "BOSS does not accept the token", "old.cfg")
	g.start(s.ingest()...).want(0, " done before")
	s.complete(g, b)
	if _, twice := b.sent(s.channel()); twice > 0 {
		t.Errorf("%d cutouts were sent twice", twice)
	}
	for _, text := range []string{p.String(), q.String(), g.read("ingest_log_*"), g.read("ingest_journal_*/*")} {
		if strings.Contains(text, old) || strings.Contains(text, b.token) {
			t.Errorf("a token is in:\n%s", text)
		}
	}
}
