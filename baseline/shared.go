package baseline

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"espalier/internal/rng"
	"espalier/search"
)

// Shared chooses an architecture by weights that all share (Li and Talwalkar, "Random Search and Reproducibility for Neural
// Architecture Search", 2019). Before that, each step of training has moved the weights of one architecture, Random.At of
// the step. Candidates are drawn and judged quickly, on some batches that are the same for all; the best of them are judged
// again, on all validation images, and the best of these is chosen.
type Shared struct {
	Space      *search.Space
	Primitives search.Registry
	Stream     *rng.Stream
	Candidates int // different ones; 0 means 100, or 1000 where a cell keeps some edges of many, as in the DARTS space
	Finalists  int // 0 means 10
}

// Choose returns the evaluations of the finalists on the whole, best first.
func (s Shared) Choose(ctx context.Context, quick, whole Oracle) ([]Evaluation, error) {
	all, err := s.evaluate(ctx, quick, s.candidates())
	if err != nil {
		return nil, err
	}
	var finalists []search.Genotype
	for _, e := range all[:min(len(all), s.Kept())] {
		finalists = append(finalists, e.Genotype)
	}
	return s.evaluate(ctx, whole, finalists)
}

// Drawn is the number of candidates, at most.
func (s Shared) Drawn() int {
	if s.Candidates == 0 && slices.ContainsFunc(s.Space.Cells, func(c search.Cell) bool { return c.Keep > 0 }) {
		return 1000
	}
	return cmp.Or(s.Candidates, 100)
}

// Kept is the number of finalists, at most.
func (s Shared) Kept() int { return cmp.Or(s.Finalists, 10) }

// candidates draws different architectures. Where the space has fewer, those that turn up are taken.
func (s Shared) candidates() (all []search.Genotype) {
	n := s.Drawn()
	r := Random{s.Space, s.Primitives, s.Stream}
	seen := make(map[string]bool)
	for draw := 0; len(all) < n && draw < 100*n; draw++ {
		g := r.At(draw)
		if text := g.String(); !seen[text] {
			seen[text] = true
			all = append(all, g)
		}
	}
	return all
}

// evaluate judges architectures and sorts them, best first.
func (s Shared) evaluate(ctx context.Context, o Oracle, all []search.Genotype) ([]Evaluation, error) {
	var evaluations []Evaluation
	for i, g := range all {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("baseline: %d of %d architectures judged: %w", i, len(all), err)
		}
		e, err := judge(ctx, o, g)
		if err != nil {
			return nil, err
		}
		evaluations = append(evaluations, e)
	}
	slices.SortStableFunc(evaluations, func(a, b Evaluation) int { return cmp.Compare(b.Score, a.Score) })
	return evaluations, nil
}
