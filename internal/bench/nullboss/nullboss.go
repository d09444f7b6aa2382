// Package nullboss is a BOSS that keeps nothing, to measure how fast cuboids are sent.
//
// It answers what ndpush asks before it posts, and refuses what BOSS would refuse
// in what it can judge at little cost: the address of a cutout, its place in the
// coordinate frame, the token, the type of the body and the sizes in the header of
// its Blosc frame. Then it reads the body, looks at none of it, counts, and
// answers 201. A client that is broken is seen in the [Counts].
//
// With a [Line] it is also a line of a given speed.
//
// Package localboss is what keeps voxels. The two share nothing, nor does this one
// share anything with the client: a mistake of one must not pass in the other.
package nullboss

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// Counts are what arrived.
type Counts struct {
	Cutouts  int64  `json:"cutouts"`  // that were taken
	Repeated int64  `json:"repeated"` // of these, the ones whose box was taken before
	Voxels   int64  `json:"voxels"`   // their bytes before compression, as their headers have it
	Bytes    int64  `json:"bytes"`    // their bytes as they were sent
	Refused  int64  `json:"refused"`  // cutouts that were not taken
	Reason   string `json:"reason"`   // why the first of them was not
}

// A Server is an http.Handler. The zero value has no resources, and is ready.
type Server struct {
	mu        sync.Mutex
	resources map[string]resource // by path
	boxes     map[string]bool     // that were taken, by path
	counts    Counts

	buffers sync.Pool
}

// A resource is what a client posted, with what BOSS adds.
type resource map[string]any

// Counts gives what arrived so far.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// ServeHTTP answers as BOSS does, and 405 or 404 to what ndpush does not ask for
// when it posts.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Token "); !ok || token == "" {
		object(w, http.StatusUnauthorized, resource{"detail": "Invalid token."})
		return
	}
	path := strings.TrimSuffix(r.URL.Path, "/")
	switch {
	case strings.HasPrefix(path, "/v1/cutout/"):
		s.cutout(w, r)
	case strings.HasPrefix(path, "/v1/meta/") && r.Method == http.MethodGet:
		refuse(w, http.StatusBadRequest, 1003, "Key %s Not found in the database", r.URL.Query().Get("key"))
	case strings.HasPrefix(path, "/v1/collection/"), strings.HasPrefix(path, "/v1/coord/"):
		s.resource(w, r, path)
	default:
		http.NotFound(w, r)
	}
}

// resource keeps what is posted, as it is.
func (s *Server) resource(w http.ResponseWriter, r *http.Request, path string) {
	switch r.Method {
	case http.MethodGet:
		if v, ok := s.find(path); ok {
			object(w, http.StatusOK, v)
			return
		}
		refuse(w, http.StatusNotFound, 4000, "%s does not exist.", path[strings.LastIndex(path, "/")+1:])
	case http.MethodPost:
		v := resource{"creator": "bench"}
		if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
			object(w, http.StatusBadRequest, resource{"detail": "JSON parse error"})
			return
		}
		s.keep(path, v)
		object(w, http.StatusCreated, v)
	default:
		object(w, http.StatusMethodNotAllowed, resource{"detail": "Method not allowed."})
	}
}

func (s *Server) find(path string) (resource, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.resources[path]
	return v, ok
}

func (s *Server) keep(path string, v resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resources == nil {
		s.resources = make(map[string]resource)
	}
	s.resources[path] = v
}

// text and number are a field, or nothing if there is none of that kind.

func (v resource) text(key string) string {
	s, _ := v[key].(string)
	return s
}

func (v resource) number(key string) int64 {
	f, _ := v[key].(float64)
	return int64(f)
}

func object(w http.ResponseWriter, status int, v resource) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) // a client that has left is counted by nobody
}

// refuse answers with an error of BOSS's own.
func refuse(w http.ResponseWriter, status, code int, format string, args ...any) {
	object(w, status, resource{"status": status, "code": code, "message": fmt.Sprintf(format, args...)})
}
