//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/localboss"
)

// A run keeps to the memory that it states beforehand. The binary is the one
// that people run, without the race detector, which takes several times as much.
func TestMemory(t *testing.T) {
	const side, depth = 4096, 32
	dir := t.TempDir()
	bin := filepath.Join(dir, "ndpush")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for z := range depth {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.tif", z)), strips(side, uint64(z)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	local, err := localboss.New(localboss.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	srv := httptest.NewServer(local)
	defer srv.Close()
	if err := local.WriteAccess(filepath.Join(dir, "neurodata.cfg"), srv.URL); err != nil {
		t.Fatal(err)
	}
	ingest := func(more ...string) (stderr string, peak int64) {
		t.Helper()
		extent := fmt.Sprintf("0:%d", side)
		cmd := exec.Command(bin, append([]string{"ingest", "--base-path", dir, "--base-filename", "<p:2>", "--extension", "tif",
			"--collection", "c", "--experiment", "e", "--channel", "ch", "--datatype", "uint8", "--voxel-size", "1:1:1",
			"--x-extent", extent, "--y-extent", extent, "--z-extent", fmt.Sprintf("0:%d", depth)}, more...)...)
		cmd.Dir = dir
		var out bytes.Buffer
		cmd.Stderr = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- cmd.Wait() }()
		for {
			select {
			case err := <-done:
				if err != nil {
					t.Fatalf("%v\n%s", err, out.String())
				}
				return out.String(), peak
			case <-time.After(10 * time.Millisecond):
				peak = max(peak, highWater(cmd.Process.Pid))
			}
		}
	}
	ingest("--create-resources")
	stderr, peak := ingest()
	stated := regexp.MustCompile(`memory at most (\d+) MiB`).FindStringSubmatch(stderr)
	if stated == nil {
		t.Fatalf("no memory is stated:\n%s", stderr)
	}
	most, err := strconv.ParseInt(stated[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("peak %d MiB, stated %d MiB", peak>>20, most)
	if peak < most<<20/4 {
		t.Errorf("the peak is %d MiB, a fraction of the %d MiB that were stated: was it measured?", peak>>20, most)
	}
	if peak > most<<20*5/4 {
		t.Errorf("the peak is %d MiB, more than 1.25 × the %d MiB that were stated", peak>>20, most)
	}
}

// highWater is the most memory that a process has had in bytes, 0 once it has
// ended. What wait4 tells is no use: it starts from the peak of the parent, whose
// memory a child has until it calls exec.
func highWater(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		return 0
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		return 0
	}
	return kb << 10
}

// strips is an uncompressed uint8 TIFF of side² pixels of noise, in strips of
// 64 rows (TIFF 6.0, sections 2 and 4).
func strips(side int, seed uint64) []byte {
	const rows = 64
	n := side / rows
	entries := []struct{ tag, kind, count, value int }{
		{256, 3, 1, side}, {257, 3, 1, side}, {258, 3, 1, 8}, {259, 3, 1, 1}, {262, 3, 1, 1},
		{273, 4, n, 0}, // offsets of the strips, behind the directory
		{277, 3, 1, 1}, {278, 3, 1, rows},
		{279, 4, n, 0}, // their lengths, behind the offsets
	}
	offsets := 8 + 2 + 12*len(entries) + 4
	pixels := offsets + 8*n
	entries[5].value, entries[8].value = offsets, offsets+4*n
	le := binary.LittleEndian
	p := append([]byte("II*\x00"), le.AppendUint32(nil, 8)...)
	p = le.AppendUint16(p, uint16(len(entries)))
	for _, e := range entries {
		p = le.AppendUint16(le.AppendUint16(p, uint16(e.tag)), uint16(e.kind))
		p = le.AppendUint32(le.AppendUint32(p, uint32(e.count)), uint32(e.value))
	}
	p = le.AppendUint32(p, 0)
	for i := range n {
		p = le.AppendUint32(p, uint32(pixels+i*rows*side))
	}
	for range n {
		p = le.AppendUint32(p, uint32(rows*side))
	}
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range side * side / 8 {
		p = le.AppendUint64(p, rnd.Uint64()|0x0101010101010101)
	}
	return p
}
