package search

import (
	"fmt"
	"slices"

	"espalier/internal/rng"
)

// Mutate is the architecture with one change, drawn at random: an edge's operation becomes another of its candidates, or,
// where a cell keeps K edges into each node, an edge comes from another node, with its operation if that is a candidate
// there. The kind of change is drawn first where there are two. It panics if the space is not valid, if the architecture is
// none of the space, or if that has no other.
func (s *Space) Mutate(r Registry, g Genotype, random *rng.Stream) Genotype {
	if err := s.Validate(r); err != nil {
		panic(err)
	}
	var ops, sources []mutation
	for i := range s.Cells {
		o, f := s.Cells[i].mutations(i, r, *g.wiring(i))
		ops, sources = append(ops, o...), append(sources, f...)
	}
	all := ops
	if len(sources) > 0 && (len(ops) == 0 || random.Bernoulli(0.5)) {
		all = sources
	}
	if len(all) == 0 {
		panic(fmt.Sprintf("search: space %q has no other architecture than %v", s.Name, g))
	}
	// The edge is drawn first, then what becomes of it: edges with many candidates change no more often than others.
	var edges []int
	for i := range all {
		if i == 0 || all[i].cell != all[i-1].cell || all[i].edge != all[i-1].edge {
			edges = append(edges, i)
		}
	}
	k := random.IntN(len(edges))
	from, to := edges[k], len(all)
	if k+1 < len(edges) {
		to = edges[k+1]
	}
	m := all[from+random.IntN(to-from)]
	out := Genotype{Normal: g.Normal.clone(), Reduce: g.Reduce.clone()}
	c := &s.Cells[m.cell]
	w := out.wiring(m.cell)
	if m.Op == "" {
		w.Edges[m.edge] = c.sample([]Edge{c.Edges[c.edge(m.Choice)]}, r, random, 0)[0]
	} else {
		w.Edges[m.edge] = m.Choice
	}
	return out
}

// mutation is what an edge may become. Without an operation, that is drawn.
type mutation struct {
	cell, edge int
	Choice
}

// wiring is the one of a kind of cell.
func (g *Genotype) wiring(cell int) *Wiring {
	if cell == 0 {
		return &g.Normal
	}
	return &g.Reduce
}

func (w Wiring) clone() Wiring {
	return Wiring{Edges: slices.Clone(w.Edges), Concat: slices.Clone(w.Concat)}
}

// edge is the index of the edge that a choice is for.
func (c *Cell) edge(e Choice) int {
	i := slices.IndexFunc(c.Edges, func(f Edge) bool { return f.From == e.From && f.To == e.To })
	if i < 0 {
		panic(fmt.Sprintf("search: the %s cell has no edge %d→%d", c.Name, e.From, e.To))
	}
	return i
}

// mutations are all single changes of a wiring, in order of its edges.
func (c *Cell) mutations(cell int, r Registry, w Wiring) (ops, sources []mutation) {
	for i, e := range w.Edges {
		for _, name := range c.Edges[c.edge(e)].Primitives {
			if name != e.Op && (c.Keep == 0 || r.passes(name)) {
				ops = append(ops, mutation{cell, i, Choice{name, e.From, e.To}})
			}
		}
		if c.Keep == 0 {
			continue
		}
		from, to := c.Incoming(e.To)
		for _, f := range c.Edges[from:to] {
			if slices.ContainsFunc(w.Edges, func(k Choice) bool { return k.From == f.From && k.To == f.To }) || !slices.ContainsFunc(f.Primitives, r.passes) {
				continue
			}
			change := Choice{From: f.From, To: f.To}
			if slices.Contains(f.Primitives, e.Op) {
				change.Op = e.Op
			}
			sources = append(sources, mutation{cell, i, change})
		}
	}
	return ops, sources
}
