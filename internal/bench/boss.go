package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/neurodata/ndpush/internal/bench/nullboss"
)

// serve is a null BOSS behind a line of the rate in args. It says its address,
// serves until stdin ends, so that it cannot outlive who started it, and then says
// what arrived.
func serve(args []string, stdin io.Reader, stdout io.Writer) error {
	rate, err := parseRate(strings.Join(args, ""))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	if rate > 0 {
		l = nullboss.NewLine(l, rate)
	}
	s := new(nullboss.Server)
	go http.Serve(l, s) // until the process ends
	fmt.Fprintln(stdout, l.Addr())
	if _, err := io.Copy(io.Discard, stdin); err != nil {
		return err
	}
	return json.NewEncoder(stdout).Encode(s.Counts())
}

// A boss is a null BOSS in a process of its own.
type boss struct {
	address string // host and port
	cmd     *exec.Cmd
	stdin   io.Closer
	stdout  *bufio.Reader
}

func startBoss(ctx context.Context, rate string) (*boss, error) {
	cmd, err := self(ctx, nullBoss, rate)
	if err != nil {
		return nil, err
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b := &boss{cmd: cmd, stdin: stdin, stdout: bufio.NewReader(stdout)}
	line, err := b.stdout.ReadString('\n')
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		return nil, fmt.Errorf("start a null BOSS: %w", err)
	}
	b.address = strings.TrimSpace(line)
	return b, nil
}

// stop ends the process, and gives what arrived and the processors' time that it took.
func (b *boss) stop() (counts nullboss.Counts, cpu time.Duration, err error) {
	b.stdin.Close()
	err = json.NewDecoder(b.stdout).Decode(&counts)
	if werr := b.cmd.Wait(); err == nil {
		err = werr
	}
	return counts, cpuOf(b.cmd.ProcessState), err
}

// access is the text of an access file for the null BOSS, which takes any token.
func (b *boss) access() string {
	return "[Default]\nprotocol = http\nhost = " + b.address + "\ntoken = " + secret + "\n"
}

const secret = "0123456789abcdef0123456789abcdef01234567"

// self is a process of this program.
func self(ctx context.Context, args ...string) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// ask runs a process of this program to its end, and decodes the JSON that it says.
func ask(ctx context.Context, v any, args ...string) error {
	cmd, err := self(ctx, args...)
	if err != nil {
		return err
	}
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return json.Unmarshal(out, v)
}

// cpuOf is the processors' time of a process that has ended.
func cpuOf(s *os.ProcessState) time.Duration { return s.UserTime() + s.SystemTime() }
