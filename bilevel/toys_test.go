package bilevel

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"

	"espalier/optim"
	"espalier/train"
)

// The problem of figure 2 of the DARTS paper: L_val(w,α) = αw − 2α + 1 and L_train(w,α) = (w−α)² + c·α², which has the
// solution α = w = 1 for c = 0 and, since the training loss is 0 at best then, for no weight of it.
func toyVal[T Float](gx, gy, x, y []T) (float64, error) {
	if gx != nil {
		gx[0] = y[0] - 2
	}
	if gy != nil {
		gy[0] = x[0]
	}
	return float64(x[0]*y[0] - 2*x[0] + 1), nil
}

func toyTrain[T Float](c T) Objective[T] {
	return func(gx, gy, x, y []T) (float64, error) {
		d := y[0] - x[0]
		if gx != nil {
			gx[0] = -2*d + 2*c*x[0]
		}
		if gy != nil {
			gy[0] = 2 * d
		}
		return float64(d*d + c*x[0]*x[0]), nil
	}
}

// run does steps of a method without data.
func run[T Float](t testing.TB, m Method[T], o Options[T], steps int) error {
	t.Helper()
	o.Steps = steps
	s, err := New(m, o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = train.Run(context.Background(), nil, s, train.Options{Epochs: 1})
	return err
}

func darts[T Float](alpha, w *Block[T], xi float64) Method[T] {
	u := Unrolled[T]{Upper: toyVal[T], Lower: toyTrain[T](0), Xi: func() float64 { return xi }}
	return Method[T]{
		{Block: alpha, Optimizer: NewDescent[T](1, 0, 0), Rate: optim.Constant{LR: 0.1},
			Gradient: func(g []T) (float64, error) { return u.Gradient(g, alpha.Value, w.Value) }},
		{Block: w, Optimizer: NewDescent[T](1, 0, 0), Rate: optim.Constant{LR: 0.1},
			Gradient: func(g []T) (float64, error) { return u.Lower(nil, g, alpha.Value, w.Value) }},
	}
}

// TestDARTS: the loop rests at α = w = 2/(1+2ξ), so a wrong sign or factor in the second-order term shows as a wrong place.
func TestDARTS(t *testing.T) {
	for _, xi := range []float64{0, 0.05, 0.1, 0.25, 0.5, 1} {
		alpha, w := NewBlock("alpha", 2.0), NewBlock("w", -2.0)
		if err := run(t, darts(alpha, w, xi), Options[float64]{}, 3000); err != nil {
			t.Fatal(err)
		}
		want := 2 / (1 + 2*xi)
		if a, b := math.Abs(alpha.Value[0]-want), math.Abs(w.Value[0]-want); !(a <= 1e-6 && b <= 1e-6) {
			t.Errorf("ξ = %v: α = %v, w = %v, want %v", xi, alpha.Value[0], w.Value[0], want)
		}
		alpha32, w32 := NewBlock[float32]("alpha", 2), NewBlock[float32]("w", -2)
		if err := run(t, darts(alpha32, w32, xi), Options[float32]{}, 3000); err != nil {
			t.Fatal(err)
		}
		if a := math.Abs(float64(alpha32.Value[0]) - want); !(a <= 1e-4) {
			t.Errorf("ξ = %v in single precision: α = %v, want %v", xi, alpha32.Value[0], want)
		}
	}
}

// TestCrossProduct: on (w−α)² the mixed second derivative is −2, so that the unrolled gradient is d + 2ξv exactly.
func TestCrossProduct(t *testing.T) {
	for _, xi := range []float64{0.01, 0.3} {
		u := Unrolled[float64]{Upper: toyVal[float64], Lower: toyTrain(0.0), Xi: func() float64 { return xi }}
		x, y, g := []float64{1.7}, []float64{-0.4}, make([]float64, 1)
		if _, err := u.Gradient(g, x, y); err != nil {
			t.Fatal(err)
		}
		moved := y[0] - xi*2*(y[0]-x[0])
		if want := moved - 2 + 2*xi*x[0]; !(math.Abs(g[0]-want) <= 1e-10) {
			t.Errorf("ξ = %v: gradient %v, want %v", xi, g[0], want)
		}
		if x[0] != 1.7 || y[0] != -0.4 {
			t.Error("the gradient moved the variables")
		}
	}
}

// rarts is the list of updates of RARTS in our reading: L = L_val(y,α) + λL_train(w,α) + β/2·‖y−w‖².
func rarts(alpha, w, y *Block[float64], lambda, beta, c float64, rates [3]float64) Method[float64] {
	l := toyTrain(c)
	plain := func() Optimizer[float64] { return NewDescent[float64](1, 0, 0) }
	return Method[float64]{
		{Block: w, Optimizer: plain(), Rate: optim.Constant{LR: rates[0]}, Gradient: func(g []float64) (float64, error) {
			loss, err := l(nil, g, alpha.Value, w.Value)
			g[0] = lambda*g[0] + beta*(w.Value[0]-y.Value[0])
			return loss, err
		}},
		{Block: y, Optimizer: plain(), Rate: optim.Constant{LR: rates[1]}, Gradient: func(g []float64) (float64, error) {
			loss, err := toyVal(nil, g, alpha.Value, y.Value)
			g[0] += beta * (y.Value[0] - w.Value[0])
			return loss, err
		}},
		{Block: alpha, Optimizer: plain(), Rate: optim.Constant{LR: rates[2]}, Gradient: func(g []float64) (float64, error) {
			if _, err := l(g, nil, alpha.Value, w.Value); err != nil {
				return 0, err
			}
			first := lambda * g[0]
			loss, err := toyVal(g, nil, alpha.Value, y.Value)
			g[0] += first
			return loss, err
		}},
	}
}

func lagrangian(alpha, w, y, lambda, beta float64) float64 {
	return alpha*y - 2*alpha + 1 + lambda*(w-alpha)*(w-alpha) + beta/2*(y-w)*(y-w)
}

// bounds are the step sizes below which no update of the toy raises L: 2/(λL₁+β), 2/(L₂+β), 2/(λL₃+L₄), with L₁ = L₃ = 2
// and L₂ = L₄ = 0.
func bounds(lambda, beta, share float64) [3]float64 {
	return [3]float64{share * 2 / (2*lambda + beta), share * 2 / beta, share / lambda}
}

// TestRARTS: α = 1/(1 − 1/(4λ) − 1/(2β)), w = α(1 − 1/(2λ)), y = w − α/β, and on the way L never rises.
func TestRARTS(t *testing.T) {
	for _, c := range []struct{ lambda, beta, alpha, w, y float64 }{
		{1, 1, 4, 2, -2},
		{1, 10, 1.42857, 0.71429, 0.57143},
		{10, 1, 2.10526, 2, -0.10526},
		{10, 10, 1.08108, 1.02703, 0.91892},
		{10, 100, 1.03093, 0.97938, 0.96907},
		{100, 100, 1.00756, 1.00252, 0.99244},
	} {
		for _, share := range []float64{0.5, 0.9} {
			alpha, w, y := NewBlock("alpha", 2.0), NewBlock("w", -2.0), NewBlock("y", -2.0)
			last, risen := math.Inf(1), 0
			watch := func(int, int, float64) error {
				l := lagrangian(alpha.Value[0], w.Value[0], y.Value[0], c.lambda, c.beta)
				if !(l <= last+1e-12*(1+math.Abs(last))) {
					risen++
				}
				last = l
				return nil
			}
			m := rarts(alpha, w, y, c.lambda, c.beta, 0, bounds(c.lambda, c.beta, share))
			if err := run(t, m, Options[float64]{Moved: watch}, 60000); err != nil {
				t.Fatal(err)
			}
			for name, v := range map[string][2]float64{
				"α": {alpha.Value[0], c.alpha}, "w": {w.Value[0], c.w}, "y": {y.Value[0], c.y},
			} {
				if !(math.Abs(v[0]-v[1]) <= 1e-5) {
					t.Errorf("λ = %v, β = %v: %s = %v, want %v", c.lambda, c.beta, name, v[0], v[1])
				}
			}
			if risen > 0 {
				t.Errorf("λ = %v, β = %v, %v of the bounds: L rose in %d moves", c.lambda, c.beta, share, risen)
			}
		}
	}
}

// TestRARTSReuse: the variant whose α-step takes the gradients of the passes that moved w and y costs two passes instead of
// four. The step bounds hold no longer: it diverges at nine tenths of them, and descends at half.
func TestRARTSReuse(t *testing.T) {
	for _, c := range [][2]float64{{1, 1}, {10, 1}, {10, 10}, {100, 100}} {
		for _, share := range []float64{0.5, 0.9} {
			lambda, beta := c[0], c[1]
			alpha, w, y := NewBlock("alpha", 2.0), NewBlock("w", -2.0), NewBlock("y", -2.0)
			m := rarts(alpha, w, y, lambda, beta, 0, bounds(lambda, beta, share))
			var kept float64
			first, second := m[0].Gradient, m[1].Gradient
			m[0].Gradient = func(g []float64) (float64, error) {
				kept = -2 * lambda * (w.Value[0] - alpha.Value[0])
				return first(g)
			}
			m[1].Gradient = func(g []float64) (float64, error) {
				kept += y.Value[0] - 2
				return second(g)
			}
			m[2].Gradient = func(g []float64) (float64, error) {
				g[0] = kept
				return 0, nil
			}
			last, risen := math.Inf(1), 0
			watch := func(update, _ int, _ float64) error {
				l := lagrangian(alpha.Value[0], w.Value[0], y.Value[0], lambda, beta)
				if update == 2 {
					if !(l <= last+1e-12*(1+math.Abs(last))) {
						risen++
					}
					last = l
				}
				return nil
			}
			err := run(t, m, Options[float64]{Moved: watch}, 20000)
			if diverged := err != nil; diverged != (share > 0.5) || !diverged && risen > 0 {
				t.Errorf("λ = %v, β = %v, %v of the bounds: %v, L rose in %d steps", lambda, beta, share, err, risen)
			}
		}
	}
}

// TestRARTSBoundary: there is no minimiser unless 4λβ > 2λ+β. At equality the variables drift by equal steps; below, they
// grow faster and faster.
func TestRARTSBoundary(t *testing.T) {
	at := func(lambda, beta float64, steps int) float64 {
		alpha, w, y := NewBlock("alpha", 2.0), NewBlock("w", -2.0), NewBlock("y", -2.0)
		if err := run(t, rarts(alpha, w, y, lambda, beta, 0, bounds(lambda, beta, 0.5)), Options[float64]{}, steps); err != nil {
			var bad *optim.NonFiniteError
			if !errors.As(err, &bad) {
				t.Fatal(err)
			}
			return math.Inf(1)
		}
		return alpha.Value[0]
	}
	a, b, c := at(0.5, 1, 2000), at(0.5, 1, 4000), at(0.5, 1, 6000)
	if slope, next := (b-a)/2000, (c-b)/2000; !(slope > 1e-3 && math.Abs(slope-next) <= 1e-9) {
		t.Errorf("at the boundary α moves by %v a step, later by %v; want a constant drift", slope, next)
	}
	a, b, c = at(1, 0.5, 200), at(1, 0.5, 400), at(1, 0.5, 600)
	if !(math.Abs(c-b) > 2*math.Abs(b-a) && math.Abs(b-a) > 1) {
		t.Errorf("beyond it α is %v, %v, %v after 200, 400, 600 steps; want ever faster growth", a, b, c)
	}
}

// TestRARTSLimit: with a training loss that α alone can lower, larger λ leads away from the solution, α = 1.
func TestRARTSLimit(t *testing.T) {
	for _, c := range []struct{ weight, want float64 }{{10, 0.16878}, {100, 0.01961}} {
		alpha, w, y := NewBlock("alpha", 2.0), NewBlock("w", -2.0), NewBlock("y", -2.0)
		rates := bounds(c.weight, c.weight, 0.5)
		rates[2] /= 2 // L₃ = 2 + 2·½
		if err := run(t, rarts(alpha, w, y, c.weight, c.weight, 0.5, rates), Options[float64]{}, 20000); err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(alpha.Value[0]-c.want) <= 1e-5) {
			t.Errorf("λ = β = %v: α = %v, want %v", c.weight, alpha.Value[0], c.want)
		}
	}
}

