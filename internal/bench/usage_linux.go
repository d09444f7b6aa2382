package main

import (
	"os"
	"syscall"
	"time"
)

// peakOf is the most memory that a process that has ended had in bytes. It is no
// less than what the parent ever had, whose memory a child has until it calls
// exec: so the parent had better be small.
func peakOf(s *os.ProcessState) int64 {
	return int64(s.SysUsage().(*syscall.Rusage).Maxrss) << 10
}

// cpuNow is the processors' time that this process has taken.
func cpuNow() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no reason that is not a mistake here
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
