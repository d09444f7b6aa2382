package main

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

// Flags of these tests; make soak sets them.
var (
	soakKills = flag.Int("soak.kills", 0, "how many processes TestSoak kills; 0 is a few")
	soakSeed  = flag.Uint64("soak.seed", 1, "decides what goes wrong, and when; 0 takes one from the clock")
	soakLong  = flag.Bool("soak.long", false, "also the tests that take minutes")
)

// Whatever happens on the way, what is in BOSS at the end is the stack, the
// journal says so, and nothing was sent again but what was in flight.
func TestSoak(t *testing.T) {
	t.Run("small cuboids", func(t *testing.T) {
		kills := *soakKills
		if kills == 0 {
			kills = 8
		}
		newSoak(t, small("many", 16*max(16, 2*kills)), kills).run()
	})
	t.Run("large cuboids", func(t *testing.T) {
		if !*soakLong {
			t.Skip("make soak runs it")
		}
		newSoak(t, stack{name: "large", width: 1100, height: 2100, depth: 96}, max(6, *soakKills/4)).run()
	})
}

// A soak is one ingest that is begun again and again.
type soak struct {
	*stage
	stack
	boss  *bossProcess
	rnd   *rand.Rand
	kills int // wanted

	began     time.Time
	processes int
	killed    int         // of them
	midway    int         // of those, they had something in flight
	flights   int         // cuboids that were in flight then
	ended     map[int]int // processes that ended by themselves, by exit status
	dropped   int         // answers that faults kept from a process
	done      bool
}

func newSoak(t *testing.T, s stack, kills int) *soak {
	seed := *soakSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed) // now, for nobody knows how it ends
	s.seed = seed
	k := &soak{stage: newStage(t), stack: s, rnd: rand.New(rand.NewPCG(seed, 0)), kills: kills, ended: map[int]int{}, began: time.Now()}
	k.write(k.stage)
	k.boss = k.serve()
	k.create(k.stage)
	k.boss.setFaults(seed, k.weather()...)
	return k
}

// weather is what goes wrong.
func (k *soak) weather() []localboss.Fault {
	cutout := func(f localboss.Fault) localboss.Fault {
		f.Method, f.Path = "POST", "/v1/cutout/"
		return f
	}
	return []localboss.Fault{
		{Kind: localboss.Latency, Path: "/v1/cutout/", Share: 0.7, DelayMS: 10, JitterMS: 90},
		{Kind: localboss.Status, Path: "/v1/cutout/", Share: 0.2, Status: 503, HTML: true},
		cutout(localboss.Fault{Kind: localboss.DropBody, Share: 0.05}),
		cutout(localboss.Fault{Kind: localboss.DropAnswer, Share: 0.02}),
		cutout(localboss.Fault{Kind: localboss.CutAnswer, Share: 0.02}),
		cutout(localboss.Fault{Kind: localboss.Status, Share: 0.3, Status: 400, Code: 9001, Message: "Error during write_cuboid: REDIS_ERROR: 103",
			AfterMS: k.rnd.IntN(2000), ForMS: 3000}),
	}
}

func (k *soak) run() {
	// Some end before they can be killed, all of them once nothing is left.
	for k.killed < k.kills && k.processes < 3*k.kills {
		k.life()
	}
	if k.rnd.IntN(2) == 0 {
		k.boss.still()
		k.countDropped()
		k.boss.setFaults(0)
	}
	for !k.done {
		k.last()
	}
	k.boss.still()
	k.countDropped()
	k.boss.setFaults(0)
	k.judge()
}

// countDropped counts the answers that did not arrive. Who asked cannot know, and
// sends again: that is how nothing is lost.
func (k *soak) countDropped() {
	for _, f := range k.boss.faults() {
		if f.Kind == localboss.DropAnswer || f.Kind == localboss.CutAnswer {
			k.dropped += f.Hits
		}
	}
}

// A share is one process of a life.
type share struct {
	*process
	workers int
	last    int // it is killed when it has begun so many cuboids
}

