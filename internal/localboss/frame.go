package localboss

import "net/http"

// getFrame is open to everyone.
func (s *Server) getFrame(c *call) reply {
	return s.look(func(st *state) reply {
		fr, ok := st.Frames[c.names[0]]
		switch {
		case !ok:
			return bossError(notFound, "%s does not exist.", c.names[0])
		case fr.Deleted:
			return goneReply()
		}
		return fr.reply(http.StatusOK)
	})
}

// postFrame takes any extent, also an empty one, and any voxel size.
func (s *Server) postFrame(c *call) reply {
	f, p, ok := c.body()
	if !ok {
		return p
	}
	return s.manage(func(st *state) reply {
		var fr frame
		f.checkName(c.names[0])
		f.description(&fr.Description)
		for i, axis := range []string{"x", "y", "z"} {
			f.integer(axis+"_start", true, &fr.Start[i])
			f.integer(axis+"_stop", true, &fr.Stop[i])
			f.number(axis+"_voxel_size", true, &fr.Voxel[i])
		}
		f.choice("voxel_unit", true, []string{"nanometers", "micrometers", "millimeters", "centimeters"}, &fr.Unit)
		if _, taken := st.Frames[c.names[0]]; taken {
			f.blame("name", "coordinate frame with this Name of the Coordinate reference frame already exists.", "unique")
		}
		if p, bad := f.refusal(); bad {
			return p
		}
		fr.resource = st.create(c.names[0], fr.Description, s.opt.User)
		st.Frames[fr.Name] = &fr
		return fr.reply(http.StatusCreated)
	})
}

// putFrame changes names only: a wrong extent cannot be repaired.
func (s *Server) putFrame(c *call) reply {
	f, p, ok := c.body()
	if !ok {
		return p
	}
	f.partial = true
	return s.change(func(st *state) reply {
		fr, ok := st.Frames[c.names[0]]
		if !ok {
			return bossError(notFound, "%s does not exist.", c.names[0])
		}
		old, name, text := fr.Name, fr.Name, fr.Description
		f.readOnly("name", "description")
		f.rename(&name)
		f.description(&text)
		if p, bad := f.refusal(); bad {
			return p
		}
		if !rename(st.Frames, fr, name) {
			f.blame("name", "coordinate frame with this Name of the Coordinate reference frame already exists.", "unique")
			p, _ := f.refusal()
			return p
		}
		fr.Description = text
		st.eachExperiment(func(ex *experiment) {
			if ex.Frame == old {
				ex.Frame = name
			}
		})
		return fr.reply(http.StatusOK)
	})
}

func (s *Server) deleteFrame(c *call) reply {
	return s.manage(func(st *state) reply {
		fr, ok := st.Frames[c.names[0]]
		if !ok {
			return bossError(notFound, "%s does not exist.", c.names[0])
		}
		users := 0
		st.eachExperiment(func(ex *experiment) {
			if ex.Frame == fr.Name && !ex.Deleted {
				users++
			}
		})
		return remove(&fr.resource, users,
			" Coordinate frame %s has experiments that reference it and cannot be deleted.Please delete the experiments first.")
	})
}

func (s *Server) listFrames(c *call) reply {
	return s.look(func(st *state) reply {
		return object(http.StatusOK, map[string][]string{"coords": living(st.Frames)})
	})
}

func (s *state) eachExperiment(do func(*experiment)) {
	for _, co := range s.Collections {
		for _, ex := range co.Experiments {
			do(ex)
		}
	}
}

func (fr *frame) reply(status int) reply {
	return object(status, struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		XStart      int    `json:"x_start"`
		XStop       int    `json:"x_stop"`
		YStart      int    `json:"y_start"`
		YStop       int    `json:"y_stop"`
		ZStart      int    `json:"z_start"`
		ZStop       int    `json:"z_stop"`
		XVoxel      float  `json:"x_voxel_size"`
		YVoxel      float  `json:"y_voxel_size"`
		ZVoxel      float  `json:"z_voxel_size"`
		Unit        string `json:"voxel_unit"`
	}{fr.Name, fr.Description, fr.Start[0], fr.Stop[0], fr.Start[1], fr.Stop[1], fr.Start[2], fr.Stop[2],
		fr.Voxel[0], fr.Voxel[1], fr.Voxel[2], fr.Unit})
}
