package kernels

// vectorKernels is one instruction set's way through runs of memory: everything but convolutions and matrix products. The
// loops of vectorGo define what each kernel computes; the vector instruction sets may add terms of a sum in another (fixed)
// order and round a multiply-add once.
//
// A run of pixels is contiguous, c channels a pixel. Where a kernel takes mean, scale, shift (c) and low, it computes
// affine(v) = max(low, (v−mean)·scale + shift), with no maximum if low is NaN; a gradient passes where affine(v) > low or
// is NaN. Kernels check no lengths; dst may be one of the sources.
type vectorKernels struct {
	// affine: dst = affine(src).
	affine func(dst, src, mean, scale, shift []Float, low Float, pixels, c int)
	// addAffine: dst = max(0, affine(a) + b); addAffines: dst = max(0, affine(a) + affine(b)), b with coefficients of its own.
	addAffine  func(dst, a, mean, scale, shift []Float, low Float, b []Float, pixels, c int)
	addAffines func(dst, a, mean, scale, shift []Float, low Float, b, mean2, scale2, shift2 []Float, low2 Float, pixels, c int)
	// accumulate: dst += (src−mean)·scale + shift.
	accumulate func(dst, src, mean, scale, shift []Float, pixels, c int)
	// sum: dst[k] += Σ x[p·step+k] over pixels p; dst has c elements.
	sum func(dst []float64, x []Float, pixels, c, step int)
	// moments: dst[k] += Σ d, dst[c+k] += Σ d², d = x − shift.
	moments func(dst []float64, x, shift []Float, pixels, c int)
	// gradientSums: dst[k] += Σ p, dst[c+k] += Σ p·(x−mean), p = g where it passes, else 0.
	gradientSums func(dst []float64, x, g, mean, scale, shift []Float, low Float, pixels, c int)
	// gradient: dst = coef[k]·p + coef[c+k]·(x−mean) + coef[2c+k].
	gradient func(dst, x, g, mean, scale, shift []Float, low Float, coef []Float, pixels, c int)

	// The rest works on slices of len(dst) elements (or len(w), len(x)).

	addReLU      func(dst, a, b []Float)                       // dst = max(0, a+b)
	relu         func(dst, src []Float)                        // dst = max(0, src)
	reluGradient func(dst, y, g []Float)                       // dst = g where y > 0 or NaN, else 0
	add          func(dst, a, b []Float)                       // dst = a + b
	mul          func(dst, a, b []Float)                       // dst = a · b
	axpy         func(dst, x []Float, s Float)                 // dst += s·x
	scale        func(dst []Float, s Float)                    // dst *= s
	lerp         func(dst, x []Float, t Float)                 // dst += t·(x−dst)
	dot          func(x, y []Float) float64                    // Σ x·y
	finite       func(x []Float) bool                          // no element is NaN or Inf
	descend      func(w, g []Float, lr, decay Float)           // w -= lr·(g + decay·w)
	sgd          func(w, v, g []Float, lr, mom, decay Float)   // v = mom·v + (g + decay·w), w -= lr·v
	nesterov     func(w, v, g []Float, lr, mom, decay Float)   // the same v, w -= lr·(g + decay·w + mom·v)
	adam         func(w, m, v, g []Float, s *adamCoefficients) // see adamCoefficients

	// Pools: x holds one image, y its output; see poolRun.
	maxPool         func(y, x []Float, runs []poolRun, c int)
	averagePool     func(y, x []Float, runs []poolRun, c int)
	maxGradient     func(dx, x, g []Float, runs []poolRun, c int) // adds to dx
	averageGradient func(dx, g []Float, runs []poolRun, c int)    // adds to dx
	// finiteAlone says that maxPool and maxGradient are undefined where x is not finite.
	finiteAlone bool
}

// vector is the implementation in use.
var vector = &vectorGo

// poolRun is a run of output pixels of a pooling whose windows have the same taps. The output pixels follow each other from
// element y on; the window of the first begins at element x, that of the next step elements further. Taps are the elements
// of a window, relative to its begin, in row order. Row is the distance of rows in windows of 3×3 taps, 0 in others. Weight is
// 1/len(taps).
//
// The layout is known to the generator (gen/pool.go).
type poolRun struct {
	y, x, pixels, step, row int
	taps                    []int
	weight                  Float
}

// adamCoefficients are the numbers of a step of Adam:
//
//	g' = g + decay·w;  m = beta1·m + rest1·g';  v = beta2·v + rest2·g'²;  w = keep·w − rate·m/(√v·root + eps)
type adamCoefficients struct {
	decay, beta1, rest1, beta2, rest2, keep, rate, root, eps Float
}
