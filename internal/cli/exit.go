package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"
)

// Exit codes. They are part of what ndpush promises, and in the help of every
// command.
const (
	exitDone        = 0   // all done and, where asked, verified
	exitFatal       = 1   // could not start, or a fatal error
	exitUsage       = 2   // wrong usage
	exitIncomplete  = 3   // finished, but some slices or cuboids are missing
	exitDiffers     = 4   // verification found a difference
	exitRefused     = 5   // BOSS refuses writes for now
	exitInterrupted = 130 // interrupted, journal saved
)

const exitHelp = `Exit status:
  0    all done and, where asked, verified
  1    could not start, or a fatal error
  2    wrong usage
  3    finished, but some slices or cuboids are missing or could not be compared
  4    verification found a difference
  5    BOSS refuses writes for now (quota, write lock), or was out of reach for
       longer than --patience: run it again later
  130  interrupted; the journal is saved`

// An exitError is an error with an exit code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// exitCode is the code that err ends the program with.
func exitCode(err error) int {
	var exit *exitError
	var refused interface{ Refused() bool }
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &refused) && refused.Refused():
		return exitRefused
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFatal
}

// hinted is an error with a sentence on what to do.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

// withHint adds what to do to err.
func withHint(err error, format string, args ...any) error {
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// complain prints err for a person: each line of it, and the hint if there is one.
func complain(w io.Writer, err error) {
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(w, "ndpush: %s\n", strings.TrimSuffix(line, "\n"))
	}
	var h *hinted
	switch {
	case errors.As(err, &h):
		fmt.Fprintf(w, "hint: %s\n", h.hint)
	case errors.Is(err, syscall.ENOSPC):
		fmt.Fprintln(w, "hint: make space, then run the same command again")
	case errors.Is(err, fs.ErrPermission):
		fmt.Fprintln(w, "hint: see who owns the file or directory, with ls -l")
	}
}
