package manual_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/manual"
)

// Each file is a page, with a title and a name that can be typed.
func TestPages(t *testing.T) {
	files, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages := manual.Pages()
	if len(pages) != len(files) || len(files) == 0 {
		t.Fatalf("%d pages of %d files", len(pages), len(files))
	}
	for _, p := range pages {
		if !regexp.MustCompile("^[a-z]+$").MatchString(p.Name) {
			t.Errorf("the name %q of a page is not a word", p.Name)
		}
		if !strings.HasPrefix(p.Markdown, "# "+p.Title+"\n\n") || p.Title == "" {
			t.Errorf("the page %s does not begin with a title and an empty line", p.Name)
		}
		// Plain goes by lines.
		if broken := regexp.MustCompile(`\[[^\]\n]*\n[^\]\n]*\]\(`).FindString(p.Markdown); broken != "" {
			t.Errorf("the page %s has a link that goes over the end of a line: %s", p.Name, broken)
		}
	}
}

// Links lead to a heading that there is, in README too.
func TestLinks(t *testing.T) {
	paths := []string{"../../README.md"}
	for _, p := range manual.Pages() {
		paths = append(paths, p.Name+".md")
	}
	link := regexp.MustCompile(`\[[^\]]+\]\(([^)\s]+)\)`)
	n := 0
	for _, path := range paths {
		for _, m := range link.FindAllStringSubmatch(read(t, path), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			n++
			to, anchor, _ := strings.Cut(m[1], "#")
			target := path
			if to != "" {
				target = filepath.Join(filepath.Dir(path), to)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", path, m[1])
			} else if anchor != "" && !headings(read(t, target))[anchor] {
				t.Errorf("%s links to %s, and there is no such heading", path, m[1])
			}
		}
	}
	if n == 0 {
		t.Error("no link was found")
	}
}

// headings are the anchors of a page, as GitHub makes them.
func headings(text string) map[string]bool {
	anchors := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		name := regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(m[1]), "")
		anchors[strings.ReplaceAll(name, " ", "-")] = true
	}
	return anchors
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What a terminal shows has no marks that only a browser understands.
func TestPlain(t *testing.T) {
	p := manual.Page{Markdown: "# T\n\nSee [how](resuming.md#after) and\n[BOSS](https://bossdb.org) at <https://x>.\n\n```sh\nndpush version\n\nls [a](b)\n```\n\nThe end.\n"}
	want := "# T\n\nSee how (ndpush help resuming) and\nBOSS (https://bossdb.org) at <https://x>.\n\n    ndpush version\n\n    ls [a](b)\n\nThe end.\n"
	if got := p.Plain(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
