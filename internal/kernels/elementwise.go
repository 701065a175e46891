package kernels

// AddReLU writes out = max(0, z(a) + s(b)) over (N,HW,C) tensors, the end of a residual block; za and sb are the norms whose
// Affine a and b pass (their own ReLU, if set, included), nil for the identity.
func AddReLU(out, a []Float, za *Norm, b []Float, sb *Norm) { panic("TODO") }

// ReLUBackward writes dx = g where y > 0 (or y is NaN) and 0 elsewhere; y is the ReLU's output (or its input). For each
// non-nil norm, Sums(x, dx) is done on the way. dx may be g.
func ReLUBackward(dx, y, g []Float, a *Norm, ax []Float, b *Norm, bx []Float) { panic("TODO") }

// Add writes y = a + b; y may be either.
func Add(y, a, b []Float) { panic("TODO") }

// Axpy adds s·x to y.
func Axpy(y []Float, s Float, x []Float) { panic("TODO") }

// Scale multiplies y by s.
func Scale(y []Float, s Float) { panic("TODO") }

// Mul writes y = a⊙b; y may be either.
func Mul(y, a, b []Float) { panic("TODO") }

// Lerp moves y towards x: y ← y + t·(x−y).
func Lerp(y, x []Float, t Float) { panic("TODO") }

// Dot is Σ x·y in float64, over chunks of a fixed size added in order.
func Dot(x, y []Float) float64 { panic("TODO") }

// FirstNotFinite is the index of the first NaN or Inf in x, or -1.
func FirstNotFinite(x []Float) int { panic("TODO") }

// SGD is one step of momentum SGD as PyTorch defines it: g ← g + decay·w; v ← momentum·v + g; w ← w − lr·v, or
// w − lr·(g + momentum·v) if nesterov. v may be nil if momentum is 0. g is not changed.
func SGD(w, v, g []Float, lr, momentum, decay Float, nesterov bool) { panic("TODO") }

// Adam is one step of Adam with decoupled or coupled weight decay; its moments m and v are updated. See AdamStep.
func Adam(w, m, v, g []Float, s AdamStep) { panic("TODO") }

// AdamStep holds the numbers of one step of Adam (Kingma and Ba, 2015), or of AdamW (Loshchilov and Hutter, 2019) where
// Decoupled is set: w ← w − LR·(m̂/(√v̂+Eps)) with m̂ = m/(1−Beta1^Step), v̂ = v/(1−Beta2^Step); the decay is
// added to g, or w ← w·(1−LR·Decay) first.
type AdamStep struct {
	LR, Beta1, Beta2, Eps, Decay float64
	Decoupled                    bool
	Step                         int // counted from 1
}
