//go:build !windows

package progress

import "os"

// draws reports whether a terminal knows the sequences that draw in place.
func draws(*os.File) bool { return true }
