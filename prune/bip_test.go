package prune

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"espalier/bilevel"
	"espalier/internal/rng"
	"espalier/optim"
)

// hand is a problem whose loss is a function of z with a known gradient; both levels see the same.
type hand struct {
	bipLevels[float64]
	thetaBlock, scoreBlock *bilevel.Block[float64]
	maskRate               optim.Schedule // nil: the settings' as a constant
	batches                batches
}

// byHand makes the vectors of BiP for the weights, of which k stay.
func byHand(theta []float64, k int, gradient func(g, z []float64) float64) *hand {
	n := len(theta)
	h := &hand{batches: batches{}, thetaBlock: bilevel.NewBlock("theta", slices.Clone(theta)...), scoreBlock: bilevel.NewBlock("score", make([]float64, n)...)}
	selection := bilevel.NewSelection[float64]()
	h.bipLevels = bipLevels[float64]{
		theta: h.thetaBlock.Value, score: h.scoreBlock.Value, mask: make([]float64, n), z: make([]float64, n),
		prunable: []bilevel.Range{{From: 0, To: n}},
		choose:   func(mask, scores []float64) { selection.Top(mask, scores, k) },
		gradient: func(g, z []float64, _ string) (float64, error) { return gradient(g, z), nil },
	}
	h.begin(Global)
	return h
}

// batches is a source of splits without data. It counts the batches of each.
type batches map[string]int

func (batches) Seek(string, int) error { return nil }

func (b batches) Next(split string) error {
	b[split]++
	return nil
}

