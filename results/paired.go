package results

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// PairsFrom is the number of pairs from which a paired comparison is tested.
const PairsFrom = 5

// PairsNote says under a table what the texts of paired comparisons mean.
var PairsNote = fmt.Sprintf("mean difference over pairs of equal seed; p is of Student's paired t-test, and fewer than %d pairs are too few for one", PairsFrom)

// Paired compares two methods on the same seeds.
type Paired struct {
	N    int     // pairs
	Mean float64 // of the differences, the first less the second; NaN without pairs
	P    float64 // two-sided, of Student's paired t-test; NaN under PairsFrom pairs
}

// Pair compares a[i] with b[i] by Student's paired t-test, which takes the differences for normal. Differences that are all
// equal have p = 1 if they are zero, else 0. It panics if the lengths differ.
func Pair(a, b []float64) Paired {
	if len(a) != len(b) {
		panic(fmt.Sprintf("results: %d values paired with %d", len(a), len(b)))
	}
	d := make([]float64, len(a))
	for i := range d {
		d[i] = a[i] - b[i]
	}
	s := Summarize(d...)
	p := Paired{N: s.N, Mean: s.Mean, P: math.NaN()}
	if s.N < PairsFrom {
		return p
	}
	switch {
	case s.Std == 0 && s.Mean == 0:
		p.P = 1
	case s.Std == 0:
		p.P = 0
	default:
		t := s.Mean / (s.Std / math.Sqrt(float64(s.N)))
		p.P = 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(s.N - 1)}.CDF(-math.Abs(t))
	}
	return p
}

// Text is the comparison with so many decimals: "+0.31 (p = 0.012, n = 5)", or "+0.31 (n = 2)" of pairs that are too
// few for a test.
func (p Paired) Text(decimals int) string {
	switch {
	case p.N == 0:
		return dash
	case math.IsNaN(p.P):
		return fmt.Sprintf("%+.*f (n = %d)", decimals, p.Mean, p.N)
	case p.P < .001:
		return fmt.Sprintf("%+.*f (p < 0.001, n = %d)", decimals, p.Mean, p.N)
	}
	return fmt.Sprintf("%+.*f (p = %.3f, n = %d)", decimals, p.Mean, p.P, p.N)
}
