//go:build unix

package png_test

import (
	"bytes"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/png"
)

// BenchmarkLibpng reads what libpng writes, 8192² pixels in bands of 1024 rows,
// and libpng does, in turn: the medians of the CPU time, and ours by its. It
// needs cc and libpng-dev.
func BenchmarkLibpng(b *testing.B) {
	const side, rows = 8192, 1024
	dir := b.TempDir()
	yard := filepath.Join(dir, "yard")
	if out, err := exec.CommandContext(b.Context(), "cc", "-O2", "-o", yard, "testdata/yard/yard.c", "-lpng", "-lm").CombinedOutput(); err != nil {
		b.Skipf("needs cc and libpng-dev: %v\n%s", err, out)
	}
	run := func(b *testing.B, args ...string) string {
		out, err := exec.CommandContext(b.Context(), yard, args...).Output()
		if err != nil {
			b.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	for _, kind := range []string{"em8", "em8-paeth", "masked8", "em16", "em16-paeth", "labels8", "mask1"} {
		b.Run(kind, func(b *testing.B) {
			name := filepath.Join(dir, kind+".png")
			if _, err := os.Stat(name); err != nil {
				run(b, "write", kind, strconv.Itoa(side), name)
			}
			file := readFile(b, name)
			var dst []byte
			var ours, theirs []time.Duration
			for b.Loop() {
				for range 5 {
					before := cpu(b)
					dst = readAll(b, file, dst, rows)
					ours = append(ours, cpu(b)-before)
					ns, err := strconv.Atoi(run(b, "read", name, strconv.Itoa(rows)))
					if err != nil {
						b.Fatal(err)
					}
					theirs = append(theirs, time.Duration(ns))
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(ours).Seconds()*1e3, "ms")
			b.ReportMetric(median(theirs).Seconds()*1e3, "libpng-ms")
			b.ReportMetric(median(ours).Seconds()/median(theirs).Seconds(), "ratio")
		})
	}
}

// readAll reads a file in bands, which dst takes if it is long enough.
func readAll(b *testing.B, file, dst []byte, rows int) []byte {
	m, err := png.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		b.Fatal(err)
	}
	w, h := m.Size()
	dst = slices.Grow(dst[:0], w*rows*m.SampleSize())
	for y := 0; y < h; y += rows {
		box := image.Rect(0, y, w, min(y+rows, h))
		if err := m.ReadRows(b.Context(), dst[:box.Dx()*box.Dy()*m.SampleSize()], box); err != nil {
			b.Fatal(err)
		}
	}
	return dst
}

// cpu is the time that this process worked.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
