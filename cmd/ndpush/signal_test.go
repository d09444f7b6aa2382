//go:build unix

package main

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/localboss"
)

// endedBy is the signal that ended the process, 0 if none did.
func (p *process) endedBy() syscall.Signal {
	p.stage.Helper()
	p.wait()
	if s, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return s.Signal()
	}
	return 0
}

// SIGUSR1 asks for the progress, and stops nothing.
func TestPoke(t *testing.T) {
	s := small("poked", 64)
	g, b := stories(t, s)
	b.setFaults(1, slow)
	p := g.start(s.ingest("--workers", "2")...)
	// Lines of their own come every half minute; three in between are answers.
	progress := regexp.MustCompile(`(?m)^\d+%.* cuboids`)
	p.posted(b, s, 1)
	for range 3 {
		before := len(progress.FindAllString(p.complained.String(), -1))
		p.signal(syscall.SIGUSR1)
		p.until("it says how far it is", func() bool {
			return len(progress.FindAllString(p.complained.String(), -1)) > before
		})
	}
	b.setFaults(0)
	p.want(0)
	s.complete(g, b)
}

// SIGTERM, as Slurm and Kubernetes send it, is Ctrl-C: what is in flight
// arrives, the journal says so, and the same command goes on.
func TestStopped(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(fmt.Sprint(sig), func(t *testing.T) {
			// A process inherits that a signal is ignored, as under nohup, but not that
			// it is caught.
			caught := make(chan os.Signal, 1)
			signal.Notify(caught, sig)
			defer signal.Stop(caught)
			s := small("stopped", 64)
			g, b := stories(t, s)
			b.setFaults(1, slow)
			p := g.start(s.ingest("--workers", "2")...)
			p.posted(b, s, 2)
			p.signal(sig)
			p.want(130, "interrupted; what was in flight is done and in the journal", " left")
			pages := g.pagesOf("", s, 0)
			if len(pages.open) > 0 || pages.end != "interrupted" {
				t.Errorf("it ended with %q, and %v in flight", pages.end, pages.open)
			}
			g.status(3, "unfinished")
			b.setFaults(0)
			g.start(s.ingest()...).want(0, fmt.Sprintf("%d done before", len(pages.done())))
			s.complete(g, b)
			if _, twice := b.sent(s.channel()); twice > 0 {
				t.Errorf("%d cutouts were sent twice", twice)
			}
		})
	}
}

// The second Ctrl-C does not wait for what is in flight. What ends the process
// is the signal itself, so a shell's loop ends with it (status 130).
func TestStoppedTwice(t *testing.T) {
	s := small("twice", 64)
	g, b := stories(t, s)
	b.setFaults(1, localboss.Fault{Kind: localboss.Hang, Method: http.MethodPost, Path: "/v1/cutout/", Skip: 4})
	p := g.start(s.ingest("--workers", "2")...)
	p.until("two cuboids are in flight for ever", func() bool { return b.hits() == 2 })
	p.signal(os.Interrupt)
	p.until("it says that it waits", func() bool { return strings.Contains(p.complained.String(), "a second interrupt stops at once") })
	// Nobody can see from outside that the first one is dealt with to the end; so,
	// as people do, again and again. Left alone it would end by itself, with 130.
	for !p.ended() {
		p.signal(os.Interrupt)
		time.Sleep(20 * time.Millisecond)
	}
	if sig := p.endedBy(); sig != syscall.SIGINT {
		t.Errorf("it ended by signal %v, status %d; want SIGINT:\n%s", sig, p.wait(), p)
	}
	if open := g.pagesOf("", s, 0).open; len(open) != 2 {
		t.Errorf("in flight were %v, want two", open)
	}
	b.setFaults(0)
	g.run(0, s.ingest("--verify", "full")...)
	s.complete(g, b)
}

// A BOSS that accepts and never answers holds nobody who wants to leave: neither
// at the first request nor in the middle.
func TestStoppedWhileHanging(t *testing.T) {
	s := small("hanging", 64)
	g, b := stories(t, s)
	for _, tt := range []struct {
		what, path, method string
	}{
		{"the token", "/v1/collection/", ""},
		{"the channel", "/v1/collection/lab/experiment/story/channel/", ""},
		{"the first look", "/v1/cutout/", http.MethodGet},
	} {
		b.setFaults(1, localboss.Fault{Kind: localboss.Hang, Path: tt.path, Method: tt.method})
		p := g.start(s.ingest()...)
		p.until(tt.what+" is asked for", func() bool { return b.hits() > 0 })
		p.signal(os.Interrupt)
		p.want(130, "ndpush: interrupted")
		if n := b.hits(); n != 1 {
			t.Errorf("%s: asked %d times, want once", tt.what, n)
		}
	}
	if cutouts, _ := b.sent(s.channel()); len(cutouts) > 0 {
		t.Errorf("sent: %v", cutouts)
	}
	b.setFaults(0)
	g.run(0, s.ingest()...)
	s.complete(g, b)
}

// Without anybody to stop it, a run gives up an answer that does not come after
// two minutes, and asks again. Package boss tests each stage with a clock of its
// own; this is the program as people run it, and takes those minutes.
func TestHanging(t *testing.T) {
	if !*soakLong {
		t.Skip("make soak runs it")
	}
	s := small("patient", 64)
	g, b := stories(t, s)
	b.setFaults(1, localboss.Fault{Kind: localboss.Hang, Method: http.MethodPost, Path: "/v1/cutout/", Skip: 4, Times: 3})
	g.start(s.ingest()...).want(0, "did not answer in time", "; 3 retries; ")
	s.complete(g, b)
	b.setFaults(1, localboss.Fault{Kind: localboss.Hang, Path: "/v1/collection/", Times: 1})
	g.start(s.ingest()...).want(0)
}

// Of two processes at the same slices the second is told who is at work, and
// does nothing; other slices are free.
func TestTwoAtOnce(t *testing.T) {
	s := small("shared", 64)
	g, b := stories(t, s)
	b.setFaults(1, slow)
	p := g.start(s.ingest("--workers", "2", "--shard", "1/2")...)
	p.posted(b, s, 1)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	// It stands still, so that it is still at work when the others come.
	p.signal(syscall.SIGSTOP)
	told := fmt.Sprintf("process %d on %s is at work on", p.cmd.Process.Pid, host)
	for _, same := range [][]string{{"--shard", "1/2"}, {"--z-range", "16:48"}, nil} {
		g.start(s.ingest(append(same, "--workers", "2")...)...).want(1, told, "hint: wait for it, or end it")
	}
	g.run(0, s.ingest("--shard", "2/2")...)
	b.setFaults(0)
	p.signal(syscall.SIGCONT)
	p.want(0, " 0 failed; 0 slices missing; ")
	s.complete(g, b)
	if _, twice := b.sent(s.channel()); twice > 0 {
		t.Errorf("%d cutouts were sent twice", twice)
	}
}
