package localboss

import (
	"net/http"
	"path"
	"regexp"
	"strings"
)

// A service is one view of the server: a URL pattern and what its methods do.
type service struct {
	prefix  string         // of the path, after /v1/
	pattern *regexp.Regexp // found in what follows the prefix
	methods map[string]func(*Server, *call) reply

	// kinds are the media types that the view renders, the first one by default.
	// One of voxels renders its own errors as voxels too; see call.refuse. nil is
	// JSON only.
	kinds []string
}

// A call is a request on its way through a service.
type call struct {
	*http.Request
	names     []string // what the pattern caught
	anonymous bool     // nobody is logged in
	accept    string   // the media type to answer with
	trap      bool     // see refuse
	fired     []*script
}

// services are the views in the order in which they are tried
// (jhuapl-boss/boss, boss/urls.py and what it includes). The patterns are
// Django's, unanchored where Django's are: `bad name` is found to be `bad`.
// Python's \w is a letter or digit of any script.
func services() []service {
	const name = `([\p{L}\p{N}_-]+)`
	const box = `/(\d)/(\d+:\d+)/(\d+:\d+)/(\d+:\d+)(?:/(\d+:\d+))?/?$`
	type methods = map[string]func(*Server, *call) reply
	const size = `(\d+(?::\d+)?)`
	re := regexp.MustCompile
	metadata := methods{"GET": (*Server).getMeta, "POST": (*Server).postMeta, "PUT": (*Server).putMeta, "DELETE": (*Server).deleteMeta}
	return []service{
		{prefix: "cutout/to_black/", pattern: re("^" + name + "/" + name + "/" + name + box),
			methods: methods{"PUT": (*Server).blacken}},
		{prefix: "cutout/", pattern: re("^" + name + "/" + name + "/" + name + box),
			kinds:   []string{bloscType, npygzType, jpegType, jsonType},
			methods: methods{"GET": (*Server).getCutout, "POST": (*Server).postCutout}},
		{prefix: "image/", pattern: re("^" + name + "/" + name + "/" + name + `/(xy|xz|yz)/(\d)/` + size + "/" + size + "/" + size + `/?(\d+)?/?.*$`),
			kinds:   []string{pngType, jpegType},
			methods: methods{"GET": (*Server).getImage}},
		{prefix: "tile/", pattern: re("^" + name + "/" + name + "/" + name + `/(xy|xz|yz)/(\d+)/(\d)/(\d+)/(\d+)/(\d+)/?(\d+)?/?.*$`),
			kinds:   []string{pngType, jpegType},
			methods: methods{"GET": (*Server).getTile}},
		{prefix: "downsample/", pattern: re("^" + name + "/" + name + "/" + name + "/?$"),
			methods: methods{"GET": (*Server).getDownsample, "POST": (*Server).postDownsample, "DELETE": (*Server).deleteDownsample}},
		{prefix: "meta/", pattern: re(name + "/" + name + "/" + name + "/?"), methods: metadata},
		{prefix: "meta/", pattern: re(name + "/" + name + "/?"), methods: metadata},
		{prefix: "meta/", pattern: re(name + "/?$"), methods: metadata},
		{prefix: "coord/", pattern: re("^" + name + "/?$"),
			methods: methods{"GET": (*Server).getFrame, "POST": (*Server).postFrame, "PUT": (*Server).putFrame, "DELETE": (*Server).deleteFrame}},
		{prefix: "coord/", pattern: re("^$"), methods: methods{"GET": (*Server).listFrames}},
		{prefix: "collection/", pattern: re(name + "/experiment/" + name + "/channel/" + name + "/?"),
			methods: methods{"GET": (*Server).getChannel, "POST": (*Server).postChannel, "PUT": (*Server).putChannel, "DELETE": (*Server).deleteChannel}},
		{prefix: "collection/", pattern: re(name + "/experiment/" + name + "/channel/?"),
			methods: methods{"GET": (*Server).listChannels}},
		{prefix: "collection/", pattern: re(name + "/experiment/" + name + "/?"),
			methods: methods{"GET": (*Server).getExperiment, "POST": (*Server).postExperiment, "PUT": (*Server).putExperiment, "DELETE": (*Server).deleteExperiment}},
		{prefix: "collection/", pattern: re(name + "/experiment/?"),
			methods: methods{"GET": (*Server).listExperiments}},
		{prefix: "collection/", pattern: re(name + "/?"),
			methods: methods{"GET": (*Server).getCollection, "POST": (*Server).postCollection, "PUT": (*Server).putCollection, "DELETE": (*Server).deleteCollection}},
		{prefix: "collection/", pattern: re(""), methods: methods{"GET": (*Server).listCollections}},
	}
}

