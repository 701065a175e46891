package rarts

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"espalier/bilevel"
	"espalier/optim"
	"espalier/train"
)

// toy is the problem of figure 2 of the DARTS paper, L_val = αy − 2α + 1 and L_train = (w−α)² + c·α², from (α, w, y) =
// (2, −2, −2). The two-level solution is α = 1 for every c that is 0 or that does not count at the lower level. It counts
// the gradients that it is asked for, and of those the ones that weights move by.
type toy[T bilevel.Float] struct {
	Problem[T]
	lambda, beta  float64
	passes, moves int
}

func newToy[T bilevel.Float](lambda, beta, c float64, rates [3]float64) *toy[T] {
	p := &toy[T]{lambda: lambda, beta: beta}
	p.Alpha, p.W, p.Y = bilevel.NewBlock[T]("alpha", 2), bilevel.NewBlock[T]("w", -2), bilevel.NewBlock[T]("y", -2)
	for i, m := range []*bilevel.Move[T]{&p.MoveW, &p.MoveY, &p.MoveA} {
		*m = bilevel.Move[T]{Optimizer: bilevel.NewDescent[T](1, 0, 0), Rate: optim.Constant{LR: rates[i]}}
	}
	p.Val.Loss = func(ga, gy, a, y []T) (float64, error) {
		p.passes++
		if ga != nil {
			ga[0] = y[0] - 2
		}
		if gy != nil {
			gy[0] = a[0]
		}
		return float64(a[0]*y[0] - 2*a[0] + 1), nil
	}
	p.Train.Loss = func(ga, gw, a, w []T) (float64, error) {
		p.passes++
		d := w[0] - a[0]
		if ga != nil {
			ga[0] = -2*d + 2*T(c)*a[0]
		}
		if gw != nil {
			gw[0] = 2 * d
		}
		return float64(d*d + T(c)*a[0]*a[0]), nil
	}
	for _, l := range []*bilevel.Level[T]{&p.Val, &p.Train} {
		loss := l.Loss
		l.Move = func(ga, gw, a, w []T) (float64, error) {
			p.moves++
			return loss(ga, gw, a, w)
		}
	}
	return p
}

