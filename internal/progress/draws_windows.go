package progress

import (
	"os"
	"syscall"
)

// virtualTerminal is ENABLE_VIRTUAL_TERMINAL_PROCESSING of a console's mode.
// https://learn.microsoft.com/windows/console/setconsolemode
const virtualTerminal = 0x4

// draws reports whether a console knows the sequences that draw in place, and
// tells it that they come: that of Windows 10 and later does, when it is asked.
func draws(f *os.File) bool {
	console := syscall.Handle(f.Fd())
	var mode uint32
	if err := syscall.GetConsoleMode(console, &mode); err != nil {
		return false
	}
	set := syscall.NewLazyDLL("kernel32.dll").NewProc("SetConsoleMode")
	ok, _, _ := set.Call(uintptr(console), uintptr(mode|virtualTerminal))
	return ok != 0
}
