package baseline

import (
	"cmp"

	"espalier/internal/rng"
	"espalier/search"
)

// Evolution is regularized evolution (Real and others, "Regularized Evolution for Image Classifier Architecture Search",
// 2019): a population of the newest architectures, random ones at first. Of some that are drawn from it with replacement, the
// best has a child, which differs from it by one mutation; the child enters, and the oldest leaves, however good it is. What
// counts in the end is the best ever seen.
type Evolution struct {
	Space      *search.Space
	Primitives search.Registry
	Stream     *rng.Stream
	Population int // 0 means 10, which suits a hundred evaluations; the paper has 100
	Tournament int // that are drawn; 0 means 3; the paper has 25
}

// Next implements Method.
func (e Evolution) Next(history []Evaluation) search.Genotype {
	random := e.Stream.At(uint64(len(history)))
	size, tournament := cmp.Or(e.Population, 10), cmp.Or(e.Tournament, 3)
	if len(history) < size {
		return e.Space.Sample(e.Primitives, random)
	}
	alive := history[len(history)-size:]
	parent := alive[random.IntN(size)]
	for range tournament - 1 {
		if rival := alive[random.IntN(size)]; rival.Score > parent.Score {
			parent = rival
		}
	}
	return e.Space.Mutate(e.Primitives, parent.Genotype, random)
}
