package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// convShapes straddle vector widths, tile edges, chunk and group borders, and every way in which taps are cut.
var convShapes = []ConvShape{
	{2, 7, 9, 5, 19, 3, 3, 1, 1, 1},
	{2, 8, 8, 16, 16, 3, 3, 1, 1, 1},
	{3, 8, 8, 16, 32, 3, 3, 2, 1, 1},
	{3, 7, 7, 17, 33, 3, 3, 2, 1, 1},
	{2, 4, 4, 70, 64, 3, 3, 1, 1, 1},
	{2, 4, 4, 20, 80, 3, 3, 1, 1, 1},
	{2, 9, 9, 33, 40, 5, 5, 1, 2, 1},
	{2, 9, 9, 16, 16, 3, 3, 1, 2, 2},
	{2, 8, 8, 16, 40, 1, 1, 1, 0, 1},
	{2, 8, 8, 16, 40, 1, 1, 2, 0, 1},
	{2, 9, 7, 3, 16, 3, 3, 2, 0, 1},
	{2, 12, 12, 3, 7, 5, 3, 3, 2, 2},
	{19, 6, 6, 4, 8, 3, 3, 1, 1, 1},
	{2, 2, 2, 130, 130, 3, 3, 1, 1, 1},
	{1, 1, 5, 4, 4, 3, 3, 1, 1, 1},
	{2, 6, 6, 8, 8, 1, 1, 3, 1, 1},
	{40, 1, 1, 12, 10, 1, 1, 1, 0, 1},
	{1, 3, 37, 2, 47, 3, 3, 1, 1, 1},
	{1, 5, 2, 3, 1, 2, 2, 1, 1, 1},
	{1, 1, 1, 1, 1, 3, 3, 1, 1, 1},
	{2, 3, 3, 300, 9, 3, 3, 1, 1, 1},
	{2, 3, 4, 128, 136, 3, 3, 1, 1, 1},
	{20, 9, 11, 6, 150, 1, 1, 1, 0, 1},
	{20, 9, 11, 150, 7, 1, 1, 1, 0, 1},
	{3, 13, 27, 20, 70, 1, 1, 2, 0, 1},
	{3, 7, 5, 20, 57, 1, 1, 1, 0, 1},
	{19, 6, 6, 9, 26, 3, 3, 1, 1, 1},
	{3, 21, 19, 10, 50, 3, 3, 1, 1, 1},
	{2, 37, 33, 8, 24, 3, 3, 2, 1, 1},
	{2, 23, 25, 12, 17, 3, 3, 2, 2, 2},
	{1, 20, 22, 11, 9, 5, 3, 3, 2, 2},
	{5, 12, 30, 17, 33, 1, 1, 1, 0, 1},
	{7, 5, 4, 24, 32, 4, 2, 3, 1, 2},
	{16, 8, 8, 5, 80, 1, 1, 1, 0, 1},
	{16, 8, 8, 8, 100, 1, 1, 1, 0, 1},
	{16, 4, 4, 8, 150, 3, 3, 1, 1, 1},
}

// depthwiseShapes have every kernel, dilation and stride that cells use, and others.
func depthwiseShapes() (shapes []ConvShape) {
	for _, k := range []int{1, 2, 3, 5, 6, 7, 9} {
		for _, d := range []int{1, 2, 3} {
			for _, s := range []int{1, 2, 3} {
				c := []int{5, 16, 40}[(k+d+s)%3]
				shapes = append(shapes, ConvShape{2, 11, 13, c, c, k, k, s, d * (k - 1) / 2, d})
			}
		}
	}
	return append(shapes, ConvShape{20, 4, 19, 8, 8, 3, 3, 1, 1, 1}, ConvShape{1, 1, 1, 1, 1, 3, 3, 2, 1, 1})
}

// convRoundings is K of the conformance bound: how many roundings, relative to the sum of the absolute terms, a sum may
// carry. A sum of n terms in a few interleaved parts stays far below √n for the shapes here.
const convRoundings = 16

