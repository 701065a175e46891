package nn

import (
	"math"
	"slices"
	"testing"
)

// TestInit checks the distributions against their definition.
func TestInit(t *testing.T) {
	net, err := NewNet(Sequential{
		{"conv", Conv{Channels: 64, Kernel: 3, Pad: 1}}, {"bn", BatchNorm{}},
		{"dw", Depthwise{Kernel: 5, Pad: 2}}, {"pool", GlobalAvgPool{}}, {"fc", Linear{Channels: 400}},
	}, Shape{8, 8, 32})
	if err != nil {
		t.Fatal(err)
	}
	p := net.Params
	p.Init(1)
	moments := func(name string) (mean, variance, largest float64) {
		v := p.Value(name)
		for _, x := range v {
			mean += float64(x) / float64(len(v))
			largest = max(largest, math.Abs(float64(x)))
		}
		for _, x := range v {
			variance += (float64(x) - mean) * (float64(x) - mean) / float64(len(v))
		}
		return mean, variance, largest
	}
	for name, want := range map[string]float64{
		"conv.weight": 2. / (9 * 64),
		"dw.weight":   2. / 25,
		"fc.weight":   1. / 64 / 3,
		"fc.bias":     1. / 64 / 3,
	} {
		mean, variance, _ := moments(name)
		n := float64(len(p.Value(name)))
		if !(math.Abs(variance/want-1) < 5/math.Sqrt(n)) || !(math.Abs(mean) < 5*math.Sqrt(want/n)) {
			t.Errorf("%s has mean %v and variance %v, want 0 and %v", name, mean, variance, want)
		}
	}
	if _, _, largest := moments("fc.weight"); !(largest <= 1./8 && largest > 0.124) {
		t.Errorf("the largest linear weight is %v, the bound 1/8", largest)
	}
	for name, want := range map[string]Float{"bn.weight": 1, "bn.bias": 0, "bn.running_mean": 0, "bn.running_var": 1} {
		if v := p.Value(name); slices.Min(v) != want || slices.Max(v) != want {
			t.Errorf("%s is not %v throughout", name, want)
		}
	}
}

// TestInitStreams checks that weights depend on the seed and their own name alone.
func TestInitStreams(t *testing.T) {
	build := func(seed uint64, s Sequential) *Params {
		net, err := NewNet(s, Shape{4, 4, 3})
		if err != nil {
			t.Fatal(err)
		}
		net.Params.Init(seed)
		return net.Params
	}
	conv := Conv{Channels: 3, Kernel: 3, Pad: 1}
	a := build(1, Sequential{{"a", conv}, {"b", conv}})
	more := build(1, Sequential{{"new", conv}, {"a", conv}, {"relu", ReLU{}}, {"b", conv}})
	other := build(2, Sequential{{"a", conv}, {"b", conv}})
	for _, name := range []string{"a.weight", "b.weight"} {
		if !slices.Equal(a.Value(name), more.Value(name)) {
			t.Errorf("a new layer changed %s", name)
		}
		if slices.Equal(a.Value(name), other.Value(name)) {
			t.Errorf("the seed does not change %s", name)
		}
	}
	if slices.Equal(a.Value("a.weight"), a.Value("b.weight")) {
		t.Error("two layers have the same weights")
	}
}
