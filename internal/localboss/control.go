package localboss

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// controlPath is the place of Options.Control. No BOSS has it.
const controlPath = "/local/"

// faultsPath is where faults are scripted over HTTP.
const faultsPath = controlPath + "faults"

// A Script is the JSON of /local/faults. PUT replaces the faults by those of
// the body, DELETE removes them, GET tells them and, of each, how many requests
// it has "seen" and how many it "hits" (met).
type Script struct {
	Seed   uint64  `json:"seed"`
	Faults []Fault `json:"faults"`
}

// control serves controlPath, to those with the token. Faults do not meet its
// requests.
func (s *Server) control(r *http.Request) reply {
	c := &call{Request: r}
	if p, ok := s.authenticate(c); !ok {
		return p
	}
	if c.anonymous {
		return c.unauthorized("Authentication credentials were not provided.")
	}
	switch strings.TrimSuffix(r.URL.Path, "/") {
	case faultsPath:
		return s.controlFaults(r)
	case writesPath:
		return s.controlWrites(r)
	}
	return page(http.StatusNotFound)
}

func (s *Server) controlFaults(r *http.Request) reply {
	switch r.Method {
	case http.MethodGet:
		return s.faults.reply()
	case http.MethodPut, http.MethodDelete:
		var script Script
		if r.Method == http.MethodPut {
			d := json.NewDecoder(io.LimitReader(r.Body, maxJSON))
			d.DisallowUnknownFields()
			if err := d.Decode(&script); err != nil {
				return detail(http.StatusBadRequest, "%v", err)
			}
		}
		if err := s.SetFaults(script.Seed, script.Faults...); err != nil {
			return detail(http.StatusBadRequest, "%v", err)
		}
		return s.faults.reply()
	}
	return notAllowed(r)
}

func notAllowed(r *http.Request) reply {
	return detail(http.StatusMethodNotAllowed, "Method \"%s\" not allowed.", r.Method)
}

func (f *faults) reply() reply {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := f.scripts
	if list == nil {
		list = []*script{}
	}
	return object(http.StatusOK, map[string]any{"faults": list})
}
