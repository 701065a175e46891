package kernels

import "runtime"

// PeakFlops runs a loop of multiply-adds that stay in registers, n times on each thread, and returns how many floating
// point operations that were: the processor's own limit with the instruction set in use.
//
// A multiply-add waits four or five cycles for the one before and two begin in each, so ten independent sums keep a core busy.
// With AVX-512 there are 24. AVX2 and plain Go on amd64 have sixteen registers, which hold 14 sums beside their two factors,
// and 12 beside what the compiler needs.
func PeakFlops(n int) float64 {
	Parallel(workers.n, func(_, _ int) { micro.peak(n) })
	return float64(n) * float64(workers.n) * micro.peakFlops
}

// peakGo begins its sums with different numbers: the compiler would compute two alike once.
func peakGo(n int) {
	x, y := 1/Float(n+1), Float(n)
	a, b, c, d, e, f := y, y+1, y+2, y+3, y+4, y+5
	g, h, i, j, k, l := y+6, y+7, y+8, y+9, y+10, y+11
	for range n {
		a, b, c, d, e, f = a*x+y, b*x+y, c*x+y, d*x+y, e*x+y, f*x+y
		g, h, i, j, k, l = g*x+y, h*x+y, i*x+y, j*x+y, k*x+y, l*x+y
	}
	runtime.KeepAlive(a + b + c + d + e + f + g + h + i + j + k + l)
}
