package boss

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// data is what cuboids are like to the candidates.
type data struct {
	bytes int
	time  [len(candidates)]float64 // to encode, in ns a byte
	size  [len(candidates)]float64 // of the frame, for each byte
}

// As measured, see blosc's BenchmarkEncode.
var (
	noisy  = data{16 << 20, [...]float64{0.17, 1.4}, [...]float64{1, 0.81}}
	masked = data{16 << 20, [...]float64{0.35, 2.5}, [...]float64{0.79, 0.6}}
	labels = data{128 << 20, [...]float64{0.14, 0.3}, [...]float64{0.0145, 0.0075}}
	random = data{16 << 20, [...]float64{0.17, 0.4}, [...]float64{1, 1}}
	black  = data{16 << 20, [...]float64{0.05, 0.06}, [...]float64{0.004, 0.0001}}
)

// A road is simulated: workers encode on cores, then send over one line, each
// first come, first served.
type road struct {
	workers, cores int
	line           func(cuboid int) float64 // bytes a second
	latency        time.Duration            // of each request
	sending        float64                  // what sending takes of a core, in ns a byte
	data           func(cuboid int) data
}

func always[T any](v T) func(int) T { return func(int) T { return v } }

// run carries n cuboids and gives what each was compressed with, and how long all took.
func (r road) run(n int) (chosen []Compression, took time.Duration) {
	const ready, encoded, onLine, arrived = 0, 1, 2, 3
	type worker struct {
		at, begun float64 // seconds
		next      int     // what happens then
		cuboid    data
		how       int
	}
	var c chooser
	workers := make([]worker, r.workers)
	cores := make([]float64, r.cores) // when each is free
	line := 0.0
	compute := func(now, seconds float64) float64 {
		i := slices.Index(cores, slices.Min(cores))
		cores[i] = max(now, cores[i]) + seconds
		return cores[i]
	}
	for end := 0.0; ; {
		w := &workers[0]
		for i := range workers {
			if workers[i].at < w.at {
				w = &workers[i]
			}
		}
		now, bytes := w.at, float64(w.cuboid.bytes)
		switch w.next {
		case ready:
			if len(chosen) == n {
				return chosen, time.Duration(end * float64(time.Second))
			}
			w.cuboid = r.data(len(chosen))
			if due, _ := c.begin(); due {
				var trials [len(candidates)]trial
				for i := range trials {
					trials[i] = trial{time.Duration(w.cuboid.time[i] * sampleSize), int(w.cuboid.size[i] * sampleSize)}
				}
				c.sampled(sampleSize, trials)
			}
			how := c.choose()
			chosen = append(chosen, how)
			w.how = slices.Index(candidates[:], how)
			w.at, w.next = compute(now, w.cuboid.time[w.how]*float64(w.cuboid.bytes)/1e9), encoded
		case encoded:
			w.begun = now
			w.at, w.next = compute(now, r.sending*w.cuboid.size[w.how]*bytes/1e9), onLine
		case onLine:
			line = max(line, now) + w.cuboid.size[w.how]*bytes/r.line(len(chosen)-1)
			w.at, w.next = line+r.latency.Seconds(), arrived
		case arrived:
			busy := 0
			for i := range workers {
				if workers[i].next == encoded || workers[i].next == onLine {
					busy++
				}
			}
			c.sent(int(w.cuboid.size[w.how]*bytes), time.Duration((now-w.begun)*float64(time.Second)), busy, r.cores)
			c.end()
			w.next, end = ready, now
		}
	}
}

// share is how many of list are how, 0 to 1.
func share(list []Compression, how Compression) float64 {
	n := 0
	for _, c := range list {
		if c == how {
			n++
		}
	}
	return float64(n) / float64(len(list))
}

const infinite = 1e15

