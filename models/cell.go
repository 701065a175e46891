package models

import (
	"fmt"
	"slices"

	"espalier/nn"
	"espalier/search"
)

// cell is the inside of a cell: operations between nodes, of which the first are the inputs.
type cell struct {
	inputs int
	edges  []operation // by to
	concat []int
	edge   search.MixedEdge // zero in derived cells
}

// operation is one on its way from a node to another.
type operation struct {
	search.Primitive
	name     string // in the cell
	from, to int
}

// wired is a derived cell; its operations are numbered in a list.
func wired(w search.Wiring, inputs int, list string, r search.Registry) (cell, error) {
	fed := w.Fed(inputs)
	c := cell{inputs: inputs, concat: fed.Concat}
	for i, e := range fed.Edges {
		p, err := r.Lookup(e.Op)
		if err != nil {
			return cell{}, err
		}
		c.edges = append(c.edges, operation{p, fmt.Sprintf("%s.%d", list, i), e.From, e.To})
	}
	return c, nil
}

// relaxed is a cell with all its candidates.
func relaxed(s search.Cell, skeleton search.Skeleton, edge search.MixedEdge, r search.Registry) (cell, error) {
	c := cell{inputs: skeleton.Inputs(), concat: s.Concat, edge: edge}
	for i, e := range s.Edges {
		list, beside := fmt.Sprintf("_ops.%d._ops", i), fmt.Sprintf("_ops.%d._beside", i)
		if skeleton == search.Staged {
			list = fmt.Sprintf("edges.%d<-%d", e.To, e.From)
			beside = list + ".beside"
		}
		add := func(primitive, name string) error {
			p, err := r.Lookup(primitive)
			c.edges = append(c.edges, operation{p, name, e.From, e.To})
			return err
		}
		for k, primitive := range e.Primitives {
			if err := add(primitive, fmt.Sprintf("%s.%d", list, k)); err != nil {
				return cell{}, err
			}
		}
		if edge.Beside == "" {
			continue
		}
		if err := add(edge.Beside, beside); err != nil {
			return cell{}, err
		}
	}
	return c, nil
}

// wires is a graph under construction. Sources are numbered as in nn.Vertex: 0 is the input.
type wires struct {
	nn.DAG
	dropPath bool
}

// add appends a vertex and returns its output.
func (b *wires) add(name string, join nn.Join, layers nn.Sequential, from ...int) int {
	b.Vertices = append(b.Vertices, nn.Vertex{Name: name, From: from, Join: join, Layers: layers})
	return len(b.Vertices)
}

// finish makes the last vertex the given source.
func (b *wires) finish(source int) nn.DAG {
	if source == 0 || source != len(b.Vertices) {
		b.add("", "", nil, source)
	}
	return b.DAG
}

// cell adds a cell's operations and returns its output.
func (b *wires) cell(name string, c cell, place search.Place, reduce bool, inputs ...int) int {
	nodes := inputs
	for k := 0; len(nodes) <= c.last(); {
		node := len(nodes)
		var sum []int
		first := k
		if c.edge.Partial() {
			for k < len(c.edges) && c.edges[k].to == node {
				k++
			}
			nodes = append(nodes, b.partial(name, c, c.edges[first:k], place, reduce, nodes))
			continue
		}
		for ; k < len(c.edges) && c.edges[k].to == node; k++ {
			e := c.edges[k]
			if e.None {
				continue // zeros need not be added
			}
			place.Stride = c.stride(e, reduce)
			source := nodes[e.from]
			if layers := slices.Clone(e.Layers(place)); len(layers) > 0 {
				if b.dropPath {
					layers = append(layers, nn.Named{Name: "drop_path", Spec: nn.DropPath{}})
				}
				source = b.add(join(name, e.name), nn.Sum, layers, source)
			}
			sum = append(sum, source)
		}
		switch {
		case first == k: // an unfed node: nobody reads it
			nodes = append(nodes, -1)
		case len(sum) == 0:
			e := c.edges[first]
			zero := nn.Sequential{{Name: "zero", Spec: nn.Zero{Stride: c.stride(e, reduce)}}}
			nodes = append(nodes, b.add(join(name, e.name), nn.Sum, zero, nodes[e.from]))
		case len(sum) == 1:
			nodes = append(nodes, sum[0])
		default:
			nodes = append(nodes, b.add("", nn.Sum, nil, sum...))
		}
	}
	if len(c.concat) == 1 {
		return nodes[c.concat[0]]
	}
	out := make([]int, len(c.concat))
	for i, n := range c.concat {
		out[i] = nodes[n]
	}
	return b.add("", nn.Concat, nil, out...)
}

// last is the last node.
func (c cell) last() int {
	last := 0
	for _, e := range c.edges {
		last = max(last, e.to)
	}
	return last
}

// stride is 2 for what leaves the inputs of a reducing cell.
func (c cell) stride(e operation, reduce bool) int {
	if reduce && e.from < c.inputs {
		return 2
	}
	return 1
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "." + b
}
