package localboss

import (
	"maps"
	"net/http"
	"slices"
)

// Metadata are keys and values on a collection, an experiment or a channel
// (jhuapl-boss/boss, bossmeta/views.py). They come in the query; a body is ignored.

// holder is the resource that a call is about.
func (st *state) holder(c *call) (*resource, reply, bool) {
	co, ex, ch, p, ok := st.livingPath(c.names...)
	switch {
	case !ok:
		return nil, p, false
	case c.anonymous: // permissions are asked of a user, and there is none
		return nil, page(http.StatusInternalServerError), false
	case ch != nil:
		return &ch.resource, reply{}, true
	case ex != nil:
		return &ex.resource, reply{}, true
	}
	return &co.resource, reply{}, true
}

func (s *Server) getMeta(c *call) reply {
	return s.look(func(st *state) reply {
		r, p, ok := st.holder(c)
		if !ok {
			return p
		}
		query := c.URL.Query()
		if !query.Has("key") {
			keys := slices.Sorted(maps.Keys(r.Meta))
			if keys == nil {
				keys = []string{}
			}
			return object(http.StatusOK, map[string][]string{"keys": keys})
		}
		key := query.Get("key")
		value, ok := r.Meta[key]
		if !ok { // not a 404
			return bossError(invalidPost, "Invalid request. Key %s Not found in the database", key)
		}
		return object(http.StatusOK, map[string]string{"key": key, "value": value})
	})
}

func (s *Server) postMeta(c *call) reply {
	return s.setMeta(c, http.StatusCreated, false, "Invalid request. The key %s already exists")
}

func (s *Server) putMeta(c *call) reply {
	return s.setMeta(c, http.StatusOK, true, "Invalid request. The key %s does not exists")
}

// setMeta stores a value if the key is there or not there, as the method wants it.
func (s *Server) setMeta(c *call, status int, exists bool, refusal string) reply {
	query := c.URL.Query()
	key, value := query.Get("key"), query.Get("value")
	if !query.Has("key") || !query.Has("value") {
		return bossError(invalidPost, "Missing optional argument key/value in the request")
	}
	return s.change(func(st *state) reply {
		r, p, ok := st.holder(c)
		if !ok {
			return p
		}
		if _, there := r.Meta[key]; there != exists {
			return bossError(invalidPost, refusal, key)
		}
		if r.Meta == nil {
			r.Meta = map[string]string{}
		}
		r.Meta[key] = value
		return empty(status)
	})
}

func (s *Server) deleteMeta(c *call) reply {
	if !c.URL.Query().Has("key") {
		return bossError(invalidPost, "Missing optional argument key in the request")
	}
	key := c.URL.Query().Get("key")
	return s.change(func(st *state) reply {
		r, p, ok := st.holder(c)
		if !ok {
			return p
		}
		if _, there := r.Meta[key]; !there {
			return bossError(invalidPost, "[ERROR]- Key %s not found ", key)
		}
		delete(r.Meta, key)
		return empty(http.StatusNoContent)
	})
}
