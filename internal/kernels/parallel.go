package kernels

import (
	"runtime"
	"sync/atomic"
)

// Parallel calls f(worker, unit) once for every unit in [0,units), on at most Threads() goroutines; worker, in
// [0,Threads()), is never used by two calls at once. It returns when all have returned. Units are handed out in
// increasing order, but which worker gets one is not fixed: f may use worker only to choose scratch memory.
func Parallel(units int, f func(worker, unit int)) { workers.run(units, f) }

// SetThreads sets the number of goroutines that operations use. It must not be called while one runs.
func SetThreads(n int) { workers.resize(max(1, n)) }

// Threads is the number of goroutines that operations use: at start, the cores that the process may use.
func Threads() int { return workers.n }

// spins bounds how long a worker without work looks for more before it sleeps: some tens of microseconds, which covers
// the gap between two operations of a training step. An idle program uses no processor time.
const spins = 4000

// team runs units on the calling goroutine and n-1 helpers.
type team struct {
	n       int
	spins   int // see spins; none where there are more goroutines than processors
	units   int64
	f       func(worker, unit int)
	next    atomic.Int64
	_       [64]byte
	epoch   atomic.Int64
	left    atomic.Int64 // helpers that have not finished the current epoch
	helpers []*helper
}

type helper struct {
	asleep atomic.Bool
	wake   chan struct{}
	stop   atomic.Bool
	gone   chan struct{} // closed when it has stopped
}

var workers = newTeam(runtime.GOMAXPROCS(0))

func newTeam(n int) *team {
	t := &team{n: 1}
	t.resize(n)
	return t
}

func (t *team) resize(n int) {
	for _, h := range t.helpers {
		h.stop.Store(true)
		if h.asleep.CompareAndSwap(true, false) {
			h.wake <- struct{}{}
		}
		<-h.gone // one that ran on would take part in the next epoch, uncounted
	}
	t.n, t.helpers, t.spins = n, nil, spins
	if n > runtime.GOMAXPROCS(0) {
		t.spins = 0
	}
	for i := 1; i < n; i++ {
		h := &helper{wake: make(chan struct{}, 1), gone: make(chan struct{})}
		t.helpers = append(t.helpers, h)
		go t.help(h, i, t.epoch.Load())
	}
	growScratch(n)
}

func (t *team) help(h *helper, worker int, seen int64) {
	defer close(h.gone)
	for {
		for s := 0; t.epoch.Load() == seen; s++ {
			if h.stop.Load() {
				return
			}
			if s < t.spins {
				if s&63 == 63 {
					runtime.Gosched()
				}
				continue
			}
			h.asleep.Store(true)
			if t.epoch.Load() == seen && !h.stop.Load() || !h.asleep.CompareAndSwap(true, false) {
				<-h.wake
			}
			s = 0
		}
		seen = t.epoch.Load()
		t.drain(worker)
		t.left.Add(-1)
	}
}

func (t *team) drain(worker int) {
	for {
		i := t.next.Add(1) - 1
		if i >= t.units {
			return
		}
		t.f(worker, int(i))
	}
}

func (t *team) run(units int, f func(worker, unit int)) {
	if t.n == 1 || units <= 1 {
		for i := range units {
			f(0, i)
		}
		return
	}
	t.units, t.f = int64(units), f
	t.next.Store(0)
	t.left.Store(int64(len(t.helpers)))
	t.epoch.Add(1)
	for _, h := range t.helpers {
		if h.asleep.CompareAndSwap(true, false) {
			h.wake <- struct{}{}
		}
	}
	t.drain(0)
	for k := 0; t.left.Load() != 0; k++ {
		if t.spins == 0 || k&255 == 255 {
			runtime.Gosched()
		}
	}
}
