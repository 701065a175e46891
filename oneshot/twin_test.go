package oneshot

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"testing"
	"unsafe"

	"espalier/bilevel"
	"espalier/nn"
)

var regen = flag.Bool("regen", false, "write testdata/mixed.json anew, in the build that computes in double precision")

// TestMixedAgainstDouble: the second-order term of DARTS on a real supernet, with ReLU and pools, in single precision, is that
// of the build in double precision at the same ε. (Against exact second derivatives there would be nothing to compare: where
// activations change sign within ±ε, differences do not converge to them.)
func TestMixedAgainstDouble(t *testing.T) {
	p := tiny(t)
	s, err := New(configure(t, "darts"), p, course(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(0, 0); err != nil {
		t.Fatal(err)
	}
	for _, split := range []string{TrainSplit, ValSplit} {
		if err := s.feed.Next(split); err != nil {
			t.Fatal(err)
		}
	}
	lower, upper := s.Level(TrainSplit, s.W), s.Level(ValSplit, s.W)
	v := make([]nn.Float, len(s.W.Value))
	if _, err := upper.Loss(nil, v, s.Alpha.Value, s.W.Value); err != nil {
		t.Fatal(err)
	}
	u := bilevel.Unrolled[nn.Float]{Lower: lower.Loss}
	g := make([]nn.Float, len(s.Alpha.Value))
	if err := u.Mixed(g, v, s.Alpha.Value, s.W.Value); err != nil {
		t.Fatal(err)
	}
	got := make([]float64, len(g))
	for i, x := range g {
		got[i] = float64(x)
	}
	const file = "testdata/mixed.json"
	double := unsafe.Sizeof(nn.Float(0)) == 8
	if *regen {
		if !double {
			t.Fatal("-regen needs -tags f64")
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want []float64
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	difference, size := 0.0, 0.0
	for i, x := range want {
		difference += (got[i] - x) * (got[i] - x)
		size += x * x
	}
	tolerance := 1e-3
	if double {
		tolerance = 1e-6 // images are normalised in single precision
	}
	e := math.Sqrt(difference / size)
	if t.Logf("relative error %.2g of a product of norm %.3g", e, math.Sqrt(size)); !(e <= tolerance) {
		t.Errorf("relative error %v, want at most %v", e, tolerance)
	}
}
