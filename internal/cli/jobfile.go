package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"gopkg.in/ini.v1"
)

// A job file holds flags of ingest, one to a line, so that all commands about a
// channel can share them:
//
//	# fly.ini
//	collection = lab
//	x-extent   = 0:1100
//
// Flags on the command line win. What a command has no flag for, but another
// has, is left to that one. A ? in place of a value, or of a part of it, is what
// ndpush init writes for what it cannot know: it is refused until somebody does.

// unknownValue stands for a value that is not known yet.
const unknownValue = "?"

// notInFile are flags that say what one run does, not what the job is.
var notInFile = []string{"job", "help", "create-resources", "dry-run", "canary", "shard", "fresh", "moved", "replace", "out", "json", "metrics", "report"}

// bindJobFile binds --job and sets the flags that the file holds before the
// command runs. rename says which flag a key stands for, if not the one of its
// name; nil: always that.
func (f *jobFlags) bindJobFile(cmd *cobra.Command, rename map[string]string) {
	cmd.Flags().StringVar(&f.file, "job", "", "a file with flags, one to a line as in 'collection = lab'; those of the command line win")
	cmd.MarkFlagFilename("job", "ini")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if f.file == "" {
			return nil
		}
		lines, err := readJobFile(f.file)
		if err != nil {
			return err
		}
		f.fromFile = make(map[string]bool)
		var errs []error
		for _, l := range lines {
			if err := f.setLine(cmd, l, rename); err != nil {
				errs = append(errs, fmt.Errorf("%s:%d: %w", f.file, l.n, err))
			}
		}
		return errors.Join(errs...)
	}
}

// A jobLine is a line of a job file.
type jobLine struct {
	n          int // counted from 1
	key, value string
}

// readJobFile reads the lines of a job file that set something.
func readJobFile(path string) ([]jobLine, error) {
	text, err := readText(path)
	if err != nil {
		return nil, fmt.Errorf("read job file: %w", err)
	}
	return parseJobFile(path, text)
}

// parseJobFile reads the text of a job file.
func parseJobFile(path string, text []byte) ([]jobLine, error) {
	file, err := loadINI(text)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", path, badLine(text), err)
	}
	for _, s := range file.Sections() {
		if s.Name() != ini.DefaultSection {
			return nil, fmt.Errorf("%s: section [%s]: a job file has no sections, only lines like 'collection = lab'", path, s.Name())
		}
	}
	var lines []jobLine
	numbers := linesOf(text)
	for _, key := range file.Section("").Keys() {
		at := numbers[key.Name()]
		for i, value := range key.ValueWithShadows() {
			n := 0
			if i < len(at) {
				n = at[i]
			}
			lines = append(lines, jobLine{n, key.Name(), value})
		}
		if len(at) > 1 {
			return nil, fmt.Errorf("%s:%d: %s was given in line %d already", path, at[1], key.Name(), at[0])
		}
	}
	slices.SortStableFunc(lines, func(a, b jobLine) int { return a.n - b.n })
	return lines, nil
}

// errNotINI stands for what the reader of INI files says, which nobody need know, and
// which would show what is in the file.
var errNotINI = errors.New("want text in UTF-8, of lines like 'collection = lab'")

// loadINI reads the text of a job file as INI.
func loadINI(text []byte) (*ini.File, error) {
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, errNotINI
	}
	file, err := ini.LoadSources(ini.LoadOptions{
		IgnoreContinuation:  true, // \ ends paths of Windows
		IgnoreInlineComment: true, // # begins Slack channels
		KeyValueDelimiters:  "=",
		AllowShadows:        true, // to see what is given twice
		AllowBooleanKeys:    true, // to tell where the = is missing
	}, text)
	if err != nil {
		return nil, errNotINI
	}
	return file, nil
}

// badLine is the line, counted from 1, up to which a text is no INI. The reader does
// not tell.
func badLine(text []byte) int {
	lines := slices.Collect(bytes.Lines(text))
	return 1 + sort.Search(len(lines)-1, func(n int) bool {
		_, err := loadINI(bytes.Join(lines[:n+1], nil))
		return err != nil
	})
}

// maxText is the size of a file that a person writes by hand, at most.
const maxText = 1 << 20

// readText reads a small file.
func readText(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err == nil && len(text) > maxText {
		err = fmt.Errorf("%s has more than %d bytes: is it the right file?", path, maxText)
	}
	return text, err
}

// linesOf finds the lines that give each key, which the reader of INI files does not tell.
func linesOf(text []byte) map[string][]int {
	at := make(map[string][]int)
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		n++
		key, _, _ := strings.Cut(line, "=")
		key = strings.Trim(strings.TrimSpace(key), "\"`")
		at[key] = append(at[key], n)
	}
	return at
}

// setLine sets the flag that a line names, unless the command line did.
func (f *jobFlags) setLine(cmd *cobra.Command, l jobLine, rename map[string]string) error {
	name := string(canonical(nil, l.key))
	switch {
	case slices.Contains(notInFile, name):
		return fmt.Errorf("%s says what one run does: give --%s on the command line", l.key, name)
	case !isFlag(cmd.Root(), name) && strings.Contains(name, "token"):
		return fmt.Errorf("%s: tokens do not go into a job file: the file that boss-config-file names holds them", l.key)
	case !isFlag(cmd.Root(), name):
		return fmt.Errorf("%s is no flag%s", l.key, didYouMean(name, jobFileFlags(cmd.Root())))
	}
	if to, ok := rename[name]; ok {
		name = to
	}
	flag := cmd.Flags().Lookup(name)
	if flag == nil || flag.Changed {
		return nil // another command's, or the command line's
	}
	value := l.value
	if wordCounts[name] > 0 {
		value = strings.Join(strings.Fields(value), ":")
	}
	if _, err := strconv.ParseBool(value); err != nil && flag.Value.Type() == "bool" {
		return fmt.Errorf("--%s %q: want true or false", name, value)
	}
	if isUnknown(value) {
		return f.refuseUnknown(l, flag)
	}
	f.fromFile[name] = true
	known := len(f.problems)
	err := cmd.Flags().Set(name, value)
	if len(f.problems) > known { // a value notes what is wrong with it
		err = errors.Join(f.problems[known:]...)
		f.problems = f.problems[:known]
	}
	return err
}

// isUnknown reports whether a value, or a part of it, is not known yet.
func isUnknown(value string) bool { return slices.Contains(split(value), unknownValue) }

// refuseUnknown says what is to be put in the place of a ?, unless the command can
// do without.
func (f *jobFlags) refuseUnknown(l jobLine, flag *pflag.Flag) error {
	if f.lenient {
		return nil
	}
	return fmt.Errorf("%s = %s: put what is right in place of the ?, or give --%s: %s", l.key, l.value, flag.Name, flag.Usage)
}

// isFlag reports whether a command that takes a job file has a flag of that name.
func isFlag(root *cobra.Command, name string) bool {
	return slices.ContainsFunc(root.Commands(), func(cmd *cobra.Command) bool {
		return cmd.Flags().Lookup("job") != nil && cmd.Flags().Lookup(name) != nil
	})
}

// jobFileFlags are the flags of all commands that take a job file.
func jobFileFlags(root *cobra.Command) (names []string) {
	for _, cmd := range root.Commands() {
		if cmd.Flags().Lookup("job") != nil {
			names = append(names, flagNames(cmd.Flags())...)
		}
	}
	return names
}