// life starts one process, or one for each share, and kills all of them.
func (k *soak) life() {
	var shares []share
	for _, split := range k.split() {
		p := share{workers: 1 + k.rnd.IntN(8), last: k.rnd.IntN(1 + 2*k.cuboids()/(k.kills+1))}
		verify := []string{"none", "sample", "full"}[k.rnd.IntN(3)]
		p.process = k.start(k.args("ingest", append(split, "--verify", verify, "--workers", fmt.Sprint(p.workers))...)...)
		shares = append(shares, p)
		k.processes++
	}
	for _, p := range shares {
		k.stab(p)
	}
}

// split is how the slices are shared in the next life: all, two halves, or a part.
func (k *soak) split() [][]string {
	switch chunks := (k.depth + 15) / 16; k.rnd.IntN(4) {
	case 0:
		return [][]string{{"--shard", "1/2"}, {"--shard", "2/2"}}
	case 1:
		z := voxel.Range{Min: 16 * k.rnd.IntN(chunks)}
		z.Max = min(k.depth, z.Min+16*(1+k.rnd.IntN(chunks)))
		return [][]string{{"--z-range", z.String()}}
	}
	return [][]string{nil}
}

// stab kills p when it has begun enough, at any time from its start on, unless
// it ends before.
func (k *soak) stab(p share) {
	pause := time.Duration(k.rnd.IntN(60)) * time.Millisecond // anywhere between two cuboids
	k.until("there is something to kill", func() bool {
		return p.ended() || len(k.pagesOf("", k.stack, p.cmd.Process.Pid).begun) >= p.last
	})
	time.Sleep(pause)
	if p.ended() {
		k.endedWith(p.process)
		return
	}
	p.kill()
	if p.cmd.ProcessState.ExitCode() >= 0 { // it was quicker
		k.endedWith(p.process)
		return
	}
	k.killed++
	open := len(k.pagesOf("", k.stack, p.cmd.Process.Pid).open)
	if open > p.workers {
		k.Errorf("%d cuboids were in flight, and there were %d workers", open, p.workers)
	}
	if open > 0 {
		k.midway++
	}
	k.flights += open
}

// endedWith judges a process that ended by itself.
func (k *soak) endedWith(p *process) int {
	code := p.wait()
	k.ended[code]++
	if code != 0 && code != 3 { // a cuboid may fail often enough to be given up
		k.Fatalf("exit status %d:\n%s", code, p)
	}
	return code
}

// last carries what is left, and compares everything.
func (k *soak) last() {
	p := k.start(k.args("ingest", "--verify", "full")...)
	k.processes++
	k.done = k.endedWith(p) == 0
	if k.processes > 1000 {
		k.Fatalf("it does not come to an end:\n%s", p)
	}
}

// judge looks at what BOSS holds, what the journal says and what was sent.
func (k *soak) judge() {
	k.same(k.boss.remote, k.slice)
	cutouts, twice := k.boss.sent(k.channel())
	retries := strings.Count(k.read("ingest_log_*"), "; trying again in ")
	k.Logf("seed %d: %d processes, %d killed, %d of them with %d cuboids in flight, others ended with %v; %d retries; %d answers dropped; %d of %d cutouts stored twice; %.1f s",
		k.seed, k.processes, k.killed, k.midway, k.flights, slices.Sorted(maps.Keys(k.ended)), retries, k.dropped, twice, len(cutouts), time.Since(k.began).Seconds())
	if k.midway == 0 {
		k.Error("no process was killed while something was in flight")
	}
	if twice > k.flights+k.dropped {
		k.Errorf("%d cutouts were sent again; %d were in flight when a process was killed, and %d answers were dropped", twice, k.flights, k.dropped)
	}
	k.recorded(k.stage, k.boss.remote, "")
	k.status(0, "complete")
}

// recorded fails the test if BOSS holds a cutout that the journals in logDir do
// not say was begun.
func (s stack) recorded(g *stage, r remote, logDir string) {
	g.Helper()
	begun := make(map[string]bool)
	for _, box := range g.pagesOf(logDir, s, 0).begun {
		begun[box] = true
	}
	cutouts, _ := r.sent(s.channel())
	if len(cutouts) == 0 {
		g.Error("nothing was sent")
	}
	for box := range cutouts {
		if !begun[box] {
			g.Errorf("%s is in BOSS, and the journal does not say that it was begun", box)
		}
	}
}
