package cli

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/neurodata/ndpush/internal/voxel"
)

// A stackOf is the z of a stack, as a person says it.
type stackOf struct {
	extent         voxel.Range // of the source
	zRange, limit  voxel.Range // of the source; zero: all
	offset         int
	forced, shift  bool // --forced-offsets, --offset-extents
	shares, groups int
	want           voxel.Range // in BOSS
}

func randomStack(rnd *rand.Rand) (s stackOf) {
	s.extent.Min = rnd.IntN(200) - 100
	s.extent.Max = s.extent.Min + 1 + rnd.IntN(300)
	part := func() (r voxel.Range) {
		if rnd.IntN(3) == 0 {
			r.Min = s.extent.Min + rnd.IntN(s.extent.Len())
			r.Max = r.Min + 1 + rnd.IntN(s.extent.Max-r.Min)
		}
		return r
	}
	s.want = s.extent
	if s.zRange = part(); s.zRange != (voxel.Range{}) {
		s.want = s.zRange
	}
	if s.limit = part(); s.limit != (voxel.Range{}) && s.limit.Min < s.want.Max && s.want.Min < s.limit.Max {
		s.want = voxel.Range{Min: max(s.want.Min, s.limit.Min), Max: min(s.want.Max, s.limit.Max)}
	} else {
		s.limit = voxel.Range{}
	}
	switch s.forced = rnd.IntN(2) == 0; {
	case s.forced:
		s.offset = max(0, -s.extent.Min) + rnd.IntN(100)
	case s.extent.Min < 0:
		s.shift, s.offset = true, -s.extent.Min
	}
	s.want.Min += s.offset
	s.want.Max += s.offset
	s.groups = (s.want.Max-1)/16 - s.want.Min/16 + 1
	s.shares = 1 + rnd.IntN(25)
	return s
}

func (s *stackOf) args() []string {
	args := []string{"--base-path=/nowhere", "--base-filename=a b_<p:4>", "--extension=tif",
		"--collection=c", "--experiment=e", "--channel=ch", "--datatype=uint8", "--voxel-size=1:1:1",
		"--x-extent=0:10", "--y-extent=0:10", fmt.Sprintf("--z-extent=%v", s.extent)}
	if s.zRange != (voxel.Range{}) {
		args = append(args, fmt.Sprintf("--z-range=%v", s.zRange))
	}
	if s.limit != (voxel.Range{}) {
		args = append(args, fmt.Sprintf("--limit-z=%v", s.limit))
	}
	if s.forced {
		args = append(args, fmt.Sprintf("--forced-offsets=0:0:%d", s.offset))
	}
	if s.shift {
		args = append(args, "--offset-extents")
	}
	return args
}

// The shares of the command lines that gencmd writes are the whole: exactly, once,
// and cut where BOSS's cubes are. A shell reads the command lines, and the flags
// of ingest what the shell makes of them.
func TestSharesAreTheWhole(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no shell here")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		s := randomStack(rnd)
		commands := called(t, append([]string{"gencmd", fmt.Sprintf("--workers=%d", s.shares)}, s.args()...))
		var shares [][]string
		for _, words := range commands {
			if words[0] == "ingest" && !slices.Contains(words, "--create-resources") {
				shares = append(shares, words[1:])
			}
		}
		n := min(s.shares, s.groups)
		if len(shares) != n || len(commands) != n+3 {
			t.Errorf("%+v: %d commands, %d of them shares, want %d and %d:\n%q", s, len(commands), len(shares), n+3, n, commands)
			continue
		}
		s.cover(t, shares)
	}
}

// cover fails the test unless shares, the words of ingest, are the whole stack.
func (s *stackOf) cover(t *testing.T, shares [][]string) {
	t.Helper()
	var parts []voxel.Range
	for _, words := range shares {
		at := slices.Index(words, "--shard")
		if at < 0 {
			t.Fatalf("%+v: no share is named in %q", s, words)
		}
		z := carries(t, words, nil)
		// An engine's index says the same.
		k, _, _ := strings.Cut(words[at+1], "/")
		for name, first := range map[string]int{"SLURM_ARRAY_TASK_ID": 0, "LSB_JOBINDEX": 1, "AWS_BATCH_JOB_ARRAY_INDEX": 0, "JOB_COMPLETION_INDEX": 0} {
			index := fmt.Sprint(atoi(k) - 1 + first)
			if got := carries(t, words[:at], map[string]string{name: index}); got != z {
				t.Errorf("%+v: with %s=%s the slices are %v, with --shard %s %v", s, name, index, got, words[at+1], z)
			}
		}
		parts = append(parts, z)
	}
	slices.SortFunc(parts, func(a, b voxel.Range) int { return a.Min - b.Min })
	if parts[0].Min != s.want.Min || parts[len(parts)-1].Max != s.want.Max {
		t.Errorf("%+v: shares %v do not begin and end as %v does", s, parts, s.want)
	}
	for i := 1; i < len(parts); i++ {
		if parts[i].Min != parts[i-1].Max || parts[i].Min%16 != 0 {
			t.Errorf("%+v: shares %v leave something out, do it twice, or cut at %d", s, parts, parts[i].Min)
		}
	}
}

// called gives the words of each call of ndpush in the script that a command
// prints, as a shell makes them.
func called(t *testing.T, args []string) (calls [][]string) {
	t.Helper()
	var script, stderr bytes.Buffer
	a := &app{Env: Env{Stdout: &script, Stderr: &stderr, Getenv: func(string) string { return "" }, Rand: rand.New(rand.NewPCG(1, 1))}}
	if code := a.main(t.Context(), args); code != exitDone {
		t.Fatalf("%q ends with %d: %s", args, code, stderr.String())
	}
	// One printf is one write; so the words of processes do not mix.
	cmd := exec.Command("sh")
	cmd.Stdin = strings.NewReader("ndpush() { printf '%s\\037' \"$@\" '\036'; }\n" + script.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v:\n%s", err, script.String())
	}
	for call := range strings.SplitSeq(strings.TrimSuffix(string(out), "\036\037"), "\036\037") {
		calls = append(calls, strings.Split(strings.TrimSuffix(call, "\037"), "\037"))
	}
	return calls
}

// carries is the z, in BOSS coordinates, that an ingest of these words carries.
func carries(t *testing.T, words []string, env map[string]string) voxel.Range {
	t.Helper()
	a := &app{Env: Env{Stdout: t.Output(), Stderr: t.Output(), Getenv: func(name string) string { return env[name] }}}
	flags, o := pflag.NewFlagSet("ingest", pflag.ContinueOnError), new(ingestOptions)
	flags.SetNormalizeFunc(canonical)
	o.bind(flags, "workers")
	err := flags.Parse(joinWords(words))
	if err != nil {
		t.Fatalf("%q: %v", words, err)
	}
	jobs, err := a.jobs(t.Context(), &o.jobFlags)
	if err != nil || len(jobs) != 1 {
		t.Fatalf("%q: %d jobs: %v", words, len(jobs), err)
	}
	return jobs[0].Data().Z()
}
