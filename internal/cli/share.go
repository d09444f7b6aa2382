package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/neurodata/ndpush/internal/job"
	"github.com/neurodata/ndpush/internal/plan"
)

// A share is one of n equal parts of the slices, counted from 1. The zero share is all.
type share struct{ k, n int }

// indices are the variables by which engines tell the members of an array apart,
// and the number of the first.
var indices = []struct {
	name  string
	first int
}{
	{"SLURM_ARRAY_TASK_ID", 0},
	{"LSB_JOBINDEX", 1}, // 0 outside of an array
	{"SGE_TASK_ID", 1},  // "undefined" outside of an array
	{"PBS_ARRAY_INDEX", 0},
	{"AWS_BATCH_JOB_ARRAY_INDEX", 0},
	{"JOB_COMPLETION_INDEX", 0}, // Kubernetes
}

func (f *jobFlags) bindShares() {
	f.text(&f.shard, "shard", "", "do only share K/N of the slices, K from 1 to N")
	f.integer(&f.shards, "shards", 1, "do only one of N shares of the slices; which, says the array index of Slurm, LSF, SGE, PBS, AWS Batch or Kubernetes")
}

// share is the one that the flags and the engine name.
func (f *jobFlags) share(getenv func(string) string) (share, error) {
	if f.shard == "" && f.shards == 0 {
		return share{}, nil
	}
	if f.shard == "" && f.shards == 1 {
		return share{1, 1}, nil
	}
	if f.shard == "" {
		return engineShare(f.shards, getenv)
	}
	k, n, ok := strings.Cut(f.shard, "/")
	s := share{k: atoi(k), n: atoi(n)}
	switch {
	case !ok || s.n < 1 || s.k < 1 || s.k > s.n:
		return s, fmt.Errorf("--shard %q: want K/N like 1/4, with K from 1 to N", f.shard)
	case f.shards != 0 && f.shards != s.n:
		return s, fmt.Errorf("--shard %s and --shards %d do not agree", f.shard, f.shards)
	}
	return s, nil
}

// engineShare is the one of n that the engine gave this process.
func engineShare(n int, getenv func(string) string) (s share, err error) {
	var found []string
	for _, index := range indices {
		text := getenv(index.name)
		i, err := strconv.Atoi(text)
		if err != nil || i < index.first && index.first > 0 {
			continue // not set, or not in an array
		}
		s = share{i - index.first + 1, n}
		if s.k < 1 || s.k > n {
			return s, fmt.Errorf("%s is %d, and of --shards %d the array's indices are %d to %d", index.name, i, n, index.first, index.first+n-1)
		}
		found = append(found, index.name)
	}
	switch len(found) {
	case 0:
		return s, fmt.Errorf("--shards %d: no engine says which share this is (SLURM_ARRAY_TASK_ID and its like are not set): give --shard K/%d", n, n)
	case 1:
		return s, nil
	}
	return s, fmt.Errorf("--shards %d: both %s and %s say which share this is: give --shard K/%d", n, found[0], found[1], n)
}

func atoi(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}

// of gives jobs with the slices of the share only; none, if it has none. The
// same slices have the same share everywhere: see [plan.Split].
func (s share) of(jobs []*job.Job) ([]*job.Job, error) {
	if s.n == 0 {
		return jobs, nil
	}
	var shared []*job.Job
	for _, j := range jobs {
		shares := plan.Split(j.Data().Z(), s.n)
		if s.k > len(shares) {
			return nil, nil
		}
		spec := j.Spec
		spec.ZRange = j.ToSource(j.Data().WithZ(shares[s.k-1])).Z()
		one, err := job.New(spec)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("share %v", s), err)
		}
		shared = append(shared, one)
	}
	return shared, nil
}

func (s share) String() string { return fmt.Sprintf("%d of %d", s.k, s.n) }

// part names the share in a file's name, "2of4"; "" for all.
func (s share) part() string {
	if s.n < 2 {
		return ""
	}
	return fmt.Sprintf("%dof%d", s.k, s.n)
}
