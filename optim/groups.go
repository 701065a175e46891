package optim

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Group is a range of a flat vector, From up to but not including To, whose weight decay differs from that of the
// optimizer's options: 0 for the parameters of batch norm and for biases, where these are not to decay.
type Group struct {
	From, To int
	Decay    float64
}

// segments cuts n elements into ranges of equal decay: that of the groups, and decay outside them. Groups that touch and
// have equal decay become one. It panics if groups are out of range or overlap, or if a decay is negative or not finite.
func segments(n int, decay float64, groups []Group) []Group {
	groups = slices.Clone(groups)
	slices.SortStableFunc(groups, func(a, b Group) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	var cut []Group
	add := func(g Group) {
		last := len(cut) - 1
		switch {
		case g.From == g.To:
		case last >= 0 && cut[last].Decay == g.Decay:
			cut[last].To = g.To
		default:
			cut = append(cut, g)
		}
	}
	end := 0
	for _, g := range groups {
		if g.From < end || g.To < g.From || g.To > n {
			panic(fmt.Sprintf("optim: group from %d to %d after one that ends at %d, of %d elements", g.From, g.To, end, n))
		}
		if err := nonNegative("a group's weight decay", g.Decay); err != nil {
			panic(err.Error())
		}
		add(Group{end, g.From, decay})
		add(g)
		end = g.To
	}
	add(Group{end, n, decay})
	return cut
}

func nonNegative(what string, v float64) error {
	if !(v >= 0) || math.IsInf(v, 0) {
		return fmt.Errorf("optim: %s is %v; a finite number ≥ 0 is needed", what, v)
	}
	return nil
}

// share checks that 0 ≤ v < 1.
func share(what string, v float64) error {
	if !(v >= 0 && v < 1) {
		return fmt.Errorf("optim: %s is %v; a number from 0 to below 1 is needed", what, v)
	}
	return nil
}