func TestConv(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range convShapes {
			for _, place := range []place{place(i % 4), edge} {
				h := newHarness(t, place, uint64(i))
				c := NewConv(s)
				x, w, g := h.normal("x", s.XLen()), h.normal("w", s.WLen()), h.normal("g", s.YLen())
				y, dx, dw := h.out("y", s.YLen()), h.out("dx", s.XLen()), h.out("dw", s.WLen())
				c.Forward(y, x, w, ConvForward{})
				c.BackwardData(dx, g, w)
				c.BackwardWeights(dw, x, g)
				twin := func(f func(out, a, b []float64), n int, a, b []Float) (value, terms []float64) {
					value, terms = make([]float64, n), make([]float64, n)
					f(value, widen(a), widen(b))
					f(terms, absolute(a), absolute(b))
					return value, terms
				}
				value, terms := twin(func(y, x, w []float64) { twinConvForward(y, x, w, s) }, len(y), x, w)
				h.close(fmt.Sprint(s, " y"), y, value, terms, convRoundings)
				value, terms = twin(func(dx, g, w []float64) { twinConvData(dx, g, w, s, false) }, len(dx), g, w)
				h.close(fmt.Sprint(s, " dx"), dx, value, terms, convRoundings)
				value, terms = twin(func(dw, x, g []float64) { twinConvWeights(dw, x, g, s) }, len(dw), x, g)
				h.close(fmt.Sprint(s, " dw"), dw, value, terms, convRoundings)

				base := h.normal("base", s.XLen())
				sum := h.copy("sum", base)
				both := h.out("dw", s.WLen())
				c.Backward(sum, both, x, g, w, ConvBackward{Accumulate: true})
				value, terms = widen(base), absolute(base)
				twinConvData(value, widen(g), widen(w), s, true)
				twinConvData(terms, absolute(g), absolute(w), s, true)
				h.close(fmt.Sprint(s, " base+dx"), sum, value, terms, convRoundings)
				equal(t, fmt.Sprint(s, " dw, both"), both, dw)
				h.done()
			}
		}
	})
}

func TestDepthwise(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range depthwiseShapes() {
			h := newHarness(t, places[i%len(places)], uint64(i))
			c := NewDepthwise(s)
			n := s.KH * s.KW * s.IC
			x, w, g := h.normal("x", s.XLen()), h.normal("w", n), h.normal("g", s.YLen())
			y, dx, dw := h.out("y", s.YLen()), h.out("dx", s.XLen()), h.out("dw", n)
			c.Forward(y, x, w, nil)
			c.BackwardData(dx, g, w)
			c.BackwardWeights(dw, x, g, nil)
			for _, d := range []struct {
				name string
				got  []Float
				f    func(out, a, b []float64)
				a, b []Float
			}{
				{"y", y, func(y, x, w []float64) { twinDepthwiseForward(y, x, w, s) }, x, w},
				{"dx", dx, func(dx, g, w []float64) { twinDepthwiseData(dx, g, w, s) }, g, w},
				{"dw", dw, func(dw, x, g []float64) { twinDepthwiseWeights(dw, x, g, s) }, x, g},
			} {
				value, terms := make([]float64, len(d.got)), make([]float64, len(d.got))
				d.f(value, widen(d.a), widen(d.b))
				d.f(terms, absolute(d.a), absolute(d.b))
				h.close(fmt.Sprint(s, " ", d.name), d.got, value, terms, convRoundings)
			}
			h.done()
		}
	})
}

func TestLinear(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range [][3]int{{128, 64, 10}, {3, 17, 5}, {1, 1, 1}, {33, 100, 100}} {
			h := newHarness(t, places[i%len(places)], uint64(i))
			n, in, out := s[0], s[1], s[2]
			l := NewLinear(n, in, out)
			x, w, b, g := h.normal("x", n*in), h.normal("w", in*out), h.normal("b", out), h.normal("g", n*out)
			y, dx, dw, db := h.out("y", n*out), h.out("dx", n*in), h.out("dw", in*out), h.out("db", out)
			l.Forward(y, x, w, b)
			l.Backward(dx, dw, db, x, g, w)
			conv := ConvShape{N: n, H: 1, W: 1, IC: in, OC: out, KH: 1, KW: 1, Stride: 1, Dilation: 1}
			value, terms := make([]float64, n*out), make([]float64, n*out)
			twinConvForward(value, widen(x), widen(w), conv)
			twinConvForward(terms, absolute(x), absolute(w), conv)
			sums, sumTerms := make([]float64, out), make([]float64, out)
			for k := range n * out {
				value[k] += float64(b[k%out])
				terms[k] += math.Abs(float64(b[k%out]))
				sums[k%out] += float64(g[k])
				sumTerms[k%out] += math.Abs(float64(g[k]))
			}
			h.close("y", y, value, terms, convRoundings)
			h.close("db", db, sums, sumTerms, convRoundings)
			value, terms = make([]float64, n*in), make([]float64, n*in)
			twinConvData(value, widen(g), widen(w), conv, false)
			twinConvData(terms, absolute(g), absolute(w), conv, false)
			h.close("dx", dx, value, terms, convRoundings)
			value, terms = make([]float64, in*out), make([]float64, in*out)
			twinConvWeights(value, widen(x), widen(g), conv)
			twinConvWeights(terms, absolute(x), absolute(g), conv)
			h.close("dw", dw, value, terms, convRoundings)
			h.done()
		}
	})
}

