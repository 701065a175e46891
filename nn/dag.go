package nn

import (
	"errors"
	"fmt"
	"slices"
)

// DAG is a directed acyclic graph of chains: each vertex joins what earlier vertices gave and sends it through its layers.
// The output is that of the last vertex. A vertex from which no path leads to the output has its parameters laid out and
// counted, but it is not computed: their gradient is zero, and its running statistics do not move.
//
// A DAG is one unit of a program; its activations and gradients share memory as those of a chain do.
type DAG struct {
	Vertices []Vertex `json:"vertices"`
}

// Vertex is one step of a DAG.
type Vertex struct {
	Name   string     `json:"name,omitempty"`
	From   []int      `json:"from"`             // what it reads: 0 is the DAG's input, i the output of Vertices[i-1]; a source may come twice
	Join   Join       `json:"join,omitempty"`   // how several sources become one
	Layers Sequential `json:"layers,omitempty"` // what happens to the join; empty: nothing
}

// Join says how the sources of a vertex become one. A single source is passed on.
type Join string

const (
	// Sum adds sources of equal shape. The zero Join means the same.
	Sum Join = "sum"
	// Concat puts the channels of sources of equal height and width one after the other.
	Concat Join = "concat"
	// Scale multiplies the first of two sources, at every pixel, by the second, which is 1×1 (Hu et al., 2018).
	Scale Join = "scale"
)

// Kind is "dag".
func (d DAG) Kind() string { return "dag" }

// Out is the shape of the last vertex.
func (d DAG) Out(in Shape) (Shape, error) {
	all, err := d.shapes(in)
	if err != nil {
		return Shape{}, err
	}
	return all[len(all)-1].out, nil
}

// vertexShapes are the shapes of a vertex: what its layers read, and what they give.
type vertexShapes struct{ joined, out Shape }

// shapes are those of all vertices.
func (d DAG) shapes(in Shape) ([]vertexShapes, error) {
	if len(d.Vertices) == 0 {
		return nil, errors.New("a DAG without vertices")
	}
	outs := []Shape{in}
	all := make([]vertexShapes, 0, len(d.Vertices))
	for i, v := range d.Vertices {
		joined, err := v.join(outs)
		if err != nil {
			return nil, at(v.label(i), err)
		}
		out, err := output(v.Layers, joined)
		if err != nil {
			return nil, at(v.label(i), err)
		}
		outs = append(outs, out)
		all = append(all, vertexShapes{joined, out})
	}
	return all, nil
}

// label names a vertex in errors.
func (v Vertex) label(i int) string {
	if v.Name != "" {
		return v.Name
	}
	return fmt.Sprintf("vertex %d", i+1)
}

// join is the shape of the joined sources; outs are the shapes of the DAG's input and of the vertices so far.
func (v Vertex) join(outs []Shape) (Shape, error) {
	if len(v.From) == 0 {
		return Shape{}, errors.New("a vertex reads nothing")
	}
	var s Shape
	for k, from := range v.From {
		if from < 0 || from >= len(outs) {
			return Shape{}, fmt.Errorf("a vertex reads source %d; there are 0 to %d", from, len(outs)-1)
		}
		f := outs[from]
		switch {
		case k == 0:
			s = f
		case v.Join == Concat && (f.H != s.H || f.W != s.W):
			return Shape{}, fmt.Errorf("concatenating %v and %v: height and width differ", outs[v.From[0]], f)
		case v.Join == Concat:
			s.C += f.C
		case v.Join == Scale && (k > 1 || f != Shape{1, 1, s.C}):
			return Shape{}, fmt.Errorf("scaling %v by %d sources, the last of %v: want one of %v", s, len(v.From)-1, f, Shape{1, 1, s.C})
		case v.Join == Scale:
		case f != s:
			return Shape{}, fmt.Errorf("adding %v and %v: the shapes differ", s, f)
		}
	}
	switch v.Join {
	case "", Sum, Concat, Scale:
		return s, s.Validate()
	}
	return Shape{}, fmt.Errorf("unknown join %q; known are %s, %s and %s", v.Join, Sum, Concat, Scale)
}

// walk visits the leaves of all vertices in order.
func (d DAG) walk(name string, in Shape, visit func(Site) error) (Shape, error) {
	all, err := d.shapes(in)
	if err != nil {
		return Shape{}, at(name, err)
	}
	for i, v := range d.Vertices {
		if _, err := walk(join(name, v.Name), v.Layers, all[i].joined, visit); err != nil {
			return Shape{}, err
		}
	}
	return all[len(all)-1].out, nil
}

// live says for the input (0) and each vertex whether the output depends on it.
func (d DAG) live() []bool {
	live := make([]bool, len(d.Vertices)+1)
	live[len(d.Vertices)] = true
	for i, v := range slices.Backward(d.Vertices) {
		for _, from := range v.From {
			live[from] = live[from] || live[i+1]
		}
	}
	return live
}
