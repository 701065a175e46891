package kernels

import (
	"runtime"
	"sync/atomic"
)

// Parallel calls f(worker, unit) once for every unit in [0,units), on at most Threads() goroutines; worker, in
// [0,Threads()), is never used by two calls at once. It returns when all have returned. Each worker begins with a stretch of
// units of its own, the same in every call with as many, so that what it wrote lately may still be in its cache, and goes on
// with what is left of the others'. Which worker gets a unit is not fixed: f may use worker only to choose scratch memory.
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
	f       func(worker, unit int)
	ranges  []span
	epoch   atomic.Int64
	left    atomic.Int64 // helpers that have not finished the current epoch
	helpers []*helper
}

// span is a worker's share of the units: those from next on, up to end, are not yet taken.
type span struct {
	next atomic.Int64
	end  int64
	_    [112]byte // no two share a line, or two neighbouring ones
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
	t.n, t.helpers, t.spins, t.ranges = n, nil, spins, make([]span, n)
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

// drain runs the worker's own share and then what is left of the others'.
func (t *team) drain(worker int) {
	for k := range t.ranges {
		r := &t.ranges[(worker+k)%len(t.ranges)]
		for {
			i := r.next.Add(1) - 1
			if i >= r.end {
				break
			}
			t.f(worker, int(i))
		}
	}
}

func (t *team) run(units int, f func(worker, unit int)) {
	if t.n == 1 || units <= 1 {
		for i := range units {
			f(0, i)
		}
		return
	}
	t.f = f
	for i := range t.ranges {
		t.ranges[i].next.Store(int64(i * units / t.n))
		t.ranges[i].end = int64((i + 1) * units / t.n)
	}
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
