package prune

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"espalier/nn"
)

// Budget says how the kept weights are shared among the layers. The zero value is Global.
type Budget uint8

const (
	// Global ranks the weights of all layers together, by one threshold.
	Global Budget = iota
	// Uniform keeps the same share of every layer.
	Uniform
	// ERK keeps of each layer a share in proportion to the sum of its dimensions over their product, so that thin layers
	// stay denser (Erdős–Rényi-kernel: Evci and others, "Rigging the Lottery", 2020, section 3). A layer whose share
	// would pass 1 is kept whole and the others' shares are scaled again.
	ERK
)

var budgetNames = []string{"global", "uniform", "erk"}

func (b Budget) String() string {
	if int(b) < len(budgetNames) {
		return budgetNames[b]
	}
	return fmt.Sprintf("Budget(%d)", uint8(b))
}

// ParseBudget reads what String writes.
func ParseBudget(s string) (Budget, error) {
	if i := slices.Index(budgetNames, s); i >= 0 {
		return Budget(i), nil
	}
	return 0, fmt.Errorf("prune: no budget %q; there are %v", s, budgetNames)
}

// keeps is the number of n weights that stay at a sparsity.
func keeps(sparsity float64, n int) int { return int(math.Round((1 - sparsity) * float64(n))) }

// shares gives each part the number of weights that it keeps; together they keep exactly k.
func (b Budget) shares(parts []nn.Part, k int) []int {
	weights := make([]float64, len(parts)) // relative densities
	for i, p := range parts {
		weights[i] = 1
		if b == ERK {
			sum := 0
			for _, d := range p.Shape {
				sum += d
			}
			weights[i] = float64(sum) / float64(p.Len)
		}
	}
	// Layers that would be kept more than whole are kept whole, until none is left that would be.
	whole := make([]bool, len(parts))
	var scale float64
	for {
		left, mass := float64(k), 0.0
		for i, p := range parts {
			if whole[i] {
				left -= float64(p.Len)
			} else {
				mass += weights[i] * float64(p.Len)
			}
		}
		if mass == 0 {
			break
		}
		scale = left / mass
		more := false
		for i := range parts {
			if !whole[i] && scale*weights[i] > 1 {
				whole[i], more = true, true
			}
		}
		if !more {
			break
		}
	}
	exact := make([]float64, len(parts))
	for i, p := range parts {
		exact[i] = float64(p.Len)
		if !whole[i] {
			exact[i] *= scale * weights[i]
		}
	}
	return largestRemainder(exact, parts, k)
}

// largestRemainder rounds the shares to whole numbers with the sum k: down, and then up for those that lost most, earlier
// ones first among equals.
func largestRemainder(exact []float64, parts []nn.Part, k int) []int {
	shares := make([]int, len(exact))
	order := make([]int, len(exact))
	for i, x := range exact {
		shares[i] = min(parts[i].Len, int(math.Floor(x)))
		order[i] = i
		k -= shares[i]
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(exact[b]-float64(shares[b]), exact[a]-float64(shares[a]))
	})
	for k > 0 {
		for _, i := range order {
			if k > 0 && shares[i] < parts[i].Len {
				shares[i]++
				k--
			}
		}
	}
	return shares
}
