package darts

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"espalier/bilevel"
	"espalier/internal/kernels"
	"espalier/optim"
	"espalier/train"
)

// toy is the problem of figure 2 of the paper, L_val = αw − 2α + 1 and L_train = (w−α)², from (α, w) = (2, −2). It counts
// the gradients that it is asked for, and of those the ones that weights move by.
type toy[T bilevel.Float] struct {
	Problem[T]
	passes, moves int
	seen          []T // the weights of the last upper gradient
}

func newToy[T bilevel.Float](momentum, decay T, rate float64) *toy[T] {
	p := &toy[T]{}
	p.Alpha, p.W = bilevel.NewBlock[T]("alpha", 2), bilevel.NewBlock[T]("w", -2)
	p.MoveA = bilevel.Move[T]{Optimizer: bilevel.NewDescent[T](1, 0, 0), Rate: optim.Constant{LR: 0.1}}
	p.MoveW = bilevel.Move[T]{Optimizer: bilevel.NewDescent(1, momentum, decay), Rate: optim.Constant{LR: rate}}
	p.Val.Loss = func(ga, gw, a, w []T) (float64, error) {
		p.passes++
		p.seen = slices.Clone(w)
		if ga != nil {
			ga[0] = w[0] - 2
		}
		if gw != nil {
			gw[0] = a[0]
		}
		return float64(a[0]*w[0] - 2*a[0] + 1), nil
	}
	p.Train.Loss = func(ga, gw, a, w []T) (float64, error) {
		p.passes++
		d := w[0] - a[0]
		if ga != nil {
			ga[0] = -2 * d
		}
		if gw != nil {
			gw[0] = 2 * d
		}
		return float64(d * d), nil
	}
	p.Train.Move = func(ga, gw, a, w []T) (float64, error) {
		p.moves++
		return p.Train.Loss(ga, gw, a, w)
	}
	return p
}

