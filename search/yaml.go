package search

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"
)

// spaceText is a space as YAML has it. What is left out follows from the rest.
type spaceText struct {
	Name       string     `yaml:"name"`
	Skeleton   Skeleton   `yaml:"skeleton"`             // left out: darts
	Primitives []string   `yaml:"primitives,omitempty"` // of edges and cells that name none
	Cells      []cellText `yaml:"cells,omitempty"`      // left out: one of each kind, as dense as can be
}

type cellText struct {
	Name       string     `yaml:"name"`
	Nodes      int        `yaml:"nodes,omitempty"` // that are not inputs; left out: 4 in darts, 3 in nas-bench-201
	Keep       *int       `yaml:"keep,omitempty"`  // edges into each node; left out: 2 in darts, 0 (all) in nas-bench-201
	Concat     []int      `yaml:"concat,omitempty,flow"`
	Primitives []string   `yaml:"primitives,omitempty,flow"`
	Edges      []edgeText `yaml:"edges,omitempty"` // left out: from all earlier nodes
}

type edgeText struct {
	From       int      `yaml:"from"`
	To         int      `yaml:"to"`
	Primitives []string `yaml:"primitives,omitempty,flow"`
}

// ParseSpace reads a space from YAML and validates it:
//
//	name: mine
//	skeleton: darts      # or nas-bench-201
//	primitives: [none, skip_connect, sep_conv_3x3]    # of edges that name none of their own
//	cells:
//	  - name: normal     # darts: normal, then reduce; nas-bench-201: cell
//	    nodes: 3         # that are not inputs
//	    keep: 2          # edges into each node that a derivation keeps; 0: all
//	    concat: [3, 4]   # nodes that make the output
//	  - name: reduce
//	    nodes: 1
//	    edges:           # sorted by their end, then by their begin
//	      - {from: 0, to: 2, primitives: [max_pool_3x3, skip_connect]}
//	      - {from: 1, to: 2}
//
// Everything but the name and the primitives may be left out. Then darts has 4 nodes and keeps 2 edges into each, all nodes
// make the output; nas-bench-201 has 3 nodes and keeps all edges, the last node is the output; and edges lead to each node
// from all before it. An unknown field is an error.
func ParseSpace(text []byte, r Registry) (*Space, error) {
	var t spaceText
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&t); err != nil {
		return nil, fmt.Errorf("search: space: %w", err)
	}
	if err := d.Decode(new(spaceText)); !errors.Is(err, io.EOF) {
		return nil, errors.New("search: space: there is more than one document")
	}
	if t.Skeleton == "" {
		t.Skeleton = Stacked
	}
	s := &Space{Name: t.Name, Skeleton: t.Skeleton}
	cells := t.Cells
	for i, kind := range s.Skeleton.kinds() {
		if len(t.Cells) <= i {
			cells = append(cells, cellText{Name: kind})
		}
	}
	for _, c := range cells {
		cell, err := c.cell(t.Skeleton, t.Primitives)
		if err != nil {
			return nil, fmt.Errorf("search: space %q: %s: %w", t.Name, c.Name, err)
		}
		s.Cells = append(s.Cells, cell)
	}
	if t.Name == "" {
		return nil, errors.New("search: space: it has no name")
	}
	if err := s.Validate(r); err != nil {
		return nil, err
	}
	return s, nil
}

// cell fills in what was left out.
func (t cellText) cell(s Skeleton, primitives []string) (Cell, error) {
	inputs := s.Inputs()
	c := Cell{Name: t.Name, Nodes: t.Nodes, Concat: t.Concat}
	if c.Nodes == 0 {
		c.Nodes = 4
		if s == Staged {
			c.Nodes = 3
		}
	}
	if c.Nodes < 1 || c.Nodes > maxNodes-inputs {
		return c, fmt.Errorf("%d nodes; want 1 to %d", c.Nodes, maxNodes-inputs)
	}
	switch {
	case t.Keep != nil:
		c.Keep = *t.Keep
	case s != Staged:
		c.Keep = 2
	}
	if c.Concat == nil {
		first := inputs
		if s == Staged {
			first = inputs + c.Nodes - 1
		}
		for n := first; n < inputs+c.Nodes; n++ {
			c.Concat = append(c.Concat, n)
		}
	}
	if t.Primitives != nil {
		primitives = t.Primitives
	}
	for _, e := range t.Edges {
		edge := Edge(e)
		if edge.Primitives == nil {
			edge.Primitives = slices.Clone(primitives)
		}
		c.Edges = append(c.Edges, edge)
	}
	if t.Edges == nil {
		c.Edges = denseEdges(inputs, c.Nodes, primitives)
	}
	return c, nil
}

// MarshalYAML makes what ParseSpace reads, nothing left out.
func (s *Space) MarshalYAML() (any, error) {
	t := spaceText{Name: s.Name, Skeleton: s.Skeleton}
	for _, c := range s.Cells {
		keep := c.Keep
		cell := cellText{Name: c.Name, Nodes: c.Nodes, Keep: &keep, Concat: c.Concat}
		for _, e := range c.Edges {
			cell.Edges = append(cell.Edges, edgeText(e))
		}
		t.Cells = append(t.Cells, cell)
	}
	return t, nil
}
