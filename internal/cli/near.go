package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// didYouMean is a question that names what is most like a word that is none of
// these, or "" if nothing is like it.
func didYouMean(word string, words []string) string {
	if near := nearest(word, words); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}

// nearest is the one of words that is most like word, or "".
func nearest(word string, words []string) string {
	best, least := "", 4 // letters that may be wrong
	for _, w := range words {
		if d := distance(word, w); d < least && 2*d <= len(word) {
			best, least = w, d
		}
	}
	return best
}

// distance is how many letters are to be changed, added or left out to make b of
// a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// flagNames are the names of flags that are shown.
func flagNames(flags *pflag.FlagSet) (names []string) {
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return names
}

// suggestFlag adds to an error about a flag that cmd does not have which one
// was meant, perhaps.
func suggestFlag(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) || len(unknown.GetSpecifiedName()) < 2 {
		return err
	}
	var names []string
	for _, name := range flagNames(cmd.Flags()) {
		names = append(names, "--"+name)
	}
	return fmt.Errorf("%w%s", err, didYouMean("--"+unknown.GetSpecifiedName(), names))
}

// suggestCommand adds to an error about a command that root does not have which
// one was meant, perhaps. Cobra's own suggestions take four lines.
func suggestCommand(root *cobra.Command, args []string, err error) error {
	cmd, rest, ferr := root.Find(args)
	if ferr == nil || cmd != root || len(rest) == 0 {
		return err
	}
	return fmt.Errorf("%w%s", err, didYouMean(rest[0], commandNames(root)))
}

// knownTopic refuses to help with what there is not. Cobra shows the usage instead,
// and all is well.
func knownTopic(help *cobra.Command, args []string) error {
	cmd, rest, _ := help.Root().Find(args)
	if len(rest) == 0 {
		return nil
	}
	return fmt.Errorf("there is no command or topic %q%s", strings.Join(args, " "), didYouMean(rest[0], commandNames(cmd)))
}

func commandNames(of *cobra.Command) (names []string) {
	for _, c := range of.Commands() {
		names = append(names, c.Name())
	}
	return names
}