// What a fused option does is what the operation of its own does, to the bit.
func TestConvFused(t *testing.T) {
	equal := func(t *testing.T, what string, got, want []Float) {
		t.Helper()
		for i := range want {
			if bitsOf(got[i]) != bitsOf(want[i]) {
				t.Fatalf("%s: element %d is %g fused, %g apart", what, i, got[i], want[i])
			}
		}
	}
	eachISA(t, func(t *testing.T) {
		for i, s := range convShapes {
			h := newHarness(t, 0, uint64(i))
			c := NewConv(s)
			x, w, g := h.normal("x", s.XLen()), h.normal("w", s.WLen()), h.normal("g", s.YLen())
			before := NewNorm(s.N, s.H*s.W, s.IC, true)
			before.Gather(x)
			before.Train(h.normal("gamma", s.IC), h.normal("beta", s.IC), 1e-5)
			gamma := h.normal("gamma", s.OC)
			after := NewNorm(s.N, s.OH()*s.OW(), s.OC, i%2 == 0)

			applied, y, z := h.out("In(x)", s.XLen()), h.out("y", s.YLen()), h.out("z", s.YLen())
			before.Apply(applied, x)
			c.Forward(y, applied, w, ConvForward{})
			c.Forward(z, x, w, ConvForward{In: &before.Affine, Stats: after})
			equal(t, fmt.Sprint(s, " y"), z, y)
			mean := append([]float64(nil), after.Mean...)
			after.Gather(y)
			for k := range mean {
				if mean[k] != after.Mean[k] {
					t.Fatalf("%v: mean %d is %g fused, %g apart", s, k, mean[k], after.Mean[k])
				}
			}

			after.Train(gamma, nil, 1e-5)
			after.Sums(z, g)
			after.Gradients(nil, nil, gamma)
			gz := h.out("gz", s.YLen())
			after.Backward(gz, z, g)
			dx, dw := h.out("dx", s.XLen()), h.out("dw", s.WLen())
			c.BackwardData(dx, gz, w)
			c.BackwardWeights(dw, applied, gz)
			dgamma, dbeta := h.out("dgamma", s.IC), h.out("dbeta", s.IC)
			before.Sums(x, dx)
			before.Gradients(dgamma, dbeta, nil)

			dx2, dw2 := h.out("dx", s.XLen()), h.out("dw", s.WLen())
			dgamma2, dbeta2 := h.out("dgamma", s.IC), h.out("dbeta", s.IC)
			c.Backward(dx2, dw2, x, g, w, ConvBackward{In: &before.Affine, Out: after, Z: z, Sums: before})
			before.Gradients(dgamma2, dbeta2, nil)
			equal(t, fmt.Sprint(s, " dx"), dx2, dx)
			equal(t, fmt.Sprint(s, " dw"), dw2, dw)
			equal(t, fmt.Sprint(s, " dgamma"), dgamma2, dgamma)
			equal(t, fmt.Sprint(s, " dbeta"), dbeta2, dbeta)
			clear(dgamma2)
			clear(dx2)
			clear(dw2)
			c.Backward(nil, dw2, x, g, w, ConvBackward{In: &before.Affine, Out: after, Z: z})
			equal(t, fmt.Sprint(s, " dw without dx"), dw2, dw)
			c.Backward(dx2, nil, x, g, w, ConvBackward{In: &before.Affine, Out: after, Z: z, Sums: before})
			before.Gradients(dgamma2, dbeta2, nil)
			equal(t, fmt.Sprint(s, " dx without dw"), dx2, dx)
			equal(t, fmt.Sprint(s, " dgamma without dw"), dgamma2, dgamma)
			plain := &Affine{ReLU: true}
			c.Backward(dx, dw, x, g, w, ConvBackward{In: plain, Out: after, Z: z})
			ReLUBackward(dx, x, dx, nil, nil, nil, nil)
			c.Backward(dx2, dw2, x, g, w, ConvBackward{In: plain, Out: after, Z: z, Gate: true})
			equal(t, fmt.Sprint(s, " gated dx"), dx2, dx)
			equal(t, fmt.Sprint(s, " dw, gated dx"), dw2, dw)
			h.done()
		}
	})
}

