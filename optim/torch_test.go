package optim

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"espalier/internal/kernels"
)

// fixture is what PyTorch computed in double precision (bench/peers/fixture_optim.py).
type fixture struct {
	Weights    []float64
	Gradients  [][]float64 // by step
	Rates      []float64   // by step
	Groups     [][3]float64
	Optimizers map[string][][]float64 // weights after each step
	Clip       []struct {
		Limit, Norm float64
		Gradient    []float64
	}
	Average   []float64
	Schedules map[string][]float64
}

func torch(t *testing.T) (f fixture) {
	t.Helper()
	b, err := os.ReadFile("testdata/torch.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// tolerance is what rounding may add up to in a few steps on numbers near 1.
func tolerance() float64 {
	if tenth := 0.1; float64(kernels.Float(tenth)) == tenth {
		return 1e-13
	}
	return 1e-6
}

func floats(x []float64) []kernels.Float {
	y := make([]kernels.Float, len(x))
	for i, v := range x {
		y[i] = kernels.Float(v)
	}
	return y
}

func near(t *testing.T, what string, got []kernels.Float, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if !(math.Abs(float64(got[i])-w) <= tolerance()*max(1, math.Abs(w))) {
			t.Errorf("%s: element %d is %v, want %v", what, i, got[i], w)
		}
	}
}

func TestOptimizersAgainstTorch(t *testing.T) {
	f := torch(t)
	n := len(f.Weights)
	var groups []Group
	for _, g := range f.Groups {
		groups = append(groups, Group{int(g[0]), int(g[1]), g[2]})
	}
	adam := AdamOptions{Beta1: 0.5, Beta2: 0.9, Eps: 1e-3, WeightDecay: 0.05}
	adamW := adam
	adamW.Decoupled = true
	made := map[string]Optimizer{
		"descent":         NewSGD(n, SGDOptions{}),
		"descent, decay":  NewSGD(n, SGDOptions{WeightDecay: 0.05}, groups...),
		"momentum":        NewSGD(n, SGDOptions{Momentum: 0.9}),
		"momentum, decay": NewSGD(n, SGDOptions{Momentum: 0.9, WeightDecay: 0.05}, groups...),
		"nesterov":        NewSGD(n, SGDOptions{Momentum: 0.9, Nesterov: true}),
		"nesterov, decay": NewSGD(n, SGDOptions{Momentum: 0.8, Nesterov: true, WeightDecay: 0.05}, groups...),
		"adam":            NewAdam(n, DefaultAdam()),
		"adam, decay":     NewAdam(n, adam, groups...),
		"adamw":           NewAdam(n, DefaultAdamW()),
		"adamw, decay":    NewAdam(n, adamW, groups...),
	}
	if len(made) != len(f.Optimizers) {
		t.Errorf("%d optimizers, %d in the fixture", len(made), len(f.Optimizers))
	}
	for name, o := range made {
		w := floats(f.Weights)
		for step, want := range f.Optimizers[name] {
			o.Step(w, floats(f.Gradients[step]), f.Rates[step])
			near(t, name, w, want)
		}
	}
}

func TestClipNormAgainstTorch(t *testing.T) {
	f := torch(t)
	for _, c := range f.Clip {
		g := floats(f.Gradients[0])
		if norm := ClipNorm(g, c.Limit); !(math.Abs(norm-c.Norm) <= 1e-12*c.Norm) {
			t.Errorf("norm %v, want %v", norm, c.Norm)
		}
		near(t, "gradient", g, c.Gradient)
	}
}

func TestEMAAgainstTorch(t *testing.T) {
	f := torch(t)
	e := NewEMA(len(f.Weights), EMAOptions{Decay: 0.75})
	for _, g := range f.Gradients {
		e.Update(floats(g))
	}
	near(t, "average", e.Average(), f.Average)
}

func TestSchedulesAgainstTorch(t *testing.T) {
	f := torch(t)
	made := map[string]Schedule{
		"cosine":           Cosine{LR: 0.4, Final: 0.01, Steps: 10},
		"stairs":           Stairs{LR: 0.4, Factor: 0.1, Milestones: []int{3, 7}},
		"onecycle":         DefaultOneCycle(0.4, 24),
		"onecycle, linear": OneCycle{LR: 0.4, Steps: 25, Rise: 0.23, Start: 0.1, Final: 0.001, Linear: true},
		"warm cosine":      Warmup{Steps: 4, Then: Cosine{LR: 0.4, Steps: 10}},
	}
	if len(made) != len(f.Schedules) {
		t.Errorf("%d schedules, %d in the fixture", len(made), len(f.Schedules))
	}
	for name, s := range made {
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for step, want := range f.Schedules[name] {
			if got := s.At(step); !(math.Abs(got-want) <= 1e-14) {
				t.Errorf("%s at step %d: %v, want %v", name, step, got, want)
			}
		}
	}
}
