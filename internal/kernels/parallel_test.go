package kernels

import (
	"sync/atomic"
	"testing"
	"time"
)

var threadCounts = []int{1, 2, 3, 8}

func TestParallelVisitsEveryUnitOnce(t *testing.T) {
	defer SetThreads(Threads())
	for _, threads := range threadCounts {
		SetThreads(threads)
		if Threads() != threads {
			t.Fatalf("SetThreads(%d): %d threads", threads, Threads())
		}
		for _, units := range []int{0, 1, 2, 7, 1000} {
			visits := make([]atomic.Int32, units)
			busy := make([]atomic.Bool, threads)
			var shared atomic.Int32
			Parallel(units, func(worker, unit int) {
				if busy[worker].Swap(true) {
					shared.Add(1)
				}
				visits[unit].Add(1)
				busy[worker].Store(false)
			})
			for unit := range visits {
				if n := visits[unit].Load(); n != 1 {
					t.Fatalf("%d threads, %d units: unit %d was visited %d times", threads, units, unit, n)
				}
			}
			if n := shared.Load(); n != 0 {
				t.Fatalf("%d threads, %d units: %d calls shared a worker", threads, units, n)
			}
		}
	}
}

// TestParallelPublishes has each run read what the one before wrote, without any lock of its own: run it under -race.
func TestParallelPublishes(t *testing.T) {
	defer SetThreads(Threads())
	for _, threads := range threadCounts {
		SetThreads(threads)
		a, b := make([]int, 64), make([]int, 64)
		for round := range 200 {
			Parallel(len(a), func(_, unit int) { b[unit] = a[len(a)-1-unit] + 1 })
			a, b = b, a
			if round%50 == 0 {
				time.Sleep(time.Millisecond) // so that helpers fall asleep
			}
		}
		for unit, v := range a {
			if v != 200 {
				t.Fatalf("%d threads: unit %d is %d after 200 rounds", threads, unit, v)
			}
		}
	}
}

// TestSetThreadsWhileHelpersSpin changes the number of threads right after and right before work.
func TestSetThreadsWhileHelpersSpin(t *testing.T) {
	defer SetThreads(Threads())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 2000 {
			SetThreads(threadCounts[i%len(threadCounts)])
			var visits atomic.Int32
			var outside atomic.Bool
			for range 2 {
				Parallel(16, func(worker, _ int) {
					visits.Add(1)
					if worker >= Threads() {
						outside.Store(true)
					}
				})
			}
			if visits.Load() != 32 || outside.Load() {
				t.Errorf("round %d, %d threads: %d visits, a worker out of range: %v", i, Threads(), visits.Load(), outside.Load())
				return
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("Parallel did not return")
	}
}

func TestParallelAllocatesNothing(t *testing.T) {
	defer SetThreads(Threads())
	var sum atomic.Int64
	f := func(_, unit int) { sum.Add(int64(unit)) }
	for _, threads := range threadCounts {
		SetThreads(threads)
		noAllocations(t, "Parallel", func() { Parallel(100, f) })
	}
}
