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

// A store keeps the log of each cube: see record. It is safe for concurrent use
// of different cubes; a cube's lock keeps its readers from its writer.
type store interface {
	// get appends a cube's log to dst: nothing if it was never written.
	get(dst []byte, k key) ([]byte, error)
	// has reports whether a cube was ever written.
	has(k key) (bool, error)
	// append appends to a cube's log. After an error a part may be there.
	append(k key, record []byte) error
	// truncate cuts a cube's log to n bytes.
	truncate(k key, n int) error
	// put replaces a cube's log as a whole.
	put(k key, log []byte) error
	// remove makes the cube as if it was never written.
	remove(k key) error
}

// newStore is a store in a directory, or in memory if dir is "".
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
	cubes map[key][]byte
}

func (m *memoryStore) get(dst []byte, k key) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return append(dst, m.cubes[k]...), nil
}

func (m *memoryStore) has(k key) (bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.cubes[k]) > 0, nil
}

func (m *memoryStore) append(k key, record []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	log := m.cubes[k]
	if len(log) == 0 {
		log = make([]byte, 0, len(record)) // most cubes are written once
	}
	m.cubes[k] = append(log, record...)
	return nil
}

func (m *memoryStore) truncate(k key, n int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cubes[k] = m.cubes[k][:n]
	return nil
}

func (m *memoryStore) put(k key, log []byte) error {
	log = append(make([]byte, 0, len(log)), log...)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cubes[k] = log
	return nil
}

func (m *memoryStore) remove(k key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.cubes, k)
	return nil
}

// A dirStore keeps each log in a file of its own: one directory for each layer
// of cubes, which keeps directories small enough to list.
type dirStore string

func (d dirStore) temp() string { return filepath.Join(string(d), "tmp") }

func (d dirStore) path(k key) string {
	return filepath.Join(string(d), "cubes", strconv.Itoa(k.channel), fmt.Sprintf("r%d-t%d", k.level, k.time),
		strconv.Itoa(k.z), fmt.Sprintf("%d-%d.log", k.y, k.x))
}

func (d dirStore) get(dst []byte, k key) ([]byte, error) {
	f, err := os.Open(d.path(k))
	if errors.Is(err, fs.ErrNotExist) {
		return dst, nil
	}
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

func (d dirStore) has(k key) (bool, error) {
	_, err := os.Stat(d.path(k))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (d dirStore) append(k key, record []byte) error { return appendFile(d.path(k), record) }

func (d dirStore) truncate(k key, n int) error { return os.Truncate(d.path(k), int64(n)) }

// put moves a finished file into place. It is not synced: see Server.
func (d dirStore) put(k key, log []byte) error {
	f, err := os.CreateTemp(d.temp(), "cube")
	if err != nil {
		return err
	}
	_, err = f.Write(log)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), d.path(k))
	}
	if errors.Is(err, fs.ErrNotExist) { // the first cube of its layer
		if err = os.MkdirAll(filepath.Dir(d.path(k)), 0o755); err == nil {
			err = os.Rename(f.Name(), d.path(k))
		}
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func (d dirStore) remove(k key) error {
	if err := os.Remove(d.path(k)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
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
