package kernels

import "sync/atomic"

// flatJob is the running element-wise operation. Those have no plan, and a closure a call would allocate; one at a time
// runs, as Parallel demands.
type flatJob struct {
	flatOperands
	op    func(j *flatJob, from, to, unit int)
	size  int          // elements of a unit
	sums  []float64    // a unit's sum
	first atomic.Int64 // of FirstNotFinite
	unit  func(worker, unit int)
}

// flatOperands are set by each operation and cleared after it, so that no tensor is kept alive.
type flatOperands struct {
	y, a, b, c, ax, bx []Float
	za, zb             *Norm
	s, t, u            Float
	n                  int
	adamStep           adamCoefficients
}

var flatCall = newFlatJob()

func newFlatJob() *flatJob {
	j := new(flatJob)
	j.unit = func(_, unit int) {
		from := unit * j.size
		j.op(j, from, min(from+j.size, j.n), unit)
	}
	return j
}

// run calls op for n elements, size of them at a time.
func (j *flatJob) run(op func(j *flatJob, from, to, unit int), n, size int) {
	j.op, j.n, j.size = op, n, size
	Parallel(ceilDiv(n, size), j.unit)
	j.flatOperands = flatOperands{}
}

func (j *flatJob) needSums(n int) {
	if len(j.sums) < n {
		j.sums = make([]float64, n)
	}
}
