package prune

import (
	"espalier/internal/rng"
	"espalier/nn"
)

// Random scores a weight by a number drawn evenly from [0,1), from a stream of its tensor's name: every mask of the given
// density is equally likely, and a tensor's scores do not depend on the tensors beside it.
type Random struct{ Seed uint64 }

// Scores implements Method.
func (r Random) Scores(dst []nn.Float, w *nn.Params) error {
	for _, p := range Prunable(w.Layout) {
		stream := rng.New(r.Seed, "prune", p.Name)
		for i := range p.Of(dst) {
			p.Of(dst)[i] = nn.Float(stream.Float64())
		}
	}
	return nil
}
