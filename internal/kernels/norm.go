package kernels

import (
	"fmt"
	"math"
	"slices"
)

// Affine is what a batch norm does to a value once its statistics are known, f(v) = (v−Mean)·Scale + Shift per channel,
// with max(0,·) after it if ReLU is set. A nil Mean means the identity, so that &Affine{ReLU: true} is a plain ReLU. NaN
// passes.
type Affine struct {
	Mean, Scale, Shift []Float // (C)
	ReLU               bool
}

// unbounded is the lower bound that bounds nothing.
var unbounded = Float(math.NaN())

// low is the lower bound of f.
func (a *Affine) low() Float {
	if a.ReLU {
		return 0
	}
	return unbounded
}

// rows writes dst = f(src) for a contiguous run of pixels of c channels; dst may be src.
func (a *Affine) rows(dst, src []Float, pixels, c int) {
	n := pixels * c
	dst, src = dst[:n], src[:n]
	switch {
	case n == 0:
	case a.Mean != nil:
		vector.affine(dst, src, a.Mean[:c], a.Scale[:c], a.Shift[:c], a.low(), pixels, c)
	case a.ReLU:
		vector.relu(dst, src)
	default:
		copy(dst, src)
	}
}

// Norm is batch norm over the N·HW positions of an (N,HW,C) tensor, with an optional ReLU after it.
//
// Training, forward: Gather (or a convolution that gathers as it writes) finds Mean and Var, Train makes Affine of them, and
// Apply (or the operation that reads the tensor next, through Affine) normalises. Backward: Sums (or a fused operation)
// gathers Σg and Σg·(x−mean) over the positions that the ReLU let through, Gradients turns them into dγ, dβ and the
// coefficients of dx, and Backward (or a fused operation) applies those.
//
// Evaluation: Fold makes Affine of the running statistics; Gradients then treats mean and variance as constants.
type Norm struct {
	N, HW, C  int
	Affine    Affine    // (C) each; Affine.ReLU is fixed by NewNorm
	Mean, Var []float64 // (C), the statistics of the last Gather; Var is the biased variance, Σ(x−mean)²/(N·HW)

	constant bool      // Affine comes from Fold
	inv      []float64 // (C), 1/√(var+eps) of Affine
	rounding []float64 // (C), Affine.Mean minus the mean that it stands for
	part     []float64 // (N,2,C): an image's mean and variance; backward, its Σg and Σg·(x−Affine.Mean)
	shift    []Float   // (N,C): a guess at an image's mean
	sums     []float64 // (2,C): part summed over the images
	coef     []Float   // (3,C): dx = coef₀·g⊙m + coef₁·(x−Affine.Mean) + coef₂

	perUnit                                       int     // pixels of one unit of Apply and Backward
	x, y, g                                       []Float // the operands of the running call
	gatherUnit, sumsUnit, applyUnit, backwardUnit func(worker, unit int)
	mergeUnit, mergeSumsUnit                      func(worker, unit int)
}

// unitElements is about how many elements one unit of an element-wise operation takes.
const unitElements = 16384

// NewNorm plans batch norm over an (N,HW,C) tensor; relu puts max(0,·) after it.
func NewNorm(n, hw, c int, relu bool) *Norm {
	checkSizes("batch norm", n, hw, c)
	m := &Norm{
		N: n, HW: hw, C: c,
		Affine:   Affine{Mean: Alloc(c), Scale: Alloc(c), Shift: Alloc(c), ReLU: relu},
		Mean:     make([]float64, c),
		Var:      make([]float64, c),
		inv:      make([]float64, c),
		rounding: make([]float64, c),
		part:     make([]float64, n*2*c),
		shift:    Alloc(n * c),
		sums:     make([]float64, 2*c),
		coef:     Alloc(3 * c),
		perUnit:  max(1, unitElements/c),
	}
	m.gatherUnit = func(_, n int) { m.gatherImage(n, m.image(m.x, n)) }
	m.sumsUnit = func(_, n int) { m.sumsImage(n, m.image(m.x, n), m.image(m.g, n)) }
	m.applyUnit, m.backwardUnit = m.applyPixels, m.backwardPixels
	m.mergeUnit, m.mergeSumsUnit = m.mergeBlock, m.mergeSumsBlock
	return m
}

func (m *Norm) len() int                       { return m.N * m.HW * m.C }
func (m *Norm) image(x []Float, n int) []Float { return x[n*m.HW*m.C:][:m.HW*m.C] }

