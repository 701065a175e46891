package bilevel

import "fmt"

// Projection changes x to the nearest point that is allowed.
type Projection[T Float] func(x []T)

// Box allows values from low to high. It panics unless low ≤ high. NaN stays.
func Box[T Float](low, high T) Projection[T] {
	if !(low <= high) {
		panic(fmt.Sprintf("bilevel: a box from %v to %v", low, high))
	}
	return func(x []T) {
		for i, v := range x {
			if v < low {
				x[i] = low
			} else if v > high {
				x[i] = high
			}
		}
	}
}

// TopK writes to mask the nearest vector of zeros and ones with exactly k ones, among those of the ranges: ones where the
// scores x are highest, equal ones in favour of the lower index. The scores themselves stay as they are: a mask that took
// their place could never change again, since a gradient step is much smaller than the distance from 0 to 1. Outside the
// ranges the mask stays; no range means the whole vector. Cost: see Selection.
func TopK[T Float](mask []T, k int, ranges ...Range) Projection[T] {
	s := NewSelection[T](ranges...)
	return func(x []T) { s.Top(mask, x, k) }
}
