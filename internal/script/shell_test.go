//go:build unix

package script

import (
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// runners run a job on this machine. Both promise the same.
var runners = []string{"shell", "parallel"}

func needParallel(t *testing.T, format string) {
	if format != "parallel" {
		return
	}
	out, _ := exec.Command("parallel", "--version").Output()
	if strings.HasPrefix(string(out), "GNU parallel") {
		return
	}
	if os.Getenv("NDPUSH_PEERS") != "" {
		t.Fatal("GNU parallel is not here, and NDPUSH_PEERS wants it")
	}
	t.Skip("GNU parallel is not here")
}

// Everything runs in order, each share with its number, and the worst status
// comes out. What is missing does not keep the rest from being verified.
func TestRun(t *testing.T) {
	for _, format := range runners {
		for _, tt := range []struct {
			name string
			let  map[string]string
			want int
			ran  string
		}{
			{"good", nil, 0, "create share1 share2 share3 status verify"},
			{"create fails", map[string]string{"create": "2"}, 2, "create"},
			{"share fails", map[string]string{"share2": "1", "share3": "3"}, 3, "create share1 share2 share3 status"},
			{"missing", map[string]string{"share1": "3", "status": "3"}, 3, "create share1 share2 share3 status verify"},
			{"refused", map[string]string{"share3": "5"}, 5, "create share1 share2 share3 status"},
			{"differs", map[string]string{"share1": "3", "verify": "4"}, 4, "create share1 share2 share3 status verify"},
		} {
			t.Run(format+"/"+tt.name, func(t *testing.T) {
				needParallel(t, format)
				s := newStage(t, format, story(3))
				for command, status := range tt.let {
					s.let(command, status)
				}
				s.run(tt.want, "sh", "job.sh")
				if got := s.ran(); got != tt.ran {
					t.Errorf("ran %q, want %q", got, tt.ran)
				}
			})
		}
	}
}

// Words arrive as they are.
func TestWords(t *testing.T) {
	for _, format := range runners {
		t.Run(format, func(t *testing.T) {
			needParallel(t, format)
			w := story(2)
			for _, command := range []*[]string{&w.Create, &w.Share, &w.Status, &w.Verify} {
				*command = slices.Concat(*command, nastyWords, []string{"end"})
			}
			s := newStage(t, format, w)
			w.Dir = s.dir
			s = newStage(t, format, w)
			s.run(0, "sh", "job.sh")
			for _, name := range []string{"create", "share", "status", "verify"} {
				calls := s.words(name)
				want := slices.Concat([]string{name}, nastyWords, []string{"end"})
				if n := map[bool]int{true: 2, false: 1}[name == "share"]; len(calls) != n {
					t.Errorf("%s ran %d times, want %d", name, len(calls), n)
				}
				for _, got := range calls {
					if name == "share" {
						if tail := strings.Join(got[max(0, len(got)-2):], " "); tail != "--shard 1/2" && tail != "--shard 2/2" {
							t.Errorf("the share's words end in %q", tail)
						}
						got = got[:max(0, len(got)-2)]
					}
					if !reflect.DeepEqual(got, want) {
						t.Errorf("%s: words\n%q, want\n%q", name, got, want)
					}
				}
			}
		})
	}
}

// TERM is passed on, once, and the shares are waited for.
func TestStop(t *testing.T) {
	for _, format := range runners {
		t.Run(format, func(t *testing.T) {
			needParallel(t, format)
			s := newStage(t, format, story(2))
			s.let("share1", "wait")
			s.let("share2", "wait")
			cmd := s.command("sh", "job.sh")
			var out strings.Builder
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			s.await("waiting", "share1")
			s.await("waiting", "share2")
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if got := statusOf(t, cmd.Wait()); got != 130 {
				t.Errorf("the script ends with %d, want 130:\n%s", got, out.String())
			}
			got := s.lines("signals")
			slices.Sort(got)
			if want := []string{"share1 terminated", "share2 terminated"}; !slices.Equal(got, want) {
				t.Errorf("signals %q, want %q", got, want)
			}
			if got, want := s.ran(), "create share1 share2"; !strings.HasPrefix(got, want) || strings.Contains(got, "verify") {
				t.Errorf("ran %q, want %q and no verify", got, want)
			}
		})
	}
}

// Ctrl-C goes to all processes of a terminal: no share gets a second signal.
func TestInterrupt(t *testing.T) {
	for _, format := range runners {
		t.Run(format, func(t *testing.T) {
			needParallel(t, format)
			s := newStage(t, format, story(2))
			s.let("share1", "wait")
			s.let("share2", "wait")
			cmd := s.command("sh", "job.sh")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			s.await("waiting", "share1")
			s.await("waiting", "share2")
			if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			if got := statusOf(t, cmd.Wait()); got != 130 {
				t.Errorf("the script ends with %d, want 130", got)
			}
			if got := s.lines("signals"); len(got) != 2 {
				t.Errorf("signals %q, want one for each share", got)
			}
		})
	}
}

// Run again, GNU parallel runs only what failed.
func TestParallelAgain(t *testing.T) {
	needParallel(t, "parallel")
	w := story(3)
	w.AtOnce, w.Memory = 2, 1<<20
	s := newStage(t, "parallel", w)
	s.let("share2", "1")
	s.run(1, "sh", "job.sh")
	s.ran()
	s.run(0, "sh", "job.sh")
	if got, want := s.ran(), "create share2 status verify"; got != want {
		t.Errorf("the second time ran %q, want %q", got, want)
	}
	s.run(0, "sh", "job.sh")
	if got, want := s.ran(), "create status verify"; got != want {
		t.Errorf("the third time ran %q, want %q", got, want)
	}
}