func TestChooser(t *testing.T) {
	changing := func(before, after float64) func(int) float64 {
		return func(cuboid int) float64 {
			if cuboid < 200 {
				return before
			}
			return after
		}
	}
	for _, tt := range []struct {
		name     string
		road     road
		from, to int // of the cuboids looked at
		want     Compression
	}{
		{"a slow line", road{workers: 8, cores: 2, line: always(25e6), sending: 0.3, data: always(noisy)}, 0, 200, Zstd},
		{"a slow line, many workers", road{workers: 64, cores: 2, line: always(25e6), sending: 0.3, data: always(noisy)}, 80, 400, Zstd},
		{"a slow line, one worker", road{workers: 1, cores: 1, line: always(25e6), sending: 0.3, data: always(noisy)}, 0, 100, Zstd},
		{"no limit", road{workers: 8, cores: 2, line: always(infinite), sending: 0.8, data: always(noisy)}, 8, 200, LZ4},
		{"no limit, many workers", road{workers: 64, cores: 2, line: always(infinite), sending: 0.8, data: always(noisy)}, 8, 300, LZ4},
		{"no limit, one worker", road{workers: 1, cores: 1, line: always(infinite), sending: 0.8, data: always(noisy)}, 1, 100, LZ4},
		{"no limit, masked", road{workers: 8, cores: 2, line: always(infinite), sending: 0.8, data: always(masked)}, 8, 200, LZ4},
		{"a line that becomes slow", road{workers: 8, cores: 2, line: changing(infinite, 25e6), sending: 0.8, data: always(noisy)}, 216, 400, Zstd},
		{"a line that becomes quick", road{workers: 8, cores: 2, line: changing(25e6, infinite), sending: 0.8, data: always(noisy)}, 260, 400, LZ4},
		{"BOSS takes a second", road{workers: 8, cores: 2, line: always(infinite), latency: time.Second, sending: 0.8, data: always(noisy)}, 0, 200, Zstd},
		{"no limit, BOSS takes 10 ms", road{workers: 64, cores: 2, line: always(infinite), latency: 10 * time.Millisecond, sending: 0.8, data: always(noisy)}, 64, 300, LZ4},
		{"labels on a slow line", road{workers: 8, cores: 2, line: always(10e6), sending: 0.3, data: always(labels)}, 0, 200, Zstd},
		{"what does not compress", road{workers: 8, cores: 2, line: always(25e6), sending: 0.3, data: always(random)}, 8, 200, LZ4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chosen, _ := tt.road.run(tt.to)
			if got := share(chosen[tt.from:], tt.want); got < 0.98 {
				t.Errorf("%.0f %% are %v: %v", 100*got, tt.want, chosen)
			}
		})
	}
}

// Black margins around tissue, as many stacks begin.
func TestChooserFollowsTheData(t *testing.T) {
	chosen, _ := road{workers: 8, cores: 2, line: always(25e6), sending: 0.3, data: func(cuboid int) data {
		if cuboid < 100 {
			return black
		}
		return noisy
	}}.run(300)
	if got := share(chosen[140:], Zstd); got < 0.98 {
		t.Errorf("%.0f %% of the tissue is Zstd: %v", 100*got, chosen)
	}
}

// Whatever the line, what is chosen is hardly slower than the better of the two, and
// quicker where a mixture is best. It is slower by more only where the line is about
// as quick as the cores: that others send while one encodes is not in the sum.
func TestChooserIsNearTheBest(t *testing.T) {
	fixed := func(d data, i int) data { // both candidates are this one
		for j := range candidates {
			d.time[j], d.size[j] = d.time[i], d.size[i]
		}
		return d
	}
	for _, workers := range []int{1, 4, 16, 64} {
		for rate := 10e6; rate < 20e9; rate *= 2 {
			r := road{workers: workers, cores: 2, line: always(rate), sending: 0.5, data: always(noisy)}
			_, got := r.run(1000)
			var best time.Duration
			for i := range candidates {
				r.data = always(fixed(noisy, i))
				if _, took := r.run(1000); best == 0 || took < best {
					best = took
				}
			}
			ratio := got.Seconds() / best.Seconds()
			t.Logf("%d workers, %5.0f MB/s: %.3f of the best", workers, rate/1e6, ratio)
			limit := 1.02
			if rate > 500e6 && rate < 1e9 {
				limit = 1.25
			}
			if ratio > limit {
				t.Errorf("%d workers, %.0f MB/s: %v, where %v would do", workers, rate/1e6, got, best)
			}
		}
	}
}

