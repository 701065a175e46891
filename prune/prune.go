package prune

import (
	"fmt"
	"math"

	"espalier/nn"
)

// Options says how much is removed, and where.
type Options struct {
	Sparsity float64 // share of the prunable weights that is removed, in [0,1)
	Budget   Budget  // default Global
	Within   *Mask   // only weights that it keeps can stay; nil: every weight
}

// Prune makes a mask of the weights w by a method's scores. It changes no weight; Apply does. Errors: a sparsity outside
// [0,1), a score that is NaN (with its tensor and index), fewer weights within o.Within than should stay.
func Prune(method Method, w *nn.Params, o Options) (*Mask, error) {
	if !(o.Sparsity >= 0 && o.Sparsity < 1) {
		return nil, fmt.Errorf("prune: sparsity %v is outside [0,1)", o.Sparsity)
	}
	parts := Prunable(w.Layout)
	scores := w.Layout.New()
	if err := method.Scores(scores, w); err != nil {
		return nil, err
	}
	total := 0
	for _, p := range parts {
		total += p.Len
		for i, s := range p.Of(scores) {
			if s != s {
				return nil, fmt.Errorf("prune: the score of %s is NaN at index %d of shape %v", p.Name, i, p.Shape)
			}
		}
	}
	k := keeps(o.Sparsity, total)
	if o.Within != nil {
		if have := o.Within.Kept(); have < k {
			return nil, fmt.Errorf("prune: sparsity %v keeps %d weights, but %d are left", o.Sparsity, k, have)
		}
		for i, keep := range o.Within.keep {
			if keep == 0 {
				scores[i] = nn.Float(math.Inf(-1))
			}
		}
	}
	m := NewMask(w.Layout)
	if o.Budget == Global {
		m.keepGlobal(parts, scores, k, total)
	} else {
		for i, share := range o.Budget.shares(parts, k) {
			topK(parts[i].Of(m.keep), parts[i].Of(scores), share)
		}
	}
	if o.Within != nil {
		m = m.Intersection(o.Within)
	}
	if kept := m.Kept(); kept != k {
		return nil, fmt.Errorf("prune: budget %v keeps more of some layer than is left of it: %d weights instead of %d", o.Budget, kept, k)
	}
	return m, nil
}

// keepGlobal ranks all parts as one vector, in the order of the layout.
func (m *Mask) keepGlobal(parts []nn.Part, scores []nn.Float, k, total int) {
	all := make([]nn.Float, 0, total)
	for _, p := range parts {
		all = append(all, p.Of(scores)...)
	}
	keep := make([]nn.Float, total)
	topK(keep, all, k)
	for _, p := range parts {
		keep = keep[copy(p.Of(m.keep), keep):]
	}
}
