package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	"strconv"
	"time"

	"github.com/neurodata/ndpush/internal/bench/nullboss"
	"github.com/neurodata/ndpush/internal/bench/stack"
	"github.com/neurodata/ndpush/internal/cli"
)

// A measurement is what one run of ndpush took, and what arrived.
type measurement struct {
	Wall    float64         `json:"wall_s"`
	CPU     float64         `json:"cpu_s"`      // of all processors, user and system
	System  float64         `json:"cpu_sys_s"`  // of these, the system's
	BossCPU float64         `json:"boss_cpu_s"` // of the null BOSS
	Peak    int64           `json:"peak_bytes"` // of memory
	Stated  int64           `json:"stated_bytes"`
	Counts  nullboss.Counts `json:"arrived"`
}

// once runs ndpush on a stack, with a null BOSS and a journal of its own.
func (r *rig) once(ctx context.Context, k stack.Kind, s *stack.Stack) (*measurement, error) {
	dir, err := os.MkdirTemp(r.work, "run-")
	if err != nil {
		return nil, err
	}
	b, err := startBoss(ctx, r.rate)
	if err != nil {
		return nil, err
	}
	m, err := r.ingest(ctx, k, s, b, dir)
	counts, cpu, serr := b.stop()
	if err := errors.Join(err, serr); err != nil {
		return nil, err
	}
	m.BossCPU, m.Counts = cpu.Seconds(), counts
	return m, m.check(s)
}

// check returns an error if not all that should have arrived did, once.
func (m *measurement) check(s *stack.Stack) error {
	c := m.Counts
	switch {
	case c.Refused > 0:
		return fmt.Errorf("%d cutouts were refused, the first because of %s", c.Refused, c.Reason)
	case c.Repeated > 0:
		return fmt.Errorf("%d cutouts arrived twice", c.Repeated)
	case c.Cutouts != s.Cuboids || c.Voxels != s.Bytes:
		return fmt.Errorf("%d cutouts of %d bytes of voxels arrived, want %d of %d", c.Cutouts, c.Voxels, s.Cuboids, s.Bytes)
	}
	return nil
}

// ingest creates the channel, and then measures the ingest proper.
func (r *rig) ingest(ctx context.Context, k stack.Kind, s *stack.Stack, b *boss, dir string) (*measurement, error) {
	args := r.arguments(k, s, dir)
	if err := os.WriteFile(filepath.Join(dir, accessFile), []byte(b.access()), 0o600); err != nil {
		return nil, err
	}
	if _, _, err := r.command(ctx, dir, append(args, "--create-resources")); err != nil {
		return nil, err
	}
	start := time.Now()
	state, said, err := r.command(ctx, dir, args)
	wall := time.Since(start)
	if err != nil {
		return nil, err
	}
	stated, err := statedMemory(said)
	return &measurement{
		Wall: wall.Seconds(), CPU: cpuOf(state).Seconds(), System: state.SystemTime().Seconds(),
		Peak: peakOf(state), Stated: stated,
	}, err
}

const accessFile = "neurodata.cfg"

// arguments are those of the ingest of a stack, whose journal is to be in dir.
func (r *rig) arguments(k stack.Kind, s *stack.Stack, dir string) []string {
	side := "0:" + strconv.Itoa(s.Side)
	args := []string{
		"ingest", "--base-path", s.Dir, "--base-filename", "z<p:4>", "--extension", k.Extension,
		"--collection", "bench", "--experiment", "e", "--channel", "ch", "--datatype", k.Datatype, "--voxel-size", "4:4:40",
		"--x-extent", side, "--y-extent", side, "--z-extent", "0:" + strconv.Itoa(s.Slices),
		"--verify", "none", "--log-dir", dir, "--boss-config-file", filepath.Join(dir, accessFile),
	}
	if k.Labels {
		args = append(args, "--annotation")
	}
	if r.compression != "" {
		args = append(args, "--compression", r.compression)
	}
	return args
}

// command runs ndpush to its end. What it says is the error if it fails.
func (r *rig) command(ctx context.Context, dir string, args []string) (*os.ProcessState, string, error) {
	cmd := exec.CommandContext(ctx, r.program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, "", fmt.Errorf("ndpush %s: %w: %s", args[0], err, bytes.TrimSpace(out))
	}
	return cmd.ProcessState, string(out), nil
}

var memoryPattern = regexp.MustCompile(`memory at most ([0-9.]+) ([KMG])iB`)

// statedMemory is what ndpush said that it takes at most.
func statedMemory(said string) (int64, error) {
	m := memoryPattern.FindStringSubmatch(said)
	if m == nil {
		return 0, fmt.Errorf("ndpush did not say how much memory it takes: %s", said)
	}
	f, err := strconv.ParseFloat(m[1], 64)
	return int64(f * map[string]float64{"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[m[2]]), err
}

// profileOne runs a row once in this process, and writes where the processors'
// time goes.
func (r *rig) profileOne(ctx context.Context, k stack.Kind) error {
	s, err := r.stack(ctx, k)
	if err != nil {
		return err
	}
	b, err := startBoss(ctx, r.rate)
	if err != nil {
		return err
	}
	err = r.profileIngest(ctx, r.arguments(k, s, r.work), b)
	_, _, serr := b.stop()
	return errors.Join(err, serr)
}

func (r *rig) profileIngest(ctx context.Context, args []string, b *boss) error {
	if err := os.WriteFile(filepath.Join(r.work, accessFile), []byte(b.access()), 0o600); err != nil {
		return err
	}
	f, err := os.Create(r.options.profile)
	if err != nil {
		return err
	}
	defer f.Close()
	env := cli.Env{Stdout: r.say, Stderr: r.say, Getenv: os.Getenv, Now: time.Now}
	if code := cli.Main(ctx, append(args, "--create-resources"), env); code != 0 {
		return fmt.Errorf("ndpush ingest --create-resources ends with %d", code)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	code := cli.Main(ctx, args, env)
	pprof.StopCPUProfile()
	if code != 0 {
		return fmt.Errorf("ndpush ingest ends with %d", code)
	}
	return f.Close()
}
