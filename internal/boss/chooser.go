package boss

import (
	"sync"
	"time"
)

// A chooser says how cuboids get to BOSS sooner: by LZ4, which takes next to no
// time, or by Zstd, which makes fewer bytes.
//
// A worker encodes a cuboid and then sends it. For each byte of voxels that is
// e + s·r: e is the time to encode it, r the bytes that it becomes, and s the time
// that a byte is on its way, with all that there is to wait for: the other
// workers' bytes on the same line, a bandwidth limit, BOSS. The smaller sum wins.
// While a line is the limit, s is long, as each worker waits for all others.
//
// While the CPU is the limit, s seems long too: who sends waits for a core again
// and again, which fewer bytes do not save, while a sample is encoded too quickly
// to be interrupted. So the goroutines are counted that run or wait for a core, if
// there are more of them than cores: each slows encoding down, and is none that the
// line holds up. Without that, cuboids go out over loopback by Zstd, at a third of
// the speed; see BenchmarkCompression.
//
// What BOSS takes for a request whatever its size cannot be told from a time for
// each byte. It makes s too long, for which the CPU works while it would be idle.
//
// Both are measured on the same pieces of cuboids, so that their averages differ
// by nothing but the codec. The averages forget: data and lines change.
//
// It has no clock, and is safe for concurrent use. The alternative that lost is
// to try each codec for a while and see how many cuboids a second there are: it
// takes minutes to see a difference of a few per cent.
type chooser struct {
	mu    sync.Mutex
	codec [len(candidates)]struct{ time, size average } // for each byte of a sample
	way   average                                       // time for each byte sent
	crowd average                                       // goroutines that run or wait for a core while too many do
	cores float64
	begun int // cuboids, ever
	open  int // of these, not ended
	now   int // the candidate that is chosen
}

// candidates are what there is to choose from.
var candidates = [...]Compression{LZ4, Zstd}

const (
	// sampleEvery so many cuboids a piece is encoded by both: of 256 KiB, a 500th of
	// the voxels; and of each of the first ones.
	sampleEvery  = 8
	firstSamples = 4

	// firstDense cuboids at most, one of each worker, go by Zstd while none has
	// arrived and nothing is known of the line. If that is wrong, as on loopback, it
	// costs two cores a tenth of a second in all; LZ4 would cost a line of 25 MB/s a
	// second. All of very many workers would cost the cores too much.
	firstDense = 8

	// How much of what an average knows is kept when there is news. Four samples
	// are 32 cuboids; eight that were sent are one of each worker.
	keepSamples = 0.75
	keepWay     = 0.875

	// gain is how much of the time has to be saved for a change, so that two which
	// are alike do not take turns.
	gain = 0.02
)

// begin counts a cuboid, and says whether a sample of it is due before it is
// encoded, and where: a fraction of the cuboid.
func (c *chooser) begin() (due bool, position float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.begun
	c.begun++
	c.open++
	// Steps of the golden ratio come near every place (Weyl).
	position = float64(n) * 0.6180339887
	return n < firstSamples || n%sampleEvery == 0, position - float64(int(position))
}

// end is called for each cuboid begun, whatever became of it.
func (c *chooser) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
}

// A trial is how a candidate did on a sample.
type trial struct {
	took time.Duration
	size int // of the frame
}

// sampled learns how the candidates did on n bytes.
func (c *chooser) sampled(n int, trials [len(candidates)]trial) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, t := range trials {
		c.codec[i].time.add(t.took.Seconds(), float64(n), keepSamples)
		c.codec[i].size.add(float64(t.size), float64(n), keepSamples)
	}
}

// sent learns how long a frame of n bytes was on its way, and how many goroutines
// beside the caller's run, or wait for one of so many cores, now that it arrived:
// a moment that has nothing to do with what the others are at.
func (c *chooser) sent(n int, took time.Duration, busy, cores int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.way.add(took.Seconds(), float64(n), keepWay)
	c.cores = float64(cores)
	if busy < cores {
		busy = 0 // nobody waits
	}
	c.crowd.add(float64(busy), 1, keepWay)
}

// choose says what is best as things stand.
func (c *chooser) choose() Compression {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.way.weight == 0 && c.begun <= firstDense {
		return Zstd
	}
	best := c.now
	if c.way.weight > 0 && c.codec[0].time.weight > 0 {
		for i := range candidates {
			if c.cost(i) < c.cost(best) {
				best = i
			}
		}
		if c.cost(best) < (1-gain)*c.cost(c.now) {
			c.now = best
		}
	}
	return candidates[c.now]
}

// cost is the time that a byte of voxels would take with a candidate, in seconds.
func (c *chooser) cost(i int) float64 {
	crowd := c.crowd.mean()
	slower := max(1, (crowd+1)/c.cores)
	onLine := max(0, 1-crowd/(float64(c.open)+c.cores)) // some are none of ours: decoders, the transport's
	return slower*c.codec[i].time.mean() + onLine*c.way.mean()*c.codec[i].size.mean()
}

// An average is one of values for each unit of weight, in which what is older
// weighs less. It adds up values and weights apart, lest a frame of a few bytes
// weighs as much as one of megabytes.
type average struct{ sum, weight float64 }

// outlier is how many times the average a value counts at most: a worker may have
// been held up by what will not come again, such as an outage of BOSS. Where it
// does come again, a few values are enough.
const outlier = 8

func (a *average) add(value, weight, keep float64) {
	if a.sum > 0 {
		value = min(value, outlier*a.mean()*weight)
	}
	a.sum = keep*a.sum + value
	a.weight = keep*a.weight + weight
}

func (a *average) mean() float64 { return a.sum / a.weight }
