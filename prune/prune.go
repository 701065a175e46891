package prune

import (
	"math"

	"espalier/nn"
)

// Options says how much is removed, and where.
type Options struct {
	Sparsity float64 // share of the prunable weights that is removed, in [0,1)
	Budget   Budget  // default Global
	// KeepFirst and KeepLast keep the first and the last prunable tensor whole. Sparsity still counts them.
	KeepFirst, KeepLast bool
	// Counts is a budget of one's own: how many weights of each tensor stay; all, where it has no entry. nil: none. It takes
	// the place of Sparsity, Budget, KeepFirst and KeepLast.
	Counts map[string]int
	Within *Mask // only weights that it keeps can stay; nil: every weight
}

// Prune makes a mask of the weights w by a method's scores. It changes no weight; Apply does. Errors: a sparsity outside
// [0,1), a score that is NaN (with its tensor and index), fewer weights within o.Within than should stay.
func Prune(method Method, w *nn.Params, o Options) (*Mask, error) {
	r, err := newRanking(w.Layout, o)
	if err != nil {
		return nil, err
	}
	scores := w.Layout.New()
	if err := method.Scores(scores, w); err != nil {
		return nil, err
	}
	return r.mask(scores)
}

// exclude gives −∞ to the scores of what a mask removed, so that ties never bring it back.
func exclude(scores []nn.Float, m *Mask) {
	for i, keep := range m.keep {
		if keep == 0 {
			scores[i] = nn.Float(math.Inf(-1))
		}
	}
}
