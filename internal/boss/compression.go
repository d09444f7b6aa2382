package boss

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/blosc"
)

// A Compression says how cuboids are compressed before they are posted.
type Compression int

const (
	Auto Compression = iota // LZ4 or Zstd, whichever gets cuboids to BOSS sooner, as measured
	LZ4
	Zstd
	None // as they are, in frames all the same
)

var compressions = [...]string{Auto: "auto", LZ4: "lz4", Zstd: "zstd", None: "none"}

// codecs are Blosc's.
var codecs = [...]blosc.Codec{LZ4: blosc.LZ4, Zstd: blosc.Zstd, None: blosc.None}

// String is the word for c.
func (c Compression) String() string { return compressions[c] }

// ParseCompression reads such a word.
func ParseCompression(text string) (Compression, error) {
	for i, word := range compressions {
		if text == word {
			return Compression(i), nil
		}
	}
	return 0, fmt.Errorf("want %s", strings.Join(compressions[:], ", "))
}

// A compressor compresses cuboids as is asked for, or as is best, and counts them.
// It is safe for concurrent use.
type compressor struct {
	compression Compression
	chooser     chooser

	trying  sync.Mutex // guards what samples are encoded with
	encoder encoder
	sample  []byte

	counting sync.Mutex
	sent     Sent
}

// sampleSize is that of a piece which is encoded by all candidates: half a block.
const sampleSize = 256 << 10

// compress makes a frame of data, items of typeSize bytes, and says how. The
// frame's parts are memory of f, and data themselves if they are stored as they are.
func (c *compressor) compress(f *frame, data []byte, typeSize int) (parts [][]byte, how Compression, err error) {
	how = c.compression
	if how == Auto {
		if how, err = c.choose(data, typeSize); err != nil {
			return nil, 0, err
		}
	}
	encoder, err := f.encoder.get(how)
	if err != nil {
		return nil, 0, err
	}
	room := blosc.MaxLen(len(data))
	if how == None {
		room = blosc.MaxLen(0)
	}
	f.room(room)
	var stored bool
	if f.data, stored, err = encoder.AppendShort(f.data, data, typeSize); stored {
		return [][]byte{f.data, data}, how, err
	}
	return [][]byte{f.data}, how, err
}

// choose says what is best for data, of which it takes a sample if one is due.
func (c *compressor) choose(data []byte, typeSize int) (Compression, error) {
	due, position := c.chooser.begin()
	if due && c.trying.TryLock() { // another worker's sample is as good
		defer c.trying.Unlock()
		n := min(len(data), sampleSize)
		at := int(position * float64(len(data)-n))
		if err := c.try(data[at-at%typeSize:][:n], typeSize); err != nil {
			return 0, err
		}
	}
	return c.chooser.choose(), nil
}

// try encodes a sample with each candidate.
func (c *compressor) try(sample []byte, typeSize int) error {
	var trials [len(candidates)]trial
	for i, how := range candidates {
		encoder, err := c.encoder.get(how)
		if err != nil {
			return err
		}
		start := time.Now()
		var stored bool
		if c.sample, stored, err = encoder.AppendShort(c.sample[:0], sample, typeSize); err != nil {
			return err
		}
		trials[i] = trial{time.Since(start), len(c.sample)}
		if stored {
			trials[i].size += len(sample)
		}
	}
	c.chooser.sampled(len(sample), trials)
	return nil
}

// end is called for each cuboid that compress was called with.
func (c *compressor) end() {
	if c.compression == Auto {
		c.chooser.end()
	}
}

// posted counts a cuboid of so many bytes that BOSS took, and learns from its
// frame, which was so long on its way.
func (c *compressor) posted(how Compression, voxels, frame int, took time.Duration) {
	if c.compression == Auto {
		c.chooser.sent(frame, took, busy(), runtime.GOMAXPROCS(0))
	}
	c.counting.Lock()
	defer c.counting.Unlock()
	c.sent.Cuboids[how]++
	c.sent.Voxels += int64(voxels)
	c.sent.Frames += int64(frame)
}

func (c *compressor) total() Sent {
	c.counting.Lock()
	defer c.counting.Unlock()
	return c.sent
}

// busy is how many goroutines beside this one run, or wait for a core.
func busy() int {
	samples := []metrics.Sample{{Name: "/sched/goroutines/running:goroutines"}, {Name: "/sched/goroutines/runnable:goroutines"}}
	metrics.Read(samples)
	return max(0, int(samples[0].Value.Uint64()+samples[1].Value.Uint64())-1)
}

// An encoder is made when it is first needed, as it takes memory.
type encoder struct{ blosc *blosc.Encoder }

func (e *encoder) get(how Compression) (_ *blosc.Encoder, err error) {
	if e.blosc == nil {
		e.blosc, err = blosc.NewEncoder(blosc.Options{Codec: codecs[how]})
	} else {
		err = e.blosc.Switch(codecs[how])
	}
	return e.blosc, err
}

// Sent is what the cuboids came to that BOSS took.
type Sent struct {
	Cuboids [len(compressions)]int64 // by [Compression]; none are Auto
	Voxels  int64                    // bytes, before compression
	Frames  int64                    // and after
}