// run does steps of the method; moved is called after each move.
func (p *toy[T]) run(t testing.TB, reuse bool, steps int, moved func(update int)) error {
	t.Helper()
	m, err := Method(p.Problem, Options{Lambda: p.lambda, Beta: p.beta, Reuse: reuse})
	if err != nil {
		t.Fatal(err)
	}
	s, err := bilevel.New(m, bilevel.Options[T]{Steps: steps, Moved: func(update, _ int, _ float64) error {
		if moved != nil {
			moved(update)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = train.Run(context.Background(), nil, s, train.Options{Epochs: 1})
	return err
}

func (p *toy[T]) lagrangian() float64 {
	a, w, y := float64(p.Alpha.Value[0]), float64(p.W.Value[0]), float64(p.Y.Value[0])
	return a*y - 2*a + 1 + p.lambda*(w-a)*(w-a) + p.beta/2*(y-w)*(y-w)
}

// rises counts how often L rises from one call of the returned function to the next.
func (p *toy[T]) rises(n *int) func() {
	last := math.Inf(1)
	return func() {
		l := p.lagrangian()
		if !(l <= last+1e-12*(1+math.Abs(last))) {
			*n++
		}
		last = l
	}
}

// bounds are a share of the steps below which no move of the toy raises L: 2/(λL₁+β), 2/(L₂+β), 2/(λL₃+L₄), with L₁ = 2,
// L₃ = 2+2c and L₂ = L₄ = 0.
func bounds(lambda, beta, c, share float64) [3]float64 {
	return [3]float64{share * 2 / (2*lambda + beta), share * 2 / beta, share / (lambda * (1 + c))}
}

// settings are weights (λ, β) with the point that L is least at: α = 1/(1 − 1/(4λ) − 1/(2β)), w = α(1 − 1/(2λ)), y = w − α/β.
var settings = []struct{ lambda, beta, alpha, w, y float64 }{
	{1, 1, 4, 2, -2},
	{1, 10, 1.42857, 0.71429, 0.57143},
	{10, 1, 2.10526, 2, -0.10526},
	{10, 10, 1.08108, 1.02703, 0.91892},
	{10, 100, 1.03093, 0.97938, 0.96907},
	{100, 100, 1.00756, 1.00252, 0.99244},
}

func (p *toy[T]) at(t *testing.T, what string, alpha, w, y, tolerance float64) {
	t.Helper()
	for _, v := range []struct {
		name      string
		got, want float64
	}{{"α", float64(p.Alpha.Value[0]), alpha}, {"w", float64(p.W.Value[0]), w}, {"y", float64(p.Y.Value[0]), y}} {
		if !(math.Abs(v.got-v.want) <= tolerance) {
			t.Errorf("%s, λ = %v, β = %v: %s = %v, want %v", what, p.lambda, p.beta, v.name, v.got, v.want)
		}
	}
}

// TestRestingPoint: four passes come to the least L, and no move on the way raises it.
func TestRestingPoint(t *testing.T) {
	for _, c := range settings {
		for _, share := range []float64{0.5, 0.9} {
			p := newToy[float64](c.lambda, c.beta, 0, bounds(c.lambda, c.beta, 0, share))
			risen := 0
			check := p.rises(&risen)
			if err := p.run(t, false, 60000, func(int) { check() }); err != nil {
				t.Fatal(err)
			}
			p.at(t, "four passes", c.alpha, c.w, c.y, 1e-5)
			if risen > 0 {
				t.Errorf("λ = %v, β = %v, %v of the bounds: L rose in %d moves", c.lambda, c.beta, share, risen)
			}
		}
	}
	single := newToy[float32](10, 10, 0, bounds(10, 10, 0, 0.9))
	if err := single.run(t, false, 60000, nil); err != nil {
		t.Fatal(err)
	}
	single.at(t, "single precision", 1.08108, 1.02703, 0.91892, 1e-3)
}

// TestReuse: with two passes the same point is found, L falling in every step, at half of the bounds; at nine tenths the loop
// diverges.
func TestReuse(t *testing.T) {
	for _, c := range settings {
		p := newToy[float64](c.lambda, c.beta, 0, bounds(c.lambda, c.beta, 0, 0.5))
		risen := 0
		check := p.rises(&risen)
		err := p.run(t, true, 60000, func(update int) {
			if update == 2 {
				check()
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		p.at(t, "two passes", c.alpha, c.w, c.y, 1e-5)
		if risen > 0 {
			t.Errorf("λ = %v, β = %v: L rose in %d steps", c.lambda, c.beta, risen)
		}
	}
	for _, c := range [][2]float64{{1, 1}, {10, 1}, {10, 10}, {100, 100}} {
		p := newToy[float64](c[0], c[1], 0, bounds(c[0], c[1], 0, 0.9))
		if err := p.run(t, true, 20000, nil); !diverged(t, err) {
			t.Errorf("λ = %v, β = %v: two passes did not diverge at nine tenths of the bounds: α = %v", c[0], c[1], p.Alpha.Value[0])
		}
	}
}

func diverged(t *testing.T, err error) bool {
	t.Helper()
	var bad *optim.NonFiniteError
	if err != nil && !errors.As(err, &bad) {
		t.Fatal(err)
	}
	return err != nil
}

// TestNoMinimum: there is none unless 4λβ > 2λ+β. At equality the variables drift by equal steps; below, they grow faster
// and faster.
func TestNoMinimum(t *testing.T) {
	for _, reuse := range []bool{false, true} {
		at := func(lambda, beta float64, steps int) float64 {
			p := newToy[float64](lambda, beta, 0, bounds(lambda, beta, 0, 0.5))
			if diverged(t, p.run(t, reuse, steps, nil)) {
				return math.Inf(1)
			}
			return p.Alpha.Value[0]
		}
		a, b, c := at(0.5, 1, 2000), at(0.5, 1, 4000), at(0.5, 1, 6000)
		if slope, next := (b-a)/2000, (c-b)/2000; !(slope > 1e-3 && math.Abs(slope-next) <= 1e-9) {
			t.Errorf("reuse %v: at the boundary α moves by %v a step, later by %v; want a constant drift", reuse, slope, next)
		}
		a, b, c = at(1, 0.5, 200), at(1, 0.5, 400), at(1, 0.5, 600)
		if !(math.Abs(c-b) > 2*math.Abs(b-a) && math.Abs(b-a) > 1) {
			t.Errorf("reuse %v: beyond it α is %v, %v, %v after 200, 400, 600 steps; want ever faster growth", reuse, a, b, c)
		}
	}
}

// TestBias: where α alone can lower the training loss, which changes nothing about the two-level solution α = 1, larger λ leads
// away from that, to 1/(1 − 1/(4λ) − 1/(2β) + λc).
func TestBias(t *testing.T) {
	for _, c := range []struct{ weight, want float64 }{{10, 0.16878}, {100, 0.01961}} {
		for _, reuse := range []bool{false, true} {
			p := newToy[float64](c.weight, c.weight, 0.5, bounds(c.weight, c.weight, 0.5, 0.5))
			if err := p.run(t, reuse, 20000, nil); err != nil {
				t.Fatal(err)
			}
			if a := p.Alpha.Value[0]; !(math.Abs(a-c.want) <= 1e-5) {
				t.Errorf("λ = β = %v, reuse %v: α = %v, want %v", c.weight, reuse, a, c.want)
			}
		}
	}
}

// TestPasses: a step costs four passes, or two; two of them move weights and may touch running statistics.
func TestPasses(t *testing.T) {
	const steps = 20
	for _, reuse := range []bool{false, true} {
		p := newToy[float64](10, 10, 0, bounds(10, 10, 0, 0.5))
		if err := p.run(t, reuse, steps, nil); err != nil {
			t.Fatal(err)
		}
		o := Options{Reuse: reuse}
		if want := map[bool]int{false: 4, true: 2}[reuse]; p.passes != want*steps || o.Passes() != want || p.moves != 2*steps {
			t.Errorf("reuse %v: %d passes in %d steps, %d of them moves; Passes says %d; want %d a step", reuse, p.passes, steps, p.moves, o.Passes(), want)
		}
	}
}

// TestOrderOfTerms: the gradient is clipped first, then λ multiplies it, and the spring's pull is added in full.
func TestOrderOfTerms(t *testing.T) {
	p := newToy[float64](3, 7, 0, [3]float64{1, 1, 1})
	p.MoveW.Clip, p.Y.Value[0] = 2, -1.5
	m, err := Method(p.Problem, Options{Lambda: 3, Beta: 7})
	if err != nil {
		t.Fatal(err)
	}
	g := make([]float64, 1)
	if _, err := m[0].Gradient(g, 0); err != nil {
		t.Fatal(err)
	}
	if want := 3*-2 + 7*(-2+1.5); !(math.Abs(g[0]-want) <= 1e-5) { // ∇L_train is −8
		t.Errorf("gradient %v, want %v", g[0], want)
	}
}

// TestWarmup: before α's first step no gradient of it is asked for, and none of theirs enters its first move.
func TestWarmup(t *testing.T) {
	for _, reuse := range []bool{false, true} {
		p := newToy[float64](10, 10, 0, bounds(10, 10, 0, 0.5))
		p.MoveA.From = 5
		if err := p.run(t, reuse, 5, nil); err != nil {
			t.Fatal(err)
		}
		if p.Alpha.Value[0] != 2 || p.passes != 10 {
			t.Errorf("reuse %v: α = %v after %d passes, want 2 after 10", reuse, p.Alpha.Value[0], p.passes)
		}
		if err := p.run(t, reuse, 20000, nil); err != nil {
			t.Fatal(err)
		}
		p.at(t, "after a warm-up", 1.08108, 1.02703, 0.91892, 1e-5)
	}
}

func TestValidate(t *testing.T) {
	with := func(change func(*Options)) Options {
		o := Default()
		change(&o)
		return o
	}
	for say, o := range map[string]Options{
		"lambda is 0": with(func(o *Options) { o.Lambda = 0 }), "beta is NaN": with(func(o *Options) { o.Beta = math.NaN() }),
		"w_lr is -1": with(func(o *Options) { v := -1.0; o.WLR = &v }), "y_lr is 0": with(func(o *Options) { o.YLR = new(float64) }),
	} {
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "rarts: "+say) {
			t.Errorf("%+v: %v, want %q", o, err, say)
		}
	}
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
}

// Example searches two variables in place of weights and architecture: L_val = αw − 2α + 1 and L_train = (w−α)², whose
// two-level solution is α = 1. RARTS comes near it as λ and β grow.
func Example() {
	for _, weight := range []float64{1, 10, 100} {
		p := newToy[float64](weight, weight, 0, bounds(weight, weight, 0, 0.5))
		o := Options{Lambda: weight, Beta: weight, Reuse: true}
		m, err := Method(p.Problem, o)
		if err != nil {
			fmt.Println(err)
			return
		}
		s, err := bilevel.New(m, bilevel.Options[float64]{Steps: 20000})
		if err == nil {
			_, err = train.Run(context.Background(), nil, s, train.Options{Epochs: 1})
		}
		fmt.Printf("λ = β = %v: α = %.4f, %d passes a step, %v\n", weight, p.Alpha.Value[0], o.Passes(), err)
	}
	// Output:
	// λ = β = 1: α = 4.0000, 2 passes a step, <nil>
	// λ = β = 10: α = 1.0811, 2 passes a step, <nil>
	// λ = β = 100: α = 1.0076, 2 passes a step, <nil>
}
