// Package machine says what this machine has to give: memory, open files, space
// on a disk.
//
// Each answer is a number and whether it is known. None is exact: other
// programs take of the same a moment later.
package machine

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// A Memory is how much a program may take, in bytes.
type Memory struct {
	Bytes int64
	// Why is what bounds it: "free on this machine" or "the limit of this
	// container or job (its cgroup)".
	Why string
}

// What bounds a Memory.
const (
	byMachine = "free on this machine"
	byCgroup  = "the limit of this container or job (its cgroup)"
)

// AvailableMemory is the smaller of what the kernel could give now without
// swapping and of the limits of the cgroups that this process is in; false if
// neither is known, as on systems other than Linux. root is the root of the
// file system, os.DirFS("/").
func AvailableMemory(root fs.FS) (Memory, bool) {
	m := Memory{Bytes: math.MaxInt64}
	if text, err := fs.ReadFile(root, "proc/meminfo"); err == nil {
		if n, ok := parseMeminfo(string(text)); ok {
			m = Memory{n, byMachine}
		}
	}
	if n := cgroupLimit(root); n < m.Bytes {
		m = Memory{n, byCgroup}
	}
	return m, m.Bytes != math.MaxInt64
}

// MemoryLimit is the smallest limit of memory of the cgroups that this process is
// in, in bytes, beyond which it is killed; false if there is none, or none known.
func MemoryLimit(root fs.FS) (int64, bool) {
	n := cgroupLimit(root)
	return n, n != math.MaxInt64
}

// parseMeminfo finds MemAvailable in the text of /proc/meminfo (proc_meminfo(5),
// since Linux 3.14), in bytes.
func parseMeminfo(text string) (int64, bool) {
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "MemAvailable:")
		if !ok {
			continue
		}
		words := strings.Fields(rest)
		if len(words) != 2 || words[1] != "kB" {
			return 0, false
		}
		n, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64>>10 {
			return 0, false
		}
		return n << 10, true
	}
	return 0, false
}

// cgroupLimit is the smallest limit of memory of the cgroups that this process is
// in, of version 2 and 1 (cgroups(7)); the largest number if there is none.
func cgroupLimit(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return least
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3) // number:controllers:path
		if len(fields) != 3 {
			continue
		}
		switch {
		case fields[1] == "":
			least = min(least, limitAlong(root, "sys/fs/cgroup", fields[2], "memory.max"))
		case hasWord(fields[1], "memory"):
			least = min(least, limitAlong(root, "sys/fs/cgroup/memory", fields[2], "memory.limit_in_bytes"))
		}
	}
	return least
}

// limitAlong is the smallest number that the files of that name hold in group, a
// path below base, and in the directories above it. Any bound the process; and
// in a container the path may be that of the host while only base is there.
func limitAlong(root fs.FS, base, group, name string) int64 {
	least := int64(math.MaxInt64)
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		text, err := fs.ReadFile(root, path.Join(base, group, name))
		if n, ok := parseLimit(string(text)); err == nil && ok {
			least = min(least, n)
		}
		if group == "/" {
			return least
		}
	}
}

// parseLimit reads a limit in bytes. The word max (version 2) and a number that
// is nearly the largest (version 1) are none.
func parseLimit(text string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < 0 || n >= math.MaxInt64&^0xffff {
		return 0, false
	}
	return n, true
}

// hasWord reports whether word is in a list with commas.
func hasWord(list, word string) bool {
	for w := range strings.SplitSeq(list, ",") {
		if w == word {
			return true
		}
	}
	return false
}
