package bilevel

import (
	"math"
	"slices"
	"testing"

	"espalier/internal/rng"
)

// TestTop compares the selection with a stable sort, on scores with many ties, zeros of both signs and infinities, over the
// whole vector and over ranges of it.
func TestTop(t *testing.T) {
	t.Run("float32", testTop[float32])
	t.Run("float64", testTop[float64])
}

func testTop[T Float](t *testing.T) {
	r := rng.New(4, "top")
	for range 500 {
		n := 1 + r.IntN(300)
		scores := make([]T, n)
		for i := range scores {
			switch r.IntN(6) {
			case 0:
				scores[i] = T(math.Inf(1 - 2*r.IntN(2)))
			case 1:
				scores[i] = T(r.NormFloat64())
			case 2:
				scores[i] = T(math.Copysign(0, float64(r.IntN(2))-0.5))
			case 3:
				scores[i] = T(1 + 1e-6*float64(r.IntN(5)))
			default:
				scores[i] = T(r.IntN(4) - 2)
			}
		}
		a := r.IntN(n + 1)
		b := a + r.IntN(n+1-a)
		ranges := [][]Range{nil, {{0, a}, {b, n}}}[r.IntN(2)]
		var order []int
		for i := range scores {
			if ranges == nil || i < a || i >= b {
				order = append(order, i)
			}
		}
		k := r.IntN(len(order)+3) - 1
		slices.SortStableFunc(order, func(a, b int) int {
			switch {
			case scores[a] > scores[b]:
				return -1
			case scores[a] < scores[b]:
				return 1
			}
			return 0
		})
		got, want := make([]T, n), make([]T, n)
		for i := range got {
			got[i], want[i] = 5, 5
		}
		for place, i := range order {
			want[i] = 0
			if place < k {
				want[i] = 1
			}
		}
		NewSelection[T](ranges...).Top(got, scores, k)
		if !slices.Equal(got, want) {
			t.Fatalf("top %d of %v in %v: %v, want %v", k, scores, ranges, got, want)
		}
	}
}
