package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// quickExit keeps the race detector from sleeping for a second, as it does, at
// the end of each of the many processes.
const quickExit = "atexit_sleep_ms=0"

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
	store := startGateway(t)
	service := startRender(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("STACKS", stacks)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("GORACE", quickExit)
			env.Setenv("RENDER", service)
			if store != nil {
				env.Vars = append(env.Vars, store.env...)
				env.Setenv("S3", store.url)
				env.Setenv("S3MOODY", store.moody)
			}
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "peers":
				return peers(), nil
			case "s3":
				return store != nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"appears": appears,
			"faults":  faults,
			"logged":  logged,
			"status":  status,
			"bucket": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) < 2 {
					ts.Fatalf("usage: bucket NAME DIR...")
				}
				ts.Check(store.bucket(args[0], args[1:]...))
			},
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
	await(ts, args[0]+" appears", func() bool {
		_, err := os.Stat(ts.MkAbs(args[0]))
		return err == nil
	})
}

// logged FILE TEXT waits until the file holds the text.
func logged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: logged FILE TEXT")
	}
	await(ts, args[0]+" has "+args[1], func() bool {
		text, err := os.ReadFile(ts.MkAbs(args[0]))
		return err == nil && strings.Contains(string(text), args[1])
	})
}

// await waits until ready says so.
func await(ts *testscript.TestScript, what string, ready func() bool) {
	for range 1200 {
		if ready() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("waited a minute in vain: %s", what)
}

// faults ACCESS SCRIPT tells the server of the access file what is to go wrong.
func faults(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: faults ACCESS SCRIPT")
	}
	access := make(map[string]string)
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if key, value, ok := strings.Cut(line, "="); ok {
			access[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	url := access["protocol"] + "://" + access["host"] + "/local/faults"
	req, err := http.NewRequest(http.MethodPut, url, strings.NewReader(ts.ReadFile(args[1])))
	ts.Check(err)
	req.Header.Set("Authorization", "Token "+access["token"])
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		body, _ := io.ReadAll(resp.Body)
		ts.Fatalf("%s: %s", resp.Status, body)
	}
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
