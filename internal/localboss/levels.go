package localboss

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A downsampler computes lower resolutions in the background, one channel at a
// time, those QUEUED longest first. Its goroutine lives while there is work.
type downsampler struct {
	atWork sync.WaitGroup

	// Guarded by Server.mu.
	running bool
	channel int // the id of the one being worked on
	stopJob context.CancelFunc
}

// stop stops what is being worked on, if anything is.
func (d *downsampler) stop() {
	if d.stopJob != nil {
		d.stopJob()
	}
}

// cancel stops the work on a channel.
func (d *downsampler) cancel(channel int) {
	if d.channel == channel {
		d.stop()
	}
}

// wakeDownsampler begins with what is queued. s.mu is held.
func (s *Server) wakeDownsampler() {
	if s.opt.HoldDownsample || s.downsampler.running {
		return
	}
	select {
	case <-s.closed:
		return
	default:
	}
	s.downsampler.running = true
	s.downsampler.atWork.Go(s.downsampleAll)
}

// resumeDownsampling puts back into the queue what an earlier server was at work
// on, which it may have left half done.
func (s *Server) resumeDownsampling() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting, changed := false, false
	s.state.eachChannel(func(_ *experiment, ch *channel) {
		if ch.Downsample == inProgress {
			ch.Downsample, changed = queued, true
		}
		waiting = waiting || ch.Downsample == queued
	})
	if waiting {
		s.wakeDownsampler()
	}
	if changed {
		return s.state.save()
	}
	return nil
}

// downsampleAll works until nothing is queued.
func (s *Server) downsampleAll() {
	for {
		ctx, j, ok := s.nextDownsampling()
		if !ok {
			return
		}
		err := s.downsample(ctx, j)
		if err != nil && ctx.Err() == nil {
			s.log.Error("downsample", "channel", j.key.channel, "err", err)
		}
		s.endDownsampling(ctx, j, err)
	}
}

// A downsampling is the work on one channel.
type downsampling struct {
	key    key       // the channel and the level to begin at
	levels int       // the level to end before
	box    voxel.Box // of the coordinate frame
	typ    voxel.Type
	labels bool
	step   voxel.Point // how many voxels become one
}

// nextDownsampling takes a channel from the queue. ok is false, and the
// downsampler at its end, if none is there.
func (s *Server) nextDownsampling() (ctx context.Context, j downsampling, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &s.downsampler
	d.running, d.channel, d.stopJob = false, 0, nil
	select {
	case <-s.closed:
		return nil, j, false
	default:
	}
	ex, ch := s.state.firstQueued()
	if ch == nil {
		return nil, j, false
	}
	ch.Downsample = inProgress
	if err := s.state.save(); err != nil { // it can wait until the disk is better
		s.log.Error("save resources", "err", err)
		ch.Downsample = queued
		return nil, j, false
	}
	t, _ := voxel.ParseType(ch.Datatype)
	j = downsampling{
		key:    key{channel: ch.ID, level: ch.Base}, // of the first time sample, as BOSS does
		levels: ex.Levels,
		box:    s.state.Frames[ex.Frame].box().Intersect(voxel.Box{Max: voxel.Point{X: math.MaxInt, Y: math.MaxInt, Z: math.MaxInt}}), // nothing is below 0
		typ:    t,
		labels: ch.Type == "annotation",
		step:   voxel.Point{X: 2, Y: 2, Z: 1},
	}
	if ex.Method == "isotropic" {
		j.step.Z = 2
	}
	ctx, stop := context.WithCancel(context.Background())
	d.running, d.channel, d.stopJob = true, ch.ID, stop
	return ctx, j, true
}

// endDownsampling says what became of it. Of one that was cancelled, who did so
// has said it; one that the server's end stopped is begun again.
func (s *Server) endDownsampling(ctx context.Context, j downsampling, err error) {
	s.change(func(st *state) reply {
		if ctx.Err() != nil {
			return empty(499)
		}
		s.downsampler.stop()
		st.eachChannel(func(_ *experiment, ch *channel) {
			switch {
			case ch.ID != j.key.channel:
			case err != nil:
				ch.Downsample = failed
			default:
				ch.Downsample = downsampled
			}
		})
		return empty(200)
	})
}