// Example is DARTS on two variables: L_val = αw − 2α + 1 and L_train = (w−α)². The second-order gradient with ξ = ½ takes a
// whole Newton step of the lower level and finds the solution, α = 1; the first-order one stops at 2.
func Example() {
	for _, xi := range []float64{0, 0.5} {
		alpha, w := NewBlock("alpha", 2.0), NewBlock("w", -2.0)
		u := Unrolled[float64]{
			Upper: func(ga, gw, a, w []float64) (float64, error) {
				if ga != nil {
					ga[0] = w[0] - 2
				}
				if gw != nil {
					gw[0] = a[0]
				}
				return a[0]*w[0] - 2*a[0] + 1, nil
			},
			Lower: func(ga, gw, a, w []float64) (float64, error) {
				if ga != nil {
					ga[0] = -2 * (w[0] - a[0])
				}
				if gw != nil {
					gw[0] = 2 * (w[0] - a[0])
				}
				return (w[0] - a[0]) * (w[0] - a[0]), nil
			},
			Xi: func() float64 { return xi },
		}
		method := Method[float64]{
			{Block: alpha, Optimizer: NewDescent(1, 0, 0.), Rate: optim.Constant{LR: 0.1},
				Gradient: func(g []float64) (float64, error) { return u.Gradient(g, alpha.Value, w.Value) }},
			{Block: w, Optimizer: NewDescent(1, 0, 0.), Rate: optim.Constant{LR: 0.1},
				Gradient: func(g []float64) (float64, error) { return u.Lower(nil, g, alpha.Value, w.Value) }},
		}
		stepper, err := New(method, Options[float64]{Steps: 1000})
		if err == nil {
			_, err = train.Run(context.Background(), nil, stepper, train.Options{Epochs: 1})
		}
		fmt.Printf("ξ = %v: α = %.4f, w = %.4f, %v\n", xi, alpha.Value[0], w.Value[0], err)
	}
	// Output:
	// ξ = 0: α = 2.0000, w = 2.0000, <nil>
	// ξ = 0.5: α = 1.0000, w = 1.0000, <nil>
}
