package manual_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/neurodata/ndpush/internal/manual"
)

// flag is one as it is typed, also as the Python tool spelled it.
var flag = regexp.MustCompile("--([a-zA-Z][a-zA-Z0-9_-]*)")

// ours is the name of a flag of the Python tool.
func ours(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "-")) }

// Every flag that a page names is one of the reference, which is made of what the
// commands say.
func TestFlags(t *testing.T) {
	known := make(map[string]bool)
	for _, m := range flag.FindAllStringSubmatch(read(t, "reference.md"), -1) {
		known[m[1]] = true
	}
	n := 0
	for _, page := range manual.Pages() {
		if page.Name == "reference" {
			continue
		}
		for _, m := range flag.FindAllStringSubmatch(page.Markdown, -1) {
			n++
			if !known[ours(m[1])] {
				t.Errorf("the page %s names --%s, which is no flag", page.Name, m[1])
			}
		}
	}
	if n < 200 {
		t.Errorf("the pages name flags %d times: were they not found?", n)
	}
}

// The page for those who come from the Python tool has each of its flags.
func TestMigrating(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `--(\\w+)` \\| `--([a-z0-9-]+)[ `]")
	rows := row.FindAllStringSubmatch(read(t, "migrating.md"), -1)
	if len(rows) != 40 {
		t.Errorf("%d flags, of 40 that the tool has", len(rows))
	}
	for _, r := range rows {
		if r[2] != ours(r[1]) && r[2] != "missing" { // it was --warn_missing_files
			t.Errorf("--%s is said to be --%s", r[1], r[2])
		}
	}
}
