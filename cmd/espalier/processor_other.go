//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package main

import "time"

// processorTime is not known here.
func processorTime() time.Duration { return 0 }
