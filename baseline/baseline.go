// Package baseline is architecture search without gradients of an architecture: random search and regularized evolution
// over any oracle, and random search with shared weights. A search by gradients that does not beat these has found nothing
// that luck would not.
//
// A Method proposes one architecture after the other, and an Oracle judges each: a table of trained cells, a short training,
// a supernet's validation. A proposal depends on the space, the random stream and the evaluations so far alone, so that a
// search goes on from its list of evaluations as if it had not been interrupted.
package baseline

import (
	"context"
	"fmt"
	"math"

	"espalier/search"
)

// Oracle judges an architecture: the higher, the better. It must know nothing of test images. NaN is an error.
type Oracle func(ctx context.Context, g search.Genotype) (score float64, err error)

// Evaluation is an architecture with its score.
type Evaluation struct {
	Genotype search.Genotype `json:"genotype"`
	Score    float64         `json:"score"`
}

// Method proposes architectures.
type Method interface {
	// Next is the architecture to be judged after those of the history.
	Next(history []Evaluation) search.Genotype
}

// Run judges architectures of the method until there are n evaluations, those of the history included, and returns all.
// Each new one is told to done, if that is not nil, which may save it. When ctx ends, or something fails, the evaluations
// so far come with the error.
func Run(ctx context.Context, m Method, n int, o Oracle, history []Evaluation, done func(Evaluation) error) ([]Evaluation, error) {
	for len(history) < n {
		if err := ctx.Err(); err != nil {
			return history, err
		}
		e, err := judge(ctx, o, m.Next(history))
		if err != nil {
			return history, err
		}
		history = append(history, e)
		if done == nil {
			continue
		}
		if err := done(e); err != nil {
			return history, err
		}
	}
	return history, nil
}

func judge(ctx context.Context, o Oracle, g search.Genotype) (Evaluation, error) {
	score, err := o(ctx, g)
	if err != nil {
		return Evaluation{}, fmt.Errorf("baseline: %v: %w", g, err)
	}
	if math.IsNaN(score) {
		return Evaluation{}, fmt.Errorf("baseline: %v has no score: it is NaN", g)
	}
	return Evaluation{g, score}, nil
}

// Best is the evaluation of highest score, the first of equals. It panics if there is none.
func Best(all []Evaluation) Evaluation {
	best := all[0]
	for _, e := range all[1:] {
		if e.Score > best.Score {
			best = e
		}
	}
	return best
}
