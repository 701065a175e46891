package optim

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"espalier/internal/kernels"
)

func TestValidate(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	adam := func(change func(o *AdamOptions)) AdamOptions {
		o := DefaultAdam()
		change(&o)
		return o
	}
	type validator interface{ Validate() error }
	for _, good := range []validator{
		SGDOptions{}, SGDOptions{Momentum: 0.9, Nesterov: true, WeightDecay: 5e-4}, DefaultAdam(), DefaultAdamW(),
		EMAOptions{}, EMAOptions{Decay: 0.999, Ramp: true}, Constant{}, Constant{LR: 1}, Cosine{LR: 1, Steps: 1}, Stairs{},
		DefaultOneCycle(1, 1), Warmup{Then: Constant{}},
	} {
		if err := good.Validate(); err != nil {
			t.Errorf("%#v: %v", good, err)
		}
	}
	for _, c := range []struct {
		say string
		bad validator
	}{
		{"momentum", SGDOptions{Momentum: 1}},
		{"momentum", SGDOptions{Momentum: nan}},
		{"nesterov", SGDOptions{Nesterov: true}},
		{"weight_decay", SGDOptions{WeightDecay: -1}},
		{"weight_decay", SGDOptions{WeightDecay: inf}},
		{"beta1", adam(func(o *AdamOptions) { o.Beta1 = 1 })},
		{"beta2", adam(func(o *AdamOptions) { o.Beta2 = -0.1 })},
		{"eps", adam(func(o *AdamOptions) { o.Eps = 0 })},
		{"eps", adam(func(o *AdamOptions) { o.Eps = nan })},
		{"weight_decay", adam(func(o *AdamOptions) { o.WeightDecay = nan })},
		{"decay", EMAOptions{Decay: 1}},
		{"lr", Constant{LR: nan}},
		{"lr", Cosine{LR: -1, Steps: 1}},
		{"steps", Cosine{LR: 1}},
		{"final", Cosine{LR: 1, Final: nan, Steps: 1}},
		{"milestones", Stairs{Milestones: []int{3, 3}}},
		{"milestones", Stairs{Milestones: []int{-1}}},
		{"factor", Stairs{Factor: -1}},
		{"steps", OneCycle{}},
		{"rise", OneCycle{Steps: 1, Rise: nan}},
		{"start", OneCycle{Steps: 1, Start: -1}},
		{"final", OneCycle{Steps: 1, Final: inf}},
		{"warm-up", Warmup{}},
		{"warm-up", Warmup{Steps: -1, Then: Constant{}}},
		{"lr", Warmup{Then: Constant{LR: -1}}},
	} {
		if err := c.bad.Validate(); err == nil || !strings.HasPrefix(err.Error(), "optim: ") || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%#v: error %v, want one that says %s", c.bad, err, c.say)
		}
	}
	panics(t, "momentum", func() { NewSGD(1, SGDOptions{Momentum: 2}) })
	panics(t, "eps", func() { NewAdam(1, AdamOptions{}) })
	panics(t, "decay", func() { NewEMA(1, EMAOptions{Decay: 2}) })
}

