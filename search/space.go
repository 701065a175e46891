package search

import (
	"fmt"
	"slices"
)

// Space is what a search chooses from: cells whose edges have candidates each, and the skeleton that stacks copies of them.
type Space struct {
	Name     string
	Skeleton Skeleton
	Cells    []Cell // one of each kind; the copies of a kind share α
}

// Skeleton says how cells make a network.
type Skeleton string

const (
	// Stacked is the skeleton of DARTS (Liu et al., 2019): cells read the outputs of the two cells before them, each through
	// a 1×1 convolution. Two kinds of cell, normal and reduce; cells L/3 and 2L/3 of L are reducing: they double the
	// channels, and what leaves their inputs has stride 2.
	Stacked Skeleton = "darts"
	// Staged is the skeleton of NAS-Bench-201 (Dong and Yang, 2020): three stages of cells of one kind and one input, residual
	// blocks between the stages double the channels and halve the image.
	Staged Skeleton = "nas-bench-201"
)

// Inputs is the number of inputs of a cell.
func (s Skeleton) Inputs() int {
	if s == Staged {
		return 1
	}
	return 2
}

// kinds are the names of the cells, in order.
func (s Skeleton) kinds() []string {
	if s == Staged {
		return []string{"cell"}
	}
	return []string{"normal", "reduce"}
}

// Cell is a graph of nodes. Nodes 0 to Inputs−1 are the inputs, where Inputs is the skeleton's; each node after them is the
// sum of its edges.
type Cell struct {
	Name   string
	Nodes  int    // that are not inputs
	Edges  []Edge // by To, then by From; α has a row for each
	Concat []int  // the nodes whose channels, side by side, are the output
	// Keep is the number of edges into each node that a derivation keeps, each with its best operation that is not none.
	// 0: every edge keeps its best operation, none included.
	Keep int
}

// Edge leads from one node to a later one.
type Edge struct {
	From, To   int
	Primitives []string // the candidates, in the order of α
}

// Incoming is the range of the edges into a node.
func (c *Cell) Incoming(node int) (from, to int) {
	from, _ = slices.BinarySearchFunc(c.Edges, node, func(e Edge, n int) int { return e.To - n })
	to, _ = slices.BinarySearchFunc(c.Edges, node+1, func(e Edge, n int) int { return e.To - n })
	return from, to
}

// Weights is the number of elements of α.
func (s *Space) Weights() int {
	n := 0
	for _, c := range s.Cells {
		for _, e := range c.Edges {
			n += len(e.Primitives)
		}
	}
	return n
}

// maxNodes bounds the nodes of a cell, inputs included.
const maxNodes = 64

// Validate says what is wrong with the space: that its graph is none, that the registry lacks a primitive, or that there is
// nothing to derive.
func (s *Space) Validate(r Registry) error {
	if s.Skeleton != Stacked && s.Skeleton != Staged {
		return fmt.Errorf("search: space %q: unknown skeleton %q; known are %s and %s", s.Name, s.Skeleton, Stacked, Staged)
	}
	kinds := s.Skeleton.kinds()
	if len(s.Cells) != len(kinds) {
		return fmt.Errorf("search: space %q: %d kinds of cell, the skeleton %s has %d: %v", s.Name, len(s.Cells), s.Skeleton, len(kinds), kinds)
	}
	for i := range s.Cells {
		c := &s.Cells[i]
		if c.Name != kinds[i] {
			return fmt.Errorf("search: space %q: cell %d is named %q, the skeleton %s wants %q", s.Name, i, c.Name, s.Skeleton, kinds[i])
		}
		if err := c.validate(s.Skeleton.Inputs(), r); err != nil {
			return fmt.Errorf("search: space %q: %s: %w", s.Name, c.Name, err)
		}
		if last := c.Nodes; s.Skeleton == Staged && (len(c.Concat) > 1 || c.Concat[0] != last) {
			return fmt.Errorf("search: space %q: %s: the output is node %v; the skeleton %s wants the last, %d", s.Name, c.Name, c.Concat, s.Skeleton, last)
		}
	}
	return nil
}

func (c *Cell) validate(inputs int, r Registry) error {
	nodes := inputs + c.Nodes
	if c.Nodes < 1 || nodes > maxNodes {
		return fmt.Errorf("%d nodes; want 1 to %d", c.Nodes, maxNodes-inputs)
	}
	for i, e := range c.Edges {
		switch {
		case e.To < inputs || e.To >= nodes || e.From < 0 || e.From >= e.To:
			return fmt.Errorf("edge %d→%d: edges lead from a node to a later one, up to node %d, and not to an input", e.From, e.To, nodes-1)
		case i > 0 && e.before(c.Edges[i-1]):
			return fmt.Errorf("edge %d→%d stands after %d→%d: edges are sorted by their end, then by their begin, and none comes twice",
				e.From, e.To, c.Edges[i-1].From, c.Edges[i-1].To)
		case len(e.Primitives) == 0:
			return fmt.Errorf("edge %d→%d has no primitives", e.From, e.To)
		}
		for k, name := range e.Primitives {
			if _, ok := r.find(name); !ok {
				return fmt.Errorf("edge %d→%d: %w", e.From, e.To, r.unknown(name))
			}
			if slices.Contains(e.Primitives[:k], name) {
				return fmt.Errorf("edge %d→%d has %s twice", e.From, e.To, name)
			}
		}
	}
	if len(c.Concat) == 0 {
		return fmt.Errorf("no node makes the output")
	}
	for i, n := range c.Concat {
		if n < inputs || n >= nodes || slices.Contains(c.Concat[:i], n) {
			return fmt.Errorf("the output names node %d: want different nodes from %d to %d", n, inputs, nodes-1)
		}
	}
	return c.derivable(inputs, r)
}

// before reports whether e does not come after f.
func (e Edge) before(f Edge) bool { return e.To < f.To || e.To == f.To && e.From <= f.From }

// derivable says whether every node can get its edges.
func (c *Cell) derivable(inputs int, r Registry) error {
	if c.Keep < 0 {
		return fmt.Errorf("keep is %d, want at least 0", c.Keep)
	}
	for n := inputs; n < inputs+c.Nodes; n++ {
		from, to := c.Incoming(n)
		usable := 0
		for _, e := range c.Edges[from:to] {
			if c.Keep == 0 || slices.ContainsFunc(e.Primitives, r.passes) {
				usable++
			}
		}
		if want := max(1, c.Keep); usable < want {
			return fmt.Errorf("nothing can be derived: node %d needs %d edges with an operation other than none, and has %d", n, want, usable)
		}
	}
	return nil
}

// passes reports whether the named primitive is one that an edge is kept for.
func (r Registry) passes(name string) bool {
	p, ok := r.find(name)
	return ok && !p.None
}
