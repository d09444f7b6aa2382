package cli

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/neurodata/ndpush/internal/machine"
	"github.com/neurodata/ndpush/internal/plan"
)

// A memoryLimit is the most memory that this process may take, in bytes.
type memoryLimit struct {
	bytes int64
	from  string // who says so
}

func (f *jobFlags) bindMemory() {
	f.value("max-mem", "size", "the most memory to take, like 8GiB: fewer bands, workers and smaller cuboids are chosen to keep to it (default the limit of the container or Slurm job)",
		parseBytes(&f.maxMem))
}

// spare is the part of a hard limit that is left for what is not ours to count,
// such as the kernel's buffers of connections: a process that reaches it is killed.
const spare = 0.1

// memoryLimit is what --max-mem says or, if it says nothing, the machine.
func (a *app) memoryLimit(f *jobFlags) memoryLimit {
	if f.maxMem > 0 {
		return memoryLimit{f.maxMem, "--max-mem"}
	}
	l := memoryLimit{bytes: math.MaxInt64}
	if n, ok := machine.MemoryLimit(os.DirFS("/")); ok {
		l = memoryLimit{n, "the limit of this container or job (its cgroup)"}
	}
	// In MiB, see the environment variables of sbatch.
	if n, err := strconv.ParseInt(a.Getenv("SLURM_MEM_PER_NODE"), 10, 40); err == nil && n > 0 && n<<20 < l.bytes {
		l = memoryLimit{n << 20, "SLURM_MEM_PER_NODE"}
	}
	if l.from != "" {
		l.bytes -= int64(spare * float64(l.bytes))
	}
	return l
}

// fit makes p keep to the memory that this process may take.
func (a *app) fit(p plan.Plan, f *jobFlags) (plan.Plan, error) {
	limit := a.memoryLimit(f)
	fitted, err := p.Within(limit.bytes)
	var short *plan.MemoryError
	if errors.As(err, &short) {
		return p, withHint(fmt.Errorf("%w, says %s", err, limit.from),
			"--max-mem %dMiB is the least; less of the width at a time, by --limit-x, takes less", (short.Least+1<<20-1)>>20)
	}
	return fitted, err
}

// limitMemory makes the garbage collector keep to the plan, or to less if the
// person says so by GOMEMLIMIT, until restore is called, which gives back what
// the plan took: a report comes after it.
func limitMemory(p plan.Plan) (restore func()) {
	before := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before, p.Memory().Heap()))
	return func() {
		debug.SetMemoryLimit(before)
		debug.FreeOSMemory()
	}
}

var bytesPattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?([KMGT]?)(i?B?)$`)

// parseBytes reads 8GiB, 8G (the same, as Slurm has it) or 8GB (of 1000³) into n.
func parseBytes(n *int64) func(string) error {
	return func(text string) error {
		m := bytesPattern.FindStringSubmatch(text)
		if m == nil {
			return errors.New("want a size like 8GiB or 512MiB")
		}
		f, err := strconv.ParseFloat(m[1], 64)
		step := 1024.0
		if m[3] == "B" {
			step = 1000
		}
		f *= math.Pow(step, float64(strings.Index(" KMGT", cmp.Or(m[2], " "))))
		if err != nil || f < 1 || f >= 1<<62 {
			return errors.New("want a size like 8GiB or 512MiB")
		}
		*n = int64(f)
		return nil
	}
}
