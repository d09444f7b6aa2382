package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A stage is where a story of several processes is played: a directory with the
// program, whose processes all run in it.
type stage struct {
	*testing.T
	dir string
	bin string
}

func newStage(t *testing.T) *stage {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{T: t, dir: t.TempDir()}
	s.bin = filepath.Join(t.TempDir(), "ndpush") // see TestMain
	if err := os.Symlink(program, s.bin); err != nil {
		t.Fatal(err)
	}
	return s
}

// path is a file of the stage.
func (s *stage) path(name ...string) string {
	return filepath.Join(append([]string{s.dir}, name...)...)
}

// A process is one run of the program. What it says is kept.
type process struct {
	stage      *stage
	cmd        *exec.Cmd
	said       words // on standard output
	complained words // on standard error
	done       chan struct{}
}

// words are what a process has written so far.
type words struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// start starts the program. It ends with the test at the latest.
func (s *stage) start(args ...string) *process {
	s.Helper()
	p := &process{stage: s, cmd: exec.Command(s.bin, args...), done: make(chan struct{})}
	p.cmd.Dir = s.dir
	p.cmd.Env = append(os.Environ(), "HOME="+s.dir, "GORACE="+quickExit)
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.complained
	if err := p.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	go func() {
		p.cmd.Wait() // its ProcessState says all
		close(p.done)
	}()
	s.Cleanup(p.kill)
	return p
}

// kill ends the process as kill -9 does, and returns when it is gone.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// signal sends a signal to the process, which may have ended.
func (p *process) signal(sig os.Signal) {
	p.stage.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.stage.Fatal(err)
	}
}

// ended reports whether the process has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// wait waits for the end of the process and gives its exit status, -1 if a
// signal ended it.
func (p *process) wait() int {
	p.stage.Helper()
	select {
	case <-p.done:
	case <-time.After(longest):
		p.kill()
		p.stage.Fatalf("%v still runs after %v:\n%s", p.cmd.Args, longest, p)
	}
	return p.cmd.ProcessState.ExitCode()
}

// longest is how long anything may take before it is said to hang. Nothing is
// decided by it but that.
const longest = 4 * time.Minute

// String is all that the process said.
func (p *process) String() string { return p.said.String() + p.complained.String() }

// want fails the test if the process ended or ends with another status, or did
// not say all of the texts.
func (p *process) want(status int, texts ...string) {
	p.stage.Helper()
	if got := p.wait(); got != status {
		p.stage.Fatalf("exit status %d, want %d: %v\n%s", got, status, p.cmd.Args[1:], p)
	}
	all := p.String()
	for _, text := range texts {
		if !strings.Contains(all, text) {
			p.stage.Fatalf("%q was not said by %v:\n%s", text, p.cmd.Args[1:], all)
		}
	}
}

// run is a process from its start to its end.
func (s *stage) run(status int, args ...string) *process {
	s.Helper()
	p := s.start(args...)
	p.want(status)
	return p
}

// until waits until ready says so.
func (s *stage) until(what string, ready func() bool) {
	s.Helper()
	for end := time.Now().Add(longest); !ready(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("waited in vain: %s", what)
		}
	}
}

// until waits until ready says so while a process runs, which must not end before.
func (p *process) until(what string, ready func() bool) {
	p.stage.Helper()
	p.stage.until(what, func() bool {
		if ready() {
			return true
		}
		if p.ended() && !ready() {
			p.stage.Fatalf("it ended before %s:\n%s", what, p)
		}
		return false
	})
}

// A bossProcess is a BOSS in a process of its own.
type bossProcess struct {
	*process
	remote
}

// config is where the access file of the stage's BOSS is.
const config = "neurodata.cfg"

// serve starts a BOSS that keeps what it is sent in the directory boss.
func (s *stage) serve() *bossProcess {
	s.Helper()
	return s.serveAt("127.0.0.1:0")
}

// serveAt starts the BOSS at an address, perhaps one that an earlier one had.
func (s *stage) serveAt(address string) *bossProcess {
	s.Helper()
	b := &bossProcess{process: s.start("serve", "--dir", "boss", "--config", config, "--control", "--listen", address)}
	b.until("BOSS listens", func() bool { return strings.Contains(b.said.String(), "BOSS at ") })
	b.remote = s.remote()
	return b
}

// remote is the BOSS that the access file names.
func (s *stage) remote() remote {
	s.Helper()
	text, err := os.ReadFile(s.path(config))
	if err != nil {
		s.Fatal(err)
	}
	access := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, "="); ok {
			access[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return remote{s.T, access["host"], access["token"]}
}

// still waits until BOSS is at work on nothing, also for those who are dead.
func (b *bossProcess) still() {
	b.stage.Helper()
	b.stage.until("BOSS is idle", func() bool { return b.writes().InFlight == 0 })
}

// again starts the BOSS that was killed anew, at the address where it was.
func (b *bossProcess) again() *bossProcess {
	b.stage.Helper()
	b.stage.until("its port is free", func() bool {
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", b.host)
		if err == nil {
			l.Close()
		}
		return err == nil
	})
	return b.stage.serveAt(b.host)
}

// glob gives the files of the stage that match, at least one.
func (s *stage) glob(pattern string) []string {
	s.Helper()
	names, err := filepath.Glob(s.path(pattern))
	if err != nil || len(names) == 0 {
		s.Fatalf("no file is called %s: %v", pattern, err)
	}
	return names
}

// read is the text of all files that match.
func (s *stage) read(pattern string) string {
	s.Helper()
	var all strings.Builder
	for _, name := range s.glob(pattern) {
		text, err := os.ReadFile(name)
		if err != nil {
			s.Fatal(err)
		}
		fmt.Fprintf(&all, "%s", text)
	}
	return all.String()
}

// status wants the command of that name to end with a status and to say text.
func (s *stage) status(status int, text string, flags ...string) {
	s.Helper()
	s.start(append([]string{"status"}, flags...)...).want(status, text)
}
