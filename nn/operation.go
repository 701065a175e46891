package nn

import (
	"fmt"
	"hash"
	"hash/fnv"
	"runtime/debug"

	"github.com/chewxy/hm"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Operation is a computation with several inputs and one output that becomes one node of a Gorgonia graph, and another one
// for its gradient. Slices have the sizes of the graph's shapes.
type Operation interface {
	// Forward writes y.
	Forward(y []Float, in [][]Float)
	// Backward writes the gradient d[i] at each input where d[i] is not nil, from g, the gradient at the output. It belongs
	// to the last Forward, and may overwrite g.
	Backward(d, in [][]Float, y, g []Float)
}

// Place says where an operation stands in a graph and where its results go.
type Place struct {
	Name  string    // for errors and profiles
	Shape []int     // of the output
	Out   []Float   // memory for the output
	Grads [][]Float // memory for the gradient at each input; nil where none is wanted
}

// Node is an operation in a graph. Since Backward may overwrite the gradient at the output, a node whose output several
// operations read must have gradients of their own from each, as Gorgonia's Grad adds them up.
type Node struct {
	*G.Node
	op *operation
}

// Apply adds an operation to the graph. Gradients come from one node: it returns the first wanted gradient, and nodes that
// depend on it alone hand out the others, so the order of execution is right (Gorgonia has no node with several results).
func (g *Graph) Apply(o Operation, p Place, in ...*G.Node) (*Node, error) {
	if len(p.Grads) != len(in) {
		panic(fmt.Sprintf("nn: %s has %d inputs, memory for %d gradients", p.Name, len(in), len(p.Grads)))
	}
	op := &operation{Operation: o, Place: p, in: make([][]Float, len(in)), grads: make([]*tensor.Dense, len(in))}
	types := make([]hm.Type, len(in))
	for i, n := range in {
		types[i] = tensorType(n.Dims())
		if p.Grads[i] != nil {
			op.grads[i] = dense(p.Grads[i], n.Shape())
		}
	}
	op.out = dense(p.Out, p.Shape)
	op.graphOp = g.newOp(p.Name, types, tensorType(len(p.Shape)), p.Shape, op.forward)
	n, err := g.apply(op, in...)
	if err != nil {
		return nil, err
	}
	return &Node{n, op}, nil
}

// SetGrad changes the memory to which the gradient at input i is written.
func (n *Node) SetGrad(i int, data []Float) {
	n.op.Grads[i] = data
	n.op.grads[i] = dense(data, n.op.grads[i].Shape())
}

// operation is the Gorgonia operation of an Operation.
type operation struct {
	graphOp
	Operation
	Place
	in    [][]Float       // the inputs of the running call
	out   *tensor.Dense   // header over Out
	grads []*tensor.Dense // headers over Grads, nil where nil
}

func (o *operation) forward(in []G.Value) G.Value {
	o.load(in)
	o.Forward(o.Out, o.in)
	return o.out
}

func (o *operation) load(in []G.Value) {
	for i := range o.in {
		o.in[i] = data(in[i])
	}
}

// DiffWRT says for which inputs there is a gradient.
func (o *operation) DiffWRT(int) []bool {
	want := make([]bool, len(o.grads))
	for i, d := range o.grads {
		want[i] = d != nil
	}
	return want
}

// SymDiff adds the gradient to the graph.
func (o *operation) SymDiff(in G.Nodes, out, grad *G.Node) (G.Nodes, error) {
	first := -1
	result := make(G.Nodes, len(in))
	types := make([]hm.Type, 0, len(in)+2)
	for i, n := range in {
		types = append(types, tensorType(n.Dims()))
		if first < 0 && o.grads[i] != nil {
			first = i
		}
	}
	types = append(types, tensorType(out.Dims()), tensorType(out.Dims()))
	back := o.g.newOp(o.Name+" gradient", types, types[first], in[first].Shape(), func(v []G.Value) G.Value {
		o.load(v)
		o.Backward(o.Grads, o.in, o.Out, data(v[len(v)-1]))
		return o.grads[first]
	})
	back.unit = o.Name
	primary, err := o.g.apply(&back, append(append(G.Nodes{}, in...), out, grad)...)
	if err != nil {
		return nil, err
	}
	result[first] = primary
	for i := first + 1; i < len(in); i++ {
		if o.grads[i] == nil {
			continue
		}
		take := o.g.newOp(fmt.Sprintf("%s gradient %d", o.Name, i), types[first:first+1], types[i], in[i].Shape(),
			func([]G.Value) G.Value { return o.grads[i] })
		if result[i], err = o.g.apply(&take, primary); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// data is the memory of a tensor, or a scalar's value.
func data(v G.Value) []Float {
	switch d := v.Data().(type) {
	case []Float:
		return d
	case Float:
		return []Float{d}
	}
	panic(fmt.Sprintf("value of type %T where the engine's precision is %v", v.Data(), dtype))
}

func tensorType(dims int) hm.Type { return G.TensorType{Dims: dims, Of: hm.TypeVariable('a')} }

// hashPrefix tells the hashes of this package's operations from those of Gorgonia's.
const hashPrefix = "espalier#"

// graphOp is what Gorgonia asks of any operation. It owns its results' memory, and its number makes its hash its own.
type graphOp struct {
	g     *Graph
	name  string
	unit  string // for profiles and errors
	id    uint64
	in    []hm.Type
	res   hm.Type
	shape tensor.Shape
	run   func(in []G.Value) G.Value
}

func (g *Graph) newOp(name string, in []hm.Type, res hm.Type, shape []int, run func([]G.Value) G.Value) graphOp {
	return graphOp{g: g, name: name, unit: name, id: g.number(), in: in, res: res, shape: shape, run: run}
}

func (o *graphOp) Arity() int { return len(o.in) }

// Type is fresh at each call, since Gorgonia takes it apart.
func (o *graphOp) Type() hm.Type {
	return hm.NewFnType(append(append([]hm.Type{}, o.in...), o.res)...)
}

func (o *graphOp) InferShape(...G.DimSizer) (tensor.Shape, error) { return o.shape.Clone(), nil }

// Do runs the operation. A panic would end the process from within Gorgonia's goroutine, so it becomes an error.
func (o *graphOp) Do(in ...G.Value) (out G.Value, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &LayerError{Layer: o.name, Cause: r, Stack: debug.Stack()}
			o.g.failed = err
		}
	}()
	if p := o.g.run.profile; p != nil {
		p.enter(o.unit)
	}
	return o.run(in), nil
}

func (o *graphOp) ReturnsPtr() bool      { return true }
func (o *graphOp) CallsExtern() bool     { return false } // true would allocate the output in every run
func (o *graphOp) OverwritesInput() int  { return -1 }
func (o *graphOp) WriteHash(h hash.Hash) { fmt.Fprintf(h, "%s%d", hashPrefix, o.id) }
func (o *graphOp) String() string        { return o.name }

func (o *graphOp) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}
