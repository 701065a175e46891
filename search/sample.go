package search

import (
	"slices"

	"espalier/internal/rng"
)

// Sample draws an architecture uniformly: where a cell keeps K edges into each node, K different ones, each with an
// operation other than none; otherwise an operation for each edge. It panics if the space is not valid.
func (s *Space) Sample(r Registry, random *rng.Stream) Genotype {
	if err := s.Validate(r); err != nil {
		panic(err)
	}
	var wirings []Wiring
	for _, c := range s.Cells {
		w := Wiring{Concat: slices.Clone(c.Concat)}
		for node := s.Skeleton.Inputs(); node < s.Skeleton.Inputs()+c.Nodes; node++ {
			from, to := c.Incoming(node)
			w.Edges = append(w.Edges, c.sample(c.Edges[from:to], r, random, c.Keep)...)
		}
		wirings = append(wirings, w)
	}
	return genotypeOf(wirings)
}

// sample draws an operation for each of the edges into one node, and then keep of them; 0: all.
func (c *Cell) sample(edges []Edge, r Registry, random *rng.Stream, keep int) (choices []Choice) {
	for _, e := range edges {
		ops := e.Primitives
		if c.Keep > 0 {
			ops = slices.DeleteFunc(slices.Clone(ops), func(name string) bool { return !r.passes(name) })
		}
		if len(ops) > 0 {
			choices = append(choices, Choice{ops[random.IntN(len(ops))], e.From, e.To})
		}
	}
	if keep == 0 {
		return choices
	}
	random.Shuffle(len(choices), func(i, j int) { choices[i], choices[j] = choices[j], choices[i] })
	choices = choices[:keep]
	slices.SortFunc(choices, func(a, b Choice) int { return a.From - b.From })
	return choices
}
