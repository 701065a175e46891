package bilevel

import (
	"math"
	"testing"

	"espalier/internal/rng"
)

// mixture is a small network of the kind that is searched, smooth everywhere and with a gradient written by hand:
// h = Σ_k softmax(α₁)_k·f_k(A_k·x), z = B·Σ_k softmax(α₂)_k·f_k(C_k·h), with f = SiLU, logistic and identity, and the mean
// cross-entropy of z over a fixed batch.
type mixture struct {
	x      [][]float64
	labels []int
}

const (
	mixIn, mixHidden, mixClasses, mixImages = 4, 5, 3, 12
	mixFirst                                = 3 * mixHidden * mixIn
	mixWeights                              = mixFirst + 3*mixHidden*mixHidden + mixClasses*mixHidden
)

func newMixture(seed uint64) *mixture {
	m := &mixture{}
	s := rng.New(seed, "mixture")
	for range mixImages {
		x := make([]float64, mixIn)
		for i := range x {
			x[i] = s.NormFloat64()
		}
		m.x, m.labels = append(m.x, x), append(m.labels, s.IntN(mixClasses))
	}
	return m
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// operation is f_k and its derivative.
func operation(k int, x float64) (y, dy float64) {
	s := logistic(x)
	switch k {
	case 0:
		return x * s, s + x*s*(1-s)
	case 1:
		return s, s * (1 - s)
	}
	return x, 1
}

// layer is one mixed operation: Σ_k p_k·f_k(W_k·x), with what backward needs.
type layer struct {
	in, out int
	p       []float64
	w, x    []float64
	pre     [3][]float64
}

func (l *layer) forward(p, w, x []float64) []float64 {
	l.p, l.w, l.x = p, w, x
	y := make([]float64, l.out)
	for k := range 3 {
		l.pre[k] = make([]float64, l.out)
		for j := range y {
			for i, v := range x {
				l.pre[k][j] += w[(k*l.out+j)*l.in+i] * v
			}
			f, _ := operation(k, l.pre[k][j])
			y[j] += p[k] * f
		}
	}
	return y
}

// backward adds to the gradients with respect to p and w, and returns that with respect to x.
func (l *layer) backward(gp, gw, g []float64) []float64 {
	gx := make([]float64, l.in)
	for k := range 3 {
		for j, v := range g {
			f, df := operation(k, l.pre[k][j])
			gp[k] += v * f
			d := v * l.p[k] * df
			for i := range gx {
				gw[(k*l.out+j)*l.in+i] += d * l.x[i]
				gx[i] += d * l.w[(k*l.out+j)*l.in+i]
			}
		}
	}
	return gx
}

func softmaxOf(a []float64) []float64 {
	p, sum := make([]float64, len(a)), 0.0
	for i, v := range a {
		p[i] = math.Exp(v)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// loss is an Objective: α has 6 elements, the weights have mixWeights.
func (m *mixture) loss(ga, gw, a, w []float64) (float64, error) {
	p, q := softmaxOf(a[:3]), softmaxOf(a[3:])
	gpq, gweights, total := make([]float64, 6), make([]float64, len(w)), 0.0
	for n, x := range m.x {
		first, second := layer{in: mixIn, out: mixHidden}, layer{in: mixHidden, out: mixHidden}
		head, ghead := w[len(w)-mixClasses*mixHidden:], gweights[len(w)-mixClasses*mixHidden:]
		h := second.forward(q, w[mixFirst:], first.forward(p, w, x))
		z := make([]float64, mixClasses)
		for c := range z {
			for j, v := range h {
				z[c] += head[c*mixHidden+j] * v
			}
		}
		r := softmaxOf(z)
		total -= math.Log(r[m.labels[n]]) / mixImages
		r[m.labels[n]]--
		gh := make([]float64, mixHidden)
		for c, v := range r {
			for j := range gh {
				ghead[c*mixHidden+j] += v / mixImages * h[j]
				gh[j] += v / mixImages * head[c*mixHidden+j]
			}
		}
		first.backward(gpq[:3], gweights, second.backward(gpq[3:], gweights[mixFirst:], gh))
	}
	copy(gw, gweights) // nothing if it is nil
	if ga != nil {
		for e, p := range [][]float64{p, q} {
			g := gpq[3*e : 3*e+3]
			mean := dot(p, g)
			for k := range p {
				ga[3*e+k] = p[k] * (g[k] - mean)
			}
		}
	}
	return total, nil
}

// point is a place to look at, and two directions.
func point(seed uint64) (a, w, u, v []float64) {
	s := rng.New(seed, "point")
	draw := func(n int, scale float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = scale * s.NormFloat64()
		}
		return x
	}
	return draw(6, 0.5), draw(mixWeights, 0.7), draw(6, 1), draw(mixWeights, 1)
}

// TestMixture checks the network's own gradient by differences.
func TestMixture(t *testing.T) {
	m := newMixture(1)
	a, w, _, _ := point(1)
	ga, gw := make([]float64, len(a)), make([]float64, len(w))
	if _, err := m.loss(ga, gw, a, w); err != nil {
		t.Fatal(err)
	}
	check := func(x, g []float64) {
		for i := range x {
			const h = 1e-5
			old := x[i]
			x[i] = old + h
			plus, _ := m.loss(nil, nil, a, w)
			x[i] = old - h
			minus, _ := m.loss(nil, nil, a, w)
			x[i] = old
			if d := (plus - minus) / (2 * h); !(math.Abs(d-g[i]) <= 1e-9) {
				t.Fatalf("element %d of %d: gradient %v, difference %v", i, len(x), g[i], d)
			}
		}
	}
	check(a, ga)
	check(w, gw)
}

// exactMixed is ∇²_αwL·v from a difference of fourth order, whose error here is below 1e-10.
func exactMixed(m *mixture, v, a, w []float64) []float64 {
	const h = 1e-3
	to := make([]float64, len(a))
	moved, g := make([]float64, len(w)), make([]float64, len(a))
	for _, p := range []struct{ at, weight float64 }{{1, 8}, {-1, -8}, {2, -1}, {-2, 1}} {
		shift(moved, w, p.at*h, v)
		m.loss(g, nil, a, moved)
		for i := range to {
			to[i] += p.weight * g[i] / (12 * h)
		}
	}
	return to
}

func distance(a, b []float64) float64 {
	d := make([]float64, len(a))
	shift(d, a, -1, b)
	return norm(d)
}

// TestMixedOrder: on a smooth network the error of the mixed product falls as ε², a quarter for every half; a product that is
// off by a factor, such as the ε² of a known mistake, would not fall at all.
func TestMixedOrder(t *testing.T) {
	m := newMixture(1)
	a, w, _, v := point(1)
	want := exactMixed(m, v, a, w)
	got, last := make([]float64, len(a)), 0.0
	for i, radius := range []float64{0.8, 0.4, 0.2, 0.1, 0.05, 0.025} {
		u := Unrolled[float64]{Lower: m.loss, Radius: radius}
		if err := u.Mixed(got, v, a, w); err != nil {
			t.Fatal(err)
		}
		e := distance(got, want) / norm(want)
		if i > 0 && !(last/e > 3.7 && last/e < 4.3) {
			t.Errorf("‖εv‖ = %v: error %.3g after %.3g at twice the length; want a quarter", radius, e, last)
		}
		last = e
	}
	if !(last <= 1e-3) {
		t.Errorf("the error is %v still", last)
	}
}

// TestMixedSymmetry: the mixed derivative is one matrix, so that uᵀC·v by gradients of α along v is vᵀCᵀ·u by gradients of
// the weights along u.
func TestMixedSymmetry(t *testing.T) {
	for seed := range uint64(5) {
		m := newMixture(seed)
		a, w, u, v := point(seed)
		along, back := make([]float64, len(a)), make([]float64, len(w))
		lower := Unrolled[float64]{Lower: m.loss}
		swapped := Unrolled[float64]{Lower: func(gw, ga, w, a []float64) (float64, error) { return m.loss(ga, gw, a, w) }}
		if err := lower.Mixed(along, v, a, w); err != nil {
			t.Fatal(err)
		}
		if err := swapped.Mixed(back, u, w, a); err != nil {
			t.Fatal(err)
		}
		if one, other := dot(u, along), dot(v, back); !(math.Abs(one-other) <= 1e-4*math.Abs(one)) {
			t.Errorf("seed %d: uᵀ(Cv) = %v, vᵀ(Cᵀu) = %v", seed, one, other)
		}
	}
}

// TestUnrolledIsTheGradient: of L_val(w − ξ∇L_train(w, α), α) as a function of α, taken by differences of its value.
func TestUnrolledIsTheGradient(t *testing.T) {
	lower, upper := newMixture(1), newMixture(2)
	a, w, _, _ := point(1)
	const xi = 0.4
	value := func(a []float64) float64 {
		g, moved := make([]float64, len(w)), make([]float64, len(w))
		lower.loss(nil, g, a, w)
		shift(moved, w, -xi, g)
		loss, _ := upper.loss(nil, nil, a, moved)
		return loss
	}
	u := Unrolled[float64]{Upper: upper.loss, Lower: lower.loss, Xi: func(int) float64 { return xi }, Radius: 1e-3}
	second, first := make([]float64, len(a)), make([]float64, len(a))
	if _, err := u.Gradient(second, a, w, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := upper.loss(first, nil, a, w); err != nil {
		t.Fatal(err)
	}
	want := make([]float64, len(a))
	for i := range a {
		const h = 1e-4
		old := a[i]
		a[i] = old + h
		plus := value(a)
		a[i] = old - h
		want[i] = (plus - value(a)) / (2 * h)
		a[i] = old
	}
	if e := distance(second, want) / norm(want); !(e <= 1e-6) {
		t.Errorf("gradient %v, differences give %v", second, want)
	}
	if e := distance(first, want) / norm(want); !(e >= 1e-2) {
		t.Errorf("first order is within %v of it: the test would not notice a missing term", e)
	}
}
