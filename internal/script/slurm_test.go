//go:build unix

package script

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/script/slurmtest"
)

// A cluster is a Slurm, and stages whose commands talk to it.
type cluster struct {
	*stage
	*slurmtest.Cluster
}

// on makes a stage of a job for a cluster.
func on(t *testing.T, c *slurmtest.Cluster, w Work) *cluster {
	t.Helper()
	s := newStage(t, "slurm", w)
	s.more = c.Env
	return &cluster{s, c}
}

// says is what a job left in its directory.
func (c *cluster) says(name string) string {
	text, err := os.ReadFile(filepath.Join(c.dir, "job.slurm", name))
	if err != nil {
		c.t.Error(err)
	}
	return string(text)
}

// state is what a share's state is now.
func (c *cluster) state(index string) string {
	job, _ := os.ReadFile(filepath.Join(c.dir, "job.slurm", "job"))
	return c.States()[strings.TrimSpace(string(job))+"_"+index]
}

func TestSlurm(t *testing.T) {
	c := slurmtest.Start(t)
	for _, tt := range []struct {
		name string
		test func(*testing.T, *slurmtest.Cluster)
	}{
		{"accepted", slurmAccepts},
		{"order", slurmOrder},
		{"failed", slurmFailed},
		{"create", slurmCreate},
		{"refused", slurmRefused},
		{"cancel", slurmCancel},
		{"limit", slurmLimit},
		{"words", slurmWords},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, c) })
	}
}

// slurmAccepts: Slurm takes what is written, as it is.
func slurmAccepts(t *testing.T, cl *slurmtest.Cluster) {
	for name, work := range cases {
		c := on(t, cl, work())
		scripts, err := filepath.Glob(filepath.Join(c.dir, "*.sbatch"))
		if err != nil || len(scripts) != 3 {
			t.Fatalf("%s has %q: %v", name, scripts, err)
		}
		for _, script := range scripts {
			c.run(0, "sbatch", "--test-only", script)
		}
	}
}

// slurmOrder: everything runs in order, and what is missing does not keep the
// rest from being verified.
func slurmOrder(t *testing.T, cl *slurmtest.Cluster) {
	w := story(3)
	w.Memory, w.CPUs, w.Time, w.AtOnce = 100<<20, 2, time.Hour, 2
	c := on(t, cl, w)
	c.let("share2", "3")
	c.run(0, "sh", "job.sh")
	c.Settle()
	if got, want := c.ran(), "create share1 share2 share3 status verify"; got != want {
		t.Errorf("ran %q, want %q", got, want)
	}
	if got, want := c.state("0")+c.state("1"), "COMPLETEDFAILED"; got != want {
		t.Errorf("shares 0 and 1 are %s, want %s", got, want)
	}
	if got, want := c.says("after.out"), "what is missing: shares 1\n"; !strings.Contains(got, want) {
		t.Errorf("afterwards it says %q, want %q", got, want)
	}
	if got, want := c.says("share-1.out"), "share2 says 3\n"; got != want {
		t.Errorf("share 1 says %q, want %q", got, want)
	}
}

// slurmFailed: what failed is not verified, and can be run again alone.
func slurmFailed(t *testing.T, cl *slurmtest.Cluster) {
	c := on(t, cl, story(4))
	c.let("share2", "1")
	c.let("share4", "3")
	c.run(0, "sh", "job.sh")
	c.Settle()
	if got, want := c.ran(), "create share1 share2 share3 share4 status"; got != want {
		t.Errorf("ran %q, want %q", got, want)
	}
	if got, want := c.says("after.out"), "to be run again: shares 1; sh job.sh failed\n"; !strings.Contains(got, want) {
		t.Errorf("afterwards it says %q, want %q", got, want)
	}
	c.run(0, "sh", "job.sh", "failed")
	c.Settle()
	if got, want := c.ran(), "create share2 share4 status verify"; got != want {
		t.Errorf("the second time ran %q, want %q", got, want)
	}
	if got := c.run(0, "sh", "job.sh", "failed"); !strings.Contains(got, "all shares ended with status 0") {
		t.Errorf("the third time it says %q", got)
	}
	c.run(0, "sh", "job.sh", "0,2-3")
	c.Settle()
	if got, want := c.ran(), "create share1 share3 share4 status verify"; got != want {
		t.Errorf("with a list ran %q, want %q", got, want)
	}
	c.run(2, "sh", "job.sh", "all")
}

