package results

import (
	"fmt"
	"math"
	"slices"
)

// StdFrom is the number of values from which their spread is given as a standard deviation; below it, as their range.
const StdFrom = 5

// Summary describes a sample, such as the test accuracies of several seeds.
type Summary struct {
	N        int
	Mean     float64
	Std      float64 // of the sample, with N−1; NaN for fewer than two values
	Min, Max float64
}

// Summarize describes values. A NaN among them makes every statistic NaN; so does an empty sample.
func Summarize(values ...float64) Summary {
	nan := math.NaN()
	s := Summary{N: len(values), Mean: nan, Std: nan, Min: nan, Max: nan}
	if s.N == 0 {
		return s
	}
	s.Min, s.Max = slices.Min(values), slices.Max(values)
	sum := 0.
	for _, v := range values {
		sum += v
	}
	s.Mean = sum / float64(s.N)
	if s.N > 1 {
		squares := 0.
		for _, v := range values {
			squares += (v - s.Mean) * (v - s.Mean)
		}
		s.Std = math.Sqrt(squares / float64(s.N-1))
	}
	return s
}

// Spread is the ends of the spread that is shown: the range under five values, one standard deviation to each side of the
// mean from five on.
func (s Summary) Spread() (low, high float64) {
	if s.N < StdFrom {
		return s.Min, s.Max
	}
	return s.Mean - s.Std, s.Mean + s.Std
}

// Text is the summary with so many decimals: "87.49 ± 0.12 (n = 5)", under five values "87.49 (87.40–87.60, n = 3)", of one
// "87.49 (n = 1)", of none a dash.
func (s Summary) Text(decimals int) string {
	switch {
	case s.N == 0:
		return dash
	case s.N == 1:
		return fmt.Sprintf("%.*f (n = 1)", decimals, s.Mean)
	case s.N < StdFrom:
		return fmt.Sprintf("%.*f (%.*f–%.*f, n = %d)", decimals, s.Mean, decimals, s.Min, decimals, s.Max, s.N)
	}
	return fmt.Sprintf("%.*f ± %.*f (n = %d)", decimals, s.Mean, decimals, s.Std, s.N)
}
