// Package render gives the sections of a stack of a render web service
// (https://github.com/saalfeldlab/render) as slices.
//
// Such a service has no images: it draws any box of a section, at any scale,
// out of tiles. So a band of rows is a row of boxes, several of them on their
// way at one time, and no section is ever in memory. What it answers is believed
// no more than a file is: a box has to have the size and the kind of pixels that
// were asked for, or it is an error.
//
// # Pixels
//
// Source coordinates are the stack's, times the scale: the pixel in column c of
// a section shows what lies at c/scale and the 1/scale columns that follow. A
// service draws boxes that begin at any place and cuts their size off to whole
// pixels, (int)(scale·width) in RenderParameters; boxes that begin anywhere
// would have other pixels where they meet, or lose some. So every box begins and
// ends at a multiple of the smallest number of columns that is whole at both
// scales. Asked for more than is wanted, it is cropped.
//
// A stack from x = -7 to 1017 at scale 0.3 (3 of 10 columns) has the columns
// -3 ≤ c < 306: -7·0.3 is -2.1 and (1017+1)·0.3 is 305.4, both rounded outwards,
// so that nothing is lost and what juts out is 0. Its columns 1 to 304 are asked
// for as 0 to 306, which is the box at x = 0 that is 1020 wide.
//
// The alternative that lost, boxes at fractions of a pixel, trusts in the
// arithmetic of the service for every seam.
package render

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/neurodata/ndpush/internal/retry"
	"github.com/neurodata/ndpush/internal/voxel"
)

// Options say which stack, and how it is read. What is grouped first is required.
type Options struct {
	BaseURL               string // "http://host:8080/render-ws/v1/", or without "v1" or "render-ws/v1"
	Owner, Project, Stack string
	Type                  voxel.Type // of the voxels: Uint8 or Uint16

	Channel string  // "": the stack's default
	Scale   float64 // of the pixels read, at most 1; zero: 1
	Window  *[2]int // the intensities that become 0 and 255 where 16 bits become 8; nil: the tiles' own

	// Requests is how many boxes are on their way at a time, over all slices.
	// Zero: 8. The service draws each on one thread of its own.
	Requests int
	// Side is the usual side of a box, in pixels. Zero: 1024, which is the height
	// of a band, and about 10 MB of memory for a request.
	Side int

	Timeout time.Duration // of one attempt in all; zero: 5 minutes
	Retry   retry.Policy  // see patience
	OnRetry func(Failure) // is called before each wait, concurrently; nil: nobody is told

	Version string                                // of ndpush, told to the server
	Proxy   func(*http.Request) (*url.URL, error) // nil: the environment's, see [http.ProxyFromEnvironment]
}

// A Stack is a stack of a render web service. It is safe for concurrent use.
type Stack struct {
	options  Options
	client   *client
	grid     grid
	kind     kind
	path     string // of the stack, below the service's root
	info     metadata
	sections []int
	odd      []float64 // sections that are no integers
	slots    chan *slot

	mu   sync.Mutex
	etag string // of the first image
	now  string // another one that came later
}

// Open asks the service about a stack, and for one small image of it.
//
// Options that cannot be right are all reported, before anything is sent. A
// stack that does not exist, is OFFLINE or was never completed is an error that
// says so, and what to do.
func Open(ctx context.Context, o Options) (*Stack, error) {
	o.setDefaults()
	s, err := newStack(o)
	if err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{s.fetchInfo, s.fetchSections, s.findKind} {
		if err := step(ctx); err != nil {
			s.Close()
			return nil, fmt.Errorf("stack %s at %s: %w", s.Name(), s.client.root.Host, err)
		}
	}
	return s, nil
}

func (o *Options) setDefaults() {
	if o.Scale == 0 {
		o.Scale = 1
	}
	if o.Requests == 0 {
		o.Requests = 8
	}
	if o.Side == 0 {
		o.Side = 1024
	}
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Minute
	}
	if o.OnRetry == nil {
		o.OnRetry = func(Failure) {}
	}
	if o.Version == "" {
		o.Version = "devel"
	}
	if o.Proxy == nil {
		o.Proxy = http.ProxyFromEnvironment
	}
	o.Retry = o.Retry.Or(patience)
}

// newStack judges the options.
func newStack(o Options) (*Stack, error) {
	errs := []error{o.check()}
	root, err := parseBase(o.BaseURL)
	errs = append(errs, err)
	g, err := newGrid(o.Scale, o.Side)
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s := &Stack{options: o, client: newClient(root, o), grid: g, slots: make(chan *slot, o.Requests)}
	s.path = "/v1/owner/" + url.PathEscape(o.Owner) + "/project/" + url.PathEscape(o.Project) + "/stack/" + url.PathEscape(o.Stack)
	for range o.Requests {
		s.slots <- new(slot)
	}
	return s, nil
}

func (o *Options) check() error {
	var errs []error
	for _, n := range []struct{ what, name string }{{"owner", o.Owner}, {"project", o.Project}, {"stack", o.Stack}} {
		if n.name == "" {
			errs = append(errs, fmt.Errorf("render %s: no name", n.what))
		}
	}
	switch {
	case o.Type != voxel.Uint8 && o.Type != voxel.Uint16:
		errs = append(errs, fmt.Errorf("render draws uint8 or uint16, not %v", o.Type))
	case o.Window != nil && o.Type != voxel.Uint8:
		errs = append(errs, fmt.Errorf("render window %v: it makes 8 bits of 16, and %v is wanted", *o.Window, o.Type))
	case o.Window != nil && o.Window[0] >= o.Window[1]:
		errs = append(errs, fmt.Errorf("render window %v: want a lower intensity and a higher one", *o.Window))
	}
	if o.Requests < 0 || o.Side < 0 || o.Timeout < 0 {
		errs = append(errs, fmt.Errorf("render: %d requests, boxes of %d pixels, %v for each: want no number below 0", o.Requests, o.Side, o.Timeout))
	}
	return errors.Join(errs...)
}

