package rendertest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// route says what is where (StackMetaDataService, RenderDataService and
// RenderImageService).
func (s *Server) route() {
	const stack = "GET /render-ws/v1/owner/{owner}/project/{project}/stack/{stack}"
	s.mux.HandleFunc("GET /render-ws/v1/owner/{owner}/stackIds", s.stackIDs)
	s.mux.HandleFunc("GET /render-ws/view/stack-details.html", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<html><title>%s</title></html>", r.URL.Query().Get("renderStack"))
	})
	for path, f := range map[string]func(*Stack, http.ResponseWriter, *http.Request){
		"":                              s.metadata,
		"/bounds":                       s.bounds,
		"/zValues":                      s.zValues,
		"/z/{z}/bounds":                 s.sectionBounds,
		"/z/{z}/box/{box}/tile-count":   s.tileCount,
		"/z/{z}/box/{box}/png-image":    s.image,
		"/z/{z}/box/{box}/png16-image":  s.image,
		"/z/{z}/box/{box}/tiff16-image": s.image,
	} {
		s.mux.HandleFunc(stack+path, func(w http.ResponseWriter, r *http.Request) {
			if k, ok := s.find(w, r); ok {
				f(k, w, r)
			}
		})
	}
}

// text answers as render's exceptions do.
func text(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(status)
	fmt.Fprintln(w, message)
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

type object map[string]any

func (k *Stack) id() object {
	return object{"owner": k.Owner, "project": k.Project, "stack": k.Name}
}

func (s *Server) stackIDs(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := []object{}
	for _, k := range s.stacks {
		if k.Owner == r.PathValue("owner") {
			ids = append(ids, k.id())
		}
	}
	reply(w, ids)
}

func (s *Server) metadata(k *Stack, w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	edited := s.edited.Format("2006-01-02T15:04:05.000-0700")
	s.mu.Unlock()
	m := object{
		"stackId": k.id(), "state": k.State, "lastModifiedTimestamp": edited, "currentVersionNumber": 1,
		"currentVersion": object{"stackResolutionX": 4.0, "stackResolutionY": 4.0, "stackResolutionZ": 40.0},
		"stats":          nil,
	}
	if !k.NoStats {
		odd := 0
		for _, z := range k.Sections {
			if z != math.Trunc(z) {
				odd++
			}
		}
		stats := object{
			"stackBounds": k.extremes(), "sectionCount": len(k.Sections), "nonIntegralSectionCount": odd,
			"tileCount": len(k.Sections) * k.tiles(float64(k.X.Min), float64(k.Y.Min), float64(k.X.Len()), float64(k.Y.Len()), k.first()),
		}
		if len(k.Channels) > 0 {
			stats["channelNames"] = k.names()
		}
		m["stats"] = stats
	}
	reply(w, m)
}

func (k *Stack) names() (names []string) {
	for name := range k.Channels {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (k *Stack) first() float64 {
	if len(k.Sections) == 0 {
		return 0
	}
	return k.Sections[0]
}

// extremes are bounds as tiles have them: mesh-derived ones end at the last
// pixel's coordinate, sloppy ones at its edge (TileSpec.deriveBoundingBox).
func (k *Stack) extremes() object {
	edge := 1.0
	if k.Sloppy {
		edge = 0
	}
	b := object{"minX": float64(k.X.Min), "maxX": float64(k.X.Max) - edge, "minY": float64(k.Y.Min), "maxY": float64(k.Y.Max) - edge}
	if len(k.Sections) > 0 {
		b["minZ"], b["maxZ"] = slices.Min(k.Sections), slices.Max(k.Sections)
	}
	return b
}

func (s *Server) bounds(k *Stack, w http.ResponseWriter, _ *http.Request) {
	if k.NoStats {
		text(w, http.StatusBadRequest, "stack bounds have not been stored for "+k.Name)
		return
	}
	reply(w, k.extremes())
}

func (s *Server) zValues(k *Stack, w http.ResponseWriter, _ *http.Request) {
	reply(w, append([]float64{}, k.Sections...))
}

func (s *Server) sectionBounds(k *Stack, w http.ResponseWriter, r *http.Request) {
	z, err := strconv.ParseFloat(r.PathValue("z"), 64)
	if err != nil || !k.has(z) {
		text(w, http.StatusBadRequest, "stack "+k.Name+" does not contain any tiles with a z value of "+r.PathValue("z"))
		return
	}
	b := k.extremes()
	b["minZ"], b["maxZ"] = z, z
	reply(w, b)
}

func (s *Server) tileCount(k *Stack, w http.ResponseWriter, r *http.Request) {
	b, err := parseBox(r)
	if err != nil {
		text(w, http.StatusNotFound, err.Error())
		return
	}
	reply(w, k.tiles(b.x, b.y, float64(b.width), float64(b.height), b.z))
}

// A box is what an image is asked of, in pixels of the stack.
type box struct {
	x, y, z       float64
	width, height int
	scale         float64
}

func parseBox(r *http.Request) (b box, err error) {
	words := strings.Split(r.PathValue("box"), ",")
	if len(words) < 4 || len(words) > 5 {
		return b, fmt.Errorf("box %q", r.PathValue("box"))
	}
	if len(words) == 4 {
		words = append(words, "1")
	}
	for i, to := range []*float64{&b.x, &b.y, nil, nil, &b.scale} {
		if to == nil {
			continue
		}
		if *to, err = strconv.ParseFloat(words[i], 64); err != nil {
			return b, err
		}
	}
	if b.width, err = strconv.Atoi(words[2]); err != nil {
		return b, err
	}
	if b.height, err = strconv.Atoi(words[3]); err != nil {
		return b, err
	}
	b.z, err = strconv.ParseFloat(r.PathValue("z"), 64)
	return b, err
}

// image draws a box.
func (s *Server) image(k *Stack, w http.ResponseWriter, r *http.Request) {
	kind := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	b, err := parseBox(r)
	if err != nil || kind == "tiff16-image" && s.NoTIFF16 || kind == "png16-image" && s.NoPNG16 {
		text(w, http.StatusNotFound, "HTTP 404 Not Found") // what RESTEasy says of a path that is nobody's
		return
	}
	s.mu.Lock()
	s.boxes = append(s.boxes, strings.TrimSuffix(r.URL.Path[strings.LastIndex(r.URL.Path, "/z/")+1:]+"?"+r.URL.RawQuery, "?"))
	etag := fmt.Sprintf(`"%d"`, s.edited.UnixMilli()) // ResponseHelper.getStackTag
	s.mu.Unlock()
	w.Header().Set("ETag", etag)
	w.Header().Set("Cache-Control", "max-age=3600")
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	d := drawing{stack: k, box: b, kind: kind}
	if err := d.read(r.URL.Query(), s); err != nil {
		w.Header().Del("ETag")
		w.Header().Del("Cache-Control")
		text(w, http.StatusBadRequest, err.Error())
		return
	}
	w.Write(s.body(&d, w)) // streamed: its length is not said
}
