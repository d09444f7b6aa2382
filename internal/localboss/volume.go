package localboss

import (
	"errors"
	"fmt"
	"hash/maphash"
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
	locks [256]sync.RWMutex
	once  sync.Once
	seed  maphash.Seed

	tallies tallies
}

// A worker is the memory and the codecs to work on one cube.
type worker struct {
	encoder, sparse  *blosc.Encoder
	decoder          blosc.Decoder
	part, whole, old voxel.Block
	log, record      []byte
}

func (v *volume) worker() (*worker, error) {
	if w, ok := v.workers.Get().(*worker); ok {
		return w, nil
	}
	e, err := blosc.NewEncoder(blosc.Options{})
	if err != nil {
		return nil, err
	}
	sparse, err := blosc.NewEncoder(blosc.Options{Codec: blosc.Zstd})
	return &worker{encoder: e, sparse: sparse}, err
}

// lock is the lock of a cube.
func (v *volume) lock(k key) *sync.RWMutex {
	v.once.Do(func() { v.seed = maphash.MakeSeed() })
	return &v.locks[maphash.Comparable(v.seed, k)%uint64(len(v.locks))]
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
	return v.each(k, b.Box, func(w *worker, k key, piece voxel.Box) (err error) {
		w.part.Reset(piece, b.Type)
		rows(&w.part, b, piece, func(part, all []byte) { copy(part, all) })
		if voxel.IsZero(w.part.Data) {
			return nil // changes nothing
		}
		if w.record, err = w.merge(w.record[:0], k, &w.part); err != nil {
			return err
		}
		mu := v.lock(k)
		mu.Lock()
		defer mu.Unlock()
		t, err := v.tally(w, k)
		if err != nil {
			return err
		}
		return v.append(w, k, b.Type, t.add(opMerge, piece))
	})
}

// blacken sets the voxels of box to zero.
func (v *volume) blacken(k key, box voxel.Box, typ voxel.Type) error {
	return v.each(k, box, func(w *worker, k key, piece voxel.Box) error {
		mu := v.lock(k)
		mu.Lock()
		defer mu.Unlock()
		if piece == k.box() {
			return v.remove(k)
		}
		t, err := v.tally(w, k)
		if err != nil || t.records == 0 {
			return err
		}
		if w.record, err = w.black(w.record[:0], k, piece); err != nil {
			return err
		}
		return v.append(w, k, typ, t.add(opBlack, piece))
	})
}

// read fills b. What was never written is zero.
func (v *volume) read(k key, b *voxel.Block) error {
	return v.each(k, b.Box, func(w *worker, k key, piece voxel.Box) (err error) {
		mu := v.lock(k)
		mu.RLock()
		w.log, err = v.store.get(w.log[:0], k)
		mu.RUnlock()
		if err != nil {
			return err
		}
		return w.replay(b, piece, k, w.log)
	})
}

// append appends w.record to the log of a cube whose lock is held; after that
// the cube's tally is t.
func (v *volume) append(w *worker, k key, typ voxel.Type, t tally) error {
	if err := v.store.append(k, w.record); err != nil {
		v.tallies.forget(k) // who knows what is there now
		return err
	}
	v.tallies.set(k, t)
	if t.long() {
		// What was asked for is stored. If the disk has no room to make the log
		// short it stays long, and the next writer tries again.
		_ = v.shorten(w, k, typ)
	}
	return nil
}

// shorten makes one record of a cube's log.
func (v *volume) shorten(w *worker, k key, typ voxel.Type) (err error) {
	if w.log, err = v.store.get(w.log[:0], k); err != nil {
		return err
	}
	w.whole.Reset(k.box(), typ)
	if err := w.replay(&w.whole, w.whole.Box, k, w.log); err != nil {
		return err
	}
	if voxel.IsZero(w.whole.Data) {
		return v.remove(k)
	}
	if w.record, err = w.merge(w.record[:0], k, &w.whole); err != nil {
		return err
	}
	if err := v.store.put(k, w.record); err != nil {
		return err
	}
	v.tallies.set(k, tally{}.add(opMerge, w.whole.Box))
	return nil
}

