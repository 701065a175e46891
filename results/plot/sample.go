package plot

import (
	"fmt"
	"math"
	"slices"
)

// stdFrom is the number of runs from which a spread is a standard deviation; below it, it is the range.
const stdFrom = 5

// sample is the runs behind one point.
type sample []float64

func (s sample) mean() float64 {
	var sum float64
	for _, v := range s {
		sum += v
	}
	return sum / float64(len(s))
}

// std is the sample standard deviation, with n−1.
func (s sample) std() float64 {
	m := s.mean()
	var sum float64
	for _, v := range s {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(s)-1))
}

// whiskers are the ends of the spread that is drawn: min and max under five runs, mean ± one standard deviation from
// five on.
func (s sample) whiskers() (low, high float64) {
	if len(s) >= stdFrom {
		m, d := s.mean(), s.std()
		return m - d, m + d
	}
	return slices.Min(s), slices.Max(s)
}

// check copies the values of one point, or says what is wrong with them.
func check(what string, values []float64) (sample, error) {
	if len(values) == 0 {
		return nil, fmt.Errorf("plot: %s: no values", what)
	}
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("plot: %s: value %d is %v", what, i, v)
		}
	}
	return slices.Clone(values), nil
}

// runs says how many runs stand behind the points of a figure, and what is drawn of them.
func runs(counts []int) string {
	low, high := slices.Min(counts), slices.Max(counts)
	n := fmt.Sprintf("n = %d", low)
	if low != high {
		n = fmt.Sprintf("n = %d–%d", low, high)
	}
	switch {
	case high == 1:
		return n + " run per point"
	case high < stdFrom:
		return n + " runs per point: line through the means, whiskers from min to max, dots are runs"
	case low >= stdFrom:
		return n + " runs per point: mean ± one standard deviation"
	default:
		return n + " runs per point: mean ± one standard deviation; min to max where n < 5"
	}
}
