// Package slurmtest starts a real Slurm for a test: an authenticator, a
// controller and a node, on this machine alone, without systemd, cgroups or
// anything outside of a directory of their own.
package slurmtest

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// programs are what there must be: Debian's slurm-wlm and munge have them.
var programs = []string{"munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel"}

// A Cluster is a Slurm of one node with CPUs and MiB.
type Cluster struct {
	Env []string // makes Slurm's commands talk to it; to be appended to what else there is

	dir   string
	munge string // socket
	t     testing.TB
}

const (
	CPUs = 4
	MiB  = 8000
	// MaxArraySize is smaller than elsewhere, so that a test can go beyond it.
	MaxArraySize = 65
)

// Start starts a cluster, which the end of the test stops. Without the programs
// the test is skipped or, if NDPUSH_PEERS is set, fails.
func Start(t testing.TB) *Cluster {
	t.Helper()
	for _, p := range programs {
		if find(p) != "" {
			continue
		}
		if os.Getenv("NDPUSH_PEERS") != "" {
			t.Fatalf("%s is not here, and NDPUSH_PEERS wants it", p)
		}
		t.Skipf("%s is not here", p)
	}
	// A path of a socket has room for 100 letters, which t.TempDir may exceed.
	dir, err := os.MkdirTemp("", "slurm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := &Cluster{dir: dir, munge: filepath.Join(dir, "munge", "socket"), t: t}
	c.Env = []string{"SLURM_CONF=" + filepath.Join(dir, "slurm.conf")}
	c.authenticate()
	c.configure()
	c.daemon("slurmctld", "-D", "-i")
	c.daemon("slurmd", "-D", "-N", hostname(t))
	c.await("the node takes jobs", func() bool {
		return strings.HasPrefix(c.output("sinfo", "-h", "-o", "%T"), "idle")
	})
	return c
}

// find is where a program is. Daemons lie where users do not look.
func find(program string) string {
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	path, err := exec.LookPath(filepath.Join("/usr/sbin", program))
	if err != nil {
		return ""
	}
	return path
}

func hostname(t testing.TB) string {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ = strings.Cut(name, ".")
	return name
}

// authenticate starts a munged with a key of its own.
func (c *Cluster) authenticate() {
	dir := filepath.Dir(c.munge)
	key := make([]byte, 128)
	rand.Read(key)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "key"), key, 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.daemon("munged", "--foreground", "--force", "--num-threads=1", "--socket="+c.munge, "--key-file="+filepath.Join(dir, "key"),
		"--pid-file="+filepath.Join(dir, "pid"), "--log-file="+filepath.Join(dir, "log"), "--seed-file="+filepath.Join(dir, "seed"))
	c.await("munged listens", func() bool {
		_, err := os.Stat(c.munge)
		return err == nil
	})
}

// configure writes slurm.conf.
func (c *Cluster) configure() {
	me, err := user.Current()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, sub := range []string{"state", "spool"} {
		if err := os.Mkdir(filepath.Join(c.dir, sub), 0o755); err != nil {
			c.t.Fatal(err)
		}
	}
	host, ports := hostname(c.t), freePorts(c.t, 2)
	conf := fmt.Sprintf(`ClusterName=test
SlurmctldHost=%[1]s(127.0.0.1)
SlurmctldPort=%[2]d
SlurmdPort=%[3]d
SlurmUser=%[4]s
SlurmdUser=%[4]s
AuthType=auth/munge
AuthInfo=socket=%[5]s,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=3600
KillWait=5
MaxArraySize=%[6]d
StateSaveLocation=%[7]s/state
SlurmdSpoolDir=%[7]s/spool
SlurmctldPidFile=%[7]s/slurmctld.pid
SlurmdPidFile=%[7]s/slurmd.pid
NodeName=%[1]s NodeAddr=127.0.0.1 CPUs=%[8]d RealMemory=%[9]d
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE
`, host, ports[0], ports[1], me.Username, c.munge, MaxArraySize, c.dir, CPUs, MiB)
	if err := os.WriteFile(filepath.Join(c.dir, "slurm.conf"), []byte(conf), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// freePorts are ports that nobody listens at.
func freePorts(t testing.TB, n int) []int {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// daemon starts a program that the end of the test stops. What it says is shown
// if the test fails.
func (c *Cluster) daemon(program string, args ...string) {
	c.t.Helper()
	cmd := exec.Command(find(program), args...)
	cmd.Env = append(os.Environ(), c.Env...)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		kill.Stop()
		if c.t.Failed() {
			c.t.Logf("%s says:\n%s", program, log.String())
		}
	})
}

// Command is one that talks to the cluster.
func (c *Cluster) Command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), c.Env...)
	return cmd
}

// output is what a command says, or "" if it fails.
func (c *Cluster) output(name string, args ...string) string {
	out, err := c.Command(name, args...).Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// States are those of all jobs that there have been, such as COMPLETED, by job,
// or by job_index for those of an array.
func (c *Cluster) States() map[string]string {
	states := make(map[string]string)
	for line := range strings.Lines(c.output("squeue", "-h", "-r", "-t", "all", "-o", "%i|%T")) {
		id, state, _ := strings.Cut(strings.TrimSpace(line), "|")
		states[id] = state
	}
	return states
}

// Settle waits until no job is waiting or running, and returns the States.
func (c *Cluster) Settle() map[string]string {
	c.t.Helper()
	var states map[string]string
	c.await("all jobs end", func() bool {
		states = c.States()
		for _, s := range states {
			switch s {
			case "PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "REQUEUED":
				return false
			}
		}
		return len(states) > 0
	})
	return states
}

// await waits until ready says so.
func (c *Cluster) await(what string, ready func() bool) {
	c.t.Helper()
	for range 600 {
		if ready() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	c.t.Fatalf("waited a minute in vain: %s; there are: %v", what, c.States())
}
