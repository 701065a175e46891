package search

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Scores says how good each candidate is: by cell, edge and candidate, in the order of the space. For DARTS they are
// softmax(α); a method with other weights hands in others.
type Scores [][][]float64

// orderlessSum adds the elements up in increasing order.
func orderlessSum(x []float64) (sum float64) {
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	for _, v := range sorted {
		sum += v
	}
	return sum
}

// ScoreError is a score that cannot be compared.
type ScoreError struct {
	Cell      string
	From, To  int
	Primitive string
	Value     float64 // NaN
}

func (e *ScoreError) Error() string {
	return fmt.Sprintf("search: the score of %s on edge %d→%d of the %s cell is %v: the search diverged; go back to a checkpoint from before, with a smaller learning rate", e.Primitive, e.From, e.To, e.Cell, e.Value)
}

// Derive chooses an architecture by its scores. Where a cell keeps K edges into each node (DARTS), an edge's score is the
// largest of its candidates other than none; each node keeps the K edges of largest score, in descending order, each with
// that candidate. Otherwise (NAS-Bench-201) each edge keeps its largest candidate, none included. Of equal edges the one
// from the lower node wins, of equal candidates the earlier one.
//
// Scores whose sizes are not the space's panic; a NaN is a *ScoreError.
func Derive(s *Space, r Registry, scores Scores) (Genotype, error) {
	if err := s.Validate(r); err != nil {
		return Genotype{}, err
	}
	if len(scores) != len(s.Cells) {
		panic(fmt.Sprintf("search: scores of %d cells for a space of %d", len(scores), len(s.Cells)))
	}
	var wirings []Wiring
	for i := range s.Cells {
		w, err := s.Cells[i].derive(s.Skeleton.Inputs(), r, scores[i])
		if err != nil {
			return Genotype{}, err
		}
		wirings = append(wirings, w)
	}
	return genotypeOf(wirings), nil
}

// genotypeOf makes a genotype of the wirings of a space's cells.
func genotypeOf(w []Wiring) Genotype {
	g := Genotype{Normal: w[0]}
	if len(w) > 1 {
		g.Reduce = w[1]
	}
	return g
}

// scored is an edge with its best candidate.
type scored struct {
	Choice
	score float64
}

func (c *Cell) derive(inputs int, r Registry, scores [][]float64) (Wiring, error) {
	if len(scores) != len(c.Edges) {
		panic(fmt.Sprintf("search: scores of %d edges for the %s cell of %d", len(scores), c.Name, len(c.Edges)))
	}
	w := Wiring{Concat: slices.Clone(c.Concat)}
	for node := inputs; node < inputs+c.Nodes; node++ {
		from, to := c.Incoming(node)
		var best []scored
		for i := from; i < to; i++ {
			b, ok, err := c.best(i, r, scores[i])
			if err != nil {
				return Wiring{}, err
			}
			if ok {
				best = append(best, b)
			}
		}
		if c.Keep > 0 {
			slices.SortStableFunc(best, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
			best = best[:c.Keep]
		}
		for _, b := range best {
			w.Edges = append(w.Edges, b.Choice)
		}
	}
	return w, nil
}

// best is the candidate of largest score on an edge, and false if there is only none and that does not count.
func (c *Cell) best(edge int, r Registry, scores []float64) (b scored, ok bool, err error) {
	e := c.Edges[edge]
	if len(scores) != len(e.Primitives) {
		panic(fmt.Sprintf("search: %d scores for edge %d→%d of the %s cell, which has %d candidates", len(scores), e.From, e.To, c.Name, len(e.Primitives)))
	}
	for k, name := range e.Primitives {
		if math.IsNaN(scores[k]) {
			return b, false, &ScoreError{Cell: c.Name, From: e.From, To: e.To, Primitive: name, Value: scores[k]}
		}
		if c.Keep > 0 && !r.passes(name) {
			continue
		}
		if !ok || scores[k] > b.score {
			b, ok = scored{Choice{name, e.From, e.To}, scores[k]}, true
		}
	}
	return b, ok, nil
}
