package machine_test

import (
	"math"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/neurodata/ndpush/internal/machine"
)

const meminfo = "MemTotal:       16303428 kB\nMemFree:          812344 kB\nMemAvailable:    8388608 kB\nBuffers:          302344 kB\n"

const gib = 1 << 30

// The smaller of the machine's memory and the limits of all cgroups counts, of
// whichever version, and also inside a container.
func TestAvailableMemory(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  int64 // 0: not known
		why   string
	}{
		{"nothing", nil, 0, ""},
		{"no cgroup", map[string]string{"proc/meminfo": meminfo}, 8 * gib, "machine"},
		{"an old kernel", map[string]string{"proc/meminfo": "MemTotal: 16303428 kB\nMemFree: 812344 kB\n"}, 0, ""},
		{"a strange unit", map[string]string{"proc/meminfo": "MemAvailable: 8 GB\n"}, 0, ""},
		{"no number", map[string]string{"proc/meminfo": "MemAvailable: many kB\n"}, 0, ""},
		{"too large", map[string]string{"proc/meminfo": "MemAvailable: 9223372036854775807 kB\n"}, 0, ""},
		{"version 2", map[string]string{
			"proc/meminfo":     meminfo,
			"proc/self/cgroup": "0::/user.slice/job_7\n",
			"sys/fs/cgroup/user.slice/job_7/memory.max": "2147483648\n",
			"sys/fs/cgroup/user.slice/memory.max":       "max\n",
		}, 2 * gib, "cgroup"},
		{"a parent's limit", map[string]string{
			"proc/meminfo":     meminfo,
			"proc/self/cgroup": "0::/user.slice/job_7\n",
			"sys/fs/cgroup/user.slice/job_7/memory.max": "4294967296\n",
			"sys/fs/cgroup/user.slice/memory.max":       "3221225472\n",
		}, 3 * gib, "cgroup"},
		{"more than there is", map[string]string{
			"proc/meminfo":             meminfo,
			"proc/self/cgroup":         "0::/\n",
			"sys/fs/cgroup/memory.max": "68719476736\n",
		}, 8 * gib, "machine"},
		{"no limit", map[string]string{
			"proc/meminfo":             meminfo,
			"proc/self/cgroup":         "0::/\n",
			"sys/fs/cgroup/memory.max": "max\n",
		}, 8 * gib, "machine"},
		{"version 1", map[string]string{
			"proc/meminfo":     meminfo,
			"proc/self/cgroup": "12:cpu,cpuacct:/slurm\n9:memory:/slurm/uid_1/job_7\n0::/x\n",
			"sys/fs/cgroup/memory/slurm/uid_1/job_7/memory.limit_in_bytes": "1073741824\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes":                   "9223372036854771712\n",
		}, 1 * gib, "cgroup"},
		{"version 1 in a container", map[string]string{
			"proc/meminfo":     meminfo,
			"proc/self/cgroup": "9:hugetlb,memory:/docker/0123456789ab\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n",
		}, gib / 2, "cgroup"},
		{"the limit alone", map[string]string{
			"proc/self/cgroup":         "0::/\n",
			"sys/fs/cgroup/memory.max": "536870912\n",
		}, gib / 2, "cgroup"},
		{"nonsense", map[string]string{
			"proc/meminfo":             meminfo,
			"proc/self/cgroup":         "what\n::\n0::/../..\n",
			"sys/fs/cgroup/memory.max": "-7\n",
		}, 8 * gib, "machine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := fstest.MapFS{}
			for name, text := range tt.files {
				root[name] = &fstest.MapFile{Data: []byte(text)}
			}
			got, ok := machine.AvailableMemory(root)
			if !ok {
				got.Bytes = 0
			}
			if got.Bytes != tt.want || ok != (tt.want != 0) || !strings.Contains(got.Why, tt.why) {
				t.Errorf("got %d (%s), %v, want %d by the %s", got.Bytes, got.Why, ok, tt.want, tt.why)
			}
		})
	}
}

// What the machine of this test says is at least possible.
func TestHere(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("nothing is known elsewhere")
	}
	if m, ok := machine.AvailableMemory(os.DirFS("/")); !ok || m.Bytes < 1<<20 || m.Bytes > 1<<50 {
		t.Errorf("memory: %d, %v", m.Bytes, ok)
	}
	if n, ok := machine.FreeDisk(t.TempDir()); !ok || n <= 0 {
		t.Errorf("disk: %d, %v", n, ok)
	}
	if n, ok := machine.FreeDisk(t.TempDir() + "/none"); ok {
		t.Errorf("disk of a directory that is not there: %d", n)
	}
}

// OpenFiles is what the shell sets, seen from a process of its own.
func TestOpenFiles(t *testing.T) {
	if os.Getenv("WANT_OPEN_FILES") != "" {
		if n, ok := machine.OpenFiles(); !ok || n != 77 {
			t.Errorf("got %d, %v, want 77", n, ok)
		}
		return
	}
	if _, ok := machine.OpenFiles(); !ok {
		t.Skip("not known here")
	}
	cmd := exec.Command("sh", "-c", `ulimit -n 77 && exec "$0" -test.run '^TestOpenFiles$'`, os.Args[0])
	cmd.Env = append(os.Environ(), "WANT_OPEN_FILES=77")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func FuzzAvailableMemory(f *testing.F) {
	f.Add(meminfo, "0::/a/b\n", "1024")
	f.Add("MemAvailable: -1 kB", "1:memory:../..", "max")
	f.Add("MemAvailable:", "0:", "9223372036854771712")
	f.Fuzz(func(t *testing.T, info, groups, limit string) {
		file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
		root := fstest.MapFS{
			"proc/meminfo": file(info), "proc/self/cgroup": file(groups),
			"sys/fs/cgroup/memory.max": file(limit), "sys/fs/cgroup/memory/memory.limit_in_bytes": file(limit),
		}
		if m, ok := machine.AvailableMemory(root); m.Bytes < 0 || ok == (m.Bytes == math.MaxInt64) || ok != (m.Why != "") {
			t.Errorf("%+v, %v", m, ok)
		}
	})
}
