// Package cli is the command line: the only place where the parts meet.
//
// Each command is three pieces: a struct of options, a function that makes the
// cobra command and binds its flags, and one that runs it. All flags are judged
// before anything is opened, and together.
//
// A command prints its result on standard output, and what happens meanwhile on
// standard error.
package cli

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/event"
	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/joblog"
	"github.com/neurodata/ndpush/internal/manual"
	"github.com/neurodata/ndpush/internal/metrics"
	"github.com/neurodata/ndpush/internal/progress"
	"github.com/neurodata/ndpush/internal/verify"
)

var (
	_ ingest.Sink     = (*boss.Channel)(nil)
	_ ingest.Sink     = (*verify.Sink)(nil)
	_ ingest.Eraser   = (*boss.Channel)(nil)
	_ ingest.Recorder = (*recorders)(nil)
	_ listener        = (*joblog.Log)(nil)
	_ listener        = (*progress.Counter)(nil)
	_ keeper          = (*progress.Counter)(nil)
	_ listener        = (*verify.Report)(nil)
	_ listener        = (*event.Losses)(nil)
	_ verify.Fetcher  = (*boss.Channel)(nil)
)

// Env is what the program finds around it.
type Env struct {
	Stdout, Stderr io.Writer
	Stdin          io.Reader
	Asks           bool             // a person answers questions: Stdin and Stderr are a terminal
	Progress       progress.Options // how Stderr shows progress
	Getenv         func(string) string
	Home           string // of the user; "" if unknown
	Now            func() time.Time
	Rand           *rand.Rand
	Poke           <-chan os.Signal // asks for the progress; nil: nobody does
}

// An app is one run of the program.
type app struct {
	Env
	retries retries
	events  *event.Stream    // nil: nobody reads them
	metrics *metrics.Metrics // nil: nobody asks
	running bool             // flags and arguments are judged: errors are no longer ones of usage
}

// Main runs the command that args name, without the program's name, and
// returns the exit code. When ctx ends, work in flight is finished.
func Main(ctx context.Context, args []string, env Env) int {
	return (&app{Env: env}).main(ctx, args)
}

// Command is the tree of commands, for who describes them.
func Command() *cobra.Command { return new(app).newRootCmd() }

func (a *app) main(ctx context.Context, args []string) int {
	root := a.newRootCmd()
	args = joinWords(args)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		a.events.Exit(exitDone, nil)
		return exitDone
	}
	if !a.running {
		err = suggestCommand(root, args, err)
		err = &exitError{exitUsage, withHint(err, "ndpush help shows the commands, ndpush COMMAND --help its flags")}
	}
	if ctx.Err() != nil && exitCode(err) == exitInterrupted && !isSaid(err) {
		err = &exitError{exitInterrupted, errors.New("interrupted")}
	}
	complain(a.Stderr, err)
	if a.events == nil && !a.running && wantsEvents(cmd, args) {
		a.events = event.New(a.Stdout, a.Now)
	}
	a.events.Exit(exitCode(err), err)
	return exitCode(err)
}

func (a *app) newRootCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ndpush",
		Short: "Push stacks of images into BOSS",
		Long: `ndpush pushes stacks of electron- and light-microscopy images into BOSS, the
spatial database of brain images (https://bossdb.org).

Start with "ndpush demo", which shows the whole thing on this machine. "ndpush help
starting" goes through your first push, and "ndpush help concepts" tells what the
words mean that all commands use.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.SetOut(a.Stdout)
	cmd.SetErr(a.Stderr)
	cmd.SetGlobalNormalizationFunc(canonical)
	cmd.SetFlagErrorFunc(suggestFlag)
	cmd.DisableSuggestions = true
	cmd.AddCommand(
		a.newInitCmd(), a.newPreviewCmd(), a.newCheckCmd(), a.newIngestCmd(), a.newStatusCmd(), a.newRetryCmd(), a.newVerifyCmd(), a.newReportCmd(),
		a.newGencmdCmd(), a.newSlackTestCmd(), a.newServeCmd(), a.newDemoCmd(), a.newVersionCmd(),
	)
	for _, p := range manual.Pages() {
		// A command that does nothing is a topic of help.
		cmd.AddCommand(&cobra.Command{Use: p.Name, Short: p.Title, Long: p.Plain()})
	}
	cmd.InitDefaultHelpCmd()
	if help, _, err := cmd.Find([]string{"help"}); err == nil {
		help.Args = knownTopic
	}
	return cmd
}

// isSaid reports whether err was put into words for a person.
func isSaid(err error) bool {
	var said *exitError
	return errors.As(err, &said)
}

// run makes a cobra function of f, which gets the command's context.
func (a *app) run(f func(ctx context.Context) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		a.running = true
		return f(cmd.Context())
	}
}

// usage is the error for a command line that breaks rules.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitUsage, err}
}