// parseBase finds the service's root in what people give for it.
func parseBase(base string) (*url.URL, error) {
	if strings.Contains(base, "@") {
		return nil, errors.New("the render base URL holds a user or password, which anybody could read in the list of processes: leave it out")
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("render base URL %q: want one such as http://host:8080/render-ws/v1/", base)
	}
	path := strings.TrimRight(u.Path, "/")
	root, ok := strings.CutSuffix(path, "/v1")
	if !ok && !strings.HasSuffix(path, "/render-ws") {
		root += "/render-ws"
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: root}, nil
}

// fetchInfo asks what the stack is.
func (s *Stack) fetchInfo(ctx context.Context) error {
	err := s.client.getJSON(ctx, s.path, func(p []byte) (err error) {
		s.info, err = parseInfo(p)
		return err
	})
	var e *Error
	if errors.As(err, &e) && e.Status == http.StatusNotFound {
		list := s.client.link("/v1/owner/" + url.PathEscape(s.options.Owner) + "/stackIds")
		return fmt.Errorf("it does not exist: compare owner, project and stack, capitals too, with %s: %w", list, err)
	}
	if err != nil {
		return err
	}
	return s.info.check(s.options.Channel)
}

// fetchSections asks which sections there are. Bounds do not tell, and neither
// does a box: one of a section that is absent is an empty image.
func (s *Stack) fetchSections(ctx context.Context) error {
	err := s.client.getJSON(ctx, s.path+"/zValues", func(p []byte) (err error) {
		s.sections, s.odd, err = parseSections(p)
		return err
	})
	if err == nil && len(s.sections)+len(s.odd) == 0 {
		return errors.New("it has no sections")
	}
	if err == nil && len(s.sections) == 0 {
		return fmt.Errorf("none of its %d sections has an integral z", len(s.odd))
	}
	return err
}

// Name is "owner/project/stack".
func (s *Stack) Name() string {
	return s.options.Owner + "/" + s.options.Project + "/" + s.options.Stack
}

// Extent is where the stack has pixels, in source coordinates: x and y are
// scaled, see the package's comment, z is from the first section to the last.
func (s *Stack) Extent() voxel.Box {
	z := voxel.Range{Min: s.sections[0], Max: s.sections[len(s.sections)-1] + 1}
	return voxel.NewBox(s.grid.scaled(s.info.x), s.grid.scaled(s.info.y), z)
}

// Sections are the z of the sections, ascending. The caller must not change them.
func (s *Stack) Sections() []int { return s.sections }

// Fractional are the z of sections between the integers, ascending. No slice
// stands for them, so whoever reads the others has to tell.
func (s *Stack) Fractional() []float64 { return s.odd }

// State is the service's word for what is done with the stack: LOADING, COMPLETE
// or READ_ONLY. While it is LOADING, it is written to.
func (s *Stack) State() string { return s.info.State }

// LastModified is when the stack was edited last, in the service's notation.
func (s *Stack) LastModified() string {
	return strings.Trim(string(s.info.LastModifiedTimestamp), `"`)
}

// Kind is what the service is asked for: "png-image", "tiff16-image" or, if it
// is too old or too new for that, "png16-image".
func (s *Stack) Kind() string { return string(s.kind) }

// Scale is what coordinates were multiplied with.
func (s *Stack) Scale() float64 { return s.options.Scale }

// Window is the intensities that become 0 and 255; nil if the tiles' own do.
func (s *Stack) Window() *[2]int { return s.options.Window }

// Resolution is the size of a voxel, as the stack's owner says: nanometers in x and
// y, divided by the scale, and in z. What nobody said is 0.
func (s *Stack) Resolution() [3]float64 {
	v := s.info.CurrentVersion
	return [3]float64{v.StackResolutionX / s.Scale(), v.StackResolutionY / s.Scale(), v.StackResolutionZ}
}

// View is a page of the service about the stack, for people.
func (s *Stack) View() string {
	return s.client.link("/view/stack-details.html") +
		"?renderStackOwner=" + url.QueryEscape(s.options.Owner) +
		"&renderStackProject=" + url.QueryEscape(s.options.Project) +
		"&renderStack=" + url.QueryEscape(s.options.Stack)
}

// Memory is the most that all requests together hold at a time, in bytes,
// whichever slices they are for.
func (s *Stack) Memory() int64 {
	w, h := s.grid.largest()
	return int64(s.options.Requests) * (s.kind.maxBody(w, h) + s.kind.decoded(w, h))
}

// Changed says, in a sentence, that the stack was edited since Open; "" as long
// as no image tells so. Each image carries the time of the last edit, its ETag.
func (s *Stack) Changed() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == "" {
		return ""
	}
	return fmt.Sprintf("stack %s was edited while it was read: its images had the ETag %s at first, later %s", s.Name(), s.etag, s.now)
}

// note looks at the ETag of an image. Services that send none are not watched.
func (s *Stack) note(etag string) {
	if etag == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.etag == "":
		s.etag = etag
	case s.etag != etag:
		s.now = etag
	}
}

// Close closes the connections that are idle.
func (s *Stack) Close() { s.client.http.CloseIdleConnections() }
