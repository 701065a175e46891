package nn

import (
	"fmt"
	"runtime/debug"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Graph is a Gorgonia graph of this package's operations. It gives every operation a number, which is in its hash, since
// Gorgonia takes nodes of equal hash for one; Machine refuses a graph in which two nodes share a hash all the same.
type Graph struct {
	Expr *G.ExprGraph

	run    *Run
	inputs map[string]bool // names
	ids    uint64
	number func() uint64 // the next operation's; replaced to test collisions
	failed error         // of the operation that failed in the current run
}

// NewGraph begins a graph whose operations obey run.
func NewGraph(run *Run) *Graph {
	g := &Graph{Expr: G.NewGraph(), run: run, inputs: make(map[string]bool)}
	g.number = func() uint64 { g.ids++; return g.ids }
	return g
}

// LayerError is a panic within a layer, turned into an error.
type LayerError struct {
	Layer string
	Cause any // what the layer panicked with
	Stack []byte
}

func (e *LayerError) Error() string { return fmt.Sprintf("nn: %s: %v", e.Layer, e.Cause) }

// Unwrap is the cause, if that is an error.
func (e *LayerError) Unwrap() error {
	err, _ := e.Cause.(error)
	return err
}

// Input adds an input node over data, which is not copied. Gorgonia tells inputs apart by their names; using one twice
// panics.
func (g *Graph) Input(name string, data []Float, shape ...int) *G.Node {
	if g.inputs[name] {
		panic(fmt.Sprintf("nn: two inputs of a graph are named %q", name))
	}
	g.inputs[name] = true
	return G.NewTensor(g.Expr, dtype, len(shape), G.WithShape(shape...), G.WithName(name), G.WithValue(dense(data, shape)))
}

// dense is a header over data.
func dense(data []Float, shape tensor.Shape) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
}

// apply adds o to the graph and makes sure that it became a node of its own.
func (g *Graph) apply(o G.Op, in ...*G.Node) (*G.Node, error) {
	n, err := G.ApplyOp(o, in...)
	if err != nil {
		return nil, fmt.Errorf("nn: %v: %w", o, err)
	}
	if n.Op() != o {
		return nil, fmt.Errorf("nn: %v and %v have the same hash: Gorgonia takes them for one node", o, n.Op())
	}
	return n, nil
}

// Grad differentiates cost with respect to inputs. It can be called once a graph.
func (g *Graph) Grad(cost *G.Node, inputs ...*G.Node) (grads G.Nodes, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &LayerError{Layer: "differentiating the graph", Cause: r, Stack: debug.Stack()}
		}
	}()
	grads, err = G.Grad(cost, inputs...)
	if err != nil {
		return nil, fmt.Errorf("nn: differentiating the graph: %w", err)
	}
	return grads, nil
}

// check fails if two nodes share a hash: Gorgonia's compiler would run only one of them.
func (g *Graph) check() error {
	seen := make(map[uint32]*G.Node)
	for _, n := range g.Expr.AllNodes() {
		h := n.Hashcode()
		if m := seen[h]; m != nil {
			return fmt.Errorf("nn: nodes %v and %v have the same hash %#x: Gorgonia would take them for one", m, n, h)
		}
		seen[h] = n
	}
	return nil
}

// Machine compiles the finished graph.
func (g *Graph) Machine() (vm G.VM, err error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			err = &LayerError{Layer: "compiling the graph", Cause: r, Stack: debug.Stack()}
		}
	}()
	return G.NewTapeMachine(g.Expr), nil
}

// Run executes the graph once. If an operation fails, its error is returned.
func (g *Graph) Run(vm G.VM) error {
	g.failed = nil
	vm.Reset()
	if err := vm.RunAll(); err != nil {
		if g.failed != nil {
			return g.failed
		}
		return fmt.Errorf("nn: running the graph: %w", err)
	}
	return nil
}
