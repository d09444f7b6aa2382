package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/neurodata/ndpush/internal/boss"
	"github.com/neurodata/ndpush/internal/cli"
	"github.com/neurodata/ndpush/internal/localboss"
	"github.com/neurodata/ndpush/internal/voxel"
)

// A lab is a BOSS, a directory to work in and the flags of a job.
type lab struct {
	t      *testing.T
	access string
	dir    string
	now    func() time.Time
	server *localboss.Server
}

func newLab(t *testing.T, opts localboss.Options) *lab {
	t.Helper()
	s, err := localboss.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(func() { s.Close(); srv.Close() })
	l := &lab{t: t, dir: t.TempDir(), now: time.Now, server: s}
	l.access = filepath.Join(l.dir, "access.cfg")
	if err := s.WriteAccess(l.access, srv.URL); err != nil {
		t.Fatal(err)
	}
	return l
}

// run runs a command with the flags of the job, and gives the exit status and
// what it printed.
func (l *lab) run(command string, more ...string) (code int, stdout, stderr string) {
	l.t.Helper()
	args := append([]string{command,
		"--base-path", "../../testdata/counts", "--base-filename", "c<p:4>", "--extension", "png", "--datatype", "uint16",
		"--collection", "lab", "--experiment", "fish", "--channel", "counts",
		"--x-extent", "0:300", "--y-extent", "0:200", "--z-extent", "3:11",
		"--boss-config-file", l.access, "--log-dir", l.dir}, more...)
	var out, err bytes.Buffer
	code = cli.Main(l.t.Context(), args, l.env(&out, &err))
	return code, out.String(), err.String()
}

func (l *lab) env(stdout, stderr io.Writer) cli.Env {
	return cli.Env{
		Stdout: stdout, Stderr: stderr, Getenv: func(string) string { return "" },
		Now: l.now, Rand: rand.New(rand.NewPCG(1, 2)),
	}
}

// create creates the resources.
func (l *lab) create() {
	l.t.Helper()
	if code, stdout, stderr := l.run("ingest", "--voxel-size", "1:1:1", "--create-resources"); code != 0 {
		l.t.Fatalf("create ends with %d\n%s%s", code, stdout, stderr)
	}
}

// wants checks the exit status and that each pattern is a line.
func wants(t *testing.T, code, wantCode int, stdout string, lines ...string) {
	t.Helper()
	if code != wantCode {
		t.Errorf("exit status %d, want %d", code, wantCode)
	}
	for _, line := range lines {
		if !regexp.MustCompile("(?m)^" + line + "$").MatchString(stdout) {
			t.Errorf("no line like %q in\n%s", line, stdout)
		}
	}
}

// A channel that takes data and never shows them is refused before anything is
// posted, also by the canary.
func TestCheckCloudVolume(t *testing.T) {
	l := newLab(t, localboss.Options{CloudVolume: true})
	if code, _, _ := l.run("ingest", "--voxel-size", "1:1:1", "--create-resources"); code != 1 {
		t.Errorf("creating such a channel ends with %d, want 1", code)
	}
	code, stdout, _ := l.run("check", "--canary")
	wants(t, code, 1, stdout,
		"FAIL  resources: the storage type of channel lab/fish/counts is cloudvol, not spdb: .*",
		"warn  canary: not done: there is no channel that agrees with the job",
		"ok    slices: .*", "plan  time: .*")
}

// A token that may read and not write is found by the canary only.
func TestCheckPermission(t *testing.T) {
	l := newLab(t, localboss.Options{NoVolumeWrite: true})
	l.create()
	code, stdout, _ := l.run("check")
	wants(t, code, 0, stdout, "ok    access: .*", "ok    resources: .*")
	code, stdout, _ = l.run("check", "--canary")
	wants(t, code, 1, stdout, "FAIL  canary: post .*: the token's user lacks a permission.*")
	if strings.Contains(stdout, "still be there") {
		t.Errorf("nothing was posted, and is said to be there:\n%s", stdout)
	}
}

// Posting to a channel that is downsampled has a price, which is said.
func TestCheckDownsampled(t *testing.T) {
	l := newLab(t, localboss.Options{})
	l.create()
	access, err := boss.ReadAccess(l.access)
	if err != nil {
		t.Fatal(err)
	}
	client, err := boss.New(access, boss.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ch, err := client.Channel("lab", "fish", "counts", 0, voxel.Uint16)
	if err != nil {
		t.Fatal(err)
	}
	if err := ch.StartDownsample(t.Context()); err != nil {
		t.Fatal(err)
	}
	for d := (boss.Downsample{}); d.Status != "DOWNSAMPLED"; {
		if d, err = ch.Downsample(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, _ := l.run("check")
	wants(t, code, 0, stdout, "warn  resources: the channel is downsampled: .*")
}

// A clock that is off is seen, either way.
func TestCheckClock(t *testing.T) {
	l := newLab(t, localboss.Options{})
	for _, tt := range []struct {
		off  time.Duration
		want string
	}{
		{time.Hour, `warn  clock: this machine is (1h0m0s|59m5\ds|1h0m\ds) ahead of BOSS: S3 refuses .*`},
		{-time.Hour, `warn  clock: this machine is (1h0m0s|59m5\ds|1h0m\ds) behind BOSS: S3 refuses .*`},
		{2 * time.Minute, `ok    clock: within 5 minutes of BOSS's`},
	} {
		l.now = func() time.Time { return time.Now().Add(tt.off) }
		code, stdout, _ := l.run("check")
		wants(t, code, 0, stdout, tt.want)
	}
}

// Every line of --json is an object with the same keys, and no line has a token.
func TestCheckJSON(t *testing.T) {
	l := newLab(t, localboss.Options{})
	l.create()
	code, stdout, stderr := l.run("check", "--canary", "--json")
	wants(t, code, 0, stdout)
	var checks []string
	for line := range strings.Lines(stdout) {
		var f struct {
			Channel, Check, Result, Text string
			Plan                         map[string]any
		}
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&f); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if f.Channel != "lab/fish/counts" || f.Text == "" || f.Result != "ok" && f.Result != "plan" || (f.Plan != nil) != (f.Result == "plan") {
			t.Errorf("got %s", line)
		}
		checks = append(checks, f.Check)
	}
	want := "slices numbering access resources data quota journal disk memory clock open files canary plan"
	if got := strings.Join(checks, " "); got != want {
		t.Errorf("checks\n %s, want\n %s", got, want)
	}
	if strings.Contains(stdout+stderr, l.server.Token()) {
		t.Error("the token is in the output")
	}
}

// A report that cannot be written is an error.
func TestCheckNoOutput(t *testing.T) {
	l := newLab(t, localboss.Options{})
	var stderr bytes.Buffer
	args := []string{"check", "--base-path", "../../testdata/counts", "--base-filename", "c<p:4>", "--extension", "png", "--datatype", "uint16",
		"--collection", "lab", "--experiment", "fish", "--channel", "counts",
		"--x-extent", "0:300", "--y-extent", "0:200", "--z-extent", "3:11", "--boss-config-file", l.access, "--log-dir", l.dir}
	if code := cli.Main(t.Context(), args, l.env(fullDisk{}, &stderr)); code != 1 || !strings.Contains(stderr.String(), "no space") {
		t.Errorf("exit status %d: %s", code, stderr.String())
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space") }
