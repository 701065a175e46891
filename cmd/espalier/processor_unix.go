//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what all threads of this process have used together, in the system's name too; 0 if it is not known.
func processorTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
