package plot

import (
	"fmt"
	"math"
	"slices"

	"espalier/results"
)

// sample is the runs behind one point.
type sample []float64

func (s sample) mean() float64 { return results.Summarize(s...).Mean }

// whiskers are the ends of the spread that is drawn.
func (s sample) whiskers() (low, high float64) { return results.Summarize(s...).Spread() }

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

// runs says how many runs stand behind the points of a figure, or, where bands take the place of marks, behind its curves, and
// what is drawn of them.
func runs(counts []int, bands bool) string {
	low, high := slices.Min(counts), slices.Max(counts)
	n := fmt.Sprintf("n = %d", low)
	if low != high {
		n = fmt.Sprintf("n = %d–%d", low, high)
	}
	per, spread := "point", "whiskers from min to max, dots are runs"
	if bands {
		per, spread = "curve", "bands from min to max"
	}
	switch {
	case high == 1:
		return fmt.Sprintf("%s run per %s", n, per)
	case high < results.StdFrom:
		return fmt.Sprintf("%s runs per %s: line through the means, %s", n, per, spread)
	case low >= results.StdFrom:
		return fmt.Sprintf("%s runs per %s: mean ± one standard deviation", n, per)
	default:
		return fmt.Sprintf("%s runs per %s: mean ± one standard deviation; min to max where n < 5", n, per)
	}
}
