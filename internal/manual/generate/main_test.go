package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/cli"
)

// The reference in the manual is what the commands say now.
func TestFresh(t *testing.T) {
	got, err := os.ReadFile("../reference.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := reference(cli.Command()); !bytes.Equal(got, want) {
		t.Error("internal/manual/reference.md is not what the commands say: make docs")
	}
}

// Every command and every flag that is shown is in the reference and has a man page.
func TestComplete(t *testing.T) {
	dir := t.TempDir()
	if err := writeMan(dir, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	root := cli.Command()
	text := string(reference(root))
	n := 0
	for _, cmd := range commands(root) {
		man, err := os.ReadFile(filepath.Join(dir, "ndpush-"+cmd.Name()+".1"))
		if os.IsNotExist(err) && cmd.Name() == "completion" {
			continue
		}
		if err != nil {
			t.Error(err)
		}
		_, section, _ := strings.Cut(text, "\n## "+cmd.CommandPath()+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Hidden {
				return
			}
			n++
			if !strings.Contains(section, "--"+f.Name+" ") {
				t.Errorf("the reference of %s does not say --%s", cmd.Name(), f.Name)
			}
			if !bytes.Contains(bytes.ReplaceAll(man, []byte(`\-`), []byte("-")), []byte("--"+f.Name)) {
				t.Errorf("the man page of %s does not say --%s", cmd.Name(), f.Name)
			}
		})
	}
	if n < 100 {
		t.Errorf("only %d flags were found", n)
	}
}