// replace makes a cube what b is, whose box is the cube's.
func (v *volume) replace(k key, b *voxel.Block) error {
	return v.each(k, b.Box, func(w *worker, k key, _ voxel.Box) (err error) {
		if w.record, err = w.merge(w.record[:0], k, b); err != nil {
			return err
		}
		mu := v.lock(k)
		mu.Lock()
		defer mu.Unlock()
		if voxel.IsZero(b.Data) {
			return v.remove(k)
		}
		v.tallies.forget(k) // also if it is only half done
		return v.store.put(k, w.record)
	})
}

// written reports whether something was written to a cube that box touches.
func (v *volume) written(k key, box voxel.Box) (bool, error) {
	for piece := range box.Pieces(cube) {
		if ok, err := v.store.has(k.at(piece)); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (v *volume) remove(k key) error {
	v.tallies.forget(k)
	return v.store.remove(k)
}

// merge appends the record that b is to be merged into cube k, which contains it.
func (w *worker) merge(log []byte, k key, b *voxel.Block) ([]byte, error) {
	return appendRecord(log, opMerge, b.Box.Add(k.box().Min.Neg()), func(dst []byte) ([]byte, error) {
		n := len(dst)
		dst, err := w.encoder.Append(dst, b.Data, b.Type.Size())
		if err != nil || len(dst)-n > len(b.Data)/64 {
			return dst, err
		}
		// Nearly all is zero. LZ4 takes 16 kB for a cube of that, Zstd some
		// hundred bytes.
		return w.sparse.Append(dst[:n], b.Data, b.Type.Size())
	})
}

// black appends the record that a piece of cube k is to become zero.
func (w *worker) black(log []byte, k key, piece voxel.Box) ([]byte, error) {
	return appendRecord(log, opBlack, piece.Add(k.box().Min.Neg()), func(dst []byte) ([]byte, error) { return dst, nil })
}

// replay fills the piece of dst that lies in cube k with what the cube's log says.
func (w *worker) replay(dst *voxel.Block, piece voxel.Box, k key, log []byte) error {
	blacken := func(row, _ []byte) { clear(row) }
	rows(dst, dst, piece, blacken)
	lay := func(dst, src []byte) { copy(dst, src) } // the first on nothing
	for len(log) > 0 {
		r, rest, err := nextRecord(log)
		switch {
		case errors.Is(err, errTorn):
			return nil
		case err != nil:
			return err
		}
		log = rest
		box := r.part.Add(k.box().Min)
		part := box.Intersect(piece)
		switch {
		case part.Empty():
			continue
		case r.op == opBlack:
			rows(dst, dst, part, blacken)
			continue
		}
		if err := w.decode(r.frame, box, dst.Type); err != nil {
			return err
		}
		rows(dst, &w.old, part, lay)
		lay = func(dst, src []byte) { merge(dst, src, w.old.Type) }
	}
	return nil
}

// decode makes w.old the voxels of box.
func (w *worker) decode(frame []byte, box voxel.Box, t voxel.Type) error {
	w.old.Reset(box, t)
	n := len(w.old.Data)
	data, err := w.decoder.Append(w.old.Data[:0], frame, n)
	if err == nil && len(data) != n {
		err = fmt.Errorf("%d bytes stored, want %d", len(data), n)
	}
	if err == nil {
		w.old.Data = data
	}
	return err
}

// rows calls do for every row of box with its bytes in two blocks of one type
// that contain it. Rows that follow each other in both are given as one.
func rows(a, b *voxel.Block, box voxel.Box, do func(a, b []byte)) {
	size := box.Size()
	n := size.X * a.Type.Size()
	if box.X() == a.Box.X() && box.X() == b.Box.X() {
		n, size.Y = n*size.Y, 1
	}
	ai, ay, az := strides(a, box)
	bi, by, bz := strides(b, box)
	for z := range size.Z {
		ap, bp := a.Data[ai+z*az:], b.Data[bi+z*bz:]
		for y := range size.Y {
			do(ap[y*ay:y*ay+n], bp[y*by:y*by+n])
		}
	}
}

// strides say where in b's data box begins, and how far it is from row to row
// and from slice to slice.
func strides(b *voxel.Block, box voxel.Box) (first, y, z int) {
	size := b.Box.Size()
	y = size.X * b.Type.Size()
	z = size.Y * y
	p := box.Min.Add(b.Box.Min.Neg())
	return p.X*b.Type.Size() + p.Y*y + p.Z*z, y, z
}