// Gather computes Mean and Var of x (N,HW,C): per image in two passes, the images merged in order in float64 (Chan, Golub
// and LeVeque, 1979).
func (m *Norm) Gather(x []Float) {
	check("batch norm: x", len(x), m.len())
	m.x = x
	Parallel(m.N, m.gatherUnit)
	m.x = nil
	m.merge()
}

// sampling is the distance of the pixels from which gatherImage guesses an image's mean. The mean of one value in k is
// never further than √(k−1) standard deviations from the mean of all, so that subtracting it first leaves the sum of
// squares at most k times what it need be: it costs three bits of the float32 sums.
const sampling = 8

// block is the number of pixels that kernels sum in float32 before they add to float64.
const block = 1024

// gatherImage finds the mean and the variance of image n, y (HW,C).
func (m *Norm) gatherImage(n int, y []Float) {
	c := m.C
	part, shift := m.part[n*2*c:][:2*c], m.shift[n*c:][:c]
	sums, squares := part[:len(shift)], part[len(shift):][:len(shift)]
	clear(sums)
	samples := ceilDiv(m.HW, sampling)
	vector.sum(sums, y, samples, c, sampling*c)
	share := 1 / float64(samples)
	for k, s := range sums {
		shift[k] = Float(s * share)
	}
	clear(part)
	for p := 0; p < m.HW; p += block {
		vector.moments(part, y[p*c:], shift, min(block, m.HW-p), c)
	}
	share = 1 / float64(m.HW)
	for k, s := range shift {
		d := sums[k] * share
		sums[k] = float64(s) + d
		squares[k] = max(0, squares[k]*share-d*d)
	}
}

// mergeChannels is the number of channels of one unit of merge and mergeSums.
const mergeChannels = 32

// merge combines the images, all of HW pixels: the mean is that of their means, the variance the mean of theirs and of
// their means' squared distances.
func (m *Norm) merge() { Parallel(ceilDiv(m.C, mergeChannels), m.mergeUnit) }

func (m *Norm) mergeBlock(_, unit int) {
	from := unit * mergeChannels
	mean, variance := m.Mean[from:min(from+mergeChannels, m.C)], m.Var[from:min(from+mergeChannels, m.C)]
	clear(mean)
	clear(variance)
	images := float64(m.N)
	for n := range m.N {
		for k, v := range m.part[n*2*m.C+from:][:len(mean)] {
			mean[k] += v
		}
	}
	for k := range mean {
		mean[k] /= images
	}
	for n := range m.N {
		means, variances := m.part[n*2*m.C+from:][:len(mean)], m.part[(n*2+1)*m.C+from:][:len(mean)]
		for k, v := range means {
			d := v - mean[k]
			variance[k] += variances[k] + d*d
		}
	}
	for k := range variance {
		variance[k] /= images
	}
}

// Train makes Affine from the gathered statistics: Scale = gamma/√(Var+eps), Shift = beta (less what rounding Mean
// changed). nil gamma means ones, nil beta zeros (batch norm without affine parameters).
func (m *Norm) Train(gamma, beta []Float, eps float64) {
	m.constant = false
	for k, mean := range m.Mean {
		m.set(k, mean, m.Var[k], gamma, beta, eps)
	}
}

// Fold makes Affine from given statistics, those of evaluation: mean (C) and variance (C).
func (m *Norm) Fold(gamma, beta, mean, variance []Float, eps float64) {
	check("batch norm: mean", len(mean), m.C)
	check("batch norm: variance", len(variance), m.C)
	m.constant = true
	for k := range m.C {
		m.set(k, float64(mean[k]), float64(variance[k]), gamma, beta, eps)
	}
}

func (m *Norm) set(k int, mean, variance float64, gamma, beta []Float, eps float64) {
	g, b := 1.0, 0.0
	if gamma != nil {
		g = float64(gamma[k])
	}
	if beta != nil {
		b = float64(beta[k])
	}
	m.inv[k] = 1 / math.Sqrt(variance+eps)
	m.Affine.Mean[k] = Float(mean)
	m.rounding[k] = float64(m.Affine.Mean[k]) - mean
	m.Affine.Scale[k] = Float(g * m.inv[k])
	m.Affine.Shift[k] = Float(b + m.rounding[k]*g*m.inv[k])
}

