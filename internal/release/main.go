// Release builds what is published: ndpush for every system, with its man pages
// and completions, in archives, and their checksums.
//
//	go run ./internal/release -out dist
//
// The same commit and version of Go give the same bytes, on any machine: nothing
// in them says when, where or by whom they were built. Files carry the time of the
// commit.
package main

import (
	"archive/tar"
	"archive/zip"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A target is a system and a processor, by Go's names.
type target struct{ os, arch string }

var targets = []target{
	{"linux", "amd64"}, {"linux", "arm64"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

func main() {
	log.SetFlags(0)
	out := flag.String("out", "dist", "directory of the archives")
	flag.Parse()
	if err := release(*out, targets); err != nil {
		log.Fatal(err)
	}
}

// release puts an archive for each target and SHA256SUMS into dir.
func release(dir string, targets []target) error {
	version, err := output("git", "describe", "--tags", "--always", "--dirty")
	if err != nil {
		return err
	}
	seconds, err := output("git", "log", "-1", "--format=%ct")
	if err != nil {
		return err
	}
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return err
	}
	r := &builder{dir: dir, version: version, at: time.Unix(unix, 0).UTC()}
	if r.work, err = os.MkdirTemp("", "release"); err != nil {
		return err
	}
	defer os.RemoveAll(r.work)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := r.describe(); err != nil {
		return err
	}
	for _, t := range targets {
		if err := r.build(t); err != nil {
			return fmt.Errorf("%s/%s: %w", t.os, t.arch, err)
		}
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(r.sums.String()), 0o644)
}

// A builder makes one release.
type builder struct {
	dir, work string
	version   string
	at        time.Time // of the commit
	common    []file    // in every archive
	sums      strings.Builder
}

// A file of an archive.
type file struct {
	name string // in the archive
	path string // on disk
	mode fs.FileMode
}

// describe writes the man pages and completions.
func (r *builder) describe() error {
	man := filepath.Join(r.work, "man")
	if err := run(nil, "go", "run", "./internal/manual/generate", "-man", man, "-date", fmt.Sprint(r.at.Unix())); err != nil {
		return err
	}
	pages, err := filepath.Glob(filepath.Join(man, "*.1"))
	if err != nil {
		return err
	}
	for _, p := range pages {
		r.common = append(r.common, file{"man/" + filepath.Base(p), p, 0o644})
	}
	here := filepath.Join(r.work, "here")
	if err := run(nil, "go", "build", "-o", here, "./cmd/ndpush"); err != nil {
		return err
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		text, err := output(here, "completion", shell)
		if err != nil {
			return err
		}
		p := filepath.Join(r.work, shell)
		if err := os.WriteFile(p, []byte(text+"\n"), 0o644); err != nil {
			return err
		}
		r.common = append(r.common, file{"completions/ndpush." + shell, p, 0o644})
	}
	for _, name := range []string{"README.md", "LICENSE", "neurodata.cfg.example"} {
		r.common = append(r.common, file{name, name, 0o644})
	}
	return nil
}

// build makes the archive of one target.
func (r *builder) build(t target) error {
	program, pack, ext := "ndpush", tarball, ".tar.gz"
	if t.os == "windows" {
		program, pack, ext = "ndpush.exe", zipped, ".zip"
	}
	bin := filepath.Join(r.work, t.os+t.arch)
	env := []string{"CGO_ENABLED=0", "GOOS=" + t.os, "GOARCH=" + t.arch}
	if err := run(env, "go", "build", "-trimpath", "-ldflags=-s -w -buildid=", "-o", bin, "./cmd/ndpush"); err != nil {
		return err
	}
	name := fmt.Sprintf("ndpush_%s_%s_%s", r.version, t.os, t.arch)
	files := append([]file{{program, bin, 0o755}}, r.common...)
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.name, b.name) })

	f, err := os.Create(filepath.Join(r.dir, name+ext))
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	if err := pack(io.MultiWriter(f, sum), name, files, r.at); err != nil {
		return err
	}
	fmt.Fprintf(&r.sums, "%x  %s\n", sum.Sum(nil), name+ext)
	log.Print(f.Name())
	return f.Close()
}

// tarball writes files as a compressed tar archive, under the directory name.
func tarball(w io.Writer, name string, files []file, at time.Time) error {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	for _, f := range files {
		data, err := os.ReadFile(f.path)
		if err != nil {
			return err
		}
		h := &tar.Header{Name: path.Join(name, f.name), Mode: int64(f.mode), Size: int64(len(data)), ModTime: at, Format: tar.FormatPAX}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(data); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

// zipped writes files as a zip archive, under the directory name.
func zipped(w io.Writer, name string, files []file, at time.Time) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		data, err := os.ReadFile(f.path)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: path.Join(name, f.name), Method: zip.Deflate, Modified: at}
		h.SetMode(f.mode)
		entry, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := entry.Write(data); err != nil {
			return err
		}
	}
	return z.Close()
}

// run runs a command whose words are for people.
func run(env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return nil
}

// output is what a command prints, without the last line's end.
func output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return strings.TrimRight(string(text), "\n"), nil
}