// steps runs BiP on a problem by hand, calling watch after every move.
func (h *hand) steps(t testing.TB, s bipSettings, n int, watch func(update int)) {
	t.Helper()
	sgd := func() bilevel.Optimizer[float64] {
		decay := 0.0
		if s.released {
			decay = s.ridge
		}
		return bilevel.NewDescent(len(h.theta), s.momentum, decay)
	}
	if h.maskRate == nil {
		h.maskRate = optim.Constant{LR: s.maskLR}
	}
	m := h.method(s, h.thetaBlock, h.scoreBlock, sgd, optim.Constant{LR: s.lr}, h.maskRate)
	st, err := bilevel.New(m, bilevel.Options[float64]{Steps: n, Source: h.batches, Moved: func(update, _ int, _ float64) error {
		if watch != nil {
			watch(update)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Begin(0, 0); err != nil {
		t.Fatal(err)
	}
	for range n {
		if _, err := st.Step(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestImplicitLinear: on ℓ(z) = aᵀz the lower level ends at θ* = −m⊙a/γ, and the gradient in m is the exact total derivative
// of ℓ(m⊙θ*(m)) = −Σ m²a²/γ, which is −2m⊙a²/γ, for every γ and real m.
func TestImplicitLinear(t *testing.T) {
	a := []float64{0.3, -2, 1.5}
	m := []float64{1, 0.4, 0.7}
	for _, gamma := range []float64{0.1, 1, 10} {
		h := byHand([]float64{0, 0, 0}, 3, func(g, _ []float64) float64 { copy(g, a); return 0 })
		for i := range a {
			h.theta[i], h.mask[i] = -m[i]*a[i]/gamma, m[i]
		}
		g := make([]float64, 3)
		if _, err := h.upper(1/gamma)(g, 0); err != nil {
			t.Fatal(err)
		}
		for i := range a {
			if want := -2 * m[i] * a[i] * a[i] / gamma; !(math.Abs(g[i]-want) <= 1e-12*math.Abs(want)) {
				t.Errorf("γ = %v: element %d is %v, want %v", gamma, i, g[i], want)
			}
		}
	}
}

// TestImplicitQuadratic: on ½(z−t)² the Hessian, which BiP leaves out, is 1, and its gradient is (m²+γ)/γ times the true one.
// The true one is the exact implicit formula, checked against differences of ℓ(m⊙θ*(m)).
func TestImplicitQuadratic(t *testing.T) {
	const target = 1.3
	for _, m := range []float64{1, 0.6} {
		for _, c := range []struct{ gamma float64 }{{0.1}, {1}, {10}} {
			star := func(m float64) float64 { return m * target / (m*m + c.gamma) }
			upper := func(m float64) float64 { d := m*star(m) - target; return d * d / 2 }
			h := byHand([]float64{0}, 1, func(g, z []float64) float64 { g[0] = z[0] - target; return 0 })
			h.theta[0], h.mask[0] = star(m), m
			g := make([]float64, 1)
			if _, err := h.upper(1/c.gamma)(g, 0); err != nil {
				t.Fatal(err)
			}
			theta, grad := star(m), m*star(m)-target
			exact := (theta - m*(grad+m*theta)/(m*m+c.gamma)) * grad // θ⊙G + dθ*/dm·m⊙G, with H = 1
			const eps = 1e-6
			if difference := (upper(m+eps) - upper(m-eps)) / (2 * eps); !(math.Abs(difference-exact) <= 1e-8) {
				t.Errorf("γ = %v, m = %v: difference %v, implicit formula %v", c.gamma, m, difference, exact)
			}
			if want := (m*m + c.gamma) / c.gamma; !(math.Abs(g[0]/exact-want) <= 1e-9) {
				t.Errorf("γ = %v, m = %v: ratio %v, want %v", c.gamma, m, g[0]/exact, want)
			}
		}
	}
}

// TestImplicitExact: on ½‖Az−b‖² in four variables, dθ*/dm = −(γI + D_mHD_m)⁻¹(D_G + D_mHD_θ) against differences of the
// lower level's solution. It is what the form without H approximates.
func TestImplicitExact(t *testing.T) {
	const n, gamma = 4, 0.7
	r := rng.New(1, "exact")
	var h [n][n]float64
	var b, m [n]float64
	for i := range n {
		b[i], m[i] = r.NormFloat64(), 0.3+r.Float64()
		for j := range i + 1 {
			h[i][j] = r.NormFloat64() / 4
			h[j][i] = h[i][j]
		}
		h[i][i] += 2
	}
	solve := func(a [n][n]float64, y [n]float64) [n]float64 { // Gauss and Jordan
		for i := range n {
			for k := range n {
				if f := a[k][i] / a[i][i]; k != i {
					for j := range n {
						a[k][j] -= f * a[i][j]
					}
					y[k] -= f * y[i]
				}
			}
		}
		for i := range n {
			y[i] /= a[i][i]
		}
		return y
	}
	// ℓ = ½zᵀHz − bᵀz: stationary where (γI + D_mHD_m)θ = m⊙b.
	system := func(m [n]float64) (a [n][n]float64) {
		for i := range n {
			for j := range n {
				a[i][j] = m[i] * h[i][j] * m[j]
			}
			a[i][i] += gamma
		}
		return a
	}
	star := func(m [n]float64) [n]float64 {
		var y [n]float64
		for i := range n {
			y[i] = m[i] * b[i]
		}
		return solve(system(m), y)
	}
	theta := star(m)
	var grad [n]float64
	for i := range n {
		grad[i] = -b[i]
		for j := range n {
			grad[i] += h[i][j] * m[j] * theta[j]
		}
	}
	for k := range n { // column k
		var y [n]float64
		for i := range n {
			y[i] = -m[i] * h[i][k] * theta[k]
		}
		y[k] -= grad[k]
		exact := solve(system(m), y)
		const eps = 1e-5
		plus, minus := m, m
		plus[k] += eps
		minus[k] -= eps
		p, q := star(plus), star(minus)
		for i := range n {
			if d := (p[i] - q[i]) / (2 * eps); !(math.Abs(d-exact[i]) <= 1e-8) {
				t.Errorf("dθ*[%d]/dm[%d]: difference %v, formula %v", i, k, d, exact[i])
			}
		}
	}
}

// quadratic is ½Σ(z−t)²·c, a problem of which the k elements of largest ½ct² are worth most.
func quadratic(target, curvature []float64) func(g, z []float64) float64 {
	return func(g, z []float64) float64 {
		loss := 0.0
		for i := range z {
			d := z[i] - target[i]
			g[i] = curvature[i] * d
			loss += curvature[i] * d * d / 2
		}
		return loss
	}
}

// TestBiPForms: the paper's form does θ ← θ − α(m⊙G + ridge·θ) and s ← s − β(θ − m⊙G/γ)⊙G, and the released code's v ← v −
// α(m⊙G + wd·v) and v ← v − β(|v|⊙G − v²⊙G²/γ + wd·v), by a loop that shares no code with them.
func TestBiPForms(t *testing.T) {
	target, curvature := []float64{1, -2, 0.5, 3, -0.1, 0.7}, []float64{1, 0.1, 2, 0.3, 5, 1}
	start := []float64{0.9, -0.3, 0.4, 0.2, 0.8, -0.6}
	const n, k = 6, 3
	top := func(s []float64) (m [n]float64) {
		for i := range n {
			higher := 0
			for j := range n {
				if s[j] > s[i] || s[j] == s[i] && j < i {
					higher++
				}
			}
			if higher < k {
				m[i] = 1
			}
		}
		return m
	}
	gradient := quadratic(target, curvature)
	at := func(m [n]float64, v []float64) []float64 {
		z, g := make([]float64, n), make([]float64, n)
		for i := range n {
			z[i] = m[i] * v[i]
		}
		gradient(g, z)
		return g
	}
	near := func(name string, got, want []float64) {
		for i := range want {
			if !(math.Abs(got[i]-want[i]) <= 1e-12) {
				t.Fatalf("%s: element %d is %v, want %v", name, i, got[i], want[i])
			}
		}
	}
	abs := func(v []float64) []float64 {
		a := make([]float64, n)
		for i := range v {
			a[i] = math.Abs(v[i])
		}
		return a
	}
	paper := bipSettings{gamma: 2, ridge: 0.05, lr: 0.1, maskLR: 0.3, steps: 2}
	h := byHand(start, k, gradient)
	theta, s := slices.Clone(start), abs(start)
	for i := range s {
		s[i] /= 0.9
	}
	for range 40 {
		for range paper.steps {
			m := top(s)
			g := at(m, theta)
			for i := range n {
				theta[i] -= paper.lr * (m[i]*g[i] + paper.ridge*theta[i])
			}
		}
		m := top(s)
		g := at(m, theta)
		for i := range n {
			s[i] -= paper.maskLR * (theta[i] - m[i]*g[i]/paper.gamma) * g[i]
		}
	}
	h.steps(t, paper, 40, nil)
	near("paper, θ", h.theta, theta)
	near("paper, s", h.score, s)

	released := bipSettings{released: true, gamma: 50, ridge: 0.01, lr: 0.1, maskLR: 0.2, steps: 1}
	h = byHand(start, k, gradient)
	v := slices.Clone(start)
	for range 40 {
		m := top(abs(v))
		g := at(m, v)
		for i := range n {
			v[i] -= released.lr * (m[i]*g[i] + released.ridge*v[i])
		}
		m = top(abs(v))
		g = at(m, v)
		for i := range n {
			a := math.Abs(v[i])
			v[i] -= released.maskLR * (a*g[i] - v[i]*v[i]*g[i]*g[i]/released.gamma + released.ridge*v[i])
		}
	}
	h.steps(t, released, 40, nil)
	near("released", h.theta, v)

	// With momentum, each of the two updates has its own; the rates of the masks fall by steps; elements past the fourth stand
	// for biases and batch norm: never masked, moved with the weights, and by nothing but decay and momentum with the masks.
	released.momentum = 0.9
	const tail = 4
	h = byHand(start, k, gradient)
	h.prunable = []bilevel.Range{{From: 0, To: tail}}
	selection := bilevel.NewSelection[float64](h.prunable...)
	h.choose = func(mask, scores []float64) { selection.Top(mask, scores, k-1) }
	for i := tail; i < n; i++ {
		h.mask[i] = 1
	}
	h.maskRate = rates("step", released.maskLR, 40) // a tenth from the half on, a hundredth from three quarters on
	v = slices.Clone(start)
	top2 := func() (m [n]float64) {
		a := abs(v)
		for i := range n {
			higher := 0
			for j := range tail {
				if a[j] > a[i] || a[j] == a[i] && j < i {
					higher++
				}
			}
			if i >= tail || higher < k-1 {
				m[i] = 1
			}
		}
		return m
	}
	var moments [2][n]float64
	move := func(which int, lr float64, g []float64) {
		for i := range n {
			moments[which][i] = released.momentum*moments[which][i] + g[i] + released.ridge*v[i]
			v[i] -= lr * moments[which][i]
		}
	}
	for step := range 40 {
		m := top2()
		g := at(m, v)
		for i := range n {
			g[i] *= m[i]
		}
		move(0, released.lr, g)
		m = top2()
		g = at(m, v)
		for i := range n {
			a := math.Abs(v[i])
			g[i] = a*g[i] - a*a*g[i]*g[i]/released.gamma
			if i >= tail {
				g[i] = 0
			}
		}
		move(1, released.maskLR*math.Pow(0.1, float64(step/20+step/30)), g)
	}
	h.steps(t, released, 40, nil)
	near("released, momentum", h.theta, v)
	other := byHand(start, k, gradient)
	other.steps(t, bipSettings{gamma: 50, ridge: 0.01, lr: 0.1, maskLR: 0.2, steps: 1}, 40, nil)
	if slices.Equal(other.theta, h.theta) {
		t.Error("the released code and the paper are the same method")
	}
}

// TestBatches: every move takes a batch of its own: those of the weights of the lower split, that of the scores of the upper.
func TestBatches(t *testing.T) {
	for _, s := range []bipSettings{
		{gamma: 1, ridge: 0.01, lr: 0.1, maskLR: 0.1, steps: 3},
		{released: true, gamma: 1e4, ridge: 1e-4, lr: 0.1, maskLR: 0.1, steps: 1},
	} {
		h := byHand([]float64{1, 0.5}, 1, quadratic([]float64{1, 1}, []float64{1, 1}))
		var got, want []string
		inner := h.gradient
		h.gradient = func(g, z []float64, split string) (float64, error) {
			got = append(got, fmt.Sprint(split, h.batches[split]))
			return inner(g, z, split)
		}
		h.steps(t, s, 4, nil)
		for step := range 4 {
			for i := range s.steps {
				want = append(want, fmt.Sprint(LowerSplit, step*s.steps+i+1))
			}
			want = append(want, fmt.Sprint(UpperSplit, step+1))
		}
		if !slices.Equal(got, want) {
			t.Errorf("gradients on %v, want %v", got, want)
		}
	}
}

// TestExactlyK: the mask has exactly k ones after every move, in both forms, and changes on the way: an element that looks
// small at first and is worth much comes in.
func TestExactlyK(t *testing.T) {
	r := rng.New(2, "exactly")
	const n, k = 60, 13
	target, curvature, start := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		target[i], curvature[i], start[i] = r.NormFloat64(), 0.2+r.Float64(), r.NormFloat64()
	}
	for _, s := range []bipSettings{
		{gamma: 1, ridge: 0.01, lr: 0.1, maskLR: 0.1, steps: 3},
		{released: true, gamma: 1e4, ridge: 1e-4, lr: 0.1, maskLR: 0.1, momentum: 0.9, steps: 1},
	} {
		h := byHand(start, k, quadratic(target, curvature))
		first, moves := slices.Clone(h.mask), 0
		h.steps(t, s, 200, func(int) {
			ones := 0
			for _, m := range h.mask {
				if m == 1 {
					ones++
				} else if m != 0 {
					t.Fatalf("the mask holds %v", m)
				}
			}
			if ones != k {
				t.Fatalf("%d ones, want %d", ones, k)
			}
			moves++
		})
		if slices.Equal(first, h.mask) {
			t.Errorf("released %v: the mask never changed in %d moves", s.released, moves)
		}
	}
}

// TestBinaryMaskStalls: without scores, the projection of m − β·dℓ/dm back to zeros and ones brings the same m back for
// ever, while scores that carry on change the mask.
func TestBinaryMaskStalls(t *testing.T) {
	target, curvature := []float64{0.2, 1, 0.3, 2}, []float64{1, 1, 1, 1}
	start := []float64{0.9, 0.1, 0.8, 0.2}
	gradient := quadratic(target, curvature)
	s := bipSettings{gamma: 1, ridge: 0, lr: 0.01, maskLR: 0.1, steps: 1}
	binary := byHand(start, 2, gradient)
	first := slices.Clone(binary.mask)
	binary.scoreBlock.Value, binary.score = binary.mask, binary.mask // the mask is its own score
	binary.steps(t, s, 500, nil)
	if !slices.Equal(binary.mask, first) {
		t.Errorf("without scores the mask moved from %v to %v", first, binary.mask)
	}
	scored := byHand(start, 2, gradient)
	scored.steps(t, s, 500, nil)
	if slices.Equal(scored.mask, first) {
		t.Errorf("with scores the mask stayed %v", first)
	}
}

// TestTiedFreezes: with γ = ridge = 1, α = .01 and three moves for each of the scores, a removed weight is 2·10⁻⁵ of what it
// was after an epoch of 352 steps, and its score hardly moves from then on.
func TestTiedFreezes(t *testing.T) {
	scored := byHand([]float64{1, 0.5}, 1, quadratic([]float64{1, -1}, []float64{1, 1}))
	tied := bipSettings{gamma: 1, ridge: 1, lr: 0.01, maskLR: 0.1, steps: 3}
	before := scored.score[1]
	scored.steps(t, tied, 352, nil)
	after := scored.score[1]
	scored.steps(t, tied, 352, nil)
	if first, second := before-after, after-scored.score[1]; scored.mask[1] != 0 || !(first > 1) || !(second > 0 && second <= 3e-5*first) {
		t.Errorf("mask %v; the removed weight's score falls by %v in the first epoch, by %v in the second", scored.mask, first, second)
	}
	h := byHand([]float64{1, 0.5}, 1, quadratic([]float64{1, 1}, []float64{1, 1}))
	h.steps(t, bipSettings{gamma: 1, ridge: 1, lr: 0.01, maskLR: 1e-6, steps: 3}, 352, nil)
	if got, want := h.theta[1]/0.5, math.Pow(0.99, 1056); !(math.Abs(got/want-1) <= 1e-9) || !(got <= 3e-5) {
		t.Errorf("the removed weight is %v of what it was, want %v", got, want)
	}
}

// TestDefaults: what the options mean when they are left open.
func TestDefaults(t *testing.T) {
	two := 2.0
	for _, c := range []struct {
		b    BiP
		want bipSettings
	}{
		{BiP{}, bipSettings{false, 1, 1, 0.01, 0.1, 0, 3, "cosine", "step"}},
		{BiP{Gamma: &two}, bipSettings{false, 2, 2, 0.01, 0.1, 0, 3, "cosine", "step"}},
		{BiP{Compat: ReleasedCode}, bipSettings{true, 1e4, 1e-4, 0.1, 0.1, 0.9, 1, "cosine", "step"}},
	} {
		if got := c.b.settings(); got != c.want {
			t.Errorf("%+v means %+v, want %+v", c.b, got, c.want)
		}
	}
}
