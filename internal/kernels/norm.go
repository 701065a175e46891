package kernels

// Affine is what a batch norm does to a value once its statistics are known, f(v) = (v−Mean)·Scale + Shift per channel,
// with max(0,·) after it if ReLU is set. A nil Mean means the identity, so that &Affine{ReLU: true} is a plain ReLU. NaN
// passes.
type Affine struct {
	Mean, Scale, Shift []Float // (C)
	ReLU               bool
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
	part     []float64 // (N,2,C): an image's mean and Σ(x−mean)²; backward, its Σg and Σg·(x−mean)
	coef     []Float   // (3,C): dx = coef₀·g⊙m + coef₁·(x−mean) + coef₂
}

// NewNorm plans batch norm over an (N,HW,C) tensor; relu puts max(0,·) after it.
func NewNorm(n, hw, c int, relu bool) *Norm { panic("TODO") }

// Gather computes Mean and Var of x (N,HW,C): per image in two passes, the images merged in order in float64 (Chan, Golub
// and LeVeque, 1979).
func (m *Norm) Gather(x []Float) { panic("TODO") }

// Train makes Affine from the gathered statistics: Scale = gamma/√(Var+eps), Shift = beta. nil gamma means ones, nil beta
// zeros (batch norm without affine parameters).
func (m *Norm) Train(gamma, beta []Float, eps float64) { panic("TODO") }

// Fold makes Affine from given statistics, those of evaluation: mean (C) and variance (C).
func (m *Norm) Fold(gamma, beta, mean, variance []Float, eps float64) { panic("TODO") }

// Apply writes y = Affine(x), both (N,HW,C). y may be x.
func (m *Norm) Apply(y, x []Float) { panic("TODO") }

// Sums gathers what Gradients needs from x, the input of the forward pass, and g, the gradient at the output.
func (m *Norm) Sums(x, g []Float) { panic("TODO") }

// Gradients writes dgamma and dbeta (C), either of which may be nil, and prepares Backward. gamma is that of Train.
func (m *Norm) Gradients(dgamma, dbeta, gamma []Float) { panic("TODO") }

// Backward writes the gradient dx at the input, from x and g as in Sums. dx may be g.
func (m *Norm) Backward(dx, x, g []Float) { panic("TODO") }
