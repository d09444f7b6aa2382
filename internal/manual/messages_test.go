package manual_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every message that the page on trouble explains is one that ndpush prints: what
// is constant of it stands in the source of the program.
func TestMessages(t *testing.T) {
	said := sayings(t)
	page := read(t, "troubleshooting.md")
	points, explained := messages(page)
	if all := strings.Count(page, "\n* "); points != all || points == 0 {
		t.Errorf("%d of %d points begin with messages", points, all)
	}
	for _, m := range explained {
		constant := strings.Trim(m, "… ")
		if len(constant) < 10 {
			t.Errorf("%q: too little of the message is constant to find it", m)
		} else if !strings.Contains(said, constant) {
			t.Errorf("%q is no message of ndpush", m)
		}
	}
}

// messages are those of the page: the lines of code with which the points of a
// list begin, and how many points these are.
func messages(page string) (points int, list []string) {
	point := regexp.MustCompile("(?m)^\\* (`[^`]+`(?:,\n  `[^`]+`)*)$")
	code := regexp.MustCompile("`([^`]+)`")
	for _, p := range point.FindAllStringSubmatch(page, -1) {
		points++
		for _, m := range code.FindAllStringSubmatch(p[1], -1) {
			list = append(list, m[1])
		}
	}
	return points, list
}

// The doubles of the servers, and what measures, say nothing to a reader.
var notSaid = map[string]bool{"localboss": true, "bench": true, "rendertest": true, "sourcetest": true, "testdata": true}

// sayings are the texts of the program's source, one to a line, with … for each
// value in them.
func sayings(t *testing.T) string {
	var b strings.Builder
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && notSaid[d.Name()]:
			return fs.SkipDir
		case d.IsDir(), filepath.Ext(path) != ".go", strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok {
				if s := saying(e); s != "…" {
					b.WriteString(several.ReplaceAllString(s, "…") + "\n")
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	verb    = regexp.MustCompile(`%[-+# 0]*(\[\d+\])?[\d.]*[a-zA-Z]`)
	several = regexp.MustCompile(`…{2,}`)
)

// saying is the text that e makes, as far as it is constant.
func saying(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return verb.ReplaceAllString(text, "…")
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return saying(e.X) + saying(e.Y)
		}
	}
	return "…"
}