func TestDepthwiseFused(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range depthwiseShapes() {
			h := newHarness(t, 0, uint64(i))
			c := NewDepthwise(s)
			n := s.KH * s.KW * s.IC
			x, w, g := h.normal("x", s.XLen()), h.normal("w", n), h.normal("g", s.YLen())
			in := &Affine{ReLU: true}
			applied, y, z := h.out("In(x)", s.XLen()), h.out("y", s.YLen()), h.out("z", s.YLen())
			in.rows(applied, x, s.N*s.H*s.W, s.IC)
			dw, dw2 := h.out("dw", n), h.out("dw", n)
			c.Forward(y, applied, w, nil)
			c.Forward(z, x, w, in)
			c.BackwardWeights(dw, applied, g, nil)
			c.BackwardWeights(dw2, x, g, in)
			for k := range y {
				if y[k] != z[k] {
					t.Fatalf("%v: y %d is %g fused, %g apart", s, k, z[k], y[k])
				}
			}
			for k := range dw {
				if dw[k] != dw2[k] {
					t.Fatalf("%v: dw %d is %g fused, %g apart", s, k, dw2[k], dw[k])
				}
			}
			h.done()
		}
	})
}

func TestConvSameBits(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		shapes := append([]ConvShape{{20, 8, 8, 144, 160, 3, 3, 1, 1, 1}}, convShapes...)
		for i, s := range shapes {
			h := newHarness(t, 0, uint64(i))
			c := NewConv(s)
			x, w, g := h.normal("x", s.XLen()), h.normal("w", s.WLen()), h.normal("g", s.YLen())
			y, dx, dw, both := h.out("y", s.YLen()), h.out("dx", s.XLen()), h.out("dw", s.WLen()), h.out("dw", s.WLen())
			stats := NewNorm(s.N, s.OH()*s.OW(), s.OC, false)
			sameBits(t, fmt.Sprint(s), func() [][]Float {
				c.Forward(y, x, w, ConvForward{Stats: stats})
				c.BackwardWeights(dw, x, g)
				c.Backward(dx, both, x, g, w, ConvBackward{})
				mean := make([]Float, s.OC)
				for k, m := range stats.Mean {
					mean[k] = Float(m)
				}
				return [][]Float{taken(y), taken(dx), taken(dw), taken(both), mean}
			})
			h.done()
		}
		for i, s := range depthwiseShapes() {
			h := newHarness(t, 0, uint64(i))
			c := NewDepthwise(s)
			n := s.KH * s.KW * s.IC
			x, w, g := h.normal("x", s.XLen()), h.normal("w", n), h.normal("g", s.YLen())
			y, dx, dw := h.out("y", s.YLen()), h.out("dx", s.XLen()), h.out("dw", n)
			sameBits(t, fmt.Sprint(s), func() [][]Float {
				c.Forward(y, x, w, nil)
				c.BackwardData(dx, g, w)
				c.BackwardWeights(dw, x, g, nil)
				return [][]Float{taken(y), taken(dx), taken(dw)}
			})
			h.done()
		}
	})
}

// What is fused with a convolution gives the same bits, too, whichever units it ends up in.
func TestConvFusedSameBits(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		shapes := append([]ConvShape{{20, 8, 8, 144, 160, 3, 3, 1, 1, 1}}, convShapes...)
		for i, s := range shapes {
			h := newHarness(t, 0, uint64(i))
			c := NewConv(s)
			x, w, g := h.normal("x", s.XLen()), h.normal("w", s.WLen()), h.normal("g", s.YLen())
			z, dx, dw, alone := h.out("z", s.YLen()), h.out("dx", s.XLen()), h.out("dw", s.WLen()), h.out("dw", s.WLen())
			before, after := NewNorm(s.N, s.H*s.W, s.IC, true), NewNorm(s.N, s.OH()*s.OW(), s.OC, i%2 == 0)
			before.Gather(x)
			before.Train(nil, nil, 1e-5)
			sameBits(t, fmt.Sprint(s), func() [][]Float {
				c.Forward(z, x, w, ConvForward{In: &before.Affine, Stats: after})
				after.Train(nil, nil, 1e-5)
				after.Sums(z, g)
				after.Gradients(nil, nil, nil)
				b := ConvBackward{In: &before.Affine, Out: after, Z: z, Sums: before}
				c.Backward(dx, dw, x, g, w, b)
				results := [][]Float{slices.Clone(z), taken(dx), taken(dw), parts(after.Mean...), parts(after.Var...), parts(before.sums...)}
				b.Accumulate = true
				copy(dx, x)
				c.Backward(dx, nil, x, g, w, b)
				results = append(results, taken(dx), parts(before.sums...))
				b = ConvBackward{In: &Affine{ReLU: true}, Out: after, Z: z, Gate: true}
				c.Backward(dx, dw, x, g, w, b)
				c.Backward(nil, alone, x, g, w, b)
				return append(results, taken(z), taken(dx), taken(dw), taken(alone))
			})
			h.done()
		}
	})
}

