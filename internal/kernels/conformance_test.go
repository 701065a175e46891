package kernels

import (
	"fmt"
	"math"
	"testing"
)

// channelCounts straddle the vector widths; lengths the widths and the units of element-wise operations.
var (
	channelCounts = []int{1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 48, 65}
	lengths       = []int{0, 1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 100, unitElements - 1, unitElements + 1, 40001}
)

// vectorOp is an element-wise operation: run writes into y (which holds its first operand) from a and b; want is an element
// of the result from the same operands, and the sum of the absolute values of its terms.
type vectorOp struct {
	name string
	run  func(y, a, b []Float)
	want func(y, a, b float64) (value, terms float64)
}

var vectorOps = []vectorOp{
	{"Add", func(y, a, b []Float) { Add(y, a, b) },
		func(y, a, b float64) (float64, float64) { return a + b, math.Abs(a) + math.Abs(b) }},
	{"Add in place", func(y, a, b []Float) { Add(y, y, b) },
		func(y, a, b float64) (float64, float64) { return y + b, math.Abs(y) + math.Abs(b) }},
	{"Mul", func(y, a, b []Float) { Mul(y, a, b) },
		func(y, a, b float64) (float64, float64) { return a * b, math.Abs(a * b) }},
	{"Mul in place", func(y, a, b []Float) { Mul(y, a, y) },
		func(y, a, b float64) (float64, float64) { return a * y, math.Abs(a * y) }},
	{"Axpy", func(y, a, b []Float) { Axpy(y, 0.75, a) },
		func(y, a, b float64) (float64, float64) { return y + 0.75*a, math.Abs(y) + math.Abs(a) }},
	{"Scale", func(y, a, b []Float) { Scale(y, -0.75) },
		func(y, a, b float64) (float64, float64) { return -0.75 * y, math.Abs(y) }},
	{"Lerp", func(y, a, b []Float) { Lerp(y, a, 0.25) },
		func(y, a, b float64) (float64, float64) { return y + 0.25*(a-y), math.Abs(y) + math.Abs(a) }},
	{"AddReLU", func(y, a, b []Float) { AddReLU(y, a, nil, b, nil) },
		func(y, a, b float64) (float64, float64) { return relu64(a + b), math.Abs(a) + math.Abs(b) }},
	{"Affine.rows: ReLU", func(y, a, b []Float) { (&Affine{ReLU: true}).rows(y, a, len(a), 1) },
		func(y, a, b float64) (float64, float64) { return relu64(a), 0 }},
	{"Affine.rows: identity", func(y, a, b []Float) { (&Affine{}).rows(y, a, len(a), 1) },
		func(y, a, b float64) (float64, float64) { return a, 0 }},
	{"ReLUBackward", func(y, a, b []Float) { ReLUBackward(y, a, b, nil, nil, nil, nil) },
		func(y, a, b float64) (float64, float64) {
			if a <= 0 {
				return 0, 0
			}
			return b, 0
		}},
	{"SGD without momentum", func(y, a, b []Float) { SGD(y, nil, a, 0.5, 0, 0.125, false) },
		func(y, a, b float64) (float64, float64) { return y - 0.5*(a+0.125*y), math.Abs(y) + math.Abs(a) }},
	{"SGD: w", func(y, a, b []Float) { SGD(y, a, b, 0.5, 0.75, 0.125, false) },
		func(y, a, b float64) (float64, float64) {
			return y - 0.5*(0.75*a+b+0.125*y), math.Abs(y) + math.Abs(a) + math.Abs(b)
		}},
	{"SGD: v", func(y, a, b []Float) { SGD(a, y, b, 0.5, 0.75, 0.125, false) },
		func(y, a, b float64) (float64, float64) {
			return 0.75*y + b + 0.125*a, math.Abs(y) + math.Abs(a) + math.Abs(b)
		}},
	{"Nesterov: w", func(y, a, b []Float) { SGD(y, a, b, 0.5, 0.75, 0.125, true) },
		func(y, a, b float64) (float64, float64) {
			g := b + 0.125*y
			return y - 0.5*(g+0.75*(0.75*a+g)), 2 * (math.Abs(y) + math.Abs(a) + math.Abs(b))
		}},
}

func relu64(v float64) float64 {
	if v < 0 {
		return 0
	}
	return v
}

func TestVectorOperations(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, op := range vectorOps {
			for _, n := range lengths {
				for _, special := range []bool{false, true} {
					if special && n == 0 {
						continue
					}
					for _, p := range places {
						h := newHarness(t, p, uint64(n))
						y, a, b := h.normal("y", n), h.normal("a", n), h.normal("b", n)
						if special {
							h.pour(y)
							h.pour(a)
							h.pour(b)
						}
						want, terms := make([]float64, n), make([]float64, n)
						for i := range want {
							want[i], terms[i] = op.want(float64(y[i]), float64(a[i]), float64(b[i]))
						}
						op.run(y, a, b)
						h.close(fmt.Sprintf("%s of %d", op.name, n), y, want, terms, 4)
						h.done()
					}
				}
			}
		}
	})
}