// TestScheduleEnds looks at the rates at the ends of schedules, and far beyond.
func TestScheduleEnds(t *testing.T) {
	for _, c := range []struct {
		s    Schedule
		step int
		want float64
	}{
		{Constant{LR: 3}, 1 << 40, 3},
		{Cosine{LR: 2, Final: 0.25, Steps: 8}, 0, 2},
		{Cosine{LR: 2, Final: 0.25, Steps: 8}, 4, 1.25},
		{Cosine{LR: 2, Final: 0.25, Steps: 8}, 8, 0.5},
		{Cosine{LR: 2, Final: 0.25, Steps: 8}, 1000, 0.5},
		{Stairs{LR: 2, Factor: 0.5, Milestones: []int{1}}, 1 << 40, 1},
		{OneCycle{LR: 2, Steps: 10, Rise: 0.5, Start: 0.5, Final: 0.25}, 0, 1},
		{OneCycle{LR: 2, Steps: 10, Rise: 0.5, Start: 0.5, Final: 0.25}, 4, 2},
		{OneCycle{LR: 2, Steps: 10, Rise: 0.5, Start: 0.5, Final: 0.25}, 9, 0.5},
		{OneCycle{LR: 2, Steps: 10, Rise: 0.5, Start: 0.5, Final: 0.25}, 99, 0.5},
		{OneCycle{LR: 2, Steps: 3, Rise: 0, Final: 0.5}, 0, 2},
		{OneCycle{LR: 2, Steps: 3, Rise: 1, Start: 0.5, Final: 0.5}, 1, 1.5},
		{OneCycle{LR: 2, Steps: 3, Rise: 1, Start: 0.5, Final: 0.5}, 2, 2},
		{OneCycle{LR: 2, Steps: 1, Start: 0.5, Final: 0.5}, 0, 2},
		{Warmup{Steps: 3, Then: Constant{LR: 4}}, 0, 1},
		{Warmup{Steps: 3, Then: Constant{LR: 4}}, 2, 3},
		{Warmup{Steps: 3, Then: Constant{LR: 4}}, 3, 4},
		{Warmup{Then: Constant{LR: 4}}, 0, 4},
		{Warmup{Steps: 2, Then: Stairs{LR: 1, Factor: 0.5, Milestones: []int{1}}}, 3, 0.5},
	} {
		if got := c.s.At(c.step); !(math.Abs(got-c.want) <= 1e-15) {
			t.Errorf("%+v at step %d: %v, want %v", c.s, c.step, got, c.want)
		}
		panics(t, "step -1", func() { c.s.At(-1) })
	}
}

func TestClipNorm(t *testing.T) {
	g := []kernels.Float{3, 4}
	if norm := ClipNorm(g, 0); norm != 5 || !slices.Equal(g, []kernels.Float{3, 4}) {
		t.Errorf("limit 0: norm %v of %v", norm, g)
	}
	if norm := ClipNorm(g, 1); norm != 5 || !(math.Abs(math.Sqrt(kernels.Dot(g, g))-1) <= 1e-6) {
		t.Errorf("limit 1: norm %v, then %v", norm, g)
	}
	huge := []kernels.Float{3e30, 4e30}
	if norm := ClipNorm(huge, 1); !(math.Abs(norm/5e30-1) <= 1e-6) || !(math.Abs(float64(huge[0])-0.6) <= 1e-6) {
		t.Errorf("norm %v, then %v: the squares do not fit float32", norm, huge)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		g := []kernels.Float{1, kernels.Float(bad), 3}
		if norm := ClipNorm(g, 1); !math.IsNaN(norm) && !math.IsInf(norm, 0) || g[0] != 1 || g[2] != 3 {
			t.Errorf("norm %v, then %v", norm, g)
		}
	}
}

func TestCheckFinite(t *testing.T) {
	name := func(i int) string { return []string{"conv1.weight", "fc.bias"}[i/3] }
	x := make([]kernels.Float, 6)
	if err := CheckFinite(x, 1, name); err != nil {
		t.Error(err)
	}
	x[4], x[5] = kernels.Float(math.Inf(-1)), kernels.Float(math.NaN())
	var e *NonFiniteError
	if err := CheckFinite(x, 7, name); !errors.As(err, &e) || e.Tensor != "fc.bias" || e.Step != 7 || !math.IsInf(e.Value, -1) {
		t.Errorf("error %v", err)
	}
	x[4] = 0
	if err := CheckFinite(x, 7, name); err == nil || !strings.Contains(err.Error(), "optim: fc.bias holds NaN at step 7") {
		t.Errorf("error %v", err)
	}
}

// TestEMARamp gives the average its known values: it keeps min(decay, (1+u)/(10+u)) of itself.
func TestEMARamp(t *testing.T) {
	e := NewEMA(1, EMAOptions{Decay: 0.2, Ramp: true})
	want := 8.0
	for u, w := range []kernels.Float{8, 0, 0, 0} {
		e.Update([]kernels.Float{w})
		if u > 0 {
			want *= min(0.2, float64(1+u)/float64(10+u))
		}
		near(t, "average", e.Average(), []float64{want})
	}
}