func TestDepthwiseFusedSameBits(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range depthwiseShapes() {
			h := newHarness(t, 0, uint64(i))
			c, in, n := NewDepthwise(s), &Affine{ReLU: true}, s.KH*s.KW*s.IC
			x, w, g := h.normal("x", s.XLen()), h.normal("w", n), h.normal("g", s.YLen())
			y, dw := h.out("y", s.YLen()), h.out("dw", n)
			sameBits(t, fmt.Sprint(s), func() [][]Float {
				c.Forward(y, x, w, in)
				c.BackwardWeights(dw, x, g, in)
				return [][]Float{taken(y), taken(dw)}
			})
			h.done()
		}
	})
}

func TestLinearSameBits(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range [][3]int{{128, 64, 10}, {33, 100, 100}, {513, 17, 5}} {
			h := newHarness(t, 0, uint64(i))
			n, in, out := s[0], s[1], s[2]
			l := NewLinear(n, in, out)
			x, w, b, g := h.normal("x", n*in), h.normal("w", in*out), h.normal("b", out), h.normal("g", n*out)
			y, dx, dw, db := h.out("y", n*out), h.out("dx", n*in), h.out("dw", in*out), h.out("db", out)
			run := func() {
				l.Forward(y, x, w, b)
				l.Backward(dx, dw, db, x, g, w)
			}
			sameBits(t, fmt.Sprint(s), func() [][]Float {
				run()
				return [][]Float{taken(y), taken(dx), taken(dw), taken(db)}
			})
			noAllocations(t, fmt.Sprint(s), run)
			h.done()
		}
	})
}

func TestConvAllocatesNothing(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for i, s := range convShapes {
			h := newHarness(t, 0, uint64(i))
			c := NewConv(s)
			x, w := h.normal("x", s.XLen()), h.normal("w", s.WLen())
			y, dx, dw := h.normal("y", s.YLen()), h.out("dx", s.XLen()), h.out("dw", s.WLen())
			noAllocations(t, fmt.Sprint(s), func() {
				c.Forward(y, x, w, ConvForward{})
				c.BackwardData(dx, y, w)
				c.BackwardWeights(dw, x, y)
				c.Backward(dx, dw, x, y, w, ConvBackward{})
			})
			h.done()
		}
		s := ConvShape{4, 8, 8, 16, 16, 3, 3, 1, 1, 1}
		c := NewDepthwise(s)
		x, w, y := Alloc(s.XLen()), Alloc(9*16), Alloc(s.YLen())
		noAllocations(t, "depthwise", func() {
			c.Forward(y, x, w, nil)
			c.BackwardData(x, y, w)
			c.BackwardWeights(w, x, y, nil)
		})
	})
}

// Plans share scratch memory whose cleared borders they remember: another plan's data there must not be taken for zeros.
func TestConvAlternating(t *testing.T) {
	h := newHarness(t, 0, 1)
	a, b := ConvShape{4, 6, 6, 8, 8, 3, 3, 1, 1, 1}, ConvShape{4, 9, 9, 16, 16, 5, 5, 1, 2, 1}
	ca, cb := NewConv(a), NewConv(b)
	x, w := h.normal("x", b.XLen()), h.normal("w", b.WLen())
	first, again, y := h.out("first", a.YLen()), h.out("again", a.YLen()), h.out("y", b.YLen())
	ca.Forward(first, x, w, ConvForward{})
	cb.Forward(y, x, w, ConvForward{})
	ca.Forward(again, x, w, ConvForward{})
	for i := range first {
		if first[i] != again[i] {
			t.Fatalf("element %d is %g, then %g", i, first[i], again[i])
		}
	}
	h.done()
}

func TestConvRefusesShapes(t *testing.T) {
	for _, s := range []ConvShape{{}, {1, 2, 2, 1, 1, 5, 5, 1, 1, 1}, {1, 4, 4, 1, 1, 3, 3, 0, 1, 1}, {1, 4, 4, 1, 1, 3, 3, 1, -1, 1}} {
		if s.Validate() == nil {
			t.Errorf("%+v is accepted", s)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewConv(%+v) does not panic", s)
				}
			}()
			NewConv(s)
		}()
	}
	defer func() {
		if recover() == nil {
			t.Error("a short slice is accepted")
		}
	}()
	s := ConvShape{1, 4, 4, 1, 1, 3, 3, 1, 1, 1}
	NewConv(s).Forward(make([]Float, 16), make([]Float, 15), make([]Float, 9), ConvForward{})
}
