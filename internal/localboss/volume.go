package localboss

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"sync"

	"github.com/neurodata/ndpush/internal/blosc"
	"github.com/neurodata/ndpush/internal/voxel"
)

// cube is the size of what is stored as one piece, on a grid through the
// origin, at every resolution (spdb, CUBOIDSIZE). It never changes.
var cube = voxel.Point{X: 512, Y: 512, Z: 16}

// A volume holds the voxels of every channel. Methods are safe for concurrent
// use: writers of a cube take turns, readers see it before or after a write.
type volume struct {
	store   store
	workers sync.Pool // of *worker

	// The lock of a cube is one of these, by a hash of its key: that two cubes
	// share one costs a wait now and then, and a lock for each would cost memory.
	locks [256]sync.Mutex
	once  sync.Once
	seed  maphash.Seed
}

// A worker is the memory and the codecs to work on one cube.
type worker struct {
	encoder     *blosc.Encoder
	decoder     blosc.Decoder
	part, whole voxel.Block
	frame       []byte
}

func (v *volume) worker() (*worker, error) {
	if w, ok := v.workers.Get().(*worker); ok {
		return w, nil
	}
	e, err := blosc.NewEncoder(blosc.Options{})
	return &worker{encoder: e}, err
}

// lock takes the lock of a cube.
func (v *volume) lock(k key) *sync.Mutex {
	v.once.Do(func() { v.seed = maphash.MakeSeed() })
	mu := &v.locks[maphash.Comparable(v.seed, k)%uint64(len(v.locks))]
	mu.Lock()
	return mu
}

// at is the key of the cube that piece lies in.
func (k key) at(piece voxel.Box) key {
	k.x, k.y, k.z = piece.Min.X/cube.X, piece.Min.Y/cube.Y, piece.Min.Z/cube.Z
	return k
}

func (k key) box() voxel.Box {
	p := voxel.Point{X: k.x * cube.X, Y: k.y * cube.Y, Z: k.z * cube.Z}
	return voxel.Box{Min: p, Max: p.Add(cube)}
}

// each calls do for every cube that box touches, with the part of the box that
// lies in it. k says all but the place on the grid.
func (v *volume) each(k key, box voxel.Box, do func(*worker, key, voxel.Box) error) error {
	w, err := v.worker()
	if err != nil {
		return err
	}
	defer v.workers.Put(w)
	for piece := range box.Pieces(cube) {
		k := k.at(piece)
		if err := do(w, k, piece); err != nil {
			return fmt.Errorf("cube %v: %w", k, err)
		}
	}
	return nil
}

// write merges b into the volume.
func (v *volume) write(k key, b *voxel.Block) error {
	return v.each(k, b.Box, func(w *worker, k key, piece voxel.Box) error {
		w.part.Reset(piece, b.Type)
		if w.part.Gather(b) {
			return nil // zeros change nothing
		}
		defer v.lock(k).Unlock()
		err := v.load(w, k, b.Type)
		switch {
		case errors.Is(err, fs.ErrNotExist) && piece == k.box():
			return v.save(w, k, &w.part) // the common case: nothing to read or merge
		case errors.Is(err, fs.ErrNotExist):
			w.whole.Reset(k.box(), b.Type)
			clear(w.whole.Data)
		case err != nil:
			return err
		}
		rows(&w.whole, &w.part, piece, func(whole, part []byte) { merge(whole, part, b.Type) })
		return v.save(w, k, &w.whole)
	})
}

// blacken sets the voxels of box to zero.
func (v *volume) blacken(k key, box voxel.Box, t voxel.Type) error {
	return v.each(k, box, func(w *worker, k key, piece voxel.Box) error {
		defer v.lock(k).Unlock()
		if piece == k.box() {
			return v.store.remove(k)
		}
		err := v.load(w, k, t)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		rows(&w.whole, &w.whole, piece, func(row, _ []byte) { clear(row) })
		return v.save(w, k, &w.whole)
	})
}

// read fills b. What was never written is zero.
func (v *volume) read(k key, b *voxel.Block) error {
	return v.each(k, b.Box, func(w *worker, k key, piece voxel.Box) error {
		err := v.load(w, k, b.Type)
		if errors.Is(err, fs.ErrNotExist) {
			rows(b, b, piece, func(row, _ []byte) { clear(row) })
			return nil
		}
		if err != nil {
			return err
		}
		rows(b, &w.whole, piece, func(dst, src []byte) { copy(dst, src) })
		return nil
	})
}

// load reads a cube to w.whole; fs.ErrNotExist if it was never written.
func (v *volume) load(w *worker, k key, t voxel.Type) (err error) {
	if w.frame, err = v.store.get(w.frame[:0], k); err != nil {
		return err
	}
	w.whole.Reset(k.box(), t)
	n := len(w.whole.Data)
	data, err := w.decoder.Append(w.whole.Data[:0], w.frame, n)
	if err == nil && len(data) != n {
		err = fmt.Errorf("%d bytes stored, want %d", len(data), n)
	}
	if err == nil {
		w.whole.Data = data
	}
	return err
}

// save stores b as the cube k.
func (v *volume) save(w *worker, k key, b *voxel.Block) (err error) {
	if w.frame, err = w.encoder.Append(w.frame[:0], b.Data, b.Type.Size()); err != nil {
		return err
	}
	return v.store.put(k, w.frame)
}

// rows calls do for every row of box with its bytes in two blocks that contain it.
func rows(a, b *voxel.Block, box voxel.Box, do func(a, b []byte)) {
	n := box.X().Len() * a.Type.Size()
	at := func(b *voxel.Block) int { return (box.Min.X - b.Box.Min.X) * b.Type.Size() }
	ai, bi := at(a), at(b)
	for z := box.Min.Z; z < box.Max.Z; z++ {
		for y := box.Min.Y; y < box.Max.Y; y++ {
			do(a.Row(y, z)[ai:ai+n], b.Row(y, z)[bi:bi+n])
		}
	}
}
