//go:build unix

package tiff_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/neurodata/ndpush/internal/tiff"
)

// BenchmarkLibtiff reads large images in bands of 1024 rows, and has libtiff do
// the same in turns. Each line is the median CPU time of both and their ratio:
//
//	go test -run '^$' -bench Libtiff ./internal/tiff
//
// It needs gcc and libtiff-dev; libtiff writes the images, too.
func BenchmarkLibtiff(b *testing.B) {
	yard := filepath.Join(b.TempDir(), "libtiff")
	if out, err := exec.Command("gcc", "-O2", "-o", yard, "testdata/yard/libtiff.c", "-ltiff", "-lm").CombinedOutput(); err != nil {
		b.Skipf("needs gcc and libtiff-dev: %v\n%s", err, out)
	}
	out, err := exec.Command(yard, "names").Output()
	if err != nil {
		b.Fatal(err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		b.Run(name, func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "a.tif")
			if out, err := exec.Command(yard, "write", name, file).CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
			benchYard(b, yard, file)
		})
	}
}

func benchYard(b *testing.B, yard, name string) {
	theirs := startPeer(b, yard, "read", name)
	var band []byte
	total := theirs.answer(b)
	if got := fmt.Sprint(readYard(b, name, &band, true)); got != total {
		b.Fatalf("the sum of the pixels is %s, libtiff says %s", got, total)
	}
	var ours, libtiff []float64
	for b.Loop() {
		for range 7 {
			before := cpu(b)
			readYard(b, name, &band, false)
			ours = append(ours, cpu(b)-before)
			libtiff = append(libtiff, theirs.ask(b))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(ours), "cpu-ms")
	b.ReportMetric(median(libtiff), "libtiff-ms")
	b.ReportMetric(median(ours)/median(libtiff), "ratio")
}

// readYard reads the image in bands, and gives the sum of its pixels if asked.
func readYard(b *testing.B, name string, band *[]byte, add bool) (total uint64) {
	f, err := os.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	m, err := tiff.Open(f, info.Size())
	if err != nil {
		b.Fatal(err)
	}
	w, h := m.Size()
	if *band == nil {
		*band = make([]byte, 1024*w*m.SampleSize())
	}
	for y := 0; y < h; y += 1024 {
		if err := m.ReadRows(b.Context(), *band, image.Rect(0, y, w, y+1024)); err != nil {
			b.Fatal(err)
		}
		for p := *band; add && len(p) > 0; p = p[8:] {
			total += binary.LittleEndian.Uint64(p)
		}
	}
	return total
}

// A peer is another program that answers a line with a line.
type peer struct {
	in  io.Writer
	out *bufio.Reader
}

// startPeer starts a peer that ends with the benchmark.
func startPeer(b *testing.B, name string, args ...string) *peer {
	cmd := exec.Command(name, args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
	return &peer{in, bufio.NewReader(out)}
}

// answer is the peer's next line.
func (p *peer) answer(b *testing.B) string {
	line, err := p.out.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// ask has the peer decode once, and gives the milliseconds that it took.
func (p *peer) ask(b *testing.B) (ms float64) {
	fmt.Fprintln(p.in)
	if _, err := fmt.Sscan(p.answer(b), &ms); err != nil {
		b.Fatal(err)
	}
	return ms
}

// cpu is the CPU time of this process so far, in milliseconds.
func cpu(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
