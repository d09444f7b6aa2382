//go:build unix

package inflate_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/inflate"
)

// BenchmarkLibdeflate decodes what zlib packs, 16 MiB or more in strips, and so
// do libdeflate and zlib, in turn: the medians of the CPU time, and ours by
// theirs. It needs cc, libdeflate-dev and zlib1g-dev.
func BenchmarkLibdeflate(b *testing.B) {
	dir := b.TempDir()
	yard := filepath.Join(dir, "yard")
	if out, err := exec.CommandContext(b.Context(), "cc", "-O2", "-o", yard, "testdata/yard/yard.c", "-lz", "-ldeflate").CombinedOutput(); err != nil {
		b.Skipf("needs cc, libdeflate-dev and zlib1g-dev: %v\n%s", err, out)
	}
	run := func(b *testing.B, args ...string) string {
		out, err := exec.CommandContext(b.Context(), yard, args...).Output()
		if err != nil {
			b.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	all := shapes()
	for _, name := range []string{"em8", "em8-masked", "em8-predictor", "em16", "labels64"} {
		data := slices.Repeat(all[name], 16<<20/len(all[name]))
		raw := filepath.Join(dir, name)
		if err := os.WriteFile(raw, data, 0o666); err != nil {
			b.Fatal(err)
		}
		for _, level := range []int{1, 6, 9} {
			for _, strip := range []int{8 << 10, 256 << 10, len(data)} {
				b.Run(fmt.Sprintf("%s/level-%d/strip-%d", name, level, strip>>10), func(b *testing.B) {
					packed := fmt.Sprintf("%s.%d.%d", raw, level, strip)
					run(b, "pack", strconv.Itoa(level), strconv.Itoa(strip), raw, packed)
					z, err := os.ReadFile(packed)
					if err != nil {
						b.Fatal(err)
					}
					var r inflate.Reader
					dst := make([]byte, min(1<<20, strip))
					times := map[string][]time.Duration{}
					for b.Loop() {
						for range 5 {
							before := cpu(b)
							readStrips(b, &r, z, dst, len(data), strip)
							times["ours"] = append(times["ours"], cpu(b)-before)
							for _, lib := range []string{"libdeflate", "zlib"} {
								ns, err := strconv.Atoi(run(b, lib, strconv.Itoa(strip), strconv.Itoa(len(data)), packed))
								if err != nil {
									b.Fatal(err)
								}
								times[lib] = append(times[lib], time.Duration(ns))
							}
						}
					}
					ours := median(times["ours"]).Seconds()
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(float64(len(data))/1e6/ours, "MB/s")
					b.ReportMetric(median(times["libdeflate"]).Seconds()/ours, "of-libdeflate")
					b.ReportMetric(median(times["zlib"]).Seconds()/ours, "of-zlib")
				})
			}
		}
	}
}

// readStrips decodes streams that give size bytes, with their lengths before
// them, into dst.
func readStrips(b *testing.B, r *inflate.Reader, z, dst []byte, size, strip int) {
	for ; size > 0; size -= strip {
		n := binary.NativeEndian.Uint32(z)
		r.Reset(&whole{z[4 : 4+n]})
		z = z[4+n:]
		for left := min(strip, size); left > 0; {
			k, err := io.ReadFull(r, dst[:min(left, len(dst))])
			if left -= k; err != nil {
				b.Fatal(err)
			}
		}
		if _, err := r.Read(dst[:1]); err != io.EOF {
			b.Fatal(err)
		}
	}
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
