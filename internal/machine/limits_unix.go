//go:build linux || darwin

package machine

import (
	"math"
	"syscall"
)

// OpenFiles is how many files and connections this process may have open at one
// time. The runtime has raised the soft limit to the hard one by then.
func OpenFiles() (int64, bool) {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0, false
	}
	return clamp(limit.Cur, 1), true
}

// FreeDisk is how many bytes the user may still write to the file system of
// path, which is there.
func FreeDisk(path string) (int64, bool) {
	var stat syscall.Statfs_t
	if syscall.Statfs(path, &stat) != nil || stat.Bsize <= 0 {
		return 0, false
	}
	return clamp(stat.Bavail, uint64(stat.Bsize)), true
}

// clamp is n times size, or the largest number if that is larger.
func clamp(n, size uint64) int64 {
	if n > math.MaxInt64/size {
		return math.MaxInt64
	}
	return int64(n * size)
}
