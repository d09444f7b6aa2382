// Package manual holds the pages that a person reads.
//
// They are Markdown files, so that a web browser shows them well, and lie in the
// program, so that "ndpush help TOPIC" has them where the program is and there
// may be no network. README is the way in; what is more than a step on it is here.
package manual

import (
	"embed"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

//go:embed *.md
var files embed.FS

// A Page is one topic.
type Page struct {
	Name     string // one word, for the command line
	Title    string
	Markdown string
}

// Pages are all of them, in the order of their names.
func Pages() []Page {
	names, err := fs.Glob(files, "*.md")
	if err != nil {
		panic(err) // the pattern is sound
	}
	var pages []Page
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			panic(err) // it is part of the program
		}
		title, _, _ := strings.Cut(string(text), "\n")
		pages = append(pages, Page{
			Name:     strings.TrimSuffix(name, path.Ext(name)),
			Title:    strings.TrimPrefix(title, "# "),
			Markdown: string(text),
		})
	}
	return pages
}

var (
	fence = regexp.MustCompile("^ *```")
	link  = regexp.MustCompile(`\[([^\]]+)\]\(([^)]+)\)`)
	page  = regexp.MustCompile(`^([a-z]+)\.md(#.*)?$`)
)

// Plain is the page as a terminal shows it: what is to be typed is indented, and
// a link says where it leads.
func (p Page) Plain() string {
	var b strings.Builder
	code := false
	for line := range strings.Lines(p.Markdown) {
		switch {
		case fence.MatchString(line):
			code = !code
		case code && line != "\n":
			b.WriteString("    " + line)
		case code:
			b.WriteString(line)
		default:
			b.WriteString(link.ReplaceAllStringFunc(line, plainLink))
		}
	}
	return b.String()
}

// plainLink is a link in words, unless the words are what it leads to.
func plainLink(markdown string) string {
	m := link.FindStringSubmatch(markdown)
	text, to := m[1], m[2]
	switch {
	case page.MatchString(to):
		return text + " (ndpush help " + page.FindStringSubmatch(to)[1] + ")"
	case strings.Contains(to, "://") && !strings.Contains(to, text):
		return text + " (" + to + ")"
	}
	return text
}
