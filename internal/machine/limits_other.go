//go:build !linux && !darwin

package machine

// OpenFiles is not known here.
func OpenFiles() (int64, bool) { return 0, false }

// FreeDisk is not known here.
func FreeDisk(string) (int64, bool) { return 0, false }