// Apply writes y = Affine(x), both (N,HW,C). y may be x.
func (m *Norm) Apply(y, x []Float) {
	check("batch norm: x", len(x), m.len())
	check("batch norm: y", len(y), m.len())
	m.y, m.x = y, x
	Parallel(ceilDiv(m.N*m.HW, m.perUnit), m.applyUnit)
	m.y, m.x = nil, nil
}

func (m *Norm) applyPixels(_, unit int) {
	from, pixels := m.pixels(unit)
	m.Affine.rows(m.y[from*m.C:], m.x[from*m.C:], pixels, m.C)
}

// pixels is the range of a unit of Apply and Backward.
func (m *Norm) pixels(unit int) (from, n int) {
	from = unit * m.perUnit
	return from, min(m.perUnit, m.N*m.HW-from)
}

// Sums gathers what Gradients needs from x, the input of the forward pass, and g, the gradient at the output.
func (m *Norm) Sums(x, g []Float) {
	check("batch norm: x", len(x), m.len())
	check("batch norm: g", len(g), m.len())
	m.x, m.g = x, g
	Parallel(m.N, m.sumsUnit)
	m.x, m.g = nil, nil
	m.mergeSums()
}

// sumsImage finds Σg and Σg·(x−Affine.Mean) of image n, x and g (HW,C), where the ReLU let through.
func (m *Norm) sumsImage(n int, x, g []Float) {
	c, a := m.C, &m.Affine
	part := m.part[n*2*c:][:2*c]
	clear(part)
	for p := 0; p < m.HW; p += block {
		vector.gradientSums(part, x[p*c:], g[p*c:], a.Mean, a.Scale, a.Shift, a.low(), min(block, m.HW-p), c)
	}
}

// mergeSums adds up the images.
func (m *Norm) mergeSums() { Parallel(ceilDiv(2*m.C, mergeChannels), m.mergeSumsUnit) }

func (m *Norm) mergeSumsBlock(_, unit int) {
	from := unit * mergeChannels
	sums := m.sums[from:min(from+mergeChannels, 2*m.C)]
	clear(sums)
	for n := range m.N {
		for k, v := range m.part[n*2*m.C+from:][:len(sums)] {
			sums[k] += v
		}
	}
}

// Gradients writes dgamma and dbeta (C), either of which may be nil, and prepares Backward. gamma is that of Train.
func (m *Norm) Gradients(dgamma, dbeta, gamma []Float) {
	c, count := m.C, float64(m.N*m.HW)
	for k := range c {
		g := 1.0
		if gamma != nil {
			g = float64(gamma[k])
		}
		sum := m.sums[k]
		dot := (m.sums[c+k] + m.rounding[k]*sum) * m.inv[k] // Σ g·x̂
		if dgamma != nil {
			dgamma[k] = Float(dot)
		}
		if dbeta != nil {
			dbeta[k] = Float(sum)
		}
		s := g * m.inv[k]
		var slope, offset float64
		if !m.constant {
			slope = -s * m.inv[k] * dot / count
			offset = -s*sum/count + slope*m.rounding[k]
		}
		m.coef[k], m.coef[c+k], m.coef[2*c+k] = Float(s), Float(slope), Float(offset)
	}
}

// Backward writes the gradient dx at the input, from x and g as in Sums. dx may be g.
func (m *Norm) Backward(dx, x, g []Float) {
	check("batch norm: x", len(x), m.len())
	check("batch norm: g", len(g), m.len())
	check("batch norm: dx", len(dx), m.len())
	m.y, m.x, m.g = dx, x, g
	Parallel(ceilDiv(m.N*m.HW, m.perUnit), m.backwardUnit)
	m.y, m.x, m.g = nil, nil, nil
}

func (m *Norm) backwardPixels(_, unit int) {
	from, pixels := m.pixels(unit)
	m.gradRows(m.y[from*m.C:], m.x[from*m.C:], m.g[from*m.C:], pixels)
}

// gradRows writes the gradient at a contiguous run of pixels of the input.
func (m *Norm) gradRows(dst, x, g []Float, pixels int) {
	if pixels == 0 {
		return
	}
	n, a := pixels*m.C, &m.Affine
	vector.gradient(dst[:n], x[:n], g[:n], a.Mean, a.Scale, a.Shift, a.low(), m.coef, pixels, m.C)
}

func checkSizes(what string, sizes ...int) {
	for _, s := range sizes {
		if s < 1 {
			panic(fmt.Sprintf("kernels: %s: sizes %v must be at least 1", what, slices.Clone(sizes))) // a clone, lest every call allocate
		}
	}
}