// find is the service for a path and the parts of the path it named.
func (s *Server) find(url string) (*service, []string) {
	url, ok := strings.CutPrefix(url, "/v1/")
	if !ok {
		return nil, nil
	}
	for i := range s.services {
		v := &s.services[i]
		rest, ok := strings.CutPrefix(url, v.prefix)
		if !ok {
			continue
		}
		if m := v.pattern.FindStringSubmatch(rest); m != nil {
			return v, m[1:]
		}
	}
	return nil, nil
}

// answer does what the REST framework does before a view is reached, in its
// order: media type, user, method.
func (s *Server) answer(r *http.Request, fired []*script) reply {
	if !strings.HasPrefix(r.URL.Path, "/v1/") {
		return s.outside(r)
	}
	v, names := s.find(r.URL.Path)
	if v == nil {
		return page(http.StatusNotFound)
	}
	c := &call{Request: r, names: names, fired: fired}
	accept, ok := negotiate(r.Header.Get("Accept"), v.kinds)
	c.accept, c.trap = accept, accept != jsonType
	if !ok {
		return c.refuse(http.StatusNotAcceptable, "Could not satisfy the request Accept header.")
	}
	if p, ok := s.authenticate(c); !ok {
		return p
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	do, ok := v.methods[method]
	if !ok {
		return c.refuse(http.StatusMethodNotAllowed, "Method \"%s\" not allowed.", r.Method)
	}
	return do(s, c)
}

// refuse is an error that the framework raises and the view's renderer puts
// into words. The renderers of voxels crash on anything but voxels, and the
// first of them is taken when the client says Accept: */*. So there a wrong
// token, method or Content-Type is a 500 (bossspatialdb/renderers.py; observed).
func (c *call) refuse(status int, format string, args ...any) reply {
	if c.trap {
		return page(http.StatusInternalServerError)
	}
	return detail(status, format, args...)
}

// unauthorized is refuse with the header that every 401 has.
func (c *call) unauthorized(format string, args ...any) reply {
	p := c.refuse(http.StatusUnauthorized, format, args...)
	if p.status == http.StatusUnauthorized {
		p.header = http.Header{"Www-Authenticate": {`Bearer realm="api"`}}
	}
	return p
}

// authenticate looks for the user of the request. No user may only read; what
// exactly is for the view to say.
func (s *Server) authenticate(c *call) (reply, bool) {
	fields := strings.Fields(c.Header.Get("Authorization"))
	reads := c.Method == http.MethodGet || c.Method == http.MethodHead
	given := len(fields) > 0 && strings.EqualFold(fields[0], "token")
	switch {
	case s.opt.Public && reads && (!given || len(fields) == 2 && fields[1] == publicToken):
	case !given:
		c.anonymous = true
		if !reads {
			return c.unauthorized("Authentication credentials were not provided."), false
		}
	case len(fields) == 1:
		return c.unauthorized("Invalid token header. No credentials provided."), false
	case len(fields) > 2:
		return c.unauthorized("Invalid token header. Token string should not contain spaces."), false
	case !sameToken(fields[1], s.token):
		return c.unauthorized("Invalid token."), false
	}
	return reply{}, true
}

// The media types that are answered with.
const (
	jsonType  = "application/json"
	bloscType = "application/blosc"
	npygzType = "application/npygz"
	pngType   = "image/png"
	jpegType  = "image/jpeg"
)

// negotiate picks the media type of the answer from an Accept header as the
// framework does: exact types first, then type/*, then */*; among equals the
// renderer that the view lists first. ok is false if there is none, and then
// errors are rendered with the first one.
func negotiate(accept string, types []string) (kind string, ok bool) {
	if types == nil {
		types = []string{jsonType}
	}
	if strings.TrimSpace(accept) == "" {
		return types[0], true
	}
	var ranges []string
	for r := range strings.SplitSeq(strings.ToLower(accept), ",") {
		r, _, _ = strings.Cut(r, ";")
		ranges = append(ranges, strings.TrimSpace(r))
	}
	for _, match := range []func(r, t string) bool{
		func(r, t string) bool { return r == t },
		func(r, t string) bool { return r == path.Dir(t)+"/*" },
		func(r, t string) bool { return r == "*/*" },
	} {
		for _, t := range types {
			for _, r := range ranges {
				if match(r, t) {
					return t, true
				}
			}
		}
	}
	return types[0], false
}
