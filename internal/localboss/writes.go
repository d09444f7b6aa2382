package localboss

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// writesPath is where clients read how often each cutout was written. No BOSS
// has such a place.
const writesPath = "/local/writes"

const writesFile = "writes.log"

// Writes is the JSON of /local/writes: what was stored since the counts were
// last set to nothing, which DELETE and PUT do.
//
// A cutout is counted when all its voxels are stored and before it is answered.
// So each one that was answered 201 is counted, and so is one whose answer a
// fault dropped. One that was stored when the process was killed may be missing.
// The counts are in Options.Dir too, and outlive the process as the voxels do.
type Writes struct {
	Cutouts []Written `json:"cutouts"` // by path
	Total   Written   `json:"total"`   // of all; it has no path

	InFlight     int `json:"in_flight"`      // requests at work now, those to /local/ aside
	MostInFlight int `json:"most_in_flight"` // at any one time
}

// Written says how often the cutout of one URL was written. Two cutouts that
// overlap are two.
type Written struct {
	Path       string `json:"path,omitempty"`    // what follows /v1/cutout/, without a slash at its end
	Channel    string `json:"channel,omitempty"` // collection/experiment/channel
	Resolution int    `json:"resolution"`
	Box        string `json:"box,omitempty"` // x0:x1/y0:y1/z0:z1, and the times if the URL had some

	Posts  int   `json:"posts"`  // POSTs that were stored
	Blacks int   `json:"blacks"` // PUTs of to_black
	Bytes  int64 `json:"bytes"`  // of the POSTs, before compression
	Sent   int64 `json:"sent"`   // of their bodies
}

// A ledger counts. A nil one counts nothing. It is safe for concurrent use.
type ledger struct {
	mu      sync.Mutex
	file    string // "" is memory
	cutouts map[string]*Written

	inFlight, mostInFlight int
}

// openLedger reads what an earlier server counted in dir.
func openLedger(dir string) (*ledger, error) {
	l := &ledger{cutouts: map[string]*Written{}}
	if dir == "" {
		return l, nil
	}
	l.file = filepath.Join(dir, writesFile)
	p, err := os.ReadFile(l.file)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err == nil {
		// A killed server can leave a line without its end: what it said was
		// answered to nobody.
		p = p[:bytes.LastIndexByte(p, '\n')+1]
		err = os.Truncate(l.file, int64(len(p)))
	}
	for line := range strings.Lines(string(p)) {
		if err == nil {
			err = l.replay(strings.TrimSuffix(line, "\n"))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read counts of %s: %w", writesFile, err)
	}
	return l, nil
}

// replay counts a line: the method, the path, the bytes and the bytes sent.
func (l *ledger) replay(line string) error {
	var method, path string
	var size, sent int64
	_, err := fmt.Sscanf(line, "%s %s %d %d", &method, &path, &size, &sent)
	if err != nil || strings.Count(path, "/") < 6 {
		return fmt.Errorf("%q is no count of a cutout", line)
	}
	l.count(method, path, size, sent)
	return nil
}

// wrote counts a cutout. What the file cannot take is counted in memory, and
// the error says that a restart will not know of it.
func (l *ledger) wrote(method string, names []string, size, sent int64) error {
	if l == nil {
		return nil
	}
	path := strings.TrimSuffix(strings.Join(names, "/"), "/")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count(method, path, size, sent)
	if l.file == "" {
		return nil
	}
	return appendFile(l.file, fmt.Appendf(nil, "%s %s %d %d\n", method, path, size, sent))
}

func (l *ledger) count(method, path string, size, sent int64) {
	w := l.cutouts[path]
	if w == nil {
		parts := strings.SplitN(path, "/", 5)
		w = &Written{Path: path, Channel: strings.Join(parts[:3], "/"), Box: parts[4]}
		w.Resolution, _ = strconv.Atoi(parts[3])
		l.cutouts[path] = w
	}
	if method == http.MethodPut {
		w.Blacks++
		return
	}
	w.Posts++
	w.Bytes += size
	w.Sent += sent
}

// enter counts a request as in flight until the function that it returns is called.
func (l *ledger) enter() (leave func()) {
	if l == nil {
		return func() {}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight++
	l.mostInFlight = max(l.mostInFlight, l.inFlight)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.inFlight--
	}
}

func (l *ledger) reset() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != "" {
		if err := os.Truncate(l.file, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	clear(l.cutouts)
	l.mostInFlight = l.inFlight
	return nil
}

func (l *ledger) report() Writes {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := Writes{Cutouts: []Written{}, InFlight: l.inFlight, MostInFlight: l.mostInFlight}
	for _, w := range slices.SortedFunc(maps.Values(l.cutouts), func(a, b *Written) int { return cmp.Compare(a.Path, b.Path) }) {
		r.Cutouts = append(r.Cutouts, *w)
		r.Total.Posts += w.Posts
		r.Total.Blacks += w.Blacks
		r.Total.Bytes += w.Bytes
		r.Total.Sent += w.Sent
	}
	return r
}

// Writes says how often each cutout was written. The Server has Options.Control;
// without, nothing is counted.
func (s *Server) Writes() Writes {
	if s.ledger == nil {
		return Writes{Cutouts: []Written{}}
	}
	return s.ledger.report()
}

// controlWrites serves writesPath.
func (s *Server) controlWrites(r *http.Request) reply {
	switch r.Method {
	case http.MethodGet:
	case http.MethodPut, http.MethodDelete:
		if err := s.ledger.reset(); err != nil {
			return detail(http.StatusInternalServerError, "set the counts to nothing: %v", err)
		}
	default:
		return notAllowed(r)
	}
	return object(http.StatusOK, s.Writes())
}