// run does steps of the method; moved is called after each move.
func (p *toy[T]) run(t testing.TB, o Options, steps int, moved func(update int)) {
	t.Helper()
	m, err := Method(p.Problem, o)
	if err != nil {
		t.Fatal(err)
	}
	options := bilevel.Options[T]{Steps: steps, Moved: func(update, _ int, _ float64) error {
		if moved != nil {
			moved(update)
		}
		return nil
	}}
	s, err := bilevel.New(m, options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := train.Run(context.Background(), nil, s, train.Options{Epochs: 1}); err != nil {
		t.Fatal(err)
	}
}

func order2(xi float64) Options { return Options{Order: 2, Xi: &xi, Plain: true} }

// TestRestingPoint: the loop rests at α = w = 2/(1+2ξ), so that a wrong sign or factor in the second-order term shows as a
// wrong place: first order stops at 2, and ξ = ½, a whole Newton step of the lower level, finds the solution, 1.
func TestRestingPoint(t *testing.T) {
	for _, c := range []struct{ xi, want float64 }{
		{0, 2}, {0.01, 1.9608}, {0.05, 1.8182}, {0.1, 1.6667}, {0.25, 1.3333}, {0.5, 1}, {1, 0.6667},
	} {
		if exact := 2 / (1 + 2*c.xi); !(math.Abs(exact-c.want) <= 5e-5) {
			t.Fatalf("the formula gives %v", exact)
		} else {
			c.want = exact
		}
		p := newToy[float64](0, 0, 0.1)
		p.run(t, order2(c.xi), 5000, nil)
		if a, w := p.Alpha.Value[0], p.W.Value[0]; !(math.Abs(a-c.want) <= 1e-6 && math.Abs(w-c.want) <= 1e-6) {
			t.Errorf("ξ = %v: α = %v, w = %v, want %v", c.xi, a, w, c.want)
		}
		single := newToy[float32](0, 0, 0.1)
		single.run(t, order2(c.xi), 5000, nil)
		if a := float64(single.Alpha.Value[0]); !(math.Abs(a-c.want) <= 1e-4) {
			t.Errorf("ξ = %v in single precision: α = %v, want %v", c.xi, a, c.want)
		}
	}
	first, second := newToy[float64](0, 0, 0.1), newToy[float64](0, 0, 0.1)
	first.run(t, Options{Order: 1}, 5000, nil)
	second.run(t, Options{Order: 2, Plain: true}, 5000, nil) // ξ is the rate of w
	if a, b := first.Alpha.Value[0]-1, second.Alpha.Value[0]-1; !(math.Abs(a-1) <= 1e-6 && math.Abs(b-(2/1.2-1)) <= 1e-6) {
		t.Errorf("distance to the solution %v in first order and %v in second, want 1 and %v", a, b, 2/1.2-1)
	}
}

// TestPasses: a step costs two passes in first order and five in second, one of which moves weights and may touch running
// statistics. The weights that the α-step leaves behind have the bits that it found.
func TestPasses(t *testing.T) {
	const steps = 20
	zero := 0.0
	for _, c := range []struct {
		o    Options
		want int
	}{{Options{Order: 1}, 2}, {Default(), 5}, {order2(0.3), 5}, {Options{Order: 2, Xi: &zero}, 2}} {
		p := newToy[float32](0.9, 0.01, 0.05)
		before := p.W.Value[0]
		p.run(t, c.o, steps, func(update int) {
			if update == 0 && math.Float32bits(p.W.Value[0]) != math.Float32bits(before) {
				t.Errorf("%+v: the α-step left weights %v where %v were", c.o, p.W.Value[0], before)
			}
			before = p.W.Value[0]
		})
		if p.passes != c.want*steps || c.o.Passes() != c.want || p.moves != steps {
			t.Errorf("%+v: %d passes in %d steps, %d of them moves; Passes says %d; want %d a step", c.o, p.passes, steps, p.moves, c.o.Passes(), c.want)
		}
	}
}

// TestUnrolledStep: α does not move here, so the weights of the upper gradient are those that the w-step comes to, momentum
// and decay included; plain, they are w − ξ∇L_train.
func TestUnrolledStep(t *testing.T) {
	for _, plain := range []bool{false, true} {
		p := newToy[float64](0.9, 0.01, 0.05)
		p.MoveA.Rate = optim.Constant{}
		w := p.W.Value[0]
		var ahead float64
		p.run(t, Options{Order: 2, Plain: plain}, 10, func(update int) {
			if update == 0 {
				ahead = p.seen[0]
				return
			}
			want := p.W.Value[0]
			if plain {
				want = w - 0.05*2*(w-2)
			}
			if !(math.Abs(ahead-want) <= 1e-12) {
				t.Errorf("plain %v: the upper gradient was taken at %v, want %v", plain, ahead, want)
			}
			w = p.W.Value[0]
		})
	}
	n := 40
	w, g, to := make([]kernels.Float, n), make([]kernels.Float, n), make([]kernels.Float, n)
	sgd := optim.NewSGD(n, optim.SGDOptions{Momentum: 0.9, WeightDecay: 0.01}, optim.Group{From: 3, To: 9})
	for step := range 5 {
		for i := range w {
			g[i] = kernels.Float(math.Sin(float64(i + 7*step)))
		}
		sgd.Preview(to, w, g, 0.1)
		sgd.Step(w, g, 0.1)
		for i := range w {
			if !(math.Abs(float64(to[i]-w[i])) <= 1e-6) {
				t.Fatalf("step %d: a preview of %v, and a step to %v", step, to[i], w[i])
			}
		}
	}
}

// TestClip: with the gradient of the unrolled step scaled by c, w′ = w − ξ·c·∇L_train, and the second-order term is 2ξc·v.
func TestClip(t *testing.T) {
	const xi, limit = 0.2, 0.5
	p := newToy[float64](0, 0, 0.1) // ∇L_train = −8, v = α = 2
	m, err := Method(p.Problem, Options{Order: 2, Xi: at(xi), Plain: true, Clip: limit})
	if err != nil {
		t.Fatal(err)
	}
	g := make([]float64, 1)
	if _, err := m[0].Gradient(g, 0); err != nil {
		t.Fatal(err)
	}
	c := limit / (8 + 1e-6)
	if want := (-2 + xi*c*8) - 2 + 2*xi*c*2; !(math.Abs(g[0]-want) <= 1e-9) {
		t.Errorf("gradient %v, want %v", g[0], want)
	}
}

// TestWarmup: α stays until its first step.
func TestWarmup(t *testing.T) {
	p := newToy[float64](0, 0, 0.1)
	p.MoveA.From = 7
	p.run(t, Options{Order: 1}, 7, nil)
	if p.Alpha.Value[0] != 2 || p.passes != 7 {
		t.Errorf("α = %v after %d passes, want 2 after 7", p.Alpha.Value[0], p.passes)
	}
}

func TestValidate(t *testing.T) {
	for say, o := range map[string]Options{
		"order is 0": {}, "order is 3": {Order: 3}, "xi is NaN": {Order: 2, Xi: at(math.NaN())}, "xi is -1": {Order: 2, Xi: at(-1.0)},
		"clip is -2": {Order: 2, Clip: -2},
	} {
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "darts: "+say) {
			t.Errorf("%+v: %v, want %q", o, err, say)
		}
	}
	p := newToy[float64](0, 0, 0.1)
	p.MoveW.Optimizer = bare{}
	if _, err := Method(p.Problem, Default()); err == nil || !strings.Contains(err.Error(), "cannot unroll") {
		t.Errorf("an optimizer without a preview: %v", err)
	}
}

type bare struct{}

func (bare) Step(w, g []float64, lr float64) {}

func at[T any](v T) *T { return &v }

// Example searches two variables in place of weights and architecture: L_val = αw − 2α + 1 and L_train = (w−α)². First order
// stops at α = 2; second order, with the step that solves the lower level, at the solution.
func Example() {
	for _, o := range []Options{{Order: 1}, order2(0.5)} {
		p := newToy[float64](0, 0, 0.1)
		m, err := Method(p.Problem, o)
		if err != nil {
			fmt.Println(err)
			return
		}
		s, err := bilevel.New(m, bilevel.Options[float64]{Steps: 1000})
		if err == nil {
			_, err = train.Run(context.Background(), nil, s, train.Options{Epochs: 1})
		}
		fmt.Printf("order %d: α = %.4f, w = %.4f, %d passes a step, %v\n", o.Order, p.Alpha.Value[0], p.W.Value[0], o.Passes(), err)
	}
	// Output:
	// order 1: α = 2.0000, w = 2.0000, 2 passes a step, <nil>
	// order 2: α = 1.0000, w = 1.0000, 5 passes a step, <nil>
}
