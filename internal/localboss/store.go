package localboss

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
)

// A key says which cube: of which channel, resolution and time sample, and
// where on the grid of cubes.
type key struct{ channel, level, time, x, y, z int }

// A store keeps cubes, each as one blosc frame. It is safe for concurrent use;
// who reads a cube to write it again must keep others from doing so meanwhile.
type store interface {
	// get appends the cube's frame to dst. An error is fs.ErrNotExist where
	// nothing was ever written.
	get(dst []byte, k key) ([]byte, error)
	// put replaces a cube as a whole. It does not keep frame.
	put(k key, frame []byte) error
	// remove makes the cube as if it was never written.
	remove(k key) error
}

func newStore(dir string) (store, error) {
	if dir == "" {
		return &memoryStore{cubes: map[key][]byte{}}, nil
	}
	d := dirStore(dir)
	// What lies here was being written when an earlier server was killed.
	if err := os.RemoveAll(d.temp()); err != nil {
		return nil, err
	}
	return d, os.MkdirAll(d.temp(), 0o755)
}

type memoryStore struct {
	mu    sync.RWMutex
	cubes map[key][]byte // frames are never changed
}

func (m *memoryStore) get(dst []byte, k key) ([]byte, error) {
	m.mu.RLock()
	frame, ok := m.cubes[k]
	m.mu.RUnlock()
	if !ok {
		return dst, fs.ErrNotExist
	}
	return append(dst, frame...), nil
}

func (m *memoryStore) put(k key, frame []byte) error {
	frame = append(make([]byte, 0, len(frame)), frame...)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cubes[k] = frame
	return nil
}

func (m *memoryStore) remove(k key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.cubes, k)
	return nil
}

// A dirStore keeps each cube in a file of its own: one directory for each
// layer of cubes, which keeps directories small enough to list.
type dirStore string

func (d dirStore) temp() string { return filepath.Join(string(d), "tmp") }

func (d dirStore) path(k key) string {
	return filepath.Join(string(d), "cubes", strconv.Itoa(k.channel), fmt.Sprintf("r%d-t%d", k.level, k.time),
		strconv.Itoa(k.z), fmt.Sprintf("%d-%d.blosc", k.y, k.x))
}

func (d dirStore) get(dst []byte, k key) ([]byte, error) {
	f, err := os.Open(d.path(k))
	if err != nil {
		return dst, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return dst, err
	}
	n := len(dst)
	dst = append(dst, make([]byte, info.Size())...)
	_, err = f.ReadAt(dst[n:], 0)
	return dst, err
}

// put moves a finished file into place. It is not synced: see Server.
func (d dirStore) put(k key, frame []byte) error {
	f, err := os.CreateTemp(d.temp(), "cube")
	if err != nil {
		return err
	}
	_, err = f.Write(frame)
	if err = errors.Join(err, f.Close()); err == nil {
		err = move(f.Name(), d.path(k))
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// move renames a file, into a directory that is made if it is missing.
func move(from, to string) error {
	err := os.Rename(from, to)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// appendFile appends p to a file, made if missing along with its directory:
// all of it, or after an error nothing unless that fails as well. The end of the
// process can leave the first part of p.
func appendFile(name string, p []byte) error {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	f, err := os.OpenFile(name, flags, 0o644)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(name), 0o755); err == nil {
			f, err = os.OpenFile(name, flags, 0o644)
		}
	}
	if err != nil {
		return err
	}
	n, err := f.Write(p)
	if err != nil && n > 0 { // the disk is full, say
		if info, statErr := f.Stat(); statErr == nil {
			f.Truncate(info.Size() - int64(n))
		}
	}
	return errors.Join(err, f.Close())
}

func (d dirStore) remove(k key) error {
	if err := os.Remove(d.path(k)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
