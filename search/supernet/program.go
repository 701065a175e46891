package supernet

import (
	"fmt"
	"unsafe"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"espalier/nn"
)

const floatSize = unsafe.Sizeof(nn.Float(0)) // bytes

// program is a graph of the links, compiled: of a forward pass, or of that with its gradient.
type program struct {
	net   *Net
	graph *nn.Graph
	vm    G.VM
	nodes []*programNode
	loss  *nn.LossNode // nil in a forward pass

	statistics *G.Node // input
	values     []nn.Float
	grads      []nn.Float
	buffers    []nn.Float
}

// programNode is a link in a graph.
type programNode struct {
	*link
	node     *nn.Node
	weights  []*G.Node  // inputs, one for each part
	dmixture []nn.Float // nil: none
}

// program makes the graph; dlogits is memory for the gradient at the logits, nil for a forward pass alone.
func (n *Net) program(dlogits []nn.Float) (*program, error) {
	p := &program{net: n, graph: nn.NewGraph(&n.pass.Run)}
	train := dlogits != nil
	x := p.graph.Input("images", n.x.Data, n.batch(), n.In.H, n.In.W, n.In.C)
	values, buffers := n.Layout.New(), n.BufferLayout.New() // until weights are bound
	grads := values
	p.statistics = p.graph.Input("statistics", buffers, len(buffers))
	var wrt G.Nodes
	for _, l := range n.links {
		q := &programNode{link: l}
		in, d := G.Nodes{x}, [][]nn.Float{nil}
		if train && l.din != nil {
			d[0] = l.din.Data
		}
		for i, part := range l.parts {
			w := p.graph.Input(fmt.Sprintf("weights %d of %s", i, l.name), part.of(values), part.to-part.from)
			q.weights = append(q.weights, w)
			in = append(in, w)
			if train {
				d = append(d, part.of(grads))
			} else {
				d = append(d, nil)
			}
		}
		wrt = append(wrt, q.weights...)
		if l.mixed {
			m := p.graph.Input("mixture of "+l.name, n.mixture, len(n.mixture))
			in = append(in, m)
			wrt = append(wrt, m)
			if train {
				q.dmixture = make([]nn.Float, len(n.mixture))
			}
			d = append(d, q.dmixture)
		}
		in, d = append(in, p.statistics), append(d, nil)
		node, err := p.graph.Apply(l, nn.Place{Name: l.name, Shape: l.shape, Out: l.out.Data, Grads: d}, in...)
		if err != nil {
			return nil, err
		}
		q.node, x = node, node.Node
		p.nodes = append(p.nodes, q)
	}
	var err error
	if train {
		labels := G.NewTensor(p.graph.Expr, tensor.Int32, 1, G.WithShape(n.batch()), G.WithName("labels"),
			G.WithValue(tensor.New(tensor.WithShape(n.batch()), tensor.WithBacking(n.labels))))
		if p.loss, err = p.graph.Loss(n.options.Loss, dlogits, x, labels); err != nil {
			return nil, err
		}
		if _, err = p.graph.Grad(p.loss.Node, wrt...); err != nil {
			return nil, err
		}
	}
	p.vm, err = p.graph.Machine()
	return p, err
}

// bind makes the next runs use these weights and running statistics, and write gradients there.
func (p *program) bind(w *nn.Params, grads []nn.Float) {
	if !same(p.buffers, w.Buffers) {
		p.buffers = w.Buffers
		nn.Let(p.statistics, w.Buffers)
	}
	values := !same(p.values, w.Values)
	into := p.loss != nil && !same(p.grads, grads)
	p.values, p.grads = w.Values, grads
	for _, q := range p.nodes {
		for i, part := range q.parts {
			if values {
				nn.Let(q.weights[i], part.of(w.Values))
			}
			if into {
				q.node.SetGrad(1+i, part.of(grads))
			}
		}
	}
}

// same reports whether two vectors are one.
func same(a, b []nn.Float) bool {
	return len(a) == len(b) && unsafe.SliceData(a) == unsafe.SliceData(b)
}

func (p *program) run() error { return p.graph.Run(p.vm) }

// mixtureGradient writes the gradient at the mixture, the sum over all cells.
func (p *program) mixtureGradient(dw []nn.Float) {
	clear(dw)
	for _, q := range p.nodes {
		for i, d := range q.dmixture {
			dw[i] += d
		}
	}
}
