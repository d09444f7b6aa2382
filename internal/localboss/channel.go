package localboss

import (
	"net/http"
	"slices"
)

func (s *Server) getChannel(c *call) reply {
	return s.look(func(st *state) reply {
		_, ex, ch, p, ok := st.path(c.names...)
		if !ok {
			return p
		}
		if p, ok := c.readable(&ch.resource); !ok {
			return p
		}
		return s.channelReply(http.StatusOK, ex, ch)
	})
}

// postChannel takes every pair of type and datatype; that some can hold no
// data shows at the first cutout.
func (s *Server) postChannel(c *call) reply {
	f, p, ok := c.body()
	if !ok {
		return p
	}
	return s.manage(func(st *state) reply {
		_, ex, _, p, ok := st.path(c.names[:2]...)
		if !ok {
			return p
		}
		if f.values["bucket"] != nil || f.values["cv_path"] != nil {
			return bossError(missingPermission, "Only admins can set bucket or cv_path.")
		}
		ch := channel{Storage: "spdb", Downsample: notDownsampled}
		if s.opt.CloudVolume {
			ch.Storage = "cloudvol"
		}
		if p, ok := ch.readNeighbours(f, ex); !ok {
			return p
		}
		f.checkName(c.names[2])
		f.description(&ch.Description)
		f.boolean("public", &ch.Public)
		f.choice("type", true, []string{"image", "annotation"}, &ch.Type)
		f.choice("datatype", true, []string{"uint8", "uint16", "uint32", "uint64"}, &ch.Datatype)
		f.choice("storage_type", false, []string{"spdb", "cloudvol"}, &ch.Storage)
		ch.readLevels(f, ex)
		if _, taken := ex.Channels[c.names[2]]; taken {
			f.blame("non_field_errors", "The fields experiment, name must make a unique set.", "unique")
		}
		if p, bad := f.refusal(); bad {
			return p
		}
		ch.resource = st.create(c.names[2], ch.Description, s.opt.User)
		ex.Channels[ch.Name] = &ch
		return s.channelReply(http.StatusCreated, ex, &ch)
	})
}

// readNeighbours takes the sources and the related channels: others of the
// same experiment, none of them both.
func (ch *channel) readNeighbours(f *fields, ex *experiment) (reply, bool) {
	ch.Sources, ch.Related = f.names("sources"), f.names("related")
	for _, name := range ch.Sources {
		if slices.Contains(ch.Related, name) {
			return bossError(invalidPost, "Related channels have to be different from source channels"), false
		}
	}
	for _, name := range slices.Concat(ch.Sources, ch.Related) {
		if _, ok := ex.Channels[name]; !ok {
			return bossError(invalidPost, "Invalid channel names %s in the list of source/related channels channels ", name), false
		}
	}
	return reply{}, true
}

func (ch *channel) readLevels(f *fields, ex *experiment) {
	f.integer("base_resolution", false, &ch.Base)
	f.integer("default_time_sample", false, &ch.DefaultTime)
	if ch.DefaultTime >= ex.Times {
		f.blame("default_time_sample", "Ensure this value is less that the experiments num_time_samples.", "invalid")
	}
}

func (s *Server) putChannel(c *call) reply {
	f, p, ok := c.body()
	if !ok {
		return p
	}
	f.partial = true
	return s.change(func(st *state) reply {
		_, ex, ch, p, ok := st.path(c.names...)
		if !ok {
			return p
		}
		next, name := *ch, ch.Name
		if p, ok := next.readNeighbours(f, ex); !ok {
			return p
		}
		f.readOnly("name", "description", "public", "default_time_sample", "base_resolution", "sources", "related")
		f.rename(&name)
		f.description(&next.Description)
		f.boolean("public", &next.Public)
		next.readLevels(f, ex)
		if p, bad := f.refusal(); bad {
			return p
		}
		if !rename(ex.Channels, ch, name) {
			f.blame("non_field_errors", "The fields experiment, name must make a unique set.", "unique")
			p, _ := f.refusal()
			return p
		}
		ex.follow(c.names[2], name)
		next.Name = name
		*ch = next
		return s.channelReply(http.StatusOK, ex, ch)
	})
}

func (s *Server) deleteChannel(c *call) reply {
	return s.manage(func(st *state) reply {
		_, ex, ch, p, ok := st.path(c.names...)
		if !ok {
			return p
		}
		derived := 0
		for _, other := range ex.Channels {
			if !other.Deleted && slices.Contains(other.Sources, ch.Name) {
				derived++
			}
		}
		return remove(&ch.resource, derived, "Channel %s is the source channel of other channels and cannot be deleted")
	})
}

func (s *Server) listChannels(c *call) reply {
	return s.look(func(st *state) reply {
		_, ex, _, _, ok := st.path(c.names...)
		if !ok { // the view does not expect it
			return page(http.StatusInternalServerError)
		}
		return object(http.StatusOK, map[string][]string{"channels": c.list(living(ex.Channels))})
	})
}

func (s *Server) channelReply(status int, ex *experiment, ch *channel) reply {
	return object(status, struct {
		Name        string   `json:"name"`
		Public      bool     `json:"public"`
		Description string   `json:"description"`
		Experiment  string   `json:"experiment"`
		DefaultTime int      `json:"default_time_sample"`
		Type        string   `json:"type"`
		Base        int      `json:"base_resolution"`
		Datatype    string   `json:"datatype"`
		Creator     string   `json:"creator"`
		Sources     []string `json:"sources"`
		Downsample  string   `json:"downsample_status"`
		Related     []string `json:"related"`
		Storage     string   `json:"storage_type"`
		Bucket      *string  `json:"bucket"`
		Path        *string  `json:"cv_path"`
	}{Name: ch.Name, Public: ch.Public, Description: ch.Description, Experiment: ex.Name,
		DefaultTime: ch.DefaultTime, Type: ch.Type, Base: ch.Base, Datatype: ch.Datatype, Creator: ch.Creator,
		Sources: ex.alive(ch.Sources), Downsample: ch.Downsample,
		Related: ex.alive(ch.Related), Storage: ch.Storage})
}

// follow renames a channel in the lists of the others.
func (ex *experiment) follow(old, name string) {
	for _, ch := range ex.Channels {
		for _, list := range [][]string{ch.Sources, ch.Related} {
			if i := slices.Index(list, old); i >= 0 {
				list[i] = name
			}
		}
	}
}

// alive are the names whose channels are not deleted.
func (ex *experiment) alive(names []string) []string {
	alive := []string{}
	for _, name := range names {
		if ch := ex.Channels[name]; ch != nil && !ch.Deleted {
			alive = append(alive, name)
		}
	}
	return alive
}
