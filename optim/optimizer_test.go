package optim

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"espalier/internal/kernels"
	"espalier/internal/rng"
)

// stateful are objects that a checkpoint must carry, each with a step that it takes on random gradients.
func stateful(n int) map[string]func() (Stateful, func(w, g []kernels.Float, lr float64)) {
	optimizer := func(make func() Optimizer) func() (Stateful, func(w, g []kernels.Float, lr float64)) {
		return func() (Stateful, func(w, g []kernels.Float, lr float64)) {
			o := make()
			return o, o.Step
		}
	}
	group := Group{From: 5, To: 900}
	return map[string]func() (Stateful, func(w, g []kernels.Float, lr float64)){
		"descent":  optimizer(func() Optimizer { return NewSGD(n, SGDOptions{WeightDecay: 1e-2}, group) }),
		"momentum": optimizer(func() Optimizer { return NewSGD(n, SGDOptions{Momentum: 0.9}, group) }),
		"nesterov": optimizer(func() Optimizer {
			return NewSGD(n, SGDOptions{Momentum: 0.9, Nesterov: true, WeightDecay: 1e-2}, group)
		}),
		"adam":  optimizer(func() Optimizer { return NewAdam(n, DefaultAdam()) }),
		"adamw": optimizer(func() Optimizer { return NewAdam(n, DefaultAdamW(), group) }),
		"average": func() (Stateful, func(w, g []kernels.Float, lr float64)) {
			e := NewEMA(n, EMAOptions{Decay: 0.9, Ramp: true})
			return e, func(w, g []kernels.Float, lr float64) {
				kernels.Axpy(w, kernels.Float(-lr), g)
				e.Update(w)
			}
		},
	}
}

func random(s *rng.Stream, n int) []kernels.Float {
	x := make([]kernels.Float, n)
	for i := range x {
		x[i] = kernels.Float(s.NormFloat64())
	}
	return x
}

// TestRestoreGivesTheSameBits interrupts a run of six steps after the third.
func TestRestoreGivesTheSameBits(t *testing.T) {
	const n, seed = 1003, 5
	for name, fresh := range stateful(n) {
		run := func(step func(w, g []kernels.Float, lr float64), w []kernels.Float, from, to int) {
			for i := from; i < to; i++ {
				step(w, random(rng.New(seed, "gradient").At(uint64(i)), n), 0.1)
			}
		}
		whole, step := fresh()
		want := random(rng.New(seed, "weights"), n)
		run(step, want, 0, 6)

		first, step := fresh()
		got := random(rng.New(seed, "weights"), n)
		run(step, got, 0, 3)
		saved := first.State().Clone()
		run(step, slices.Clone(got), 3, 6) // must not reach the copy
		second, step := fresh()
		if err := second.Restore(saved); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		run(step, got, 3, 6)
		if !slices.Equal(got, want) {
			t.Errorf("%s: weights differ after an interruption", name)
		}
		if !reflect.DeepEqual(second.State(), whole.State()) {
			t.Errorf("%s: states differ after an interruption", name)
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	a := NewAdam(3, DefaultAdam())
	good := a.State().Clone()
	for say, s := range map[string]State{
		`no vector "mean"`:     {Counters: good.Counters},
		`no counter "steps"`:   {Vectors: good.Vectors},
		`2 elements`:           {Vectors: map[string][]kernels.Float{"mean": make([]kernels.Float, 2), "variance": good.Vectors["mean"]}, Counters: good.Counters},
		`-1 in counter`:        {Vectors: good.Vectors, Counters: map[string]int64{"steps": -1}},
		`a counter "x", which`: {Vectors: good.Vectors, Counters: map[string]int64{"steps": 1, "x": 1}},
		`a vector "x", which`:  {Vectors: map[string][]kernels.Float{"mean": good.Vectors["mean"], "variance": good.Vectors["mean"], "x": nil}, Counters: good.Counters},
	} {
		if err := a.Restore(s); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("error %v, want one that says %s", err, say)
		}
		if a.steps != 0 {
			t.Error("a refused state was restored")
		}
	}
	if err := NewSGD(3, SGDOptions{}).Restore(NewSGD(3, SGDOptions{Momentum: 0.5}).State()); err == nil {
		t.Error("plain descent took a velocity")
	}
}

func TestSegments(t *testing.T) {
	for _, c := range []struct {
		groups []Group
		want   []Group
	}{
		{nil, []Group{{0, 10, 1}}},
		{[]Group{{0, 10, 0}}, []Group{{0, 10, 0}}},
		{[]Group{{6, 8, 0}, {2, 4, 0}}, []Group{{0, 2, 1}, {2, 4, 0}, {4, 6, 1}, {6, 8, 0}, {8, 10, 1}}},
		{[]Group{{2, 4, 0}, {4, 5, 0}, {5, 5, 3}, {5, 6, 2}}, []Group{{0, 2, 1}, {2, 5, 0}, {5, 6, 2}, {6, 10, 1}}},
		{[]Group{{2, 4, 1}}, []Group{{0, 10, 1}}},
	} {
		if got := segments(10, 1, c.groups); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.groups, got, c.want)
		}
	}
	for _, bad := range [][]Group{
		{{-1, 2, 0}}, {{0, 11, 0}}, {{3, 2, 0}}, {{0, 3, 0}, {2, 4, 0}}, {{0, 1, -1}}, {{0, 1, math.NaN()}},
	} {
		panics(t, "group", func() { segments(10, 1, bad) })
	}
}

func TestWrongLengthsPanic(t *testing.T) {
	three, two := make([]kernels.Float, 3), make([]kernels.Float, 2)
	for _, o := range []Optimizer{NewSGD(3, SGDOptions{}), NewAdam(3, DefaultAdam())} {
		panics(t, "2 elements, not 3", func() { o.Step(two, three, 1) })
		panics(t, "2 elements, not 3", func() { o.Step(three, two, 1) })
	}
	e := NewEMA(3, EMAOptions{})
	panics(t, "2 elements, not 3", func() { e.Update(two) })
	panics(t, "before its first update", func() { e.Average() })
}

func panics(t *testing.T, say string, f func()) {
	t.Helper()
	defer func() {
		if p, _ := recover().(string); !strings.Contains(p, say) {
			t.Errorf("panic %q, want one that says %q", p, say)
		}
	}()
	f()
}

func TestStepsDoNotAllocate(t *testing.T) {
	const n = 5000
	w, g := random(rng.New(1, "w"), n), random(rng.New(1, "g"), n)
	for name, fresh := range stateful(n) {
		_, step := fresh()
		if got := testing.AllocsPerRun(20, func() { step(w, g, 1e-3) }); got > 0 {
			t.Errorf("%s: %v allocations a step", name, got)
		}
	}
}

// TestDecayOfGroups takes steps without a gradient: what decays shrinks by the known factor, the rest stays.
func TestDecayOfGroups(t *testing.T) {
	adamW := DefaultAdamW()
	adamW.WeightDecay = 0.5
	for name, o := range map[string]Optimizer{
		"sgd":   NewSGD(4, SGDOptions{WeightDecay: 0.5}, Group{From: 1, To: 3}),
		"adamw": NewAdam(4, adamW, Group{From: 1, To: 3}),
	} {
		w := []kernels.Float{1, 1, 1, 1}
		o.Step(w, make([]kernels.Float, 4), 0.5)
		if want := []kernels.Float{0.75, 1, 1, 0.75}; !slices.Equal(w, want) {
			t.Errorf("%s: %v, want %v", name, w, want)
		}
	}
}
