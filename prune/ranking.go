package prune

import (
	"fmt"

	"espalier/bilevel"
	"espalier/nn"
)

// ranking says, for one layout and one set of options, among which weights the highest scores stay, and how many. It is
// made once and used for every mask of a method that makes many.
type ranking struct {
	layout *nn.Layout
	groups []group
	within *Mask
	k      int // kept in all, those outside the groups included
}

// group is some tensors that compete for k places.
type group struct {
	selection *bilevel.Selection[nn.Float]
	k         int
}

// newRanking works out who competes. Errors: a sparsity outside [0,1), more weights to keep than there are, fewer than the
// tensors that are kept whole have.
func newRanking(l *nn.Layout, o Options) (*ranking, error) {
	if !(o.Sparsity >= 0 && o.Sparsity < 1) {
		return nil, fmt.Errorf("prune: sparsity %v is outside [0,1)", o.Sparsity)
	}
	parts := Prunable(l)
	r := &ranking{layout: l, within: o.Within}
	if o.Counts != nil {
		return r, r.explicit(parts, o.Counts)
	}
	total := 0
	for _, p := range parts {
		total += p.Len
	}
	r.k = keeps(o.Sparsity, total)
	if o.Within != nil {
		if have := o.Within.Kept(); have < r.k {
			return nil, fmt.Errorf("prune: sparsity %v keeps %d weights, but %d are left", o.Sparsity, r.k, have)
		}
	}
	left := r.k
	if o.KeepLast && len(parts) > 0 {
		left -= parts[len(parts)-1].Len
		parts = parts[:len(parts)-1]
	}
	if o.KeepFirst && len(parts) > 0 {
		left -= parts[0].Len
		parts = parts[1:]
	}
	if left < 0 {
		return nil, fmt.Errorf("prune: sparsity %v keeps %d weights, %d too few for the first and last layer alone", o.Sparsity, r.k, -left)
	}
	if o.Budget == Global {
		r.add(left, parts...)
		return r, nil
	}
	shares := o.Budget.shares(parts, left)
	if o.Within != nil {
		within(shares, parts, o.Within)
	}
	for i, share := range shares {
		r.add(share, parts[i])
	}
	return r, nil
}

// within lowers shares that are more than a mask left of a layer, and raises those of the first layers with room by as much.
// Shares of a falling density are rounded one by one, so that a layer's may be larger by one than it was.
func within(shares []int, parts []nn.Part, m *Mask) {
	room := make([]int, len(parts))
	over := 0
	for i, p := range parts {
		for _, k := range p.Of(m.keep) {
			if k != 0 {
				room[i]++
			}
		}
		if room[i] -= shares[i]; room[i] < 0 {
			shares[i] += room[i]
			over -= room[i]
		}
	}
	for i := range shares {
		if more := min(over, room[i]); more > 0 {
			shares[i] += more
			over -= more
		}
	}
}

// explicit gives each tensor the number that counts says, all where it says nothing.
func (r *ranking) explicit(parts []nn.Part, counts map[string]int) error {
	known := 0
	for _, p := range parts {
		k, ok := counts[p.Name]
		if !ok {
			r.k += p.Len
			continue
		}
		if known++; k < 0 || k > p.Len {
			return fmt.Errorf("prune: %s is to keep %d of its %d weights", p.Name, k, p.Len)
		}
		r.k += k
		r.add(k, p)
	}
	if known < len(counts) {
		return fmt.Errorf("prune: of the %d tensors with a count of their own, %d are prunable tensors of the network", len(counts), known)
	}
	return nil
}

func (r *ranking) add(k int, parts ...nn.Part) {
	r.groups = append(r.groups, group{bilevel.NewSelection[nn.Float](ranges(parts)...), k})
}

// ranges are the places of parts. A part of no elements, first of all, keeps an empty list from meaning the whole vector.
func ranges(parts []nn.Part) []bilevel.Range {
	all := []bilevel.Range{{}}
	for _, p := range parts {
		all = append(all, bilevel.Range{From: p.Offset, To: p.Offset + p.Len})
	}
	return all
}

// choose writes the mask of the scores, which must not be NaN, to keep. It allocates nothing.
func (r *ranking) choose(keep, scores []nn.Float) {
	for _, g := range r.groups {
		g.selection.Top(keep, scores, g.k)
	}
}

// mask is the mask of the scores, after the checks that a programmer's or a network's mistakes need.
func (r *ranking) mask(scores []nn.Float) (*Mask, error) {
	for _, p := range Prunable(r.layout) {
		for i, s := range p.Of(scores) {
			if s != s {
				return nil, fmt.Errorf("prune: the score of %s is NaN at index %d of shape %v", p.Name, i, p.Shape)
			}
		}
	}
	if r.within != nil {
		exclude(scores, r.within)
	}
	m := NewMask(r.layout)
	r.choose(m.keep, scores)
	if r.within != nil {
		m = m.Intersection(r.within)
	}
	if kept := m.Kept(); kept != r.k {
		return nil, fmt.Errorf("prune: the budget keeps more of some layer than is left of it: %d weights instead of %d", kept, r.k)
	}
	return m, nil
}
