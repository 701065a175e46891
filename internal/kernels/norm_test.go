package kernels

import (
	"fmt"
	"math"
	"testing"
	"unsafe"
)

// normCase is a batch norm and its truth in float64.
type normCase struct {
	*harness
	m                  *Norm
	x, g, gamma, beta  []Float
	mean, variance     []float64 // of training, or given
	inv, scale, offset []float64 // offset is beta
}

const normEps = 1e-5

// newNormCase makes an (n,hw,c) tensor of the given mean, in standard deviations, and trains or folds the norm. Gradients
// where the ReLU is about to close are 0, so that rounding cannot decide what passes.
func newNormCase(t testing.TB, p place, n, hw, c int, relu, constant bool, ratio Float) *normCase {
	q := &normCase{harness: newHarness(t, p, uint64(c)), m: NewNorm(n, hw, c, relu)}
	q.x, q.g = q.normal("x", n*hw*c), q.normal("g", n*hw*c)
	q.gamma, q.beta = q.normal("gamma", c), q.normal("beta", c)
	for i := range q.x {
		q.x[i] = 2 * (q.x[i] + ratio)
	}
	q.mean, q.variance = make([]float64, c), make([]float64, c)
	if constant {
		mean, variance := q.normal("mean", c), q.normal("variance", c)
		for k := range mean {
			mean[k] = 2 * (ratio + mean[k]/8)
			variance[k] = 4 + variance[k]/8
		}
		q.m.Fold(q.gamma, q.beta, mean, variance, normEps)
		q.mean, q.variance = widen(mean), widen(variance)
	} else {
		q.m.Gather(q.x)
		q.m.Train(q.gamma, q.beta, normEps)
		twinMoments(q.mean, q.variance, widen(q.x), c)
	}
	q.offset = widen(q.beta)
	for k, v := range q.variance {
		q.inv = append(q.inv, 1/math.Sqrt(v+normEps))
		q.scale = append(q.scale, float64(q.gamma[k])*q.inv[k])
	}
	for i, v := range q.forward(false) {
		if math.Abs(v) < 1e-3 {
			q.g[i] = 0
		}
	}
	return q
}

// forward is the truth about Apply.
func (q *normCase) forward(relu bool) []float64 {
	y := make([]float64, len(q.x))
	twinAffine(y, widen(q.x), q.mean, q.scale, q.offset, relu)
	return y
}

// forwardTerms is |x−mean|·|scale| + |beta| + 1.
func (q *normCase) forwardTerms() []float64 {
	terms := make([]float64, len(q.x))
	for i, v := range q.x {
		k := i % q.m.C
		terms[i] = math.Abs((float64(v)-q.mean[k])*q.scale[k]) + math.Abs(q.offset[k]) + 1
	}
	return terms
}

// backward is the truth about dgamma, dbeta and dx for the gradient g, with the sums of the absolute values of their terms.
func (q *normCase) backward(g []Float, relu, constant bool) (dgamma, dbeta, dx, gammaTerms, betaTerms, dxTerms []float64) {
	c := q.m.C
	sums, terms := make([]float64, 2*c), make([]float64, 2*c)
	x, wide := widen(q.x), widen(g)
	twinNormSums(sums, x, wide, q.mean, q.scale, q.offset, relu)
	dx, dxTerms = make([]float64, len(x)), make([]float64, len(x))
	twinNormBackward(dx, x, wide, sums, q.mean, q.scale, q.offset, q.inv, relu, constant)
	for i, v := range x {
		k := i % c
		terms[k] += math.Abs(wide[i])
		terms[c+k] += math.Abs(wide[i] * (v - q.mean[k]) * q.inv[k])
	}
	for k := range c {
		dgamma, dbeta = append(dgamma, sums[c+k]*q.inv[k]), append(dbeta, sums[k])
	}
	pixels := float64(len(x) / c)
	for i, v := range x {
		k := i % c
		dxTerms[i] = math.Abs(q.scale[k]) * (math.Abs(wide[i]) + terms[k]/pixels + math.Abs(v-q.mean[k])*q.inv[k]*terms[c+k]/pixels)
	}
	return dgamma, dbeta, dx, terms[c:], terms[:c], dxTerms
}

