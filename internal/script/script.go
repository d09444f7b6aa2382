// Package script writes commands as a job for an engine that the lab already
// has: a shell, PowerShell, GNU parallel, Slurm, LSF, Kubernetes or AWS Batch.
// It makes text and runs nothing.
//
// Every job has the same form: one command creates the resources; then shares,
// each a process, do the work; then what was done is shown and verified. The
// engine's own dependencies keep the order, its own limits the memory and the
// time. What tells the shares apart is the index that the engine gives each,
// which the command reads; an engine that has none is given a command for each.
//
// What the statuses mean, here and for the engine:
//
//	0        done
//	1 2      it cannot be done like this: not tried again
//	3        done but for what is missing: the other shares, and verification, go on
//	4        verification differs: not tried again
//	5        not now: tried again later, where the engine knows how
//	130      interrupted: the same command goes on where it was
//
// The commands keep a journal, so every script can be run again: what is done is
// not done twice.
//
// Secrets are in no file. What a job needs of them, the cluster holds, and the
// first file says how to put it there.
package script

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Work is what a job does. Commands are words, the program first.
type Work struct {
	Name   string // of the job, anything; each engine gets what it allows
	Dir    string // where the commands run, an absolute path; "" is where the script is run, or /data in a container
	Create []string
	// Share is the command of one share. It has --shards N already, and takes
	// from the engine's index which share it is. --shard K/N, K from 1, is
	// added where there is no index.
	Share  []string
	Shares int // at least 1
	AtOnce int // of them at one time; 0 is all. The shell and PowerShell always run all.

	Status []string // shows what was done, when all shares have ended; nil is nothing
	Verify []string // follows if no share failed; nil is nothing

	Memory     int64         // bytes, the most that a process takes; 0 is not said to the engine
	CPUs       int           // of a share; 0 is 1
	Time       time.Duration // the most that a share may take; 0 is the engine's default
	VerifyTime time.Duration // the most that Verify may take; 0 is the engine's default
	Image      string        // of the containers; "" is a name to be edited
	Notes      []string      // comments, such as an estimate
}

// A File is a part of a job.
type File struct {
	Name string // without a directory, safe in any file system and shell
	Mode uint32 // permissions
	Text string
}

// formats are the writers by the name of their format.
var formats = []struct {
	name  string
	most  int // shares that the engine takes at the most
	write func(*view) ([]File, error)
}{
	{"shell", 1000, writeShell},
	{"powershell", 1000, writePowerShell},
	{"parallel", 1_000_000, writeParallel},
	{"slurm", 4_000_000, writeSlurm}, // the cluster has a limit of its own, which the script asks for
	{"lsf", 10_000, writeLSF},
	{"kubernetes", 100_000, writeKubernetes},
	{"aws-batch", 10_000, writeBatch},
}

// Formats are the names that Write knows.
func Formats() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// Write writes w as a job in a format, one of Formats. The first file is the one
// to run; it says how, and expects the others beside it.
//
// The error is one sentence about the format or about what of w cannot be
// written in it.
func Write(format string, w Work) ([]File, error) {
	for _, f := range formats {
		if f.name != format {
			continue
		}
		if err := w.check(); err != nil {
			return nil, err
		}
		if w.Shares > f.most {
			return nil, fmt.Errorf("%d shares are more than %s takes: at most %d", w.Shares, format, f.most)
		}
		return f.write(newView(w))
	}
	return nil, fmt.Errorf("there is no format %q: choose one of %s", format, strings.Join(Formats(), ", "))
}

// check is about what no format can write.
func (w *Work) check() error {
	switch {
	case len(w.Share) == 0:
		return fmt.Errorf("there is no command for a share")
	case w.Shares < 1:
		return fmt.Errorf("%d shares: there must be at least 1", w.Shares)
	case w.AtOnce < 0, w.CPUs < 0, w.Memory < 0, w.Time < 0, w.VerifyTime < 0:
		return fmt.Errorf("shares at once, CPUs, memory and times cannot be below 0")
	case w.Memory > 1<<60:
		return fmt.Errorf("%d bytes of memory are more than any machine has", w.Memory)
	case w.Dir != "" && !strings.HasPrefix(w.Dir, "/") && !isWindowsPath(w.Dir):
		return fmt.Errorf("the directory %q is not an absolute path", w.Dir)
	case !images.MatchString(w.Image):
		return fmt.Errorf("%q is not the name of a container image", w.Image)
	}
	for _, words := range [][]string{w.Create, w.Share, w.Status, w.Verify} {
		if words != nil && (len(words) == 0 || words[0] == "") {
			return fmt.Errorf("a command has no program")
		}
	}
	for _, word := range slices.Concat(w.Create, w.Share, w.Status, w.Verify, []string{w.Dir}) {
		if strings.ContainsRune(word, 0) || !utf8.ValidString(word) {
			return fmt.Errorf("the word %q cannot be written: it is not text", word)
		}
	}
	return nil
}

// images are names of container images, or none.
var images = regexp.MustCompile(`^([a-zA-Z0-9][a-zA-Z0-9._/:@-]*)?$`)

// isWindowsPath reports whether a path is absolute where drives have letters.
func isWindowsPath(path string) bool {
	return len(path) > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/') || strings.HasPrefix(path, `\\`)
}
