// Generate writes what the commands say of themselves: the page reference.md of
// the manual, and man pages.
//
//	go run ./internal/manual/generate            # internal/manual/reference.md
//	go run ./internal/manual/generate -man DIR   # DIR/ndpush.1, DIR/ndpush-ingest.1 and so on
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/neurodata/ndpush/internal/cli"
)

func main() {
	log.SetFlags(0)
	man := flag.String("man", "", "directory to write man pages to, instead of the reference")
	date := flag.Int64("date", 0, "of the man pages, in seconds since 1970")
	flag.Parse()
	var err error
	if *man != "" {
		err = writeMan(*man, time.Unix(*date, 0).UTC())
	} else {
		err = os.WriteFile("internal/manual/reference.md", reference(cli.Command()), 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// writeMan writes a man page for each command.
func writeMan(dir string, date time.Time) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root := cli.Command()
	root.DisableAutoGenTag = true // which would say the day
	return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "ndpush", Manual: "ndpush", Date: &date}, dir)
}

// reference is one page about all commands.
func reference(root *cobra.Command) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# All commands and their flags

What each of them says with --help. This page is made by "make docs".
`)
	for _, cmd := range commands(root) {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", cmd.CommandPath(), plain(cmd.Long, cmd.Short))
		fmt.Fprintf(&b, "```\n%s\n\n%s```\n", cmd.UseLine(), cmd.LocalFlags().FlagUsages())
		if cmd.HasExample() {
			fmt.Fprintf(&b, "\nExamples:\n\n```\n%s\n```\n", strings.TrimRight(cmd.Example, "\n"))
		}
	}
	return b.Bytes()
}

// commands are those that do something and are shown, in the order of their names.
func commands(root *cobra.Command) (list []*cobra.Command) {
	for _, cmd := range root.Commands() {
		if cmd.Runnable() && !cmd.Hidden && cmd.Name() != "help" {
			cmd.InitDefaultHelpFlag()
			list = append(list, cmd)
		}
	}
	return list
}

// plain is a help text as Markdown shows it: paragraphs, and as it is what is
// indented or a list.
func plain(long, short string) string {
	if long == "" {
		return short + "."
	}
	var b strings.Builder
	code := false
	for line := range strings.Lines(long) {
		indented := strings.HasPrefix(line, "  ")
		if indented != code && line != "\n" {
			b.WriteString("```\n")
			code = indented
		}
		b.WriteString(line)
	}
	if code {
		b.WriteString("\n```")
	}
	return b.String()
}
