package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// The same commit gives the same bytes, and what is in them runs.
func TestRelease(t *testing.T) {
	t.Chdir("../..")
	if _, err := output("git", "log", "-1"); err != nil {
		t.Fatalf("this is no checkout: %v", err)
	}
	here := []target{{runtime.GOOS, runtime.GOARCH}} // others take minutes where nothing of them is built yet
	one, two := t.TempDir(), t.TempDir()
	for _, dir := range []string{one, two} {
		if err := release(dir, here); err != nil {
			t.Fatal(err)
		}
	}
	names, err := filepath.Glob(filepath.Join(one, "*"))
	if err != nil || len(names) != 2 {
		t.Fatalf("there are %q, want an archive and its sum", names)
	}
	for _, name := range names {
		a, err1 := os.ReadFile(name)
		b, err2 := os.ReadFile(filepath.Join(two, filepath.Base(name)))
		if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs from one time to the other", filepath.Base(name))
		}
	}
	sums := exec.Command("sha256sum", "--strict", "-c", "SHA256SUMS")
	sums.Dir = one
	if out, err := sums.CombinedOutput(); err != nil {
		t.Errorf("sha256sum: %v\n%s", err, out)
	}

	index := slices.IndexFunc(names, func(n string) bool { return strings.HasSuffix(n, ".tar.gz") })
	files := unpack(t, names[index])
	for _, want := range []string{"ndpush", "LICENSE", "README.md", "man/ndpush-ingest.1", "completions/ndpush.zsh"} {
		if !slices.ContainsFunc(files, func(f string) bool { return strings.HasSuffix(f, "/"+want) }) {
			t.Errorf("the archive lacks %s: it has %q", want, files)
		}
	}
}

// What is for Windows holds what it is given, and has the same bytes each time.
func TestZipped(t *testing.T) {
	program := filepath.Join(t.TempDir(), "ndpush.exe")
	if err := os.WriteFile(program, []byte("program"), 0o644); err != nil {
		t.Fatal(err)
	}
	var one, two bytes.Buffer
	for _, w := range []*bytes.Buffer{&one, &two} {
		if err := zipped(w, "ndpush_v1", []file{{"ndpush.exe", program, 0o755}}, time.Unix(1e9, 0).UTC()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("an archive differs from one time to the other")
	}
	z, err := zip.NewReader(bytes.NewReader(one.Bytes()), int64(one.Len()))
	if err != nil {
		t.Fatal(err)
	}
	got, err := fs.ReadFile(z, "ndpush_v1/ndpush.exe")
	if err != nil || string(got) != "program" || z.File[0].Mode() != 0o755 {
		t.Errorf("it holds %q of mode %v, %v", got, z.File[0].Mode(), err)
	}
}

// unpack unpacks an archive, runs the program in it, and names the files.
func unpack(t *testing.T, archive string) (names []string) {
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "ndpush")
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		if strings.HasSuffix(h.Name, "/ndpush") {
			data, err := io.ReadAll(r)
			if err == nil {
				err = os.WriteFile(program, data, h.FileInfo().Mode())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := exec.Command(program, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "ndpush ") || !strings.Contains(string(out), "(commit ") {
		t.Errorf("the program says %q, %v", out, err)
	}
	return names
}
