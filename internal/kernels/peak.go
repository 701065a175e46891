package kernels

import "runtime"

// PeakFlops runs a loop of multiply-adds that stay in registers, n times on each thread, and returns how many floating
// point operations that were: the processor's own limit with the instruction set in use.
func PeakFlops(n int) float64 {
	Parallel(workers.n, func(_, _ int) { micro.peak(n) })
	return float64(n) * float64(workers.n) * micro.peakFlops
}

// peakGo keeps eight sums, which is what a compiler holds in registers.
func peakGo(n int) {
	var a, b, c, d, e, f, g, h Float
	x := Float(n)
	for range n {
		a, b, c, d = a+x*x, b+x*x, c+x*x, d+x*x
		e, f, g, h = e+x*x, f+x*x, g+x*x, h+x*x
	}
	runtime.KeepAlive(a + b + c + d + e + f + g + h)
}