func TestNorm(t *testing.T) {
	const n = 3
	eachISA(t, func(t *testing.T) {
		for _, c := range channelCounts {
			for i, p := range places {
				for _, hw := range []int{1, 5, 35} {
					for variant := range 4 {
						relu, constant := variant&1 != 0, variant&2 != 0
						q := newNormCase(t, p, n, hw, c, relu, constant, 0.5)
						what := func(s string) string { return fmt.Sprintf("%s (C=%d, HW=%d, variant %d)", s, c, hw, variant) }
						if !constant {
							q.close(what("mean"), narrow(q.m.Mean), q.mean, fill(c, 3), 2)
							q.close(what("variance"), narrow(q.m.Var), q.variance, nil, 32)
						}
						y := q.out("y", len(q.x))
						if i%2 == 1 {
							y = q.copy("y", q.x)
							q.m.Apply(y, y)
						} else {
							q.m.Apply(y, q.x)
						}
						q.close(what("y"), y, q.forward(relu), q.forwardTerms(), 8)

						dgamma, dbeta, dx, gammaTerms, betaTerms, dxTerms := q.backward(q.g, relu, constant)
						gotGamma, gotBeta, gotX := q.out("dgamma", c), q.out("dbeta", c), q.out("dx", len(q.x))
						q.m.Sums(q.x, q.g)
						q.m.Gradients(gotGamma, gotBeta, q.gamma)
						if i%2 == 1 {
							gotX = q.copy("dx", q.g)
							q.m.Backward(gotX, q.x, gotX)
						} else {
							q.m.Backward(gotX, q.x, q.g)
						}
						q.close(what("dgamma"), gotGamma, dgamma, gammaTerms, 8)
						q.close(what("dbeta"), gotBeta, dbeta, betaTerms, 8)
						q.close(what("dx"), gotX, dx, dxTerms, 32)
						q.done()
					}
				}
			}
		}
	})
}

// TestNormLargeImage crosses the pixels that are summed in float32 before float64.
func TestNormLargeImage(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		q := newNormCase(t, 1, 2, 2*block+77, 17, true, false, 3)
		q.close("mean", narrow(q.m.Mean), q.mean, fill(17, 10), 2)
		q.close("variance", narrow(q.m.Var), q.variance, nil, 8)
		dgamma, dbeta, _, gammaTerms, betaTerms, _ := q.backward(q.g, true, false)
		gotGamma, gotBeta := q.out("dgamma", 17), q.out("dbeta", 17)
		q.m.Sums(q.x, q.g)
		q.m.Gradients(gotGamma, gotBeta, q.gamma)
		q.close("dgamma", gotGamma, dgamma, gammaTerms, 8)
		q.close("dbeta", gotBeta, dbeta, betaTerms, 8)
		q.done()
	})
}

// TestNormFarMean has |mean| = 1000 standard deviations: folding the mean into an offset, v·s + (b − mean·s), would lose
// about 1000 roundings, as would a one-pass variance; the bounds allow 8 and 64.
func TestNormFarMean(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, constant := range []bool{false, true} {
			q := newNormCase(t, 1, 4, 300, 19, false, constant, 1000)
			if !constant {
				q.close("mean", narrow(q.m.Mean), q.mean, nil, 1)
				q.close("variance", narrow(q.m.Var), q.variance, nil, 64)
			}
			for i, v := range q.x { // a gradient with much of x in it
				q.g[i] += Float((float64(v) - q.mean[i%19]) * q.inv[i%19])
			}
			y := q.out("y", len(q.x))
			q.m.Apply(y, q.x)
			q.close(fmt.Sprintf("y (constant %v)", constant), y, q.forward(false), q.forwardTerms(), 8)
			dgamma, dbeta, dx, gammaTerms, betaTerms, dxTerms := q.backward(q.g, false, constant)
			gotGamma, gotBeta, gotX := q.out("dgamma", 19), q.out("dbeta", 19), q.out("dx", len(q.x))
			q.m.Sums(q.x, q.g)
			q.m.Gradients(gotGamma, gotBeta, q.gamma)
			q.m.Backward(gotX, q.x, q.g)
			q.close("dgamma", gotGamma, dgamma, gammaTerms, 8)
			q.close("dbeta", gotBeta, dbeta, betaTerms, 8)
			q.close("dx", gotX, dx, dxTerms, 32)
			q.done()
		}
	})
}

// TestNormHardSampling has the first guess at an image's mean as wrong as it can be: the pixels that it samples are alike
// and far from the others.
func TestNormHardSampling(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		h := newHarness(t, 0, 1)
		m := NewNorm(2, 1024, 16, false)
		x := h.normal("x", m.len())
		for i := range x {
			x[i] *= 0.001
			if i/16%sampling == 0 {
				x[i] += 1000
			}
		}
		mean, variance := make([]float64, 16), make([]float64, 16)
		twinMoments(mean, variance, widen(x), 16)
		m.Gather(x)
		h.close("mean", narrow(m.Mean), mean, fill(16, 1000), 2)
		h.close("variance", narrow(m.Var), variance, nil, 64)
	})
}

