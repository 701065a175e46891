package prune

import "espalier/nn"

// Magnitude scores a weight by its absolute value (LeCun, Denker and Solla's baseline, 1990; Han and others, 2015).
type Magnitude struct{}

// Scores implements Method.
func (Magnitude) Scores(dst []nn.Float, w *nn.Params) error {
	for _, p := range Prunable(w.Layout) {
		s := p.Of(dst)
		for i, x := range p.Of(w.Values) {
			s[i] = max(x, -x)
		}
	}
	return nil
}
