//go:build unix

package script

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes this test binary the programs too that scripts call, by the
// name that it is called by.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "ndpush":
		os.Exit(ndpush())
	case "kubectl":
		os.Exit(kubectl())
	case "aws", "bsub", "bjobs", "bparams":
		os.Exit(submitter(filepath.Base(os.Args[0])))
	}
	os.Exit(m.Run())
}

// A stage is where scripts run: a directory with the programs in PATH, and what
// those noted.
type stage struct {
	t    *testing.T
	dir  string // of the scripts and of the programs' work
	bin  string
	note string
	more []string // environment
}

// newStage makes a stage of the files of a job. Its path needs quotes.
func newStage(t *testing.T, format string, w Work) *stage {
	t.Helper()
	root := t.TempDir()
	s := &stage{t: t, dir: filepath.Join(root, "a 'job'"), bin: filepath.Join(root, "bin"), note: filepath.Join(root, "note")}
	for _, dir := range []string{s.dir, s.bin, s.note} {
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ndpush", "kubectl", "aws", "bsub", "bjobs", "bparams"} {
		if err := os.Symlink(self, filepath.Join(s.bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Write(format, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(s.dir, f.Name), []byte(f.Text), os.FileMode(f.Mode)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// story is a job whose commands are told apart by their first word.
func story(shares int) Work {
	return Work{
		Name: "job", Shares: shares,
		Create: []string{"ndpush", "create"}, Share: []string{"ndpush", "share"},
		Status: []string{"ndpush", "status"}, Verify: []string{"ndpush", "verify"},
	}
}

// let says what a command ends with, run by run; "wait" waits for a signal. What
// is not said is 0.
func (s *stage) let(command string, statuses ...string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.note, command+".plan"), []byte(strings.Join(statuses, "\n")), 0o666); err != nil {
		s.t.Fatal(err)
	}
}

// command is one that runs on the stage.
func (s *stage) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.dir
	cmd.Env = append(append(os.Environ(), s.env()...), s.more...)
	cmd.WaitDelay = time.Minute
	return cmd
}

func (s *stage) env() []string {
	return []string{"PATH=" + s.bin + ":" + os.Getenv("PATH"), "NOTE=" + s.note, "GORACE=atexit_sleep_ms=0", "POLL=0", "HOME=" + s.note}
}

// run runs a command, wants an exit status of it, and gives what it says.
func (s *stage) run(want int, name string, args ...string) string {
	s.t.Helper()
	out, err := s.command(name, args...).CombinedOutput()
	if got := statusOf(s.t, err); got != want {
		s.t.Fatalf("%s %q ends with %d, want %d:\n%s", name, args, got, want, out)
	}
	return string(out)
}

func statusOf(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	exit, ok := err.(*exec.ExitError)
	if !ok {
		t.Fatal(err)
	}
	return exit.ExitCode()
}

// lines are those of a note, none if there is no such note.
func (s *stage) lines(name string) []string {
	text, _ := os.ReadFile(filepath.Join(s.note, name))
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}

// ran are the commands that ran since the last call, in order, but for shares
// that follow each other, which are sorted.
func (s *stage) ran() string {
	lines := s.lines("order")
	os.Remove(filepath.Join(s.note, "order"))
	for from := 0; from < len(lines); { // shares run in any order
		to := from
		for to < len(lines) && strings.HasPrefix(lines[to], "share") {
			to++
		}
		slices.Sort(lines[from:to])
		from = to + 1
	}
	return strings.Join(lines, " ")
}

// words are those that a program was called with, call by call.
func (s *stage) words(name string) [][]string {
	var all [][]string
	for _, line := range s.lines(name + ".words") {
		var words []string
		if err := json.Unmarshal([]byte(line), &words); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, words)
	}
	return all
}

// await waits until a note has a line.
func (s *stage) await(name, line string) {
	s.t.Helper()
	s.until(fmt.Sprintf("%q is in %s", line, name), func() bool { return slices.Contains(s.lines(name), line) })
}

// until waits until ready says so.
func (s *stage) until(what string, ready func() bool) {
	s.t.Helper()
	for range 600 {
		if ready() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	s.t.Fatalf("waited in vain: %s", what)
}

// jot adds a line to a note. Programs do so at the same time.
func jot(name, format string, args ...any) {
	f, err := os.OpenFile(filepath.Join(os.Getenv("NOTE"), name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintf(f, format+"\n", args...)
}

func jotWords(name string) {
	line, err := json.Marshal(os.Args[1:])
	if err != nil {
		panic(err)
	}
	jot(name+".words", "%s", line)
}

// ndpush stands for the program: it notes what it was called with, and ends as
// it was let.
func ndpush() int {
	signals := make(chan os.Signal, 9)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1)
	command := os.Args[1]
	if last := os.Args[len(os.Args)-1]; command == "share" {
		command += number(last)
	}
	jotWords(os.Args[1])
	jot("order", "%s", command)
	plan := filepath.Join(os.Getenv("NOTE"), command+".plan")
	text, _ := os.ReadFile(plan)
	first, rest, _ := strings.Cut(string(text), "\n")
	os.WriteFile(plan, []byte(rest), 0o666)
	fmt.Println(command, "says", first)
	if first == "wait" {
		jot("waiting", "%s", command)
		for timeout := time.After(time.Minute); ; timeout = time.After(500 * time.Millisecond) {
			select {
			case s := <-signals:
				jot("signals", "%s %v", command, s)
			case <-timeout:
				return 130
			}
		}
	}
	status, _ := strconv.Atoi(first)
	return status
}

// number is that of a share, from 1, as ndpush finds it out.
func number(last string) string {
	if k, _, ok := strings.Cut(last, "/"); ok {
		return k
	}
	if k := os.Getenv("LSB_JOBINDEX"); k != "" {
		return k
	}
	k, err := strconv.Atoi(os.Getenv("SLURM_ARRAY_TASK_ID"))
	if err != nil {
		return "?"
	}
	return strconv.Itoa(k + 1)
}

// kubectl stands for the program: jobs end as they were let, Complete or Failed.
func kubectl() int {
	jotWords("kubectl")
	args := os.Args[1:]
	switch {
	case slices.Contains(args, "apply"):
		jot("order", "%s", strings.TrimSuffix(filepath.Base(args[len(args)-1]), ".yaml"))
	case slices.Contains(args, "pods"):
		fmt.Print("2\t1\n0\t0\n1\t3\n")
	case strings.Contains(args[len(args)-1], "failedIndexes"):
		fmt.Print("1-2")
	case slices.Contains(args, "job"):
		name := args[slices.Index(args, "job")+1]
		text, err := os.ReadFile(filepath.Join(os.Getenv("NOTE"), name+".plan"))
		if err != nil {
			text = []byte("Complete")
		}
		polls, _ := os.ReadFile(filepath.Join(os.Getenv("NOTE"), name+".polls"))
		jot(name+".polls", "again")
		if len(polls) > 0 { // the first time it is not over
			fmt.Print("SuccessCriteriaMet " + string(text))
		}
	case slices.Contains(args, "logs"):
		fmt.Println("log of", args[len(args)-1])
	}
	return 0
}

// submitter stands for what jobs are submitted with. What bsub was given is kept.
func submitter(name string) int {
	jotWords(name)
	switch name {
	case "bparams":
		fmt.Println("    MAX_JOB_ARRAY_SIZE = 1000")
	case "bjobs":
		text, _ := os.ReadFile(filepath.Join(os.Getenv("NOTE"), "bjobs.plan"))
		fmt.Print(string(text))
	case "bsub":
		script, _ := io.ReadAll(os.Stdin)
		for line := range strings.Lines(string(script)) {
			if job, ok := strings.CutPrefix(line, "#BSUB -J "); ok {
				id := len(lineCount("bsub.words"))
				job, _, _ = strings.Cut(strings.TrimSpace(job), "[")
				jot("order", "%s", job)
				os.WriteFile(filepath.Join(os.Getenv("NOTE"), job+".submitted"), script, 0o666)
				fmt.Printf("Job <%d> is submitted to default queue <normal>.\n", 100+id)
			}
		}
	case "aws":
		if slices.Contains(os.Args, "list-jobs") {
			fmt.Print("0\n2\n")
			break
		}
		jot("order", "%s", os.Args[2])
		fmt.Printf("id-%d\n", len(lineCount("aws.words")))
	}
	return 0
}

// lineCount are the lines of a note, as a program sees it.
func lineCount(name string) []string {
	f, err := os.Open(filepath.Join(os.Getenv("NOTE"), name))
	if err != nil {
		return nil
	}
	defer f.Close()
	var lines []string
	for s := bufio.NewScanner(f); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return lines
}