func TestVectorOperationsSameBits(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, op := range vectorOps {
			sameBits(t, op.name, func() [][]Float {
				h := newHarness(t, 1, 5)
				y, a, b := h.normal("y", 40001), h.normal("a", 40001), h.normal("b", 40001)
				op.run(y, a, b)
				return [][]Float{y, a, b}
			})
			h := newHarness(t, 0, 5)
			y, a, b := h.normal("y", 40001), h.normal("a", 40001), h.normal("b", 40001)
			noAllocations(t, op.name, func() { op.run(y, a, b) })
		}
	})
}

func TestDot(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, n := range lengths {
			for _, p := range places {
				h := newHarness(t, p, uint64(n))
				x, y := h.normal("x", n), h.normal("y", n)
				var want, terms float64
				for i := range x {
					want += float64(x[i]) * float64(y[i])
					terms += math.Abs(float64(x[i]) * float64(y[i]))
				}
				// Products of float32 are exact in float64, so the bound is that of float64 sums.
				if got := Dot(x, y); !(math.Abs(got-want) <= 64*0x1p-52*terms) {
					t.Fatalf("Dot of %d: %.17g, want %.17g", n, got, want)
				}
				if n > 0 {
					x[n/2] = Float(math.NaN())
					if got := Dot(x, y); !math.IsNaN(got) {
						t.Fatalf("Dot of %d with NaN at %d: %g", n, n/2, got)
					}
				}
				h.done()
			}
		}
		h := newHarness(t, 0, 1)
		x, y := h.normal("x", 40001), h.normal("y", 40001)
		sameBits(t, "Dot", func() [][]Float { return [][]Float{parts(Dot(x, y))} })
		noAllocations(t, "Dot", func() { Dot(x, y) })
	})
}

func TestFirstNotFinite(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, n := range lengths {
			for _, p := range places {
				h := newHarness(t, p, uint64(n))
				x := h.normal("x", n)
				if n > 2 {
					x[0], x[n-1] = math.MaxFloat32, -math.MaxFloat32
				}
				if got := FirstNotFinite(x); got != -1 {
					t.Fatalf("%d finite elements: %d", n, got)
				}
				for i, v := range []float64{math.Inf(1), math.NaN(), math.Inf(-1)} {
					if n == 0 {
						continue
					}
					at := (n - 1) * (2 - i) / 2 // from the end to the begin
					x[at] = Float(v)
					if got := FirstNotFinite(x); got != at {
						t.Fatalf("%g at %d of %d: %d", v, at, n, got)
					}
				}
				h.done()
			}
		}
		x := make([]Float, 16*unitElements)
		noAllocations(t, "FirstNotFinite", func() { FirstNotFinite(x) })
		for i := unitElements - 1; i < len(x); i += unitElements { // what a thread finds last may not be the first
			x[i] = Float(math.NaN())
		}
		sameBits(t, "FirstNotFinite", func() (found [][]Float) {
			for range 100 {
				found = append(found, []Float{Float(FirstNotFinite(x))})
			}
			return found
		})
	})
}

func TestAdam(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, n := range lengths {
			for i, p := range places {
				h := newHarness(t, p, uint64(n))
				w, m, v, g := h.normal("w", n), h.normal("m", n), h.normal("v", n), h.normal("g", n)
				for i := range v {
					v[i] *= v[i]
				}
				s := AdamStep{LR: 0.1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-3, Decay: 0.05, Decoupled: i%2 == 0, Step: 3}
				wm, wv, ww := widen(m), widen(v), widen(w)
				for i := range n {
					d := float64(g[i])
					if s.Decoupled {
						ww[i] *= 1 - s.LR*s.Decay
					} else {
						d += s.Decay * ww[i]
					}
					wm[i] = s.Beta1*wm[i] + (1-s.Beta1)*d
					wv[i] = s.Beta2*wv[i] + (1-s.Beta2)*d*d
					ww[i] -= s.LR * (wm[i] / (1 - math.Pow(s.Beta1, 3))) / (math.Sqrt(wv[i]/(1-math.Pow(s.Beta2, 3))) + s.Eps)
				}
				ones := make([]float64, n)
				for i := range ones {
					ones[i] = 1 + math.Abs(ww[i]) + math.Abs(wv[i])
				}
				Adam(w, m, v, g, s)
				h.close("Adam: m", m, wm, ones, 8)
				h.close("Adam: v", v, wv, ones, 8)
				h.close("Adam: w", w, ww, ones, 16)
				h.done()
			}
		}
		for _, decoupled := range []bool{false, true} {
			sameBits(t, "Adam", func() [][]Float {
				h := newHarness(t, 1, 5)
				w, m, v, g := h.normal("w", 40001), h.normal("m", 40001), h.out("v", 40001), h.normal("g", 40001)
				Mul(v, m, m)
				Adam(w, m, v, g, AdamStep{LR: .1, Beta1: .9, Beta2: .99, Eps: 1e-3, Decay: .05, Decoupled: decoupled, Step: 2})
				return [][]Float{w, m, v}
			})
		}
	})
	w, m, v, g := Alloc(40001), Alloc(40001), Alloc(40001), Alloc(40001)
	noAllocations(t, "Adam", func() { Adam(w, m, v, g, AdamStep{LR: 1, Beta1: .9, Beta2: .9, Eps: 1, Step: 1}) })
}