func TestNormNotFinite(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, c := range channelCounts {
			for _, relu := range []bool{false, true} {
				h := newHarness(t, 1, uint64(c))
				m := NewNorm(2, 35, c, relu)
				x, g := h.normal("x", m.len()), h.normal("g", m.len())
				variance := h.normal("variance", c)
				for k, v := range variance {
					variance[k] = v * v
				}
				m.Fold(nil, nil, make([]Float, c), variance, 1)
				x[0], x[2*c-1], x[3*c] = Float(math.NaN()), Float(math.Inf(1)), Float(math.Inf(-1))
				y, want, terms := h.out("y", len(x)), make([]float64, len(x)), absolute(x)
				a := &m.Affine
				twinAffine(want, widen(x), widen(a.Mean), widen(a.Scale), widen(a.Shift), relu)
				m.Apply(y, x)
				h.close("y", y, want, terms, 4)

				// NaN stays in its channel.
				x[2*c-1], x[3*c] = 0, 0
				m.Gather(x)
				for k, v := range m.Mean {
					if math.IsNaN(v) != (k == 0) || math.IsNaN(m.Var[k]) != (k == 0) {
						t.Fatalf("C=%d: NaN in channel 0; channel %d has mean %g, variance %g", c, k, v, m.Var[k])
					}
				}
				// A NaN before the ReLU lets the gradient through.
				dx := h.out("dx", len(x))
				m.Fold(nil, nil, make([]Float, c), variance, 1)
				m.Sums(x, g)
				m.Gradients(nil, nil, nil)
				for k := range c {
					m.coef[c+k], m.coef[2*c+k] = 0, 0
				}
				x[c-1] = Float(math.NaN())
				m.Backward(dx, x, g)
				if c > 1 && !math.IsNaN(float64(dx[c-1])) {
					t.Fatalf("C=%d: NaN at the input, %g at the gradient", c, dx[c-1])
				}
				h.done()
			}
		}
	})
}

// TestBlockEnd checks AddReLU and ReLUBackward with norms, against what they are made of.
func TestBlockEnd(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, c := range channelCounts {
			for _, p := range places {
				q, r := newNormCase(t, p, 3, 35, c, false, false, 0.5), newNormCase(t, p, 3, 35, c, true, false, -0.5)
				b := q.normal("b", len(q.x))
				otherTerms := r.forwardTerms()
				for _, second := range []*normCase{nil, r} {
					want, terms := q.forward(false), q.forwardTerms()
					other, norm := b, (*Norm)(nil)
					add := widen(b)
					if second != nil {
						other, norm, add = r.x, r.m, r.forward(true)
					}
					for i := range want {
						want[i] = relu64(want[i] + add[i])
						terms[i] += math.Abs(add[i]) + otherTerms[i]
					}
					y := q.out("y", len(want))
					AddReLU(y, q.x, q.m, other, norm)
					q.close(fmt.Sprintf("AddReLU (C=%d)", c), y, want, terms, 8)
					if norm == nil { // either side may have the norm
						z := q.out("z", len(want))
						AddReLU(z, other, nil, q.x, q.m)
						for i := range z {
							if bitsOf(z[i]) != bitsOf(y[i]) {
								t.Fatalf("AddReLU (C=%d): the order of operands matters: %g, %g", c, y[i], z[i])
							}
						}
					}

					dx, plain := q.out("dx", len(y)), q.out("plain", len(y))
					ReLUBackward(plain, y, q.g, nil, nil, nil, nil)
					ReLUBackward(dx, y, q.g, q.m, q.x, norm, other)
					for i := range dx {
						if bitsOf(dx[i]) != bitsOf(plain[i]) {
							t.Fatalf("ReLUBackward (C=%d): %g with norms, %g without", c, dx[i], plain[i])
						}
					}
					fused := append([]float64(nil), q.m.sums...)
					q.m.Sums(q.x, plain)
					for k, v := range q.m.sums {
						if fused[k] != v {
							t.Fatalf("ReLUBackward (C=%d): fused sum %g, Sums %g", c, fused[k], v)
						}
					}
				}
				q.done()
				r.done()
			}
		}
	})
}