// An outage of an hour is not how the line is.
func TestChooserForgetsAnOutage(t *testing.T) {
	var c chooser
	var trials [len(candidates)]trial
	for i := range trials {
		trials[i] = trial{time.Duration(noisy.time[i] * sampleSize), int(noisy.size[i] * sampleSize)}
	}
	c.begin()
	c.sampled(sampleSize, trials)
	send := func(took time.Duration) Compression {
		c.sent(16<<20, took, 0, 2)
		return c.choose()
	}
	for range 20 {
		send(20 * time.Millisecond)
	}
	send(time.Hour)
	for range 30 {
		send(20 * time.Millisecond)
	}
	if got := c.choose(); got != LZ4 {
		t.Errorf("got %v 30 cuboids after the outage", got)
	}
}

// What samples cost is known from how many there are.
func TestChooserSamples(t *testing.T) {
	for _, tt := range []struct{ cuboids, want int }{{1, 1}, {4, 4}, {128, 19}, {2000, 253}} {
		var c chooser
		got := 0
		for range tt.cuboids {
			if due, _ := c.begin(); due {
				got++
			}
			c.end()
		}
		if got != tt.want {
			t.Errorf("%d samples of %d cuboids, want %d", got, tt.cuboids, tt.want)
		}
	}
}

// BenchmarkChooser tells what auto does beside lz4, for each cuboid: samples, and
// counting goroutines. encode is what lz4 takes to encode one; posting takes more
// than that (BenchmarkCompression).
func BenchmarkChooser(b *testing.B) {
	for _, cuboids := range []int{128, 2000} {
		b.Run(strconv.Itoa(cuboids), func(b *testing.B) {
			rnd := rand.New(rand.NewPCG(1, 2))
			data := make([]byte, 16<<20)
			for i := range data {
				data[i] = byte(100 + rnd.NormFloat64()*6)
			}
			lz4, err := new(encoder).get(LZ4)
			if err != nil {
				b.Fatal(err)
			}
			var choosing, encoding time.Duration
			var frame []byte
			for b.Loop() {
				c := compressor{compression: Auto}
				for range cuboids {
					start := time.Now()
					if _, err := c.choose(data, 1); err != nil {
						b.Fatal(err)
					}
					c.posted(LZ4, len(data), len(data), time.Millisecond)
					c.end()
					choosing += time.Since(start)
				}
				start := time.Now()
				if frame, err = lz4.Append(frame[:0], data, 1); err != nil {
					b.Fatal(err)
				}
				encoding += time.Since(start)
			}
			each := choosing.Seconds() / float64(b.N*cuboids)
			encode := encoding.Seconds() / float64(b.N)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(1e6*each, "choose-µs")
			b.ReportMetric(1e6*encode, "encode-µs")
			b.ReportMetric(100*each/encode, "%")
		})
	}
}

func TestChooserIsSafe(t *testing.T) {
	var c chooser
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if due, at := c.begin(); due {
					c.sampled(1000, [len(candidates)]trial{{1000, 900}, {2000, 800}})
				} else if at < 0 || at >= 1 {
					t.Errorf("a sample at %v", at)
				}
				c.choose()
				c.sent(900, time.Millisecond, 3, 2)
				c.end()
			}
		})
	}
	wg.Wait()
	if c.open != 0 || c.begun != 800 {
		t.Errorf("%d of %d cuboids are open", c.open, c.begun)
	}
}
