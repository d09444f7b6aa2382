// Package rendertest is a small render web service: an http.Handler that answers
// as that of https://github.com/saalfeldlab/render does, down to the odd corners,
// with sections that a function gives.
//
// What it answers was read in render's code: an empty image with a 200 where
// there is nothing, outlines of tiles with a 200 where there is too much, sizes
// that are cut off, a 400 for whatever is wrong with a tile. A client has to live
// with all of it, so all of it is here. It shares no code with the client.
//
// What is left out: transformations, masks, filters and mipmaps. The pixel in
// column i of a box that begins at x is the stack's pixel ⌊x + (i+½)/scale⌋.
package rendertest

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A Stack is what a Server has of one stack. Its tiles are squares that cover x
// and y of every section.
type Stack struct {
	Owner, Project, Name string

	X, Y     voxel.Range // the pixels of the tiles
	Sections []float64   // the z of the sections

	// At gives the pixels, and is called from several goroutines at once.
	At func(x, y, z int) uint16
	// Channels are other pixels, by the name of a channel.
	Channels map[string]func(x, y, z int) uint16
	// Bits of a pixel: 8 or 16; zero: 8.
	Bits int
	// Hole says where a tile's mask hides it; nil: nowhere.
	Hole func(x, y, z int) bool

	Tile    int    // the side of a tile in pixels; zero: one tile is the whole section
	Sloppy  bool   // the greatest coordinates are the edges of tiles, not of pixels
	State   string // "": COMPLETE
	NoStats bool   // it was never COMPLETE
}

// A Server is a render web service at /render-ws. It is safe for concurrent use
// once the exported fields are set.
type Server struct {
	NoTIFF16 bool // it has no tiff16-image, as before 2018
	NoPNG16  bool // it has no png16-image, as before 2019
	Limit    int  // webService.maxTileSpecsToRender, for requests that say nothing else; zero: 20
	Deaf     bool // what requests say of that is not listened to

	mux     http.ServeMux
	packers sync.Pool

	mu     sync.Mutex
	stacks []*Stack
	edited time.Time
	faults []*script
	boxes  []string
	busy   int
	most   int
}

// New returns a server of these stacks.
func New(stacks ...Stack) *Server {
	s := &Server{edited: time.Date(2019, 7, 1, 12, 0, 0, 0, time.UTC)}
	for _, stack := range stacks {
		if stack.State == "" {
			stack.State = "COMPLETE"
		}
		if stack.Bits == 0 {
			stack.Bits = 8
		}
		s.stacks = append(s.stacks, &stack)
	}
	s.route()
	return s
}

// Edit is an edit of all stacks: the time of the last one is another.
func (s *Server) Edit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edited = s.edited.Add(time.Minute)
}

// Remove deletes all stacks of that name.
func (s *Server) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stacks = slices.DeleteFunc(s.stacks, func(k *Stack) bool { return k.Name == name })
}

// Boxes are the boxes that were asked for, as the ends of paths from "z" on,
// with the query behind a "?".
func (s *Server) Boxes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.boxes)
}

// Busy is the most requests that there were at one time.
func (s *Server) Busy() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.busy++
	s.most = max(s.most, s.busy)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.busy--
		s.mu.Unlock()
	}()
	s.serve(w, r)
}

// Get is the body of s's answer for a path, for tests that need one image.
func Get(s *Server, path string) []byte {
	a := answer{header: http.Header{}}
	s.ServeHTTP(&a, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}})
	return a.Bytes()
}

// find gives the stack of a request, or answers that there is none.
func (s *Server) find(w http.ResponseWriter, r *http.Request) (*Stack, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.stacks {
		if k.Owner == r.PathValue("owner") && k.Project == r.PathValue("project") && k.Name == r.PathValue("stack") {
			return k, true
		}
	}
	text(w, http.StatusNotFound, "stack with owner '"+r.PathValue("owner")+"', project '"+r.PathValue("project")+"', and name '"+r.PathValue("stack")+"' does not exist")
	return nil, false
}

// has reports whether there are tiles at z.
func (k *Stack) has(z float64) bool { return slices.Contains(k.Sections, z) }

// pixel gives a pixel of a channel and whether a tile shows it.
func (k *Stack) pixel(at func(x, y, z int) uint16, x, y int, z float64) (v uint16, ok bool) {
	n := int(math.Floor(z))
	if x < k.X.Min || x >= k.X.Max || y < k.Y.Min || y >= k.Y.Max || k.Hole != nil && k.Hole(x, y, n) {
		return 0, false
	}
	return at(x, y, n), true
}

// tiles is the number of tiles that a box of section z meets.
func (k *Stack) tiles(x, y, width, height, z float64) int {
	if !k.has(z) {
		return 0
	}
	return along(k.X, k.Tile, x, width) * along(k.Y, k.Tile, y, height)
}

// along is the number of tiles of side n, from r.Min on, that lie in r and meet
// the interval of that length at x.
func along(r voxel.Range, n int, x, length float64) int {
	if n == 0 {
		n = r.Len()
	}
	count := 0
	for at := r.Min; at < r.Max; at += n {
		if float64(at) < x+length && float64(min(at+n, r.Max)) > x {
			count++
		}
	}
	return count
}
