package bilevel

import (
	"fmt"
	"math"
	"math/bits"
)

// Range is the elements From up to but not including To of a vector.
type Range struct{ From, To int }

// Selection finds the largest elements of a vector, or of some ranges of it, without sorting: it counts the elements by the
// sixteen highest bits of a whole number that orders as they do, gathers those of the one count in which the threshold must
// lie, and finds it among them. Three passes, whatever the values. A Selection keeps its scratch and is not for concurrent
// use.
type Selection[T Float] struct {
	ranges []Range
	bins   []int32
	pool   []uint64
}

// NewSelection is a selection within the ranges, which must be rising and apart; none means the whole vector.
func NewSelection[T Float](ranges ...Range) *Selection[T] {
	end := 0
	for _, r := range ranges {
		if r.From < end || r.To < r.From {
			panic(fmt.Sprintf("bilevel: range %v after one that ends at %d", r, end))
		}
		end = r.To
	}
	return &Selection[T]{ranges: ranges, bins: make([]int32, 1<<binBits)}
}

const (
	binBits  = 16
	binShift = 64 - binBits
)

// key orders as x does: +0 and −0 are equal, infinities are extreme. NaN is beyond them.
func key[T Float](x T) uint64 {
	b := math.Float64bits(float64(x) + 0) // −0 + 0 is +0
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}

// Top writes 1 to keep where a score is among the k highest, equal scores in favour of the lower index, and 0 elsewhere;
// outside the ranges keep stays. k below 0 counts as 0, and k above the number of scores as that. Scores must not be NaN.
// keep may be scores.
func (s *Selection[T]) Top(keep, scores []T, k int) {
	if len(keep) != len(scores) {
		panic(fmt.Sprintf("bilevel: %d elements for the choice among %d scores", len(keep), len(scores)))
	}
	whole := [1]Range{{0, len(scores)}}
	ranges := s.ranges
	if len(ranges) == 0 {
		ranges = whole[:]
	}
	n := 0
	for _, r := range ranges {
		n += r.To - r.From
	}
	if k <= 0 || k >= n {
		var v T
		if k > 0 {
			v = 1
		}
		for _, r := range ranges {
			for i := range keep[r.From:r.To] {
				keep[r.From+i] = v
			}
		}
		return
	}
	threshold, ties := s.threshold(scores, ranges, k)
	for _, r := range ranges {
		to := keep[r.From:r.To]
		for i, x := range scores[r.From:r.To] {
			b := key(x)
			_, above := bits.Sub64(threshold, b, 0)
			v := int64(above)
			if b == threshold && ties > 0 {
				ties--
				v = 1
			}
			to[i] = T(v)
		}
	}
}

// threshold is the key of the k-th highest score, and how many of the scores equal to it are among the k highest.
func (s *Selection[T]) threshold(scores []T, ranges []Range, k int) (at uint64, ties int) {
	clear(s.bins)
	for _, r := range ranges {
		for _, x := range scores[r.From:r.To] {
			s.bins[key(x)>>binShift]++
		}
	}
	bin := len(s.bins) - 1
	for ; k > int(s.bins[bin]); bin-- {
		k -= int(s.bins[bin])
	}
	if need := int(s.bins[bin]); cap(s.pool) < need {
		s.pool = make([]uint64, 0, need)
	}
	pool := s.pool[:0]
	for _, r := range ranges {
		for _, x := range scores[r.From:r.To] {
			if b := key(x); b>>binShift == uint64(bin) {
				pool = append(pool, b)
			}
		}
	}
	at = nth(pool, len(pool)-k)
	for _, b := range pool {
		if b > at {
			k--
		}
	}
	return at, k
}

// nth is the element that stands at index n of x when x is sorted upwards. It reorders x: quickselect with the median of
// three as pivot, and three-way parting so that equal elements cost nothing.
func nth(x []uint64, n int) uint64 {
	low, high := 0, len(x)
	for {
		a, b := x[low], x[high-1]
		p := max(min(a, b), min(max(a, b), x[low+(high-low)/2]))
		// x[low:i] < p, x[i:j] = p, x[k:high] > p
		i, j, k := low, low, high
		for j < k {
			switch v := x[j]; {
			case v < p:
				x[i], x[j] = v, x[i]
				i++
				j++
			case v > p:
				k--
				x[j], x[k] = x[k], v
			default:
				j++
			}
		}
		switch {
		case n < i:
			high = i
		case n >= j:
			low = j
		default:
			return p
		}
	}
}
