package localboss

import "net/http"

// change runs a handler that may change the state and saves what it changed.
// An answer below 400 is a change. If it cannot be saved the answer is a 500
// and nothing is changed.
func (s *Server) change(do func(*state) reply) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := do(s.state)
	if p.status < 400 {
		if err := s.state.save(); err != nil {
			s.log.Error("save resources", "err", err)
			if last, err := readState(s.opt.Dir); err == nil {
				s.state = last
			}
			return page(http.StatusInternalServerError)
		}
	}
	return p
}

// look runs a handler that changes nothing.
func (s *Server) look(do func(*state) reply) reply {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return do(s.state)
}

// manage is change for what only resource managers may do (bosscore/privileges.py).
func (s *Server) manage(do func(*state) reply) reply {
	if s.opt.NoResourceManager {
		return bossError(missingRole, "%s does not have the required role resource-manager", s.opt.User)
	}
	return s.change(do)
}

// readable refuses what the user may not see, then what is deleted, in the
// order of the views. Without a login nothing is seen but coordinate frames.
func (c *call) readable(r *resource) (reply, bool) {
	switch {
	case c.anonymous:
		return bossError(missingPermission, "Missing read permissions on the resource %s", r.Name), false
	case r.Deleted:
		return goneReply(), false
	}
	return reply{}, true
}

func goneReply() reply {
	return bossError(deleted, "Invalid Request. This Resource has been marked for deletion")
}

// remove marks a resource. Its children, if any live, keep it.
func remove(r *resource, children int, refusal string) reply {
	if children > 0 {
		return bossError(integrity, refusal, r.Name)
	}
	r.Deleted = true
	return empty(http.StatusNoContent)
}

// Collections.

func (s *Server) getCollection(c *call) reply {
	return s.look(func(st *state) reply {
		co, _, _, p, ok := st.path(c.names...)
		if !ok {
			return p
		}
		if p, ok := c.readable(&co.resource); !ok {
			return p
		}
		return co.reply(http.StatusOK)
	})
}

func (s *Server) postCollection(c *call) reply {
	f, p, ok := c.body()
	if !ok {
		return p
	}
	return s.manage(func(st *state) reply {
		var co collection
		f.checkName(c.names[0])
		f.description(&co.Description)
		f.boolean("public", &co.Public)
		if _, taken := st.Collections[c.names[0]]; taken {
			f.blame("name", "collection with this Name of the Collection already exists.", "unique")
		}
		if p, bad := f.refusal(); bad {
			return p
		}
		co.resource = st.create(c.names[0], co.Description, s.opt.User)
		co.Experiments = map[string]*experiment{}
		st.Collections[co.Name] = &co
		return co.reply(http.StatusCreated)
	})
}

func (s *Server) putCollection(c *call) reply {
	f, p, ok := c.body()
	if !ok {
		return p
	}
	f.partial = true
	return s.change(func(st *state) reply {
		co, _, _, p, ok := st.path(c.names...)
		if !ok {
			return p
		}
		next, name := *co, co.Name
		f.rename(&name)
		f.description(&next.Description)
		f.boolean("public", &next.Public)
		if p, bad := f.refusal(); bad {
			return p
		}
		if !rename(st.Collections, co, name) {
			f.blame("name", "collection with this Name of the Collection already exists.", "unique")
			p, _ := f.refusal()
			return p
		}
		next.Name = name
		*co = next
		return co.reply(http.StatusOK)
	})
}

func (s *Server) deleteCollection(c *call) reply {
	return s.manage(func(st *state) reply {
		co, _, _, p, ok := st.path(c.names...)
		if !ok {
			return p
		}
		return remove(&co.resource, len(living(co.Experiments)),
			"Collection %s has experiments that reference it and cannot be deleted.Please delete the experiments first.")
	})
}

func (s *Server) listCollections(c *call) reply {
	return s.look(func(st *state) reply {
		return object(http.StatusOK, map[string][]string{"collections": c.list(living(st.Collections))})
	})
}

// list is names, or none if nobody is logged in.
func (c *call) list(names []string) []string {
	if c.anonymous {
		return []string{}
	}
	return names
}

func (co *collection) reply(status int) reply {
	return object(status, struct {
		Name        string   `json:"name"`
		Public      bool     `json:"public"`
		Description string   `json:"description"`
		Experiments []string `json:"experiments"`
		Creator     string   `json:"creator"`
	}{co.Name, co.Public, co.Description, living(co.Experiments), co.Creator})
}

// Experiments.

func (s *Server) getExperiment(c *call) reply {
	return s.look(func(st *state) reply {
		co, ex, _, p, ok := st.path(c.names...)
		if !ok {
			return p
		}
		if p, ok := c.readable(&ex.resource); !ok {
			return p
		}
		return ex.reply(http.StatusOK, co.Name)
	})
}