// TestRows checks that the row-level functions give the bits of the whole operations, wherever a run begins.
func TestRows(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, c := range channelCounts {
			q := newNormCase(t, 2, 2, 35, c, true, false, 0.5)
			y, dx := q.out("y", len(q.x)), q.out("dx", len(q.x))
			q.m.Sums(q.x, q.g)
			q.m.Gradients(nil, nil, q.gamma)
			q.m.Apply(y, q.x)
			q.m.Backward(dx, q.x, q.g)
			for _, run := range [][2]int{{0, 1}, {1, 4}, {5, 7}, {12, 0}, {12, 23}} {
				at, n := run[0]*c, run[1]*c
				got := q.out("run", n)
				q.m.Affine.rows(got, q.x[at:], run[1], c)
				equal(t, "rows", got, y[at:][:n])
				got = q.out("run", n)
				q.m.gradRows(got, q.x[at:], q.g[at:], run[1])
				equal(t, "gradRows", got, dx[at:][:n])
			}
			q.done()
		}
	})
}

// TestSumKernels has the float64 sums end where memory ends, and adds to what they hold.
func TestSumKernels(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, c := range channelCounts {
			const pixels = 7
			h := newHarness(t, edge, uint64(c))
			x, g, shift, ones := h.normal("x", pixels*c), h.normal("g", pixels*c), h.normal("shift", c), h.out("ones", c)
			for k := range ones {
				ones[k] = 1
			}
			low := Float(math.NaN())
			for _, kernel := range []struct {
				name string
				n    int
				run  func(dst []float64)
				add  func(i int) (a, b float64) // what element i adds
			}{
				{"sum", 1, func(dst []float64) { vector.sum(dst, x, pixels, c, c) },
					func(i int) (float64, float64) { return float64(x[i]), 0 }},
				{"moments", 2, func(dst []float64) { vector.moments(dst, x, shift, pixels, c) },
					func(i int) (float64, float64) { d := float64(x[i] - shift[i%c]); return d, d * d }},
				{"gradientSums", 2, func(dst []float64) { vector.gradientSums(dst, x, g, shift, ones, shift, low, pixels, c) },
					func(i int) (float64, float64) { v := float64(g[i]); return v, v * float64(x[i]-shift[i%c]) }},
			} {
				dst, free := doublesAtPageEnd(t, kernel.n*c)
				want := make([]float64, len(dst))
				for k := range dst {
					dst[k], want[k] = float64(k), float64(k)
				}
				for i := range x {
					a, b := kernel.add(i)
					want[i%c] += a
					if kernel.n == 2 {
						want[c+i%c] += b
					}
				}
				kernel.run(dst)
				for k, v := range dst {
					if !(math.Abs(v-want[k]) <= 64*epsilon*16) {
						t.Fatalf("%s (C=%d): sum %d is %g, want %g", kernel.name, c, k, v, want[k])
					}
				}
				free()
			}
			h.done()
		}
	})
}

// doublesAtPageEnd is pageEnd for float64.
func doublesAtPageEnd(t *testing.T, n int) (x []float64, free func()) {
	b, free := pageEnd(t, n*8/elem)
	return unsafe.Slice((*float64)(unsafe.Pointer(&b[0])), n), free
}

func TestNormSameBits(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, relu := range []bool{false, true} {
			sameBits(t, "Norm", func() [][]Float {
				q := newNormCase(t, 0, 37, 100, 33, relu, false, 0.5)
				y, dx, dgamma, dbeta := Alloc(len(q.x)), Alloc(len(q.x)), Alloc(33), Alloc(33)
				q.m.Apply(y, q.x)
				q.m.Sums(q.x, q.g)
				q.m.Gradients(dgamma, dbeta, q.gamma)
				q.m.Backward(dx, q.x, q.g)
				AddReLU(y, y, nil, q.x, q.m)
				ReLUBackward(dx, y, dx, q.m, q.x, nil, nil)
				return [][]Float{y, dx, dgamma, dbeta, parts(q.m.Mean...), parts(q.m.Var...), parts(q.m.sums...)}
			})
		}
	})
	q := newNormCase(t, 0, 37, 100, 33, true, false, 0.5)
	y := Alloc(len(q.x))
	noAllocations(t, "Norm", func() {
		q.m.Gather(q.x)
		q.m.Train(q.gamma, q.beta, normEps)
		q.m.Apply(y, q.x)
		q.m.Sums(q.x, q.g)
		q.m.Gradients(nil, nil, q.gamma)
		q.m.Backward(y, q.x, q.g)
		AddReLU(y, y, nil, q.x, q.m)
		ReLUBackward(y, y, y, q.m, q.x, nil, nil)
	})
}

func narrow(x []float64) []Float {
	y := make([]Float, len(x))
	for i, v := range x {
		y[i] = Float(v)
	}
	return y
}

// fill is n times v.
func fill(n int, v float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = v
	}
	return x
}

func equal(t *testing.T, what string, got, want []Float) {
	t.Helper()
	for i := range want {
		if bitsOf(got[i]) != bitsOf(want[i]) {
			t.Fatalf("%s: element %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}
