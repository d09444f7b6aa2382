package provision_test

import (
	"context"
	"errors"
	"github.com/neurodata/ndpush/internal/retry"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/provision"
	"github.com/neurodata/ndpush/internal/voxel"
)

const secret = "0123456789abcdef0123456789abcdef01234567"

// A server is a localboss that counts what changes it.
type server struct {
	*boss.Client
	local   *localboss.Server
	url     string
	changes atomic.Int32
}

func newServer(t *testing.T, opts localboss.Options) *server {
	t.Helper()
	opts.Token = secret
	local, err := localboss.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{local: local}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" {
			s.changes.Add(1)
		}
		local.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { local.Close(); srv.Close() })
	s.url = srv.URL
	s.Client = newClient(t, srv.URL)
	return s
}

func newClient(t *testing.T, url string) *boss.Client {
	t.Helper()
	access := boss.Access{Protocol: "http", Host: strings.TrimPrefix(url, "http://"), Token: boss.NewToken(secret)}
	c, err := boss.New(access, boss.Options{
		Retry: retry.Policy{Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// images is a job that the tests bend to their needs.
func images() job.Spec {
	return job.Spec{
		Collection: "lab", Experiment: "exp1", Channel: "im1",
		Type: voxel.Uint16, Create: true,
		VoxelSize: [3]float64{4, 4, 40}, VoxelUnit: "nanometers",
		X: voxel.Range{Min: 0, Max: 1000}, Y: voxel.Range{Min: 0, Max: 3000}, Z: voxel.Range{Min: 0, Max: 20},
	}
}

func labels() job.Spec {
	s := images()
	s.Channel, s.SourceChannel, s.Type = "labels", "im1", voxel.Uint32
	return s
}

func newJob(t *testing.T, s job.Spec) *job.Job {
	t.Helper()
	j, err := job.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func create(t *testing.T, s *server, spec job.Spec) *provision.Report {
	t.Helper()
	r, err := provision.Create(t.Context(), s.Client, newJob(t, spec))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func text(r *provision.Report) string {
	var lines []string
	for _, i := range r.Items {
		lines = append(lines, i.String())
	}
	return strings.Join(lines, "\n")
}

func TestCreate(t *testing.T) {
	s := newServer(t, localboss.Options{})
	spec := images()
	spec.ForcedOffset = &voxel.Point{X: 100, Z: 0, Y: 7}
	j := newJob(t, spec)

	r, err := provision.Check(t.Context(), s.Client, j)
	missing := (*provision.Error)(nil)
	if !errors.As(err, &missing) || !missing.OnlyMissing() || len(missing.Disagreements) != 5 || len(r.Items) != 0 {
		t.Errorf("before: %v", err)
	}
	if n := s.changes.Load(); n != 0 {
		t.Errorf("a check sent %d requests that change something", n)
	}

	want := `created collection lab
created coordinate frame lab_exp1 (0:1100/0:3007/0:20 of 4×4×40 nanometers)
created experiment lab/exp1 (anisotropic, 4 levels)
created offsets [100, 7, 0]
created channel lab/exp1/im1 (image of uint16, base resolution 0)`
	if got := text(create(t, s, spec)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	s.changes.Store(0)
	for _, act := range []func(context.Context, *boss.Client, *job.Job) (*provision.Report, error){provision.Create, provision.Check} {
		r, err := act(t.Context(), s.Client, j)
		if got, want := text(r), strings.ReplaceAll(want, "created", "found"); got != want || err != nil {
			t.Errorf("again: got\n%s\n%v\nwant\n%s", got, err, want)
		}
	}
	if n := s.changes.Load(); n != 0 {
		t.Errorf("%d requests change what is complete", n)
	}
	if value, ok, err := s.Meta(t.Context(), "offsets", "lab", "exp1"); value != "[100, 7, 0]" || !ok || err != nil {
		t.Errorf("offsets: %q, %v, %v", value, ok, err)
	}
}

func TestCreateAnnotation(t *testing.T) {
	s := newServer(t, localboss.Options{})
	want := `created collection lab
created coordinate frame lab_exp1 (0:1000/0:3000/0:20 of 4×4×40 nanometers)
created experiment lab/exp1 (anisotropic, 4 levels)
created source channel lab/exp1/im1 (empty)
created channel lab/exp1/labels (annotation of uint64, base resolution 0)`
	if got := text(create(t, s, labels())); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	source, err := s.ChannelInfo(t.Context(), "lab", "exp1", "im1")
	if err != nil || source.Type != "image" || source.Datatype != "uint8" {
		t.Errorf("source channel: %+v, %v", source, err)
	}
	info, err := s.ChannelInfo(t.Context(), "lab", "exp1", "labels")
	if err != nil || info.Datatype != "uint64" || len(info.Sources) != 1 || info.Sources[0] != "im1" {
		t.Errorf("channel: %+v, %v", info, err)
	}
	// An image channel that is there is taken as the source.
	more := labels()
	more.Channel = "more"
	if got := text(create(t, s, more)); !strings.Contains(got, "created channel lab/exp1/more") || strings.Contains(got, "created source") {
		t.Errorf("got\n%s", got)
	}
	none := labels()
	none.Channel, none.SourceChannel, none.Annotation = "none", "", true
	if got := text(create(t, s, none)); !strings.Contains(got, "created channel lab/exp1/none (annotation of uint64") {
		t.Errorf("got\n%s", got)
	}
}

func TestLevelsAndMethod(t *testing.T) {
	for _, tt := range []struct {
		x, y   int
		size   [3]float64
		levels int
		method string
	}{
		{1, 1, [3]float64{4, 4, 4}, 1, "isotropic"},
		{512, 512, [3]float64{4, 4, 40}, 1, "anisotropic"},
		{513, 1, [3]float64{4, 4, 40}, 2, "anisotropic"},
		{1, 1024, [3]float64{4, 4.5, 4}, 2, "anisotropic"},
		{1025, 1024, [3]float64{.5, .5, .5}, 3, "isotropic"},
		{30000, 100, [3]float64{4, 4, 40}, 7, "anisotropic"},
		{100, 1 << 30, [3]float64{4, 4, 40}, 13, "anisotropic"},
	} {
		s := newServer(t, localboss.Options{})
		spec := images()
		spec.X, spec.Y, spec.VoxelSize = voxel.Range{Max: tt.x}, voxel.Range{Max: tt.y}, tt.size
		create(t, s, spec)
		e, err := s.Experiment(t.Context(), "lab", "exp1")
		if err != nil || e.Levels != tt.levels || e.Method != tt.method || e.TimeSamples != 1 {
			t.Errorf("%d×%d of %v: %+v, %v", tt.x, tt.y, tt.size, e, err)
		}
	}
}

// Every disagreement is found, all of them are listed, and nothing is changed.
func TestDisagreements(t *testing.T) {
	for _, tt := range []struct {
		name string
		bend func(*job.Spec)
		want []string // one for each
	}{
		{"none", func(s *job.Spec) {}, nil},
		{"other unit", func(s *job.Spec) { s.VoxelSize, s.VoxelUnit = [3]float64{.004, .004, .04}, "micrometers" }, nil},
		{"no voxel size", func(s *job.Spec) { s.Create, s.VoxelSize = false, [3]float64{} }, nil},
		{"a part of the data", func(s *job.Spec) { s.ZRange = voxel.Range{Min: 3, Max: 5} }, nil},
		{"extent", func(s *job.Spec) { s.X.Max = 1001 }, []string{
			"the extent of coordinate frame lab_exp1 is 0:1000/0:3000/0:20, not one that contains the data at 0:1001/0:3000/0:20: "}},
		{"voxel size", func(s *job.Spec) { s.VoxelSize[2] = 45 }, []string{
			"the voxel size of coordinate frame lab_exp1 is 4×4×40 nanometers, not 4×4×45 nanometers: "}},
		{"unit", func(s *job.Spec) { s.VoxelUnit = "micrometers" }, []string{
			"the voxel size of coordinate frame lab_exp1 is 4×4×40 nanometers, not 4×4×40 micrometers: "}},
		{"datatype", func(s *job.Spec) { s.Type = voxel.Uint8 }, []string{
			"the datatype of channel lab/exp1/im1 is uint16, not uint8: "}},
		{"resolution", func(s *job.Spec) { s.Res = 1 }, []string{
			"the base resolution of channel lab/exp1/im1 is 0, not 1: "}},
		{"offsets", func(s *job.Spec) { s.ForcedOffset, s.X.Max = &voxel.Point{X: 10}, 900 }, []string{
			"the record of the offsets [10, 0, 0] with experiment lab/exp1 does not exist: create it first"}},
		{"labels", func(s *job.Spec) { s.Annotation, s.SourceChannel = true, "raw" }, []string{
			"the type of channel lab/exp1/im1 is image, not annotation: ",
			"the datatype of channel lab/exp1/im1 is uint16, not uint64: ",
			"the source channel of channel lab/exp1/im1 is none, not raw: "}},
		{"everything", func(s *job.Spec) { s.Z.Max, s.VoxelSize[0], s.Type, s.Res = 99, 5, voxel.Uint8, 2 }, []string{
			"the extent of", "the voxel size of", "the datatype of", "the base resolution of"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, localboss.Options{})
			create(t, s, images())
			s.changes.Store(0)
			spec := images()
			tt.bend(&spec)
			report, err := provision.Check(t.Context(), s.Client, newJob(t, spec))
			if len(report.Items) < 4 {
				t.Errorf("the report has only %s", text(report))
			}
			if n := s.changes.Load(); n != 0 {
				t.Errorf("a check sent %d requests that change something", n)
			}
			if tt.want == nil {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			e := (*provision.Error)(nil)
			if !errors.As(err, &e) || len(e.Disagreements) != len(tt.want) {
				t.Fatalf("got %v", err)
			}
			for i, d := range e.Disagreements {
				if !strings.HasPrefix(d.String(), tt.want[i]) || d.Do == "" {
					t.Errorf("got  %v\nwant %s", d, tt.want[i])
				}
			}
			if e.OnlyMissing() {
				return // creating would help
			}
			if _, err := provision.Create(t.Context(), s.Client, newJob(t, spec)); err == nil || s.changes.Load() != 0 {
				t.Errorf("creating gives %v, after %d changes", err, s.changes.Load())
			}
		})
	}
}

func TestOffsets(t *testing.T) {
	for _, tt := range []struct {
		record string
		offset voxel.Point
		ok     bool
	}{
		{"[100, 0, 0]", voxel.Point{X: 100}, true},
		{"[100,0,0]", voxel.Point{X: 100}, true},
		{" [ 100, 0, 0 ] ", voxel.Point{X: 100}, true},
		{"[0, 0, 0]", voxel.Point{}, true},
		{"[100, 0, 0]", voxel.Point{}, false},
		{"[100, 0, 0]", voxel.Point{X: 100, Z: 1}, false},
		{"[100, 0]", voxel.Point{X: 100}, false},
		{"100, 0, 0", voxel.Point{X: 100}, false},
		{"[100.5, 0, 0]", voxel.Point{X: 100}, false},
		{"", voxel.Point{}, false},
		{"[", voxel.Point{}, false},
	} {
		s := newServer(t, localboss.Options{})
		spec := images()
		spec.FrameX = voxel.Range{Max: 2000}
		spec.FrameZ = voxel.Range{Max: 30}
		create(t, s, spec)
		if err := s.SetMeta(t.Context(), "offsets", tt.record, "lab", "exp1"); err != nil {
			t.Logf("BOSS takes no record %q: %v", tt.record, err)
			continue
		}
		spec.ForcedOffset = &tt.offset
		_, err := provision.Create(t.Context(), s.Client, newJob(t, spec))
		if (err == nil) != tt.ok || err != nil && !strings.Contains(err.Error(), "offsets with experiment lab/exp1 is "+tt.record+", not [") {
			t.Errorf("%q and %v: %v", tt.record, tt.offset, err)
		}
	}
}

// An experiment may use a frame of any name that contains the data.
func TestOtherFrame(t *testing.T) {
	s := newServer(t, localboss.Options{})
	ctx := t.Context()
	for _, err := range []error{
		s.CreateCollection(ctx, boss.Collection{Name: "lab"}),
		s.CreateFrame(ctx, boss.Frame{Name: "shared", Extent: voxel.Box{Max: voxel.Point{X: 4096, Y: 4096, Z: 64}}, VoxelSize: [3]float64{4, 4, 40}, VoxelUnit: "nanometers"}),
		s.CreateExperiment(ctx, boss.Experiment{Name: "exp1", Collection: "lab", Frame: "shared", Levels: 2, Method: "anisotropic", TimeSamples: 1}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := `found collection lab
found coordinate frame shared (0:4096/0:4096/0:64 of 4×4×40 nanometers)
found experiment lab/exp1 (anisotropic, 2 levels)
created channel lab/exp1/im1 (image of uint16, base resolution 0)`
	if got := text(create(t, s, images())); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := s.Frame(ctx, "lab_exp1"); !boss.IsMissing(err) {
		t.Errorf("a frame that nobody needs: %v", err)
	}
}

func TestExperimentWithoutLevels(t *testing.T) {
	s := newServer(t, localboss.Options{})
	create(t, s, images())
	ctx := t.Context()
	if err := s.CreateExperiment(ctx, boss.Experiment{Name: "exp2", Collection: "lab", Frame: "lab_exp1", Method: "anisotropic", TimeSamples: 1}); err != nil {
		t.Fatal(err)
	}
	spec := images()
	spec.Experiment = "exp2"
	if _, err := provision.Create(ctx, s.Client, newJob(t, spec)); err == nil || !strings.Contains(err.Error(), "levels of experiment lab/exp2 is 0, not 1 or more") {
		t.Errorf("got %v", err)
	}
}

func TestCloudVolume(t *testing.T) {
	s := newServer(t, localboss.Options{CloudVolume: true})
	report, err := provision.Create(t.Context(), s.Client, newJob(t, images()))
	if err == nil || !strings.Contains(err.Error(), "storage type of channel lab/exp1/im1 is cloudvol, not spdb") || !strings.Contains(text(report), "created channel") {
		t.Errorf("got %v\n%s", err, text(report))
	}
}

// What is deleted keeps its name, and nothing is created beside it.
func TestDeleted(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/collection/lab/experiment/exp1/channel/im1": "channel lab/exp1/im1 is marked as deleted, not free to be used: choose another name",
	} {
		s := newServer(t, localboss.Options{})
		create(t, s, images())
		req, err := http.NewRequestWithContext(t.Context(), "DELETE", s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Token "+secret)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		s.changes.Store(0)
		for _, act := range []func(context.Context, *boss.Client, *job.Job) (*provision.Report, error){provision.Create, provision.Check} {
			_, err := act(t.Context(), s.Client, newJob(t, images()))
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "does not exist") {
				t.Errorf("deleted %s (%s): %v", path, resp.Status, err)
			}
		}
		if n := s.changes.Load(); n != 0 {
			t.Errorf("%d things are created beside what is deleted", n)
		}
	}
}

// Neither a bad token, nor a lack of permission, nor a server in trouble is
// taken for a resource that is missing.
func TestOnlyMissingIsMissing(t *testing.T) {
	for _, fault := range []localboss.Fault{
		{Status: 401}, {Status: 403, Code: 3001}, {Status: 500, HTML: true}, {Status: 503, HTML: true},
		{Status: 404, HTML: true}, {Status: 400, Code: 1003},
	} {
		for _, path := range []string{"/v1/collection/lab", "/v1/coord", "/v1/collection/lab/experiment/exp1", "/v1/meta", "/v1/collection/lab/experiment/exp1/channel"} {
			s := newServer(t, localboss.Options{})
			if path != "/v1/collection/lab" {
				create(t, s, images())
			}
			fault.Kind, fault.Path, fault.Method = localboss.Status, path, "GET"
			if err := s.local.SetFaults(1, fault); err != nil {
				t.Fatal(err)
			}
			s.changes.Store(0)
			spec := images()
			spec.Channel = "other"
			_, err := provision.Create(t.Context(), s.Client, newJob(t, spec))
			e := (*boss.Error)(nil)
			if !errors.As(err, &e) || e.Status != fault.Status || s.changes.Load() != 0 {
				t.Errorf("%d for %s: %v, after %d changes", fault.Status, path, err, s.changes.Load())
			}
		}
	}
}

func TestNoPermissionToCreate(t *testing.T) {
	s := newServer(t, localboss.Options{NoResourceManager: true})
	report, err := provision.Create(t.Context(), s.Client, newJob(t, images()))
	if e := (*boss.Error)(nil); !errors.As(err, &e) || e.Code != 3000 || len(report.Items) != 0 {
		t.Errorf("got %v\n%s", err, text(report))
	}
}

// All that create at the same time succeed.
func TestRace(t *testing.T) {
	for range 5 {
		s := newServer(t, localboss.Options{})
		spec := labels()
		spec.ForcedOffset = &voxel.Point{Z: 5}
		var wg sync.WaitGroup
		for range 6 {
			c := newClient(t, s.url)
			wg.Go(func() {
				report, err := provision.Create(t.Context(), c, newJob(t, spec))
				if err != nil || len(report.Items) < 5 {
					t.Errorf("got %v\n%s", err, text(report))
				}
			})
		}
		wg.Wait()
		if _, err := provision.Check(t.Context(), s.Client, newJob(t, spec)); err != nil {
			t.Error(err)
		}
	}
}

// Who loses the race to somebody with other plans is told so, and changes nothing.
func TestRaceWithAnotherJob(t *testing.T) {
	for want, change := range map[string]func(*job.Spec){
		"is uint8, not uint16":         func(s *job.Spec) { s.Type = voxel.Uint8 },
		"is [0, 0, 7], not [0, 0, 5]:": func(s *job.Spec) { s.ForcedOffset = &voxel.Point{Z: 7} },
	} {
		mine := images()
		mine.ForcedOffset, mine.FrameZ = &voxel.Point{Z: 5}, voxel.Range{Max: 30}
		other := mine
		change(&other)
		var once sync.Once
		s := newServer(t, localboss.Options{})
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				once.Do(func() { create(t, s, other) })
			}
			s.local.ServeHTTP(w, r)
		}))
		defer srv.Close()
		report, err := provision.Create(t.Context(), newClient(t, srv.URL), newJob(t, mine))
		if e := (*provision.Error)(nil); !errors.As(err, &e) || len(e.Disagreements) != 1 || !strings.Contains(err.Error(), want) || strings.Contains(text(report), "created") {
			t.Errorf("%s: got %v\n%s", want, err, text(report))
		}
		if _, err := provision.Check(t.Context(), s.Client, newJob(t, other)); err != nil {
			t.Errorf("%s: the other's job: %v", want, err)
		}
	}
}

// An answer that is lost makes a second attempt find what the first one made.
func TestLostAnswers(t *testing.T) {
	s := newServer(t, localboss.Options{})
	if err := s.local.SetFaults(1, localboss.Fault{Kind: localboss.DropAnswer, Method: "POST", Share: 0.5}); err != nil {
		t.Fatal(err)
	}
	spec := labels()
	spec.ForcedOffset = &voxel.Point{Z: 5}
	create(t, s, spec)
}

func TestNoVoxelSize(t *testing.T) {
	s := newServer(t, localboss.Options{})
	spec := images()
	spec.Create, spec.VoxelSize = false, [3]float64{}
	if _, err := provision.Create(t.Context(), s.Client, newJob(t, spec)); err == nil || s.changes.Load() != 0 {
		t.Errorf("got %v after %d changes", err, s.changes.Load())
	}
}
