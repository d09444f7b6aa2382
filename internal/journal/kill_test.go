package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

// TestMain lets the test binary be the process that TestKill kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("JOURNAL_TEST_VICTIM"); dir != "" {
		victim(dir)
	}
	os.Exit(m.Run())
}

// victim writes until it is killed, and tells what it wrote.
func victim(dir string) {
	h := head("", box("0:1048576/0:1024/0:16"))
	h.Host, _ = os.Hostname()
	w, _, err := journal.Open(context.Background(), dir, h, journal.Options{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for x := 0; x < 1<<20; x += 1024 {
		b := box(firstBox).Add(voxel.Point{X: x})
		if err := errors.Join(w.Begin(b), w.Posted(b, 1, time.Second)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(x)
	}
	select {}
}

// Whatever a killed process said is known, and the next one goes on at once.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "JOURNAL_TEST_VICTIM="+dir)
	out, err := cmd.StdoutPipe()
	must(t, err, cmd.Start())
	last := 0
	for last < 20*1024 {
		if _, err := fmt.Fscanln(out, &last); err != nil {
			t.Fatal(err)
		}
	}
	host, err := os.Hostname()
	must(t, err)
	h := head(host, box("0:1048576/0:1024/0:16"))
	var busy *journal.BusyError
	if _, _, err := journal.Open(t.Context(), dir, h, journal.Options{}); !errors.As(err, &busy) {
		t.Errorf("got %v, want a BusyError", err)
	}
	if f := read(t, dir).Files()[0]; !f.Alive(f.Beat.Add(time.Hour)) && locks() {
		t.Error("a process at work is not alive")
	}
	must(t, cmd.Process.Kill())
	for { // what it said until then
		if _, err := fmt.Fscanln(out, &last); err != nil {
			break
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the process was not killed")
	}
	w, s := open(t, dir, h, journal.Options{})
	if said := box(firstBox).Add(voxel.Point{X: last}); !s.Done(voxel.Box{Max: said.Max}) {
		t.Errorf("something up to %v is not known", said)
	}
	must(t, w.Close("done"))
	if files := read(t, dir).Files(); len(files) != 1 || files[0].End != "" || files[0].Alive(files[0].Beat) && locks() {
		t.Errorf("got %d files, the first of which ended %q", len(files), files[0].End)
	}
}
