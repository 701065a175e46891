package prune

import "espalier/nn"

// topK writes 1 to keep where a score is among the k highest, equal scores in favour of the lower index, and 0 elsewhere.
// The scores hold no NaN. Cost: a copy of the scores and time in proportion to their number.
func topK(keep, scores []nn.Float, k int) {
	n := len(scores)
	switch {
	case k <= 0:
		clear(keep)
		return
	case k >= n:
		for i := range keep {
			keep[i] = 1
		}
		return
	}
	threshold := selectNth(append([]nn.Float(nil), scores...), n-k)
	ties := k
	for _, s := range scores {
		if s > threshold {
			ties--
		}
	}
	for i, s := range scores {
		keep[i] = 0
		if s > threshold {
			keep[i] = 1
		} else if s == threshold && ties > 0 {
			keep[i] = 1
			ties--
		}
	}
}

// selectNth is the element that stands at index n of x when x is sorted upwards. It reorders x (quickselect with the
// median of three as pivot, and three-way parting so that equal elements cost nothing).
func selectNth(x []nn.Float, n int) nn.Float {
	low, high := 0, len(x)
	for {
		p := median(x[low], x[low+(high-low)/2], x[high-1])
		// x[low:a] < p, x[a:b] = p, x[c:high] > p
		a, b, c := low, low, high
		for b < c {
			switch v := x[b]; {
			case v < p:
				x[a], x[b] = v, x[a]
				a++
				b++
			case v > p:
				c--
				x[b], x[c] = x[c], v
			default:
				b++
			}
		}
		switch {
		case n < a:
			high = a
		case n >= b:
			low = b
		default:
			return p
		}
	}
}

func median(a, b, c nn.Float) nn.Float { return max(min(a, b), min(max(a, b), c)) }
