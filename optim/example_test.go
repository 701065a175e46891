package optim_test

import (
	"errors"
	"fmt"
	"math"

	"espalier/internal/kernels"
	"espalier/optim"
)

// A valley that is steep in one direction and flat in the other, w₀² + w₁²/20, with a bias that does not decay.
func Example() {
	w := []kernels.Float{1, 10}
	g := make([]kernels.Float, len(w))
	options := optim.SGDOptions{Momentum: 0.9, Nesterov: true, WeightDecay: 1e-4}
	sgd := optim.NewSGD(len(w), options, optim.Group{From: 1, To: 2})
	schedule := optim.Warmup{Steps: 10, Then: optim.Cosine{LR: 0.2, Steps: 190}}
	for step := range 200 {
		g[0], g[1] = 2*w[0], w[1]/10
		optim.ClipNorm(g, 1)
		sgd.Step(w, g, schedule.At(step))
	}
	fmt.Printf("rate %.3f, then %.3f, then %.3f\n", schedule.At(0), schedule.At(10), schedule.At(199))
	fmt.Println("at the bottom:", math.Abs(float64(w[0])) < 1e-3 && math.Abs(float64(w[1])) < 1e-2)
	// Output:
	// rate 0.018, then 0.200, then 0.000
	// at the bottom: true
}

func ExampleDefaultOneCycle() {
	s := optim.DefaultOneCycle(0.4, 100)
	for _, step := range []int{0, 15, 29, 64, 99} {
		fmt.Printf("step %2d: %.7f\n", step, s.At(step))
	}
	// Output:
	// step  0: 0.0160000
	// step 15: 0.2183947
	// step 29: 0.4000000
	// step 64: 0.2000008
	// step 99: 0.0000016
}

func ExampleCheckFinite() {
	gradient := []kernels.Float{0.5, kernels.Float(math.NaN())}
	names := []string{"conv1.weight", "fc.bias"}
	err := optim.CheckFinite(gradient, 12, func(i int) string { return "the gradient of " + names[i] })
	var diverged *optim.NonFiniteError
	fmt.Println(errors.As(err, &diverged), diverged.Tensor, diverged.Step)
	// Output: true the gradient of fc.bias 12
}
