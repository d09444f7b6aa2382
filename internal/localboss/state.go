package localboss

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const stateFile = "boss.json"

// state is every resource. It is small, so it is written as a whole whenever it
// changes. Nothing leaves it: what is deleted is marked and keeps its name.
type state struct {
	dir string // "" is memory

	LastID      int                    `json:"last_id"`
	Collections map[string]*collection `json:"collections"`
	Frames      map[string]*frame      `json:"frames"`
}

// A resource is what the four kinds have in common. The id stays when the name
// changes; cubes are filed under it.
type resource struct {
	ID          int               `json:"id"`
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Creator     string            `json:"creator"`
	Deleted     bool              `json:"deleted,omitempty"`
	Meta        map[string]string `json:"meta,omitempty"`
}

type collection struct {
	resource
	Public      bool                   `json:"public,omitempty"`
	Experiments map[string]*experiment `json:"experiments"`
}

// A frame is a coordinate frame. Start and Stop are in voxels of level 0.
type frame struct {
	resource
	Start [3]int   `json:"start"`
	Stop  [3]int   `json:"stop"`
	Voxel [3]float `json:"voxel"` // in Unit
	Unit  string   `json:"unit"`
}

type experiment struct {
	resource
	Public   bool                `json:"public,omitempty"`
	Frame    string              `json:"frame"`
	Levels   int                 `json:"levels"`
	Method   string              `json:"method"` // isotropic or anisotropic
	Times    int                 `json:"times"`
	Step     *int                `json:"step"`
	StepUnit *string             `json:"step_unit"`
	Channels map[string]*channel `json:"channels"`
}

type channel struct {
	resource
	Public      bool      `json:"public,omitempty"`
	Type        string    `json:"type"` // image or annotation
	Datatype    string    `json:"datatype"`
	Base        int       `json:"base_resolution"`
	DefaultTime int       `json:"default_time_sample"`
	Sources     []string  `json:"sources"`
	Related     []string  `json:"related"`
	Storage     string    `json:"storage_type"`
	Downsample  string    `json:"downsample_status"`
	Queued      time.Time `json:"queued,omitzero"`
}

// readState reads what an earlier server wrote to dir.
func readState(dir string) (*state, error) {
	s := &state{dir: dir, Collections: map[string]*collection{}, Frames: map[string]*frame{}}
	if dir == "" {
		return s, nil
	}
	p, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(p, s)
	}
	if err != nil {
		return nil, fmt.Errorf("read resources: %s: %w", stateFile, err)
	}
	return s, nil
}

// save writes the state in one step.
func (s *state) save() error {
	if s.dir == "" {
		return nil
	}
	p, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(s.dir, stateFile), append(p, '\n'), 0o644)
}

// create is a new resource's common part.
func (s *state) create(name, description, creator string) resource {
	s.LastID++
	return resource{ID: s.LastID, Name: name, Description: description, Creator: creator}
}

// living are the names of a map's resources that are not deleted, oldest first.
func living[R interface{ common() *resource }](m map[string]R) []string {
	all := slices.SortedFunc(maps.Values(m), func(a, b R) int { return cmp.Compare(a.common().ID, b.common().ID) })
	names := []string{}
	for _, r := range all {
		if !r.common().Deleted {
			names = append(names, r.common().Name)
		}
	}
	return names
}

func (r *resource) common() *resource { return r }

// rename files a resource under its new name. It reports whether the name was free.
func rename[R interface{ common() *resource }](m map[string]R, r R, name string) bool {
	if name == r.common().Name {
		return true
	}
	if _, taken := m[name]; taken {
		return false
	}
	delete(m, r.common().Name)
	r.common().Name = name
	m[name] = r
	return true
}

// path looks up as many names as it is given: a collection, an experiment, a
// channel. What is missing is named in the refusal as the views of resources do
// it: by the bare name.
func (s *state) path(names ...string) (co *collection, ex *experiment, ch *channel, p reply, ok bool) {
	missing := func(name string) reply { return bossError(notFound, "%s does not exist.", name) }
	if co, ok = s.Collections[names[0]]; !ok {
		return nil, nil, nil, missing(names[0]), false
	}
	if len(names) > 1 {
		if ex, ok = co.Experiments[names[1]]; !ok {
			return co, nil, nil, missing(names[1]), false
		}
	}
	if len(names) > 2 {
		if ch, ok = ex.Channels[names[2]]; !ok {
			return co, ex, nil, missing(names[2]), false
		}
	}
	return co, ex, ch, reply{}, true
}

// livingPath is path for the views of data (bosscore/request.py), which also
// refuse what is deleted, and say so in other words.
func (s *state) livingPath(names ...string) (co *collection, ex *experiment, ch *channel, p reply, ok bool) {
	co, ex, ch, _, _ = s.path(names...)
	refuse := func(kind string, name string, r *resource) (reply, bool) {
		switch {
		case r == nil:
			return bossError(notFound, "%s %s not found", kind, name), true
		case r.Deleted:
			return bossError(deleted, "Invalid Request. This resource %s has been marked for deletion", name), true
		}
		return reply{}, false
	}
	parts := []*resource{nil, nil, nil}
	if co != nil {
		parts[0] = &co.resource
	}
	if ex != nil {
		parts[1] = &ex.resource
	}
	if ch != nil {
		parts[2] = &ch.resource
	}
	for i, name := range names {
		if p, bad := refuse([]string{"Collection", "Experiment", "Channel"}[i], name, parts[i]); bad {
			return nil, nil, nil, p, false
		}
	}
	return co, ex, ch, reply{}, true
}
