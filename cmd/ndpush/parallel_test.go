//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// needParallel skips the test where GNU parallel is not; with NDPUSH_PEERS set it
// has to be there.
func needParallel(t *testing.T) {
	out, err := exec.Command("parallel", "--version").Output()
	switch {
	case strings.HasPrefix(string(out), "GNU parallel"):
	case os.Getenv("NDPUSH_PEERS") != "":
		t.Fatalf("GNU parallel is not here, and NDPUSH_PEERS wants it: %v", err)
	default:
		t.Skip("GNU parallel is not here")
	}
}

// One of the processes that GNU parallel runs is killed. Run again, as the script
// says, it runs that share alone, which does only what is left.
func TestParallelKilled(t *testing.T) {
	t.Parallel()
	needParallel(t)
	const shares = 4
	s := shared("parallel")
	g := newStage(t)
	s.write(g)
	b := g.serve()
	file := g.gencmd(s, "parallel", "--workers", fmt.Sprint(shares))
	b.setFaults(1, held)
	p := g.shell(nil, "sh", file)
	killed := g.killOne(s)
	b.setFaults(0)
	p.want(128+9, "unfinished", "not verified: a share ended with status 137; run this again")
	flights := len(g.pagesOf("", s, killed.PID).open)
	b.still()

	log := strings.TrimSuffix(file, ".sh") + ".joblog"
	log = log[strings.LastIndexByte(log, '/')+1:] // where the script was run, not where it lies
	if n := strings.Count(g.read(log), "\n"); n != 1+shares {
		t.Errorf("the joblog has %d lines, want one for each share and a title:\n%s", n, g.read(log))
	}
	q := g.shell(nil, "sh", file)
	q.want(0, "complete", " done before", s.verified())
	g.again(s, shares, killed)
	s.arrived(g, b, flights)

	// The third time there is nothing to do, and that is right.
	g.shell(nil, "sh", file).want(0, "complete")
	g.again(s, shares, killed)
}
