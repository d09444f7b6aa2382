package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary the program too: a script that runs ndpush
// starts a process of its own, signals and exit codes included.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ndpush": main})
}

// The stories of testdata/script, told through the program's front door.
func TestScript(t *testing.T) {
	stacks, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("STACKS", stacks)
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "peers" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return peers(), nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"appears": appears,
			"status":  status,
		},
	})
}

// peers reports whether the programs are there that read BOSS and images with
// code of their own. With NDPUSH_PEERS set, as in CI, they have to be.
func peers() bool {
	return os.Getenv("NDPUSH_PEERS") != "" || exec.Command("/usr/bin/python3", "-c", "import numpy, tifffile, PIL").Run() == nil
}

// appears FILE waits until the file is there, as a server's access file is once
// it can be connected to.
func appears(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: appears FILE")
	}
	for range 600 {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s did not appear", args[0])
}

// status CODE COMMAND ARGS... wants the command to end with that exit status.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status CODE COMMAND [ARGS...]")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = strconv.Itoa(exit.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}
