package bilevel

import (
	"context"
	"fmt"
	"math"
	"testing"

	"espalier/optim"
	"espalier/train"
)

// The problem of figure 2 of the DARTS paper: L_val(w,α) = αw − 2α + 1 and L_train(w,α) = (w−α)².
func toyVal[T Float](gx, gy, x, y []T) (float64, error) {
	if gx != nil {
		gx[0] = y[0] - 2
	}
	if gy != nil {
		gy[0] = x[0]
	}
	return float64(x[0]*y[0] - 2*x[0] + 1), nil
}

func toyTrain[T Float](gx, gy, x, y []T) (float64, error) {
	d := y[0] - x[0]
	if gx != nil {
		gx[0] = -2 * d
	}
	if gy != nil {
		gy[0] = 2 * d
	}
	return float64(d * d), nil
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

// TestCrossProduct: on (w−α)² the mixed second derivative is −2, so that the unrolled gradient is d + 2ξv exactly.
func TestCrossProduct(t *testing.T) {
	for _, xi := range []float64{0.01, 0.3} {
		u := Unrolled[float64]{Upper: toyVal[float64], Lower: toyTrain[float64], Xi: func(int) float64 { return xi }}
		x, y, g := []float64{1.7}, []float64{-0.4}, make([]float64, 1)
		if _, err := u.Gradient(g, x, y, 0); err != nil {
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
			Xi: func(int) float64 { return xi },
		}
		method := Method[float64]{
			{Block: alpha, Optimizer: NewDescent(1, 0, 0.), Rate: optim.Constant{LR: 0.1},
				Gradient: func(g []float64, _ int) (float64, error) { return u.Gradient(g, alpha.Value, w.Value, 0) }},
			{Block: w, Optimizer: NewDescent(1, 0, 0.), Rate: optim.Constant{LR: 0.1},
				Gradient: func(g []float64, _ int) (float64, error) { return u.Lower(nil, g, alpha.Value, w.Value) }},
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
