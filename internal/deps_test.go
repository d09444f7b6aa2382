package internal

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const module = "github.com/neurodata/ndpush/"

// law says what each package may import of ours, and of others' modules.
// To widen it is a decision: say why in the package comment.
var law = map[string][]string{
	"cmd/ndpush": {"internal/cli", "internal/progress"},
	"internal":   {},
	"testdata":   {},

	// Nouns.
	"internal/voxel": {"internal/cpu", "github.com/cespare/xxhash"},
	"internal/job":   {"internal/voxel"},
	"internal/plan":  {"internal/voxel"},

	// How all of them say things.
	"internal/human": {},

	// What the machine can do.
	"internal/cpu": {},

	// Formats.
	"internal/blosc":   {"internal/cpu", "github.com/klauspost/compress", "github.com/pierrec/lz4"},
	"internal/inflate": {"internal/cpu"},
	"internal/png":     {"internal/inflate"},
	"internal/tiff":    {"internal/inflate", "github.com/klauspost/compress"},
	"internal/raster":  {"internal/voxel", "internal/png", "internal/tiff"},

	// How patient those are who ask services, and how polite.
	"internal/retry": {},
	"internal/pace":  {},

	// Where slices come from.
	"internal/source":            {"internal/voxel", "internal/raster"},
	"internal/discover":          {"internal/voxel", "internal/source", "internal/raster", "internal/tiff"},
	"internal/preview":           {"internal/voxel", "internal/source", "internal/human"},
	"internal/source/local":      {"internal/source"},
	"internal/source/sourcetest": {"internal/source", "internal/voxel"},
	"internal/source/s3":         {"internal/source", "internal/retry", "internal/human", "github.com/aws/aws-sdk-go-v2", "github.com/aws/smithy-go", "golang.org/x/sync"},
	"internal/source/render":     {"internal/source", "internal/retry", "internal/raster", "internal/voxel", "internal/human", "golang.org/x/sync"},
	// As with BOSS, the double of the service shares no code with the client.
	"internal/source/render/rendertest": {"internal/voxel"},

	// Where cuboids go. The server never imports the client: a shared mistake
	// must not pass.
	"internal/boss":      {"internal/voxel", "internal/blosc", "internal/retry", "internal/pace", "internal/human", "gopkg.in/ini.v1"},
	"internal/provision": {"internal/job", "internal/boss", "internal/voxel"},
	"internal/localboss": {"internal/voxel", "internal/blosc", "golang.org/x/sync"},

	// The road.
	"internal/ingest": {"internal/voxel", "internal/job", "internal/plan", "internal/source", "golang.org/x/sync"},
	"internal/verify": {"internal/voxel", "golang.org/x/sync"},
	"internal/canary": {"internal/voxel", "internal/verify"},

	// What is written down.
	"internal/journal":  {"internal/voxel", "internal/plan", "internal/human"},
	"internal/joblog":   {"internal/voxel"},
	"internal/progress": {"internal/voxel", "internal/human", "golang.org/x/term"},
	"internal/event":    {"internal/voxel", "internal/progress"},
	"internal/metrics":  {"internal/progress"},
	"internal/slack":    {"internal/voxel", "internal/human", "github.com/slack-go/slack"},

	// Beside the road: text, and nothing of what it is about.
	"internal/script":           {"internal/human"},
	"internal/script/slurmtest": {},
	// Pages for browsers, which are one more client of any BOSS.
	"internal/viewer": {},
	// What a person reads.
	"internal/manual":          {},
	"internal/manual/generate": {"internal/cli", "github.com/spf13"},
	"internal/report":          {"internal/voxel", "internal/human"},
	"internal/release":         {},
	// And what this machine has to give.
	"internal/machine": {},

	// What all of it is measured with. The double of the service shares no code with
	// the client; the bench runs the program, and its parts alone.
	"internal/bench":          {"internal/bench/nullboss", "internal/bench/stack", "internal/blosc", "internal/cli", "golang.org/x/sync"},
	"internal/bench/nullboss": {},
	"internal/bench/stack":    {"golang.org/x/sync"},

	"internal/cli": {"internal/", "testdata", "github.com/spf13", "gopkg.in/ini.v1"},
}

// pure are the packages that touch no disk, no network and no clock of their
// own, and start nothing.
var pure = []string{
	"internal/voxel", "internal/job", "internal/plan", "internal/cpu",
	"internal/blosc", "internal/inflate", "internal/png", "internal/tiff", "internal/raster",
}

// impure is what they may not import.
var impure = []string{"os", "net", "log", "time", "path/filepath"}

type pkg struct {
	ImportPath string
	Imports    []string
}

// packages are ours, with what their non-test files import.
func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "../...", "../testdata").Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, module)
		list = append(list, p)
	}
}

func TestLaw(t *testing.T) {
	var seen []string
	for _, p := range packages(t) {
		allowed, ok := law[p.ImportPath]
		if !ok {
			t.Errorf("%s is not in the law", p.ImportPath)
		}
		seen = append(seen, p.ImportPath)
		for _, rule := range allowed {
			if !slices.ContainsFunc(p.Imports, func(imp string) bool {
				name := strings.TrimPrefix(imp, module)
				return name == rule || covers(rule, name)
			}) {
				t.Errorf("%s may import %s, and does not", p.ImportPath, rule)
			}
		}
		for _, imp := range p.Imports {
			name, ours := strings.CutPrefix(imp, module)
			standard := !strings.Contains(strings.Split(imp, "/")[0], ".")
			if standard || ours && slices.Contains(allowed, name) {
				continue
			}
			if !slices.ContainsFunc(allowed, func(a string) bool { return covers(a, name) }) {
				t.Errorf("%s imports %s, which the law does not allow", p.ImportPath, name)
			}
		}
	}
	for name := range law {
		if !slices.Contains(seen, name) {
			t.Errorf("the law names %s, which is not there", name)
		}
	}
}

// The map in doc.go names every package.
func TestMap(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.FieldsFunc(string(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for name := range law {
		if base := path.Base(name); strings.HasPrefix(name, "internal/") && !slices.Contains(words, base) {
			t.Errorf("doc.go does not say where %s is", name)
		}
	}
}

// covers reports whether a rule allows a package: rules for modules cover what
// is in them, and one that ends in a slash everything below.
func covers(rule, name string) bool {
	if strings.HasSuffix(rule, "/") {
		return strings.HasPrefix(name, rule)
	}
	module := strings.Contains(strings.Split(rule, "/")[0], ".")
	return module && (name == rule || strings.HasPrefix(name, rule+"/"))
}

func TestPure(t *testing.T) {
	for _, p := range packages(t) {
		if !slices.Contains(pure, p.ImportPath) {
			continue
		}
		for _, imp := range p.Imports {
			if slices.ContainsFunc(impure, func(i string) bool { return imp == i || strings.HasPrefix(imp, i+"/") }) {
				t.Errorf("%s imports %s, and should know no disk, network or clock", p.ImportPath, imp)
			}
		}
	}
}
