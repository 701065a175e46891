package kernels

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// Every unit runs once, no worker is in two units at a time, whatever the number of threads and however often it changes.
func TestParallelUnits(t *testing.T) {
	defer SetThreads(Threads())
	for _, threads := range []int{1, 2, 3, 8, 2, 5} {
		SetThreads(threads)
		for _, units := range []int{0, 1, 2, 7, 64, 1000} {
			for range 20 {
				done := make([]atomic.Int32, units)
				busy := make([]atomic.Int32, threads)
				Parallel(units, func(worker, unit int) {
					if busy[worker].Add(1) != 1 {
						t.Errorf("worker %d is in two units", worker)
					}
					done[unit].Add(1)
					busy[worker].Add(-1)
				})
				for i := range done {
					if n := done[i].Load(); n != 1 {
						t.Fatalf("%d threads: unit %d of %d ran %d times", threads, i, units, n)
					}
				}
			}
		}
	}
}

// What a unit writes is seen by the caller afterwards, and what the caller wrote before by the units.
func TestParallelOrder(t *testing.T) {
	defer SetThreads(Threads())
	SetThreads(3)
	x := make([]int, 100)
	for round := range 200 {
		want := round
		Parallel(len(x), func(_, unit int) {
			if x[unit] != want {
				t.Errorf("unit %d sees %d, want %d", unit, x[unit], want)
			}
			x[unit]++
		})
	}
}

func TestParallelIdleWorkersSleep(t *testing.T) {
	defer SetThreads(Threads())
	SetThreads(4)
	Parallel(100, func(_, _ int) { runtime.Gosched() })
	time.Sleep(20 * time.Millisecond)
	before, ok := processTime()
	if !ok {
		t.Skip("the system does not tell the time that a process used")
	}
	const pause = 300 * time.Millisecond
	time.Sleep(pause)
	after, _ := processTime()
	if used := after - before; used > pause/3 {
		t.Errorf("%v of processor time in %v without work", used, pause)
	}
}

func TestSetThreadsWhileWorkersSpin(t *testing.T) {
	defer SetThreads(Threads())
	var n atomic.Int64
	for i := range 500 {
		SetThreads(1 + i%4)
		Parallel(8, func(_, _ int) { n.Add(1) })
	}
	if n.Load() != 500*8 {
		t.Errorf("%d units ran, want %d", n.Load(), 500*8)
	}
}

func BenchmarkParallel(b *testing.B) {
	for range b.N {
		Parallel(64, func(_, _ int) {})
	}
}
