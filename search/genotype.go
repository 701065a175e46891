package search

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Genotype is an architecture that a search found: how the cells of each kind are wired.
//
// Its text is DARTS' own, Genotype(normal=[('sep_conv_3x3', 1), …], normal_concat=[2, 3, 4, 5], reduce=[…],
// reduce_concat=[…]); a cell of the Staged skeleton has the text of NAS-Bench-201, |nor_conv_3x3~0|+|…~0|…~1|+|…|.
type Genotype struct {
	Normal Wiring `json:"normal"`          // the normal cell, or the only kind of cell
	Reduce Wiring `json:"reduce,omitzero"` // no edges: the skeleton is Staged
}

// Wiring is the inside of a cell: which operations lead from which nodes to which, and what the output is made of.
type Wiring struct {
	Edges  []Choice `json:"edges"` // by To; derived ones of a node by descending score
	Concat []int    `json:"concat"`
}

// Choice is an edge with its operation.
type Choice struct {
	Op   string `json:"op"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// Skeleton is the one that the genotype's cells belong to.
func (g Genotype) Skeleton() Skeleton {
	if len(g.Reduce.Edges) == 0 {
		return Staged
	}
	return Stacked
}

// Validate says what is wrong with the wiring, or which primitive the registry lacks.
func (g Genotype) Validate(r Registry) error {
	if err := g.Check(); err != nil {
		return err
	}
	for _, w := range []Wiring{g.Normal, g.Reduce} {
		for _, e := range w.Edges {
			if _, err := r.Lookup(e.Op); err != nil {
				return err
			}
		}
	}
	return nil
}

// Check says what is wrong with the wiring, whatever its operations are.
func (g Genotype) Check() error {
	s := g.Skeleton()
	if err := g.Normal.check(s); err != nil {
		return fmt.Errorf("search: genotype: %s: %w", s.kinds()[0], err)
	}
	if s == Staged {
		return nil
	}
	if err := g.Reduce.check(s); err != nil {
		return fmt.Errorf("search: genotype: reduce: %w", err)
	}
	return nil
}

func (w Wiring) check(s Skeleton) error {
	inputs := s.Inputs()
	if len(w.Edges) == 0 {
		return errors.New("no edges")
	}
	for i, e := range w.Edges {
		switch {
		case e.Op == "" || strings.ContainsFunc(e.Op, notInName):
			return fmt.Errorf("edge %d: the operation %q is not a name of letters, digits and underscores", i, e.Op)
		case e.To < inputs || e.To >= maxNodes || e.From < 0 || e.From >= e.To:
			return fmt.Errorf("edge %d leads from node %d to node %d: want an earlier node, and a later one from %d to %d", i, e.From, e.To, inputs, maxNodes-1)
		case i > 0 && e.To < w.Edges[i-1].To:
			return fmt.Errorf("edge %d leads to node %d, the one before to node %d: edges are sorted by their end", i, e.To, w.Edges[i-1].To)
		}
	}
	nodes := w.nodes()
	if len(w.Concat) == 0 {
		return errors.New("no node makes the output")
	}
	for i, n := range w.Concat {
		if n < inputs || n >= nodes || slices.Contains(w.Concat[:i], n) {
			return fmt.Errorf("the output names node %d: want different nodes from %d to %d", n, inputs, nodes-1)
		}
	}
	if len(w.Fed(inputs).Concat) == 0 {
		return errors.New("no path leads from the inputs to the output")
	}
	if s == Staged {
		for n := inputs; n < nodes; n++ {
			if !slices.ContainsFunc(w.Edges, func(e Choice) bool { return e.To == n }) {
				return fmt.Errorf("node %d has no edge", n)
			}
		}
		if len(w.Concat) > 1 || w.Concat[0] != nodes-1 {
			return fmt.Errorf("the output is node %v, want the last, %d", w.Concat, nodes-1)
		}
	}
	return nil
}

func notInName(c rune) bool {
	return c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
}

// nodes is the number of nodes that edges and output name, inputs included.
func (w Wiring) nodes() int {
	n := 0
	for _, e := range w.Edges {
		n = max(n, e.To+1)
	}
	for _, c := range w.Concat {
		if c < maxNodes { // a larger one is an error elsewhere
			n = max(n, c+1)
		}
	}
	return n
}

// Fed is the wiring without nodes that no input reaches: a cell of FairDARTS may have nodes without edges, which then are
// no part of the output, and feed nobody.
func (w Wiring) Fed(inputs int) (fed Wiring) {
	reached := make([]bool, max(inputs, w.nodes()))
	for n := range inputs {
		reached[n] = true
	}
	for _, e := range w.Edges {
		if reached[e.From] {
			reached[e.To] = true
			fed.Edges = append(fed.Edges, e)
		}
	}
	for _, n := range w.Concat {
		if reached[n] {
			fed.Concat = append(fed.Concat, n)
		}
	}
	return fed
}

// Equal reports whether two genotypes are the same, edge by edge in order.
func (g Genotype) Equal(h Genotype) bool { return g.Normal.equal(h.Normal) && g.Reduce.equal(h.Reduce) }

func (w Wiring) equal(v Wiring) bool {
	return slices.Equal(w.Edges, v.Edges) && slices.Equal(w.Concat, v.Concat)
}

// String is the text that Parse reads. Pairs are flat where every node has two edges, as in DARTS; otherwise each edge is
// FairDARTS' triple ('op', to, from).
func (g Genotype) String() string {
	if g.Skeleton() == Staged {
		return g.Normal.arch()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Genotype(normal=")
	g.Normal.write(&b, "normal")
	fmt.Fprintf(&b, ", reduce=")
	g.Reduce.write(&b, "reduce")
	b.WriteByte(')')
	return b.String()
}

func (w Wiring) write(b *strings.Builder, kind string) {
	paired := w.paired()
	b.WriteByte('[')
	for i, e := range w.Edges {
		if i > 0 {
			b.WriteString(", ")
		}
		if paired {
			fmt.Fprintf(b, "('%s', %d)", e.Op, e.From)
		} else {
			fmt.Fprintf(b, "('%s', %d, %d)", e.Op, e.To, e.From)
		}
	}
	fmt.Fprintf(b, "], %s_concat=[", kind)
	for i, n := range w.Concat {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(b, n)
	}
	b.WriteByte(']')
}

// paired reports whether every node has two edges, so that pairs alone say where each leads.
func (w Wiring) paired() bool {
	for i, e := range w.Edges {
		if e.To != Stacked.Inputs()+i/2 {
			return false
		}
	}
	return len(w.Edges)%2 == 0 && w.nodes() == Stacked.Inputs()+len(w.Edges)/2
}
