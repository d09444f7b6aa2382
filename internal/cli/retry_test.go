package cli

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/journal"
	"github.com/neurodata/ndpush/internal/voxel"
)

// ingestFlags are the options that a command line gives.
func ingestFlags(t *testing.T, args ...string) *ingestOptions {
	t.Helper()
	o := new(ingestOptions)
	flags := pflag.NewFlagSet("ingest", pflag.ContinueOnError)
	flags.SetNormalizeFunc(canonical)
	o.bind(flags, "workers")
	if err := flags.Parse(joinWords(args)); err != nil {
		t.Fatal(err)
	}
	if len(o.problems) > 0 {
		t.Fatal(o.problems)
	}
	return o
}

// The flags of an ingest come back from its journal as they were, whatever their
// kind and however they were spelled; those of the command line win.
func TestRestore(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	common := []string{"--collection", "lab", "--experiment", "fly", "--channel", "em", "--datatype", "uint8"}
	place := []string{"--x_extent", "-10", "90", "--y-extent=0,50", "--z_extent", "0", "20"}
	for name, tt := range map[string]struct {
		args, again []string
		check       func(o *retryOptions) bool
	}{
		"local": {append(place, "--base_path", "a <ch>/b", "--base-filename", "em_<p:4>", "--extension", "tif", "--forced_offsets", "10", "0", "3",
			"--voxel_size", "4", "4.5", "40", "--boss_config_file", "my.cfg", "--limit_x", "0", "9", "--warn_missing_files", "--z-step", "2", "--z_range", "3", "7", "--replace"), nil,
			func(o *retryOptions) bool {
				return o.naming.BasePath == filepath.Join(here, "a <ch>/b") && o.boss.config == filepath.Join(here, "my.cfg") &&
					o.spec.X == voxel.Range{Min: -10, Max: 90} && *o.spec.ForcedOffset == voxel.Point{X: 10, Z: 3} && o.warnMissing && o.spec.ZStep == 2 &&
					o.spec.ZRange == voxel.Range{} && o.replace && o.spec.VoxelSize == [3]float64{4, 4.5, 40}
			}},
		"no base path": {append(place, "--base-filename", "x/em_<p:4>", "--extension", "tif", "--offset-extents"), nil,
			func(o *retryOptions) bool { return o.naming.BasePath == here }},
		"s3": {append(place, "--datasource", "s3", "--s3-bucket-name", "b", "--s3-endpoint", "http://s3:7000", "--s3-path-style", "--s3-anonymous=true",
			"--aws_profile", "lab", "--base-path", "em/raw", "--base-filename", "<>", "--extension", "png", "--offset-extents"), nil,
			func(o *retryOptions) bool {
				return o.naming.BasePath == "em/raw" && o.s3.PathStyle && o.s3.Anonymous && o.s3.Endpoint == "http://s3:7000" && o.s3.Profile == "lab" && o.spec.OffsetExtents
			}},
		"render": {append(place, "--datasource", "render", "--render_baseURL", "http://r/render-ws/v1/", "--render_owner", "o", "--render_project", "p",
			"--render_stack", "s", "--render_scale", "0.25", "--render_window", "0", "4000", "--offset-extents", "--missing", "previous"), nil,
			func(o *retryOptions) bool {
				return o.render.Scale == 0.25 && *o.render.Window == [2]int{0, 4000} && o.render.BaseURL == "http://r/render-ws/v1/" && o.missing.String() == "previous"
			}},
		"the command line wins": {append(place, "--base-path", "old", "--base-filename", "<>", "--missing", "previous", "--workers", "3", "--offset-extents"),
			[]string{"--base-path", "new", "--warn_missing_files"},
			func(o *retryOptions) bool {
				return o.naming.BasePath == "new" && !o.flags.Changed("missing") && o.boss.workers == 3
			}},
	} {
		o := ingestFlags(t, append(tt.args, common...)...)
		j, err := o.job("em")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		was := o.again(j)
		l := &ledger{last: &journal.Header{Flags: was}, files: []*journal.File{{Header: journal.Header{Flags: was}}}}
		r := &retryOptions{}
		flags := pflag.NewFlagSet("retry", pflag.ContinueOnError)
		flags.SetNormalizeFunc(canonical)
		r.bind(flags, "workers")
		if err := flags.Parse(joinWords(tt.again)); err != nil {
			t.Fatal(err)
		}
		if err := r.restore(l); err != nil || len(r.problems) > 0 {
			t.Fatalf("%s: %v %v", name, err, r.problems)
		}
		if !tt.check(r) {
			t.Errorf("%s: of %v came back %s", name, was, describe(flags))
		}
		again, err := r.job("em")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if tt.again == nil && !reflect.DeepEqual(r.again(again), was) {
			t.Errorf("%s: a retry of the retry would have %v, want %v", name, r.again(again), was)
		}
	}
}

// A flag that this program does not have is no reason to go on without it.
func TestRestoreUnknown(t *testing.T) {
	h := journal.Header{Flags: map[string]string{"from-the-future": "1"}}
	r := &retryOptions{}
	flags := pflag.NewFlagSet("retry", pflag.ContinueOnError)
	r.bind(flags, "workers")
	if err := r.restore(&ledger{dir: "d", last: &h}); err == nil {
		t.Error("it is ignored")
	}
}

// Cuboids are in the set if they have one of its voxels.
func TestBoxSet(t *testing.T) {
	s := newBoxSet([]voxel.Box{boxAt("1000:1100/0:10/-5:20"), boxAt("5000:5001/0:1/0:1")})
	for text, want := range map[string]bool{
		"0:1024/0:1024/0:16": true, "1024:2048/0:1024/0:16": true, "0:1024/0:1024/-16:0": true, "1024:2048/0:1024/16:32": true,
		"0:1000/0:1024/0:16": false, "1024:2048/10:1024/0:16": false, "2048:3072/0:1024/0:16": false, "0:1024/0:1024/32:48": false,
		"0:1024/0:1024/20:32": false, "4096:5120/0:512/0:16": true,
	} {
		if got := s.overlaps(boxAt(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
