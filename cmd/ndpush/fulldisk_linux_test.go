package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// mount gives a directory of the stage that holds so many bytes, or skips the
// test where that is not allowed. With NDPUSH_PEERS set root has to be.
func (g *stage) mount(name string, bytes int) {
	g.Helper()
	if err := os.Mkdir(g.path(name), 0o777); err != nil {
		g.Fatal(err)
	}
	err := syscall.Mount("tmpfs", g.path(name), "tmpfs", 0, fmt.Sprintf("size=%d", bytes))
	switch {
	case err != nil && os.Getenv("NDPUSH_PEERS") != "" && os.Getuid() == 0:
		g.Fatalf("mount a small file system, as NDPUSH_PEERS wants it: %v", err)
	case err != nil:
		g.Skipf("mount a small file system: %v", err)
	}
	g.Cleanup(func() {
		if err := syscall.Unmount(g.path(name), syscall.MNT_DETACH); err != nil {
			g.Error(err)
		}
	})
}

// fill fills the file system of a file up but for so many bytes.
func (g *stage) fill(name string, left int64) {
	g.Helper()
	f, err := os.Create(g.path(name))
	if err != nil {
		g.Fatal(err)
	}
	defer f.Close()
	var fs syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &fs); err != nil {
		g.Fatal(err)
	}
	if _, err := f.Write(make([]byte, int64(fs.Bavail)*int64(fs.Bsize)-left)); err != nil {
		g.Fatal(err)
	}
}

// A disk that is full ends the run before anything is posted that is in no
// journal. Once there is space, the same command goes on.
func TestFullDisk(t *testing.T) {
	g := newStage(t)
	g.mount("disk", 1<<20)
	for _, tt := range []struct {
		name string
		left int64 // of pages of 4 KiB, which each file takes as a whole
	}{
		{"nothing", 0},
		{"log", 4 << 10},    // one page of the log, and none for the journal
		{"both", 8 << 10},   // one page of each
		{"again", 12 << 10}, // and one of them gets another
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := &stage{T: t, dir: g.dir, bin: g.bin}
			s := small(tt.name, 16*9)
			s.write(g)
			b := g.serve()
			defer b.kill()
			s.create(g)

			g.fill("disk/ballast", tt.left)
			p := g.start(s.ingest("--log-dir", "disk", "--workers", "3")...)
			p.want(1, "no space left on device", "hint: make space, then run the same command again")
			cutouts, _ := b.sent(s.channel())
			t.Logf("%d bytes were enough for %d of %d cuboids", tt.left, len(cutouts), s.cuboids())
			if middle := tt.left >= 8<<10; middle != (len(cutouts) > 0) {
				t.Errorf("%d cutouts are in BOSS; in the middle of a run: %v", len(cutouts), middle)
			}
			if len(cutouts) > 0 {
				s.recorded(g, b.remote, "disk")
				g.status(3, "unfinished", "--log-dir", "disk")
			}

			if err := os.Remove(g.path("disk", "ballast")); err != nil {
				t.Fatal(err)
			}
			g.run(0, s.ingest("--log-dir", "disk", "--verify", "full")...)
			s.same(b.remote, s.slice)
			s.recorded(g, b.remote, "disk")
			if _, twice := b.sent(s.channel()); twice > 3 {
				t.Errorf("%d cutouts were sent twice; 3 were in flight when the disk was full", twice)
			}
			for line := range strings.Lines(g.read("disk/ingest_log_lab_story_" + s.name + ".txt")) {
				if !strings.HasSuffix(line, "\n") {
					t.Errorf("the log has half a line: %q", line)
				}
			}
			g.status(0, "complete", "--log-dir", "disk")
			g.empty("disk")
		})
	}
}

// empty removes all that is in a directory.
func (g *stage) empty(dir string) {
	g.Helper()
	for _, name := range g.glob(dir + "/*") {
		if err := os.RemoveAll(name); err != nil {
			g.Fatal(err)
		}
	}
}
