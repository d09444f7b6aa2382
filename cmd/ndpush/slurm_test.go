//go:build unix

package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/script/slurmtest"
)

// recipe is what the last job says is to be run to go on.
var recipe = regexp.MustCompile(`to be run again: shares (\S+); sh (\S+) failed\n`)

func TestSlurm(t *testing.T) {
	t.Parallel()
	c := slurmtest.Start(t)
	t.Run("accepted", func(t *testing.T) { slurmAccepts(t, c) })
	t.Run("killed", func(t *testing.T) { slurmKilled(t, c) })
	t.Run("requeued", func(t *testing.T) { slurmRequeued(t, c) })
}

// A slurmJob is a job of a stage that is submitted to a cluster.
type slurmJob struct {
	*stage
	c    *slurmtest.Cluster
	boss *bossProcess
	s    stack
	file string // to be run
}

// slurmShares are the shares of a slurmJob.
const slurmShares = 4

func newSlurmJob(t *testing.T, c *slurmtest.Cluster, s stack) *slurmJob {
	t.Helper()
	j := &slurmJob{stage: newStage(t), c: c, s: s}
	s.write(j.stage)
	j.boss = j.serve()
	j.file = j.gencmd(s, "slurm", "--workers", fmt.Sprint(slurmShares))
	return j
}

// submit runs the script.
func (j *slurmJob) submit(args ...string) *process {
	j.Helper()
	p := j.shell(j.c.Env, "sh", append([]string{j.file}, args...)...)
	p.want(0)
	return p
}

// left is a file that the job left.
func (j *slurmJob) left(name string) string {
	j.Helper()
	return j.read(strings.TrimSuffix(filepath.Base(j.file), ".sh") + ".slurm/" + name)
}

// settled waits for the end of all jobs; the last one has to say all of the texts.
func (j *slurmJob) settled(texts ...string) string {
	j.Helper()
	j.c.Settle()
	after := j.left("after.out")
	for _, text := range texts {
		if !strings.Contains(after, text) {
			j.Fatalf("the last job does not say %q:\n%s", text, after)
		}
	}
	return after
}

// slurmAccepts: Slurm takes every file that gencmd writes, with whatever it says
// of time and memory.
func slurmAccepts(t *testing.T, c *slurmtest.Cluster) {
	for _, more := range [][]string{nil, {"--workers", "4", "--at-once", "2", "--time-limit", "90m"}, {"--target-duration", "1ms"}} {
		g := newStage(t)
		g.gencmd(shared("accepted"), "slurm", more...)
		scripts := g.glob("cluster/*.sbatch")
		if len(scripts) != 3 {
			t.Errorf("there are %v, want three", scripts)
		}
		for _, script := range scripts {
			g.shell(c.Env, "sbatch", "--test-only", script).want(0)
		}
	}
}

// slurmKilled: a process of the array is killed, and the recipe that the last job
// gives runs that share again alone, which does only what is left.
func slurmKilled(t *testing.T, c *slurmtest.Cluster) {
	s := shared("killed")
	j := newSlurmJob(t, c, s)
	j.boss.setFaults(1, held)
	j.submit()
	killed := j.killOne(s)
	j.boss.setFaults(0)
	after := j.settled("unfinished", "not verified")
	j.boss.still()
	flights := len(j.pagesOf("", s, killed.PID).open)
	again := recipe.FindStringSubmatch(after)
	if again == nil || strings.Contains(again[1], ",") || again[2] != filepath.Base(j.file) {
		t.Fatalf("one share is to be run again, by the script %s, and the last job says:\n%s", j.file, after)
	}
	if got := strings.TrimSpace(j.left("share-" + again[1] + ".status")); got != "137" {
		t.Errorf("the share that was killed left status %s, want 137", got)
	}
	j.submit("failed")
	j.settled("complete", s.verified())
	j.again(s, slurmShares, killed)
	s.arrived(j.stage, j.boss, flights)
	if p := j.submit("failed"); !strings.Contains(p.String(), "all shares ended with status 0") {
		t.Errorf("the second time it says %s", p)
	}
}

// slurmRequeued: a share that is put back into the queue, as when its node is
// wanted for something else, goes on where it was, and the last job waits for it.
func slurmRequeued(t *testing.T, c *slurmtest.Cluster) {
	s := shared("requeued")
	j := newSlurmJob(t, c, s)
	j.boss.setFaults(1, held)
	j.submit()
	moved := j.inTheMiddle(s, func(w worker) bool { return w.z == 16 }) // the second
	j.shell(c.Env, "scontrol", "requeue", strings.TrimSpace(j.left("job"))+"_1").want(0)
	j.until("it saved its journal", func() bool { return j.pagesOf("", s, moved.PID).end == "interrupted" })
	j.boss.setFaults(0)
	j.settled("complete", s.verified())
	j.again(s, slurmShares, moved)
	s.arrived(j.stage, j.boss, 0)
}
