package results

import (
	"math"
	"testing"
)

// TestPair: differences 1, 2, 3, 4, 5 have mean 3 and deviation √2.5, so t = 3/√0.5 = 4.2426 with four degrees of freedom,
// where the distribution has a closed form.
func TestPair(t *testing.T) {
	a, b := []float64{11, 22, 33, 44, 55}, []float64{10, 20, 30, 40, 50}
	p := Pair(a, b)
	x := 3 / math.Sqrt(.5)
	c := x / math.Sqrt(4+x*x) // for ν = 4: P(|T| ≤ t) = c(3−c²)/2, c = t/√(4+t²)
	want := 1 - c*(3-c*c)/2
	if p.N != 5 || p.Mean != 3 || !(math.Abs(p.P-want) < 1e-9) {
		t.Errorf("%+v, want p %v", p, want)
	}
	if q := Pair(b, a); !(math.Abs(q.P-p.P) < 1e-12) || q.Mean != -3 {
		t.Errorf("turned round %+v", q)
	}
	if p := Pair(a[:4], b[:4]); !math.IsNaN(p.P) || p.Mean != 2.5 {
		t.Errorf("four pairs: %+v", p)
	}
	if p := Pair(a, a); p.P != 1 {
		t.Errorf("no difference: %+v", p)
	}
	if p := Pair([]float64{2, 3, 4, 5, 6}, []float64{1, 2, 3, 4, 5}); p.P != 0 {
		t.Errorf("the same difference each time: %+v", p)
	}
}

func TestPairText(t *testing.T) {
	for want, p := range map[string]Paired{
		"–":                        {Mean: math.NaN(), P: math.NaN()},
		"+0.31 (n = 1)":            {1, .31, math.NaN()},
		"-0.31 (n = 4)":            {4, -.31, math.NaN()},
		"+0.31 (p = 0.012, n = 5)": {5, .31, .012},
		"+1.00 (p < 0.001, n = 9)": {9, 1, 1e-6},
	} {
		if got := p.Text(2); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
