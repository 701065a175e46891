package kernels

import (
	"syscall"
	"testing"
	"time"
)

// TestIdleWorkersSleep measures the processor time of the whole process while nothing is to do.
func TestIdleWorkersSleep(t *testing.T) {
	defer SetThreads(Threads())
	for _, threads := range threadCounts {
		SetThreads(threads)
		for range 100 {
			Parallel(64, func(_, _ int) {})
		}
		time.Sleep(20 * time.Millisecond) // longer than helpers spin
		before := processorTime(t)
		time.Sleep(200 * time.Millisecond)
		if used := processorTime(t) - before; used > 100*time.Millisecond {
			t.Errorf("%d threads used %v of processor time in 200ms of idleness", threads, used)
		}
	}
}

func processorTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
