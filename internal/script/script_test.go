package script

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// ordinary is what a lab would do.
func ordinary() Work {
	share := strings.Fields("ndpush ingest --base-path=/data/em --base-filename=em_<p:4> --extension=tif --collection=lab --experiment=fly --channel=em --shards=3")
	return Work{
		Name:   "lab/fly/em",
		Dir:    "/data/em",
		Create: append(share[:len(share)-1:len(share)-1], "--create-resources"),
		Share:  share,
		Shares: 3,
		AtOnce: 2,
		Status: []string{"ndpush", "status", "--collection=lab", "--experiment=fly", "--channel=em"},
		Verify: []string{"ndpush", "verify", "--collection=lab", "--experiment=fly", "--channel=em"},
		Memory: 1 << 30, CPUs: 4, Time: 5 * time.Hour, VerifyTime: 90 * time.Minute,
		Image: "registry.example/lab/ndpush:1",
		Notes: []string{"lab/fly/em: 0:30000, 0:30000, 0:48 in BOSS coordinates", "memory: at most 1.0 GB per process, 2.0 GB in total"},
	}
}

// nasty is what no engine should stumble over.
func nasty() Work {
	w := Work{Name: "  Größe/µm: a $(name) that is `far` too long for anybody to read  ", Shares: 1, Notes: []string{"first\nrm -rf /\r#SBATCH --x\u2028---\x1b[31m"}}
	w.Share = append([]string{"ndpush", "ingest"}, nastyWords...)
	w.Create, w.Status, w.Verify = w.Share, w.Share, w.Share
	return w
}

// nastyWords mean something to one reader or another.
var nastyWords = []string{
	"", " ", "a b", "'", `"`, `it's "so"`, "$HOME", "$(id)", "$$(X)", "`id`", "a\nb", "\n", "\t", `\`, `a\`, `\\"`, `a\ b\`, "-n", "--", "*", "?[a]", "~", "#x", "!x", "{}", "{#}", "a;b&c|d>e<f",
	"=x", "a=b", "%s", "%PATH%", "größe µ 脳 🧠", "‘curly’ ‚quotes‛", "“x”", "\u2028", "\ufeff", "\x7f\u0085", "\x1b[0m", "null", "yes", "012", ": ", "- x", "@x", "&a", "Ref::x", "'''", "--%", "K/1", "EOF",
}

var cases = map[string]func() Work{"ordinary": ordinary, "nasty": nasty}

// The files are as they were when last they were read by a person.
func TestGolden(t *testing.T) {
	for name, work := range cases {
		for _, format := range Formats() {
			files, err := Write(format, work())
			if err != nil {
				t.Errorf("%s, %s: %v", format, name, err)
				continue
			}
			dir := filepath.Join("testdata", format, name)
			if *update {
				if err := os.RemoveAll(dir); err != nil {
					t.Fatal(err)
				}
				if err := os.MkdirAll(dir, 0o777); err != nil {
					t.Fatal(err)
				}
			}
			for _, f := range files {
				path := filepath.Join(dir, f.Name)
				if *update {
					if err := os.WriteFile(path, []byte(f.Text), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if got := f.Text; got != string(want) {
					t.Errorf("%s differs: if it is right, run with -update; got:\n%s", path, got)
				}
			}
			if there, _ := os.ReadDir(dir); len(there) != len(files) {
				t.Errorf("%s has %d files, want %d", dir, len(there), len(files))
			}
		}
	}
}
