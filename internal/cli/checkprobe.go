package cli

import (
	"context"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/blosc"
	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/ingest"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/voxel"
)

// What reading and compressing is measured on, at most: a person waits.
const (
	probeTime    = 10 * time.Second
	probeCuboids = 64 // that are not empty
)

// A probe is a sink that compresses and sends nothing, and a recorder that adds up.
// It is safe for concurrent use.
type probe struct {
	how      boss.Compression // not Auto
	encoders sync.Pool
	begin    time.Time
	enough   func() // is called when there are as many as are wanted
	itemSize int64  // of the channel

	mu         sync.Mutex
	full       []voxel.Box // cuboids that are not empty
	empty      int64
	bytes      int64 // of all of these, before compression
	compressed int64
	took       time.Duration // from begin to the last of them
}

var (
	_ ingest.Sink     = (*probe)(nil)
	_ ingest.Recorder = (*probe)(nil)
)

// A probeEncoder is an encoder with its memory.
type probeEncoder struct {
	*blosc.Encoder
	frame []byte
}

// codecs are what the kinds of compression are for Blosc.
var codecs = [...]blosc.Codec{boss.LZ4: blosc.LZ4, boss.Zstd: blosc.Zstd, boss.None: blosc.None}

// probed is what a probe compresses with where how is asked for: of auto, what leaves
// more to send.
func probed(how boss.Compression) boss.Compression {
	if how == boss.Auto {
		return boss.LZ4
	}
	return how
}

// Post implements ingest.Sink.
func (p *probe) Post(_ context.Context, b *voxel.Block) error {
	e, _ := p.encoders.Get().(*probeEncoder)
	if e == nil {
		encoder, err := blosc.NewEncoder(blosc.Options{Codec: codecs[p.how]})
		if err != nil {
			return err
		}
		e = &probeEncoder{Encoder: encoder}
	}
	defer p.encoders.Put(e)
	frame, err := e.Append(e.frame[:0], b.Data, b.Type.Size())
	if err != nil {
		return err
	}
	e.frame = frame
	p.count(b, int64(len(frame)))
	return nil
}

func (p *probe) count(b *voxel.Block, compressed int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.full = append(p.full, b.Box)
	p.compressed += compressed
	p.add(int64(len(b.Data)))
	if len(p.full) == probeCuboids {
		p.enough()
	}
}

func (p *probe) add(bytes int64) {
	p.bytes += bytes
	p.took = time.Since(p.begin)
}

// What follows implements ingest.Recorder.

func (p *probe) Begin(voxel.Box) error                         { return nil }
func (p *probe) Posted(voxel.Box, uint64, time.Duration) error { return nil }
func (p *probe) Failed(_ voxel.Box, err error) error           { return err }
func (p *probe) Kept(voxel.Box, uint64) error                  { return nil }
func (p *probe) Missing(int, voxel.Range, error) error         { return nil }

// Empty counts the cuboid.
func (p *probe) Empty(box voxel.Box) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.empty++
	p.add(box.Voxels() * p.itemSize)
	return nil
}

// measure reads and compresses a little of the data that is left, from the middle
// of the stack on: its ends are less like the rest.
func (c *checkup) measure(ctx context.Context) {
	if c.road == nil || c.tight {
		return
	}
	defer limitMemory(c.road.Plan)()
	pctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	c.probed = &probe{how: probed(c.options.boss.compression), begin: time.Now(), enough: cancel, itemSize: int64(c.road.Plan.Channel.Size())}
	r := *c.road
	r.Sink, r.Recorder, r.Missing = c.probed, c.probed, job.Zero // a slice that is missing was told
	data := r.Plan.Data
	middle := data.Z().Intersect(voxel.Range{Min: voxel.FloorDiv((data.Min.Z+data.Max.Z)/2, r.Plan.Cuboid.Z) * r.Plan.Cuboid.Z, Max: data.Max.Z}).Min
	for _, z := range []voxel.Range{{Min: middle, Max: data.Max.Z}, {Min: data.Min.Z, Max: middle}} {
		if z.Empty() || pctx.Err() != nil {
			continue
		}
		r.Plan = c.road.Plan.Of(data.WithZ(z))
		if err := r.Run(pctx); err != nil && pctx.Err() == nil {
			c.unmeasured = err
			return
		}
	}
}
