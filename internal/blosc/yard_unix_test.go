//go:build unix

package blosc_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/blosc"
)

// A yard is C-Blosc in another process, whose processor time is measured in
// turns with ours; see testdata/yard. It needs gcc and Debian's libblosc-dev.
type yard struct {
	b   *testing.B
	in  io.Writer
	out *bufio.Reader
}

// buildYard returns the path of the program.
func buildYard(b *testing.B) string {
	path := filepath.Join(b.TempDir(), "yard")
	out, err := exec.Command("gcc", "-O2", "-o", path, "testdata/yard/yard.c", "-lblosc").CombinedOutput()
	if err != nil {
		b.Fatalf("C-Blosc is not there: %v (apt-get install gcc libblosc-dev)\n%s", err, out)
	}
	return path
}

// newYard runs the program on data.
func newYard(b *testing.B, path string, data []byte) *yard {
	cmd := exec.Command(path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	y := &yard{b, in, bufio.NewReader(out)}
	y.send("data", data)
	return y
}

func (y *yard) send(what string, p []byte) {
	fmt.Fprintln(y.in, what, len(p))
	y.in.Write(p)
}

// ask has the program do something and returns how long that took and the
// bytes that came out.
func (y *yard) ask(request string, times int) (took time.Duration, n int) {
	fmt.Fprintln(y.in, request, times)
	if _, err := fmt.Fscanln(y.out, &took, &n); err != nil {
		y.b.Fatalf("C-Blosc, asked to %s: %v", request, err)
	}
	return took, n
}

// encode returns the frame that C-Blosc makes as request says.
func (y *yard) encode(request string) []byte {
	_, n := y.ask("encode "+request, 1)
	fmt.Fprintln(y.in, "give")
	frame := make([]byte, n)
	if _, err := io.ReadFull(y.out, frame); err != nil {
		y.b.Fatal(err)
	}
	return frame
}

// cpu is the processor time that this process took so far, collecting garbage
// included.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A race is what the rounds of ours and theirs took.
type race struct{ ours, theirs []time.Duration }

// round measures both.
func (r *race) round(b *testing.B, times int, ours func() error, theirs func() time.Duration) {
	start := cpu(b)
	for range times {
		if err := ours(); err != nil {
			b.Fatal(err)
		}
	}
	r.ours = append(r.ours, (cpu(b)-start)/time.Duration(times))
	r.theirs = append(r.theirs, theirs())
}

// report reports the medians for n bytes. speed is above 1 where we are faster.
func (r *race) report(b *testing.B, n int) {
	speed := func(took []time.Duration) float64 {
		slices.Sort(took)
		return float64(n) / 1e6 / took[len(took)/2].Seconds()
	}
	ours, theirs := speed(r.ours), speed(r.theirs)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ours, "our-MB/s")
	b.ReportMetric(theirs, "C-MB/s")
	b.ReportMetric(ours/theirs, "speed")
}

// timesFor is how often n bytes are done in a round: for some hundredths of a second.
func timesFor(n int) int { return 1 + 48<<20/n }

// levels are C-Blosc's in a race: those whose work is like that of our defaults.
var levels = map[blosc.Codec]int{blosc.LZ4: 5, blosc.Zstd: 1}

// BenchmarkYardEncode holds our encoder against C-Blosc's. Each iteration is a
// round, and medians are reported, so say -benchtime 5x or more. Names end with
// our filter and then C's; "own" is C with byte shuffle and blocks as long as it
// likes, elsewhere they are as long as ours. size is below 1 where our frame is
// the shorter one.
func BenchmarkYardEncode(b *testing.B) {
	path := buildYard(b)
	for _, v := range volumes() {
		y := newYard(b, path, v.data)
		for _, codec := range []blosc.Codec{blosc.LZ4, blosc.Zstd} {
			for _, way := range []struct {
				name   string
				ours   blosc.Shuffle
				theirs int // as in blosc.h
				block  int
			}{
				{"auto-own", blosc.AutoShuffle, 1, 0},
				{"auto-byte", blosc.AutoShuffle, 1, 512 << 10},
				{"auto-none", blosc.AutoShuffle, 0, 512 << 10},
				{"auto-bit", blosc.AutoShuffle, 2, 512 << 10},
				{"byte-byte", blosc.ByteShuffle, 1, 512 << 10},
				{"bit-bit", blosc.BitShuffle, 2, 512 << 10},
			} {
				b.Run(fmt.Sprintf("%s/%v/%s", v.name, codec, way.name), func(b *testing.B) {
					e, err := blosc.NewEncoder(blosc.Options{Codec: codec, Shuffle: way.ours})
					if err != nil {
						b.Fatal(err)
					}
					request := fmt.Sprintf("encode %v %d %d %d %d", codec, way.theirs, v.size, levels[codec], way.block)
					times := timesFor(len(v.data))
					var r race
					var frame []byte
					var n int
					for b.Loop() {
						r.round(b, times,
							func() error { frame, err = e.Append(frame[:0], v.data, v.size); return err },
							func() (took time.Duration) { took, n = y.ask(request, times); return took })
					}
					r.report(b, len(v.data))
					b.ReportMetric(float64(len(v.data))/float64(len(frame)), "our-ratio")
					b.ReportMetric(float64(len(v.data))/float64(n), "C-ratio")
					b.ReportMetric(float64(len(frame))/float64(n), "size")
				})
			}
		}
	}
}

// BenchmarkYardDecode has both read the same frames: ours, and those that
// C-Blosc writes as BOSS does (blosclz) or as we could.
func BenchmarkYardDecode(b *testing.B) {
	path := buildYard(b)
	for _, v := range volumes() {
		y := newYard(b, path, v.data)
		read := func(name string, frame []byte) {
			b.Run(v.name+"/"+name, func(b *testing.B) {
				y.send("frame", frame)
				var d blosc.Decoder
				var back []byte
				var err error
				times := timesFor(len(v.data))
				var r race
				for b.Loop() {
					r.round(b, times,
						func() error { back, err = d.Append(back[:0], frame, len(v.data)); return err },
						func() (took time.Duration) { took, _ = y.ask("decode", times); return took })
				}
				r.report(b, len(v.data))
			})
		}
		for _, codec := range []blosc.Codec{blosc.LZ4, blosc.Zstd} {
			e, err := blosc.NewEncoder(blosc.Options{Codec: codec})
			if err != nil {
				b.Fatal(err)
			}
			frame, err := e.Append(nil, v.data, v.size)
			if err != nil {
				b.Fatal(err)
			}
			read(fmt.Sprintf("ours-%v", codec), frame)
		}
		for _, as := range []struct {
			codec string
			level int
		}{{"blosclz", 9}, {"lz4", 5}, {"zstd", 1}} {
			frame := y.encode(fmt.Sprintf("%s 1 %d %d 0", as.codec, v.size, as.level))
			read("C-"+as.codec, frame)
		}
	}
}