// slurmCreate: without resources no share runs, and no job waits for good.
func slurmCreate(t *testing.T, cl *slurmtest.Cluster) {
	c := on(t, cl, story(2))
	c.let("create", "1")
	c.run(0, "sh", "job.sh")
	c.Settle()
	if got, want := c.ran(), "create status"; got != want {
		t.Errorf("ran %q, want %q", got, want)
	}
	if got, want := c.says("after.out"), "to be run again: shares 0,1;"; !strings.Contains(got, want) {
		t.Errorf("afterwards it says %q, want %q", got, want)
	}
}

// slurmRefused: a share that BOSS does not take now is queued again for later,
// and verification waits for it.
func slurmRefused(t *testing.T, cl *slurmtest.Cluster) {
	c := on(t, cl, story(2))
	c.let("share1", "5", "0")
	c.run(0, "sh", "job.sh")
	var id string
	c.until("share 0 waits for its time", func() bool {
		out := c.run(0, "squeue", "-h", "-r", "-n", "job", "-t", "PENDING", "-o", "%A %r %S")
		fields := strings.Fields(out)
		if len(fields) != 3 || fields[1] != "BeginTime" {
			return false
		}
		start, err := time.ParseInLocation("2006-01-02T15:04:05", fields[2], time.Local)
		id = fields[0]
		return err == nil && time.Until(start) > 10*time.Minute
	})
	if got := c.run(1, "sh", "job.sh"); !strings.Contains(got, "has not ended") {
		t.Errorf("submitted twice, it says %q", got)
	}
	// A node does not start a job whose credential is of the second in which the
	// job was killed, which to requeue it is (slurmd: "already killed, do not
	// launch batch job"), or of one before.
	c.until("share 0 has left its node", func() bool {
		return c.run(0, "squeue", "-h", "-n", "job", "-t", "RUNNING,COMPLETING", "-o", "%A") == ""
	})
	time.Sleep(2 * time.Second)
	c.run(0, "scontrol", "update", "JobId="+id, "StartTime=now")
	c.Settle()
	if got, want := c.ran(), "create share1 share1 share2 status verify"; got != want {
		t.Errorf("ran %q, want %q", got, want)
	}
	if got, want := c.state("0"), "COMPLETED"; got != want {
		t.Errorf("share 0 is %s, want %s", got, want)
	}
}

// slurmCancel: a share is asked to end once, whether its job is to end or its
// time is over, and leaves its status.
func slurmCancel(t *testing.T, cl *slurmtest.Cluster) {
	w := story(2)
	w.Memory = 1 << 20 // else a job takes the whole node
	c := on(t, cl, w)
	c.let("share1", "wait")
	c.let("share2", "wait")
	c.run(0, "sh", "job.sh")
	c.await("waiting", "share1")
	c.await("waiting", "share2")
	job := strings.TrimSpace(c.says("job"))
	c.run(0, "scancel", job+"_0")
	c.run(0, "scancel", "--batch", "--signal=USR1", job+"_1") // as --signal=B:USR1@60 does
	c.Settle()
	got := c.lines("signals")
	slices.Sort(got)
	if want := []string{"share1 terminated", "share2 terminated"}; !slices.Equal(got, want) {
		t.Errorf("signals %q, want %q", got, want)
	}
	if got, want := c.says("share-0.status")+c.says("share-1.status"), "130\n130\n"; got != want {
		t.Errorf("they leave %q, want %q", got, want)
	}
	if got, want := c.says("after.out"), "to be run again: shares 0,1;"; !strings.Contains(got, want) {
		t.Errorf("afterwards it says %q, want %q", got, want)
	}
}

// slurmLimit: more shares than the cluster takes are said to be so.
func slurmLimit(t *testing.T, cl *slurmtest.Cluster) {
	c := on(t, cl, story(slurmtest.MaxArraySize+1))
	if got, want := c.run(2, "sh", "job.sh"), "more than this cluster's MaxArraySize 65"; !strings.Contains(got, want) {
		t.Errorf("it says %q, want %q", got, want)
	}
	c.run(0, "sbatch", "--test-only", "--array=0-64", "job-shares.sbatch")
}

// slurmWords: words arrive as they are, in a directory whose name needs quotes.
func slurmWords(t *testing.T, cl *slurmtest.Cluster) {
	w := story(1)
	w.Share = slices.Concat(w.Share, nastyWords, []string{"end"})
	w.Dir = filepath.Join(t.TempDir(), `a $(b) 'c' "d"`)
	if err := os.Mkdir(w.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	c := on(t, cl, w)
	c.run(0, "sh", "job.sh")
	c.Settle()
	calls := c.words("share")
	if len(calls) != 1 || !slices.Equal(calls[0], w.Share[1:]) {
		t.Errorf("words\n%q, want\n%q", calls, w.Share[1:])
	}
	if _, err := os.Stat(filepath.Join(w.Dir, "job.slurm", "share-0.status")); err != nil {
		t.Error(err)
	}
}
