package main

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/localboss"
)

// logLine is how every line of a log begins.
var logLine = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S`)

// Processes that share a channel and a log directory have a journal each, one
// log whose lines are whole, and one status.
func TestTogether(t *testing.T) {
	t.Parallel()
	const shares, logs = 6, "logs"
	s := small("together", 16*16)
	g, b := stories(t, s)
	if err := os.Mkdir(g.path(logs), 0o777); err != nil {
		t.Fatal(err)
	}
	b.setFaults(1, localboss.Fault{Kind: localboss.Latency, Path: "/v1/cutout/", JitterMS: 40})
	var all []*process
	for k := range shares {
		all = append(all, g.start(s.ingest("--log-dir", logs, "--shard", fmt.Sprintf("%d/%d", k+1, shares))...))
	}
	for _, p := range all {
		p.want(0, " 0 failed; 0 slices missing; ")
		if n := len(g.journals(logs, s, p.cmd.Process.Pid)); n != 1 {
			t.Errorf("process %d has %d journals", p.cmd.Process.Pid, n)
		}
	}
	if n := len(g.journals(logs, s, 0)); n != shares {
		t.Errorf("there are %d journals, and there were %d processes", n, shares)
	}

	if n := len(g.glob(logs + "/*")); n != shares+1 {
		t.Errorf("there are %d files, want a log for each share and a directory of journals: %v", n, g.glob(logs+"/*"))
	}
	posted := 0
	for k := range shares {
		for line := range strings.Lines(g.read(fmt.Sprintf("%s/ingest_log_lab_story_together_%dof%d.txt", logs, k+1, shares))) {
			if !logLine.MatchString(line) || !strings.HasSuffix(line, "\n") {
				t.Errorf("a line is torn: %q", line)
			}
			if cuboid.MatchString(line) {
				posted++
			}
		}
	}
	cutouts, twice := b.sent(s.channel())
	if posted != len(cutouts) || twice > 0 {
		t.Errorf("the log has %d cuboids; BOSS has %d, of which %d were sent twice", posted, len(cutouts), twice)
	}

	b.setFaults(0)
	s.same(b.remote, s.slice)
	s.recorded(g, b.remote, logs)
	status := g.run(0, "status", "--log-dir", logs).said.String()
	if strings.Count(status, ": complete\n") != 1 || strings.Count(status, ": done; ") != shares {
		t.Errorf("want one channel and %d processes that are done:\n%s", shares, status)
	}
	verified := g.run(0, "verify", "--log-dir", logs).said.String()
	if want := fmt.Sprintf("%d cuboids match", s.cuboids()); strings.Count(verified, want) != 1 {
		t.Errorf("want %q once:\n%s", want, verified)
	}
}

// cuboid is the whole of a log's line about one that was posted.
var cuboid = regexp.MustCompile(`^\S+ \S+ POST succeeded in \d+\.\d\d sec\. Coll: lab, Exp: story, Ch: together, x: \[\d+, \d+\], y: \[\d+, \d+\], z: \[\d+, \d+\]\n$`)

// Of processes that create the same at the same time all succeed, and each thing
// is created once.
func TestCreateTogether(t *testing.T) {
	t.Parallel()
	const rounds, processes = 20, 2
	s := small("raced", 16)
	g := newStage(t)
	s.write(g)
	b := g.serve()
	contended := 0
	for round := range rounds {
		// All look before anyone creates, as a rule: so they get into each other's way.
		b.setFaults(uint64(round),
			localboss.Fault{Kind: localboss.Latency, Method: http.MethodPost, Path: "/v1/", JitterMS: 20},
			localboss.Fault{Kind: localboss.Latency, Method: http.MethodGet, Path: "/v1/", DelayMS: 50, JitterMS: 50})
		collection := fmt.Sprintf("lab%d", round)
		var all []*process
		for range processes {
			all = append(all, g.start(s.ingest("--create-resources", "--collection", collection)...))
		}
		created := make(map[string]int)
		for _, p := range all {
			p.want(0, collection+"/story/raced is ready")
			for line := range strings.Lines(p.said.String()) {
				if what, ok := strings.CutPrefix(line, "created "); ok {
					created[strings.Fields(what)[0]]++
				}
			}
		}
		want := map[string]int{"collection": 1, "coordinate": 1, "experiment": 1, "offsets": 1, "channel": 1}
		if !maps.Equal(created, want) {
			t.Errorf("round %d: created %v, want each once", round, created)
		}
		if b.seen() > len(want) {
			contended++
		}
	}
	t.Logf("in %d of %d rounds both asked for the same", contended, rounds)
	if contended == 0 {
		t.Error("nobody was in anybody's way: nothing was tested")
	}
	// What came of it can be posted to.
	b.setFaults(0)
	for k := range processes {
		g.run(0, s.ingest("--collection", "lab0", "--shard", fmt.Sprintf("%d/%d", k+1, processes))...)
	}
	if got := b.cutout("lab0/story/raced", s.box()); !slices.Equal(got[:s.width*s.height], s.slice(0)) {
		t.Error("the first slice differs")
	}
}