func (s *Server) postExperiment(c *call) reply {
	f, p, ok := c.body()
	if !ok {
		return p
	}
	return s.manage(func(st *state) reply {
		co, _, _, p, ok := st.path(c.names[0])
		if !ok {
			return p
		}
		if _, ok := f.values["coord_frame"]; !ok {
			return bossError(invalidPost, "This request requires a valid coordinate frame")
		}
		named, _ := f.values["coord_frame"].(string)
		fr, ok := st.Frames[named]
		if !ok {
			return bossError(notFound, "%v does not exist.", f.values["coord_frame"])
		}
		ex := experiment{Frame: fr.Name, Levels: 1, Method: "anisotropic", Times: 1}
		f.checkName(c.names[1])
		ex.read(f)
		if _, taken := co.Experiments[c.names[1]]; taken {
			f.blame("non_field_errors", "The fields collection, name must make a unique set.", "unique")
		}
		if p, bad := f.refusal(); bad {
			return p
		}
		ex.resource = st.create(c.names[1], ex.Description, s.opt.User)
		ex.Channels = map[string]*channel{}
		co.Experiments[ex.Name] = &ex
		return ex.reply(http.StatusCreated, co.Name)
	})
}

// read takes the fields that can be changed at any time. Any number of levels
// is taken, also 0, which no cutout can be sent to.
func (ex *experiment) read(f *fields) {
	f.description(&ex.Description)
	f.boolean("public", &ex.Public)
	f.integer("num_hierarchy_levels", false, &ex.Levels)
	f.choice("hierarchy_method", false, []string{"isotropic", "anisotropic"}, &ex.Method)
	f.integer("num_time_samples", false, &ex.Times)
	if v, ok := f.values["time_step"]; ok && v != nil {
		step := 0
		f.integer("time_step", false, &step)
		ex.Step = &step
	}
	if v, ok := f.values["time_step_unit"]; ok && v != nil {
		unit := ""
		f.choice("time_step_unit", false, []string{"", "nanoseconds", "microseconds", "milliseconds", "seconds"}, &unit)
		ex.StepUnit = &unit
	}
}

func (s *Server) putExperiment(c *call) reply {
	f, p, ok := c.body()
	if !ok {
		return p
	}
	f.partial = true
	return s.change(func(st *state) reply {
		co, ex, _, p, ok := st.path(c.names...)
		if !ok {
			return p
		}
		next, name := *ex, ex.Name
		f.readOnly("name", "description", "public", "num_hierarchy_levels", "hierarchy_method",
			"num_time_samples", "time_step", "time_step_unit")
		f.rename(&name)
		next.read(f)
		if p, bad := f.refusal(); bad {
			return p
		}
		if !rename(co.Experiments, ex, name) {
			f.blame("non_field_errors", "The fields collection, name must make a unique set.", "unique")
			p, _ := f.refusal()
			return p
		}
		next.Name = name
		*ex = next
		return ex.reply(http.StatusOK, co.Name)
	})
}

func (s *Server) deleteExperiment(c *call) reply {
	return s.manage(func(st *state) reply {
		_, ex, _, p, ok := st.path(c.names...)
		if !ok {
			return p
		}
		return remove(&ex.resource, len(living(ex.Channels)),
			" Experiment %s has channels that reference it and cannot be deleted.Please delete the channels first.")
	})
}

func (s *Server) listExperiments(c *call) reply {
	return s.look(func(st *state) reply {
		co, ok := st.Collections[c.names[0]]
		if !ok { // the view does not expect it
			return page(http.StatusInternalServerError)
		}
		return object(http.StatusOK, map[string][]string{"experiments": c.list(living(co.Experiments))})
	})
}

func (ex *experiment) reply(status int, collection string) reply {
	return object(status, struct {
		Channels    []string `json:"channels"`
		Name        string   `json:"name"`
		Public      bool     `json:"public"`
		Description string   `json:"description"`
		Collection  string   `json:"collection"`
		Frame       string   `json:"coord_frame"`
		Levels      int      `json:"num_hierarchy_levels"`
		Method      string   `json:"hierarchy_method"`
		Times       int      `json:"num_time_samples"`
		Step        *int     `json:"time_step"`
		StepUnit    *string  `json:"time_step_unit"`
		Creator     string   `json:"creator"`
	}{living(ex.Channels), ex.Name, ex.Public, ex.Description, collection, ex.Frame,
		ex.Levels, ex.Method, ex.Times, ex.Step, ex.StepUnit, ex.Creator})
}
