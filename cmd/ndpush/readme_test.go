package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/cli"
	"github.com/neurodata/ndpush/internal/manual"
)

// fence is a block of README.md: what follows the three backquotes, and the text.
var fence = regexp.MustCompile("(?ms)^ *```(.*?)\n(.*?)^ *```$")

// Every command of README.md works, one after the other, as a reader types them.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	script := commands(t, string(text))
	if n := strings.Count(script, "ndpush "); n < 5 {
		t.Fatalf("README has %d commands: were the blocks not found?", n)
	}
	runInShell(t, script)
}

// Every command of the manual works. Its pages begin where README's first steps
// end: with a BOSS, and a channel in it.
func TestManual(t *testing.T) {
	for _, page := range manual.Pages() {
		t.Run(page.Name, func(t *testing.T) {
			script := commands(t, page.Markdown)
			if script == "" {
				return
			}
			before := "ndpush serve --dir boss --config neurodata.cfg &\n" +
				here("em.ini", strings.Replace(flyJob, "= em", "= testdata/em", 1)) +
				"ndpush ingest --job em.ini --create-resources\nndpush ingest --job em.ini\n"
			runInShell(t, before+script)
		})
	}
}

// commands are those that a page shows, ready to be run here.
func commands(t *testing.T, markdown string) string {
	var script strings.Builder
	for _, block := range fence.FindAllStringSubmatch(markdown, -1) {
		if name, ok := strings.CutPrefix(block[1], "ini "); ok { // a file that the reader writes
			script.WriteString(here(name, block[2]))
			continue
		}
		switch block[1] {
		case "sh":
			script.WriteString(block[2])
		case "sh s3":
			store := startGateway(t)
			if store == nil {
				continue
			}
			if err := store.bucket("stacks", "../../testdata/em"); err != nil {
				t.Fatal(err)
			}
			there := "export " + strings.Join(store.env, " ") + "\n"
			script.WriteString(there + strings.ReplaceAll(block[2], "--datasource s3", "--datasource s3 --s3-path-style --s3-endpoint "+store.url))
		case "sh render":
			// The double has a section less than bounds say: status 3.
			text := strings.ReplaceAll(block[2], "http://render.example/render-ws/v1/", startRender(t))
			script.WriteString(strings.Replace(text, "--missing zero", "--missing zero || [ $? = 3 ]", 1))
		case "sh slack":
			script.WriteString("echo xoxb-not-a-token > slack_token; chmod 600 slack_token\n")
			script.WriteString(strings.ReplaceAll(block[2], "slack-test", "slack-test --slack-api-url "+startSlack(t).url+"/api/"))
		case "", "sh install": // what is printed; what CI does with make
		default:
			t.Errorf("a block is marked %q, and nobody knows whether to run it", block[1])
		}
	}
	return script.String()
}

// The examples that each command's help shows work, one after the other.
func TestExamples(t *testing.T) {
	var script strings.Builder
	for _, command := range []string{"serve", "init", "preview", "ingest", "check", "status", "retry", "verify", "gencmd", "version"} {
		_, examples, ok := strings.Cut(help(t, command), "Examples:\n")
		examples, _, ok2 := strings.Cut(examples, "\n\n")
		if !ok || !ok2 {
			t.Fatalf("the help of %s has no examples", command)
		}
		if command == "serve" { // each of its examples runs until it is ended
			first, _, _ := strings.Cut(examples, "\n")
			examples = "cd testdata\n" + first + " &"
		}
		if command == "gencmd" {
			script.WriteString(here("fly.ini", flyJob))
		}
		script.WriteString(examples + "\n")
	}
	runInShell(t, script.String())
}

// flyJob is the job file of the examples: the stack that they ingest.
const flyJob = `base-path = em
base-filename = em_<p:4>
extension = tif
collection = lab
experiment = fly
channel = em
datatype = uint8
voxel-size = 4:4:40
x-extent = 0:1100
y-extent = 0:1060
z-extent = 0:20
`

// here writes a file in a shell script.
func here(name, text string) string { return "cat > " + name + " <<'EOF'\n" + text + "EOF\n" }

// help is what a command says with --help.
func help(t *testing.T, command string) string {
	t.Helper()
	var out strings.Builder
	env := cli.Env{Stdout: &out, Stderr: &out}
	if code := cli.Main(t.Context(), []string{command, "--help"}, env); code != 0 {
		t.Fatalf("%s --help ends with %d:\n%s", command, code, out.String())
	}
	return out.String()
}

// runInShell runs a script where a reader would, with the stacks of testdata at
// hand and the program in PATH. It waits for a server that the script starts.
func runInShell(t *testing.T, script string) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "testdata"), os.DirFS("../../testdata")); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "ndpush")
	if err := os.Symlink(program, bin); err != nil {
		t.Fatal(err)
	}
	// A free port, and no hurry.
	script = strings.ReplaceAll(script, "ndpush serve ", "ndpush serve --listen 127.0.0.1:0 ")
	script = strings.ReplaceAll(script, "&\n", "& server=$!\nuntil [ -e neurodata.cfg ]; do sleep 0.1; done\n")
	cmd := exec.Command("sh", "-ex", "-c", "trap 'kill $server' EXIT\n"+script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(bin)+":"+os.Getenv("PATH"), "HOME="+dir, "GORACE="+quickExit)
	cmd.WaitDelay = time.Minute
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "NOT verified") {
		t.Errorf("something was not verified:\n%s", out)
	}
}
