package cli

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// runAsked runs the program where a person types.
func runAsked(ctx context.Context, typed string, args ...string) (code int, out, err string) {
	var stdout, stderr strings.Builder
	code = Main(ctx, args, Env{
		Stdout: &stdout, Stderr: &stderr, Stdin: strings.NewReader(typed), Asks: true,
		Getenv: func(string) string { return "" }, Now: time.Now, Rand: rand.New(rand.NewPCG(1, 2)),
	})
	return code, stdout.String(), stderr.String()
}

func TestInitAsks(t *testing.T) {
	stack := filepath.Join(t.TempDir(), "lab", "the fly", "em")
	if err := os.CopyFS(stack, os.DirFS("../../testdata/em")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what, typed string
		args        []string
		want        []string // of the file
		said        []string // to the person
	}{
		{"defaults", "\n\n\n4:4:40\n", nil,
			[]string{"collection           = lab\n", "experiment           = the_fly\n", "channel              = em\n", "voxel-size           = 4:4:40\n"},
			[]string{"collection in BOSS [lab]: experiment in BOSS [the_fly]: channel in BOSS [em]: voxel size x:y:z in nanometers [later]: "}},
		{"mistakes", "a b\nours\n\nem.1\nem1\n4\n4 4 40\n", nil,
			[]string{"collection           = ours\n", "channel              = em1\n", "voxel-size           = 4 4 40\n"},
			[]string{`collection name "a b": only letters`, `channel name "em.1"`, `--voxel-size "4": want three numbers`}},
		{"the end of what is typed", "ours\n", nil,
			[]string{"collection           = ours\n", "experiment           = the_fly\n", "voxel-size           = ?\n"}, nil},
		{"nothing to ask", "", []string{"--collection", "c", "--experiment", "e", "--channel", "ch", "--voxel-size", "1:1:1"},
			[]string{"collection           = c\n"}, nil},
	} {
		out := filepath.Join(t.TempDir(), "a.ini")
		code, _, said := runAsked(t.Context(), tt.typed, append([]string{"init", stack, "-o", out}, tt.args...)...)
		text, err := os.ReadFile(out)
		if code != 0 || err != nil {
			t.Fatalf("%s: status %d, %v\n%s", tt.what, code, err, said)
		}
		for _, want := range tt.want {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: %q is not in\n%s", tt.what, want, text)
			}
		}
		for _, want := range tt.said {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %q was not said:\n%s", tt.what, want, said)
			}
		}
		if len(tt.args) > 0 && strings.Contains(said, "[") {
			t.Errorf("%s: asked\n%s", tt.what, said)
		}
	}
}

// Ctrl-C ends the questions, and no file is written.
func TestInitInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := filepath.Join(t.TempDir(), "a.ini")
	never, typist, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer never.Close()
	defer typist.Close() // not before: the end of what is typed is an answer
	asked := &onWrite{what: "collection in BOSS", then: cancel}
	code := Main(ctx, []string{"init", "../../testdata/em", "-o", out}, Env{
		Stdout: asked, Stderr: asked, Stdin: never, Asks: true,
		Getenv: func(string) string { return "" }, Now: time.Now, Rand: rand.New(rand.NewPCG(1, 2)),
	})
	if _, err := os.Stat(out); code != exitInterrupted || err == nil {
		t.Errorf("status %d, %v, want %d and no file", code, err, exitInterrupted)
	}
}

// onWrite calls then when something is written.
type onWrite struct {
	what string
	then func()
}

func (o *onWrite) Write(p []byte) (int, error) {
	if strings.Contains(string(p), o.what) {
		o.then()
	}
	return len(p), nil
}

// The names of a directory are read from a job file as they are, or refused.
func TestInitOddNames(t *testing.T) {
	for _, name := range []string{"plain", "two words", "a#b;c", "50%(x)s", `quo"ted`, "a=b", "ünï", "$HOME", "it's"} {
		stack := filepath.Join(t.TempDir(), name)
		if err := os.CopyFS(stack, os.DirFS("../../testdata/counts")); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "a.ini")
		if code, _, said := runAsked(t.Context(), "c\ne\nch\n1:1:1\n", "init", stack, "-o", out); code != 0 {
			t.Errorf("%q: status %d\n%s", name, code, said)
			continue
		}
		lines, err := readJobFile(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			if l.key == "base-path" && l.value != stack {
				t.Errorf("%q is read as %q", stack, l.value)
			}
		}
	}
	for _, name := range []string{"a ", "a\ncollection = theirs", "a\nworkers = 99", "a\rb"} {
		stack := filepath.Join(t.TempDir(), name)
		if err := os.CopyFS(stack, os.DirFS("../../testdata/counts")); err != nil {
			t.Fatal(err)
		}
		if code, out, said := runAsked(t.Context(), "", "init", stack, "-o", "-"); code != 1 || out != "" || !strings.Contains(said, "cannot be said in a job file") {
			t.Errorf("%q: status %d\n%s\n%s", name, code, out, said)
		}
	}
}
