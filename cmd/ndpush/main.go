// Ndpush pushes stacks of images into BOSS, the spatial database of brain images.
package main

import (
	"context"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/neurodata/ndpush/internal/cli"
	"github.com/neurodata/ndpush/internal/progress"
)

// echo is the time in which a second signal counts as the first: Slurm, systemd
// and timeout signal a script and all it started, and the script passes it on.
const echo = 2 * time.Second

func main() { os.Exit(run()) }

func run() int {
	// The first signal ends ctx: what is in flight finishes. A while later
	// signals have their default effect, so a second one ends the program.
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	context.AfterFunc(ctx, func() { time.AfterFunc(echo, stop) })
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // there is simply nothing to be found there
	}
	return cli.Main(ctx, os.Args[1:], cli.Env{
		Stdout:   os.Stdout,
		Stderr:   os.Stderr,
		Stdin:    os.Stdin,
		Asks:     progress.For(os.Stdin).Terminal && progress.For(os.Stderr).Terminal,
		Progress: progress.For(os.Stderr),
		Getenv:   os.Getenv,
		Home:     home,
		Now:      time.Now,
		Rand:     rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
		Poke:     poked(),
	})
}
