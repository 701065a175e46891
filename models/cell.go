package models

import (
	"fmt"

	"espalier/nn"
	"espalier/search"
)

// cell is the inside of a cell: operations between nodes, of which the first are the inputs.
type cell struct {
	inputs int
	edges  []operation // by to
	concat []int
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
func relaxed(s search.Cell, skeleton search.Skeleton, r search.Registry) (cell, error) {
	c := cell{inputs: skeleton.Inputs(), concat: s.Concat}
	for i, e := range s.Edges {
		list := fmt.Sprintf("_ops.%d._ops", i)
		if skeleton == search.Staged {
			list = fmt.Sprintf("edges.%d<-%d", e.To, e.From)
		}
		for k, name := range e.Primitives {
			p, err := r.Lookup(name)
			if err != nil {
				return cell{}, err
			}
			c.edges = append(c.edges, operation{p, fmt.Sprintf("%s.%d", list, k), e.From, e.To})
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

// cell adds a cell's operations and returns its output. In a reducing cell, what leaves the inputs has stride 2.
func (b *wires) cell(name string, c cell, place search.Place, reduce bool, inputs ...int) int {
	nodes := inputs
	for k := 0; len(nodes) <= c.last(); {
		node := len(nodes)
		var sum []int
		first := k
		for ; k < len(c.edges) && c.edges[k].to == node; k++ {
			e := c.edges[k]
			if layers := e.layers(c, place, reduce); e.None {
				continue // zeros need not be added
			} else if len(layers) == 0 {
				sum = append(sum, nodes[e.from])
			} else {
				if b.dropPath {
					layers = append(layers[:len(layers):len(layers)], nn.Named{Name: "drop_path", Spec: nn.DropPath{}})
				}
				sum = append(sum, b.add(join(name, e.name), nn.Sum, layers, nodes[e.from]))
			}
		}
		switch {
		case first == k: // an unfed node: nobody reads it
			nodes = append(nodes, -1)
		case len(sum) == 0:
			e := c.edges[first]
			nodes = append(nodes, b.add(join(name, e.name), nn.Sum, e.layers(c, place, reduce), nodes[e.from]))
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

func (e operation) layers(c cell, place search.Place, reduce bool) nn.Sequential {
	place.Stride = 1
	if reduce && e.from < c.inputs {
		place.Stride = 2
	}
	return e.Layers(place)
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "." + b
}
