//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

// shared is a stack for several processes: five chunks, of which the first and
// the last are not whole, of four cuboids each.
func shared(name string) stack {
	return stack{name: name, width: 600, height: 600, depth: 64, at: voxel.Point{X: 900, Y: 900, Z: 8}}
}

// held holds up every cutout, so that processes are in the middle for a while.
var held = localboss.Fault{Kind: localboss.Latency, Method: "POST", Path: "/v1/cutout/", DelayMS: 1500}

// gencmd writes the job that ingests s with several processes, each of which
// posts one cuboid at a time, and gives the file to run.
func (g *stage) gencmd(s stack, format string, more ...string) string {
	g.Helper()
	p := g.run(0, s.args("gencmd", append([]string{"--format", format, "--out", "cluster", "--ingest-workers", "1", "--max-mem", "512MiB"}, more...)...)...)
	file := strings.TrimSpace(p.said.String())
	if _, err := os.Stat(g.path(file)); err != nil {
		g.Fatalf("gencmd says %q: %v", file, err)
	}
	return file
}

// shell starts a program that finds ndpush where people have it, in PATH. What it
// started ends with the test at the latest, as it does itself.
func (g *stage) shell(env []string, name string, args ...string) *process {
	g.Helper()
	p := &process{stage: g, cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Dir = g.dir
	p.cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(g.bin)+":"+os.Getenv("PATH"), "HOME="+g.dir, "GORACE="+quickExit)
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.complained
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		g.Fatal(err)
	}
	go func() {
		p.cmd.Wait() // its ProcessState says all
		close(p.done)
	}()
	g.Cleanup(func() {
		if !p.ended() {
			syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
			<-p.done
		}
	})
	return p
}

// A worker is a process of which its journal tells.
type worker struct {
	PID  int
	Data string // what it carries
	z    int    // of the first slice, in BOSS
}

// workers are those that wrote journals of s, in the order of their slices.
func (g *stage) workers(s stack) (list []worker) {
	g.Helper()
	for _, name := range g.journals("", s, 0) {
		text, err := os.ReadFile(name)
		if err != nil {
			g.Fatal(err)
		}
		first, _, ok := strings.Cut(string(text), "\n")
		if !ok {
			continue // it is just being written
		}
		var w worker
		if err := json.Unmarshal([]byte(first), &w); err != nil {
			g.Fatalf("%s: %v: %q", name, err, first)
		}
		if _, err := fmt.Sscan(strings.NewReplacer(":", " ", "/", " ").Replace(w.Data), new(int), new(int), new(int), new(int), &w.z); err != nil {
			g.Fatalf("%s: data %q: %v", name, w.Data, err)
		}
		list = append(list, w)
	}
	slices.SortStableFunc(list, func(a, b worker) int { return a.z - b.z })
	return list
}

// middle are the processes that posted something and have something in flight.
func (g *stage) middle(s stack) (list []worker) {
	g.Helper()
	for _, w := range g.workers(s) {
		if pages := g.pagesOf("", s, w.PID); len(pages.open) > 0 && len(pages.fate) > 0 {
			list = append(list, w)
		}
	}
	return list
}

// inTheMiddle waits until a process of that kind is in the middle of s.
func (g *stage) inTheMiddle(s stack, kind func(worker) bool) (w worker) {
	g.Helper()
	g.until("a share is in the middle", func() bool {
		middle := g.middle(s)
		i := slices.IndexFunc(middle, kind)
		if i >= 0 {
			w = middle[i]
		}
		return i >= 0
	})
	return w
}

// killOne kills a process in the middle of s.
func (g *stage) killOne(s stack) worker {
	g.Helper()
	w := g.inTheMiddle(s, func(worker) bool { return true })
	if err := syscall.Kill(w.PID, syscall.SIGKILL); err != nil {
		g.Fatal(err)
	}
	return w
}

// carried is how many processes carried each part of s.
func (g *stage) carried(s stack) map[string]int {
	g.Helper()
	times := make(map[string]int)
	for _, w := range g.workers(s) {
		times[w.Data]++
	}
	return times
}

// again fails the test unless, since all of them were carried once, only the
// killed part was carried again.
func (g *stage) again(s stack, shares int, killed worker) {
	g.Helper()
	times := g.carried(s)
	if len(times) != shares {
		g.Errorf("%d parts were carried, want %d: %v", len(times), shares, times)
	}
	for data, n := range times {
		if want := map[bool]int{true: 2, false: 1}[data == killed.Data]; n != want {
			g.Errorf("%s was carried by %d processes, want %d", data, n, want)
		}
	}
}

// verified is what is said of a stack that arrived.
func (s stack) verified() string { return fmt.Sprintf("%d cuboids match", s.cuboids()) }

// arrived fails the test unless BOSS holds the stack and all journals know, and
// at most most cutouts were sent twice.
func (s stack) arrived(g *stage, b *bossProcess, most int) {
	g.Helper()
	s.complete(g, b)
	s.recorded(g, b.remote, "")
	g.start("verify", "ingest_journal_lab_story_"+s.name).want(0, s.verified())
	if _, twice := b.sent(s.channel()); twice > most {
		g.Errorf("%d cutouts were sent twice, and %d were in flight", twice, most)
	}
}

// TERM to the script is passed on, and all shares save their journals. The script
// goes on where they were.
func TestShellStopped(t *testing.T) {
	t.Parallel()
	const shares = 4
	s := shared("stopped")
	g := newStage(t)
	s.write(g)
	b := g.serve()
	file := g.gencmd(s, "shell", "--workers", fmt.Sprint(shares))
	held := held
	held.DelayMS *= 3 // however late the last share begins
	b.setFaults(1, held)
	p := g.shell(nil, "sh", file)
	p.until("all shares are in the middle", func() bool { return len(g.middle(s)) == shares })
	p.signal(syscall.SIGTERM)
	p.want(130, "not verified: a share ended with status 130; run this again")
	pages := g.pagesOf("", s, 0)
	if len(pages.open) > 0 {
		t.Errorf("in flight is %v", pages.open)
	}
	if n := strings.Count(g.read("ingest_journal_*/*"), `"end":"interrupted"`); n != shares {
		t.Errorf("%d of %d journals say that they were interrupted", n, shares)
	}
	b.setFaults(0)
	q := g.shell(nil, "sh", file)
	q.want(0, "complete", s.verified())
	if n := strings.Count(q.complained.String(), " done before"); n != shares {
		t.Errorf("%d of %d shares found something done:\n%s", n, shares, q)
	}
	s.arrived(g, b, 0)
}
