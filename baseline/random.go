package baseline

import (
	"espalier/internal/rng"
	"espalier/search"
)

// Random proposes architectures uniformly, each for itself: one may come twice.
type Random struct {
	Space      *search.Space
	Primitives search.Registry
	Stream     *rng.Stream
}

// At is the architecture of a number: of an evaluation, or of a step in which shared weights are trained.
func (r Random) At(n int) search.Genotype {
	return r.Space.Sample(r.Primitives, r.Stream.At(uint64(n)))
}

// Next implements Method.
func (r Random) Next(history []Evaluation) search.Genotype { return r.At(len(history)) }