func (s *state) eachChannel(do func(*experiment, *channel)) {
	s.eachExperiment(func(ex *experiment) {
		for _, ch := range ex.Channels {
			do(ex, ch)
		}
	})
}

// firstQueued is the channel that waits longest, nil if none does.
func (s *state) firstQueued() (*experiment, *channel) {
	type entry struct {
		ex *experiment
		ch *channel
	}
	var waiting []entry
	s.eachChannel(func(ex *experiment, ch *channel) {
		if ch.Downsample == queued && !ch.Deleted {
			waiting = append(waiting, entry{ex, ch})
		}
	})
	if len(waiting) == 0 {
		return nil, nil
	}
	first := slices.MinFunc(waiting, func(a, b entry) int {
		return cmp.Or(a.ch.Queued.Compare(b.ch.Queued), cmp.Compare(a.ch.ID, b.ch.ID))
	})
	return first.ex, first.ch
}

// downsample makes each level from the one before it.
func (s *Server) downsample(ctx context.Context, j downsampling) error {
	if j.typ == voxel.Uint32 || j.typ == voxel.Uint64 && !j.labels {
		return fmt.Errorf("no images of %v", j.typ)
	}
	for ; j.key.level+1 < j.levels; j.key.level++ {
		to := shrink(j.box, j.step)
		for piece := range to.Pieces(cube) {
			if err := ctx.Err(); err != nil {
				return err
			}
			k := j.key.at(piece)
			k.level++
			if err := s.downsampleCube(ctx, j, k); err != nil {
				return err
			}
		}
		j.box = to
	}
	return nil
}

// shrink is the box of the voxels that those of box become.
func shrink(box voxel.Box, step voxel.Point) voxel.Box {
	down := func(r voxel.Range, n int) voxel.Range {
		return voxel.Range{Min: r.Min / n, Max: (r.Max + n - 1) / n}
	}
	return voxel.NewBox(down(box.X(), step.X), down(box.Y(), step.Y), down(box.Z(), step.Z))
}

// downsampleCube makes cube to of the next level from those below it, one layer
// of them in memory at a time. A cube below which nothing is, is none.
func (s *Server) downsampleCube(ctx context.Context, j downsampling, to key) error {
	box := to.box()
	box = voxel.Box{Min: scale(box.Min, j.step), Max: scale(box.Max, j.step)}
	if ok, err := s.volume.written(j.key, box); err != nil {
		return err
	} else if !ok {
		return s.volume.blacken(to, to.box(), j.typ)
	}
	data, slab := s.buffers.get(), s.buffers.get()
	defer s.buffers.put(data)
	defer s.buffers.put(slab)
	data.resize(int(cubeBytes(j.typ)))
	slab.resize(int(cubeBytes(j.typ)) * j.step.X * j.step.Y)
	n := min(int64(len(*data)+len(*slab)), s.opt.Memory)
	if err := s.memory.Acquire(ctx, n); err != nil {
		return err
	}
	defer s.memory.Release(n)
	rest := *data
	for z := range box.Z().Pieces(cube.Z) {
		layer := &voxel.Block{Box: box.WithZ(z), Type: j.typ, Data: *slab}
		if err := s.volume.read(j.key, layer); err != nil {
			return err
		}
		rest = rest[j.reduce(rest, layer):]
	}
	return s.volume.replace(to, &voxel.Block{Box: to.box(), Type: j.typ, Data: *data})
}

func scale(p, n voxel.Point) voxel.Point {
	return voxel.Point{X: p.X * n.X, Y: p.Y * n.Y, Z: p.Z * n.Z}
}

func cubeBytes(t voxel.Type) int64 { return voxel.Box{Max: cube}.Voxels() * int64(t.Size()) }

// reduce writes to dst what the voxels of src become, and returns how many bytes
// that is.
func (j downsampling) reduce(dst []byte, src *voxel.Block) (n int) {
	if j.labels {
		return reduceLabels(dst, src, j.step.Z)
	}
	return reduceImage(dst, src, j.step.Z)
}
