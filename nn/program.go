package nn

import (
	"fmt"
	"time"

	G "gorgonia.org/gorgonia"

	"espalier/internal/kernels"
	"espalier/internal/rng"
)

// Program is what training and evaluation have in common: a net bound to a batch size, as a Gorgonia graph.
type Program struct {
	net      *Net
	params   *Params
	batch    int
	run      Run
	units    []programUnit
	x        *Buffer // (N,H,W,C)
	lossGrad *Buffer // (N,K), the gradient at the logits; nil without a backward pass
	size     int     // of the planned memory, in elements

	graph *Graph
	vm    G.VM
}

// programUnit is a unit with its layer, its memory and its nodes.
type programUnit struct {
	*unit
	layer               Layer
	y                   *Buffer // the output
	dx                  *Buffer // the gradient at the input; nil: not needed
	begin, end          moment  // forward; a unit may run in several moments
	node                *Node
	weights, statistics *G.Node // inputs; nil: none
}

// Batch is the number of images that the program was built for.
func (p *Program) Batch() int { return p.batch }

// Params is the set of weights that the program is bound to.
func (p *Program) Params() *Params { return p.params }

// Memory is the number of bytes that the activations and their gradients take. Programs of one net share them.
func (p *Program) Memory() int { return p.size * floatSize }

// SetDropPath sets the probability with which DropPath layers drop a branch in the next training steps; at first it is 0.
func (p *Program) SetDropPath(probability float64) {
	if !(probability >= 0 && probability < 1) {
		panic(fmt.Sprintf("nn: a drop path probability of %v is outside [0,1)", probability))
	}
	p.run.DropPath = probability
}

// SetRandom gives the stream that DropPath and Noise layers draw from. Whoever wants to resume keeps its state.
func (p *Program) SetRandom(r *rng.Stream) { p.run.Random = r }

// SetStatistics chooses batch norm's statistics for the next passes.
func (p *Program) SetStatistics(s Statistics) { p.run.Statistics = s }

// Profile begins to measure where time goes, by clock, whose readings must not decrease; a nil clock ends it. Without a
// profile nothing is measured.
func (p *Program) Profile(clock func() time.Duration) *Profile {
	p.run.profile = nil
	if clock != nil {
		p.run.profile = newProfile(clock)
	}
	return p.run.profile
}

// Bind makes the program use another set of weights of the same net, without copying: the next passes read params.Values,
// write params.Grads, and read or update params.Buffers.
func (p *Program) Bind(params *Params) {
	p.params.mustMatch(params)
	p.params = params
	for i := range p.units {
		u := &p.units[i]
		v := u.vectors(params.Vectors)
		if u.weights != nil {
			Let(u.weights, v.Values)
			if p.lossGrad != nil {
				u.node.SetGrad(1, v.Grads)
			}
		}
		if u.statistics != nil {
			Let(u.statistics, v.Buffers)
		}
	}
}

// Let binds an input of a graph to other memory of the same size.
func Let(n *G.Node, data []Float) {
	if err := G.Let(n, dense(data, n.Shape())); err != nil {
		panic(fmt.Sprintf("nn: %v: %v", n, err))
	}
}

// newProgram makes layers and memory for the net, and the graph of its forward pass; with train, it prepares that of the
// gradient.
func newProgram(net *Net, batch int, train bool) (*Program, *G.Node, error) {
	if batch < 1 {
		return nil, nil, fmt.Errorf("nn: a program for %d images", batch)
	}
	p := &Program{net: net, params: net.Params, batch: batch}
	p.plan(train)
	p.graph = NewGraph(&p.run)
	logits, err := p.forwardGraph()
	return p, logits, err
}

// plan builds the layers and arranges their memory.
func (p *Program) plan(train bool) {
	last := len(p.net.units) - 1
	plan := &Plan{Batch: p.batch, Run: &p.run, infer: !train}
	p.x = plan.Keep(p.batch * p.net.In.Len())
	for i := range p.net.units {
		u := &p.net.units[i]
		q := programUnit{unit: u, begin: forward(plan.unit)}
		q.layer = u.build.Build(plan, u.in)
		q.end = forward(plan.unit)
		plan.Next()
		switch n := p.batch * u.out.Len(); {
		case train:
			q.y = plan.add(n, q.end, q.end.back())
		case i < last:
			q.y = plan.add(n, q.end, forward(plan.unit))
		default: // logits outlive the pass
			q.y = &Buffer{Data: kernels.Alloc(n)}
		}
		if before := p.x; !train {
			if i > 0 {
				before = p.units[i-1].y
			}
			before.to = q.end
		}
		p.units = append(p.units, q)
	}
	if train {
		p.planGradients(plan) // the loss has the last moment
	}
	p.size = plan.allocate(&p.net.memory)
}

// planGradients asks for the gradient at each unit's input, down to the first unit with parameters. A unit that can writes
// it over the gradient at its output.
func (p *Program) planGradients(plan *Plan) {
	first := 0
	for first < len(p.units)-1 && p.units[first].values.empty() {
		first++
	}
	last := len(p.units) - 1
	p.lossGrad = plan.add(p.batch*p.net.Out.Len(), forward(plan.unit), p.units[last].begin.back())
	g := p.lossGrad
	for i := last; i > first; i-- {
		u, below := &p.units[i], p.units[i-1].begin.back()
		if l, ok := u.layer.(InPlace); ok && l.InPlace() && u.in == u.out {
			g.to = below
		} else {
			g = plan.add(p.batch*u.in.Len(), u.end.back(), below)
		}
		u.dx = g
	}
}

// forwardGraph makes each unit one node and returns the logits.
func (p *Program) forwardGraph() (*G.Node, error) {
	in := p.net.In
	x := p.graph.Input("images", p.x.Data, p.batch, in.H, in.W, in.C)
	for i := range p.units {
		u := &p.units[i]
		v := u.vectors(p.params.Vectors)
		inputs, grads := G.Nodes{x}, [][]Float{nil}
		if u.dx != nil {
			grads[0] = u.dx.Data
		}
		if v.Values != nil {
			u.weights = p.graph.Input(fmt.Sprintf("weights of unit %d", i), v.Values, len(v.Values))
			inputs, grads = append(inputs, u.weights), append(grads, nil)
			if p.lossGrad != nil {
				grads[1] = v.Grads
			}
		}
		if v.Buffers != nil {
			u.statistics = p.graph.Input(fmt.Sprintf("statistics of unit %d", i), v.Buffers, len(v.Buffers))
			inputs, grads = append(inputs, u.statistics), append(grads, nil)
		}
		node, err := p.graph.Apply(
			&layerOperation{u.layer, u.weights != nil, u.statistics != nil},
			Place{Name: u.name, Shape: []int{p.batch, u.out.H, u.out.W, u.out.C}, Out: u.y.Data, Grads: grads},
			inputs...)
		if err != nil {
			return nil, err
		}
		u.node, x = node, node.Node
	}
	return x, nil
}

// load copies n images into the input; the rest of the batch becomes zero.
func (p *Program) load(x []Float, n int) {
	if want := n * p.net.In.Len(); len(x) != want {
		panic(fmt.Sprintf("nn: %d images of %v are %d values, have %d", n, p.net.In, want, len(x)))
	}
	copy(p.x.Data, x)
	clear(p.x.Data[len(x):])
}

// checkLabels fails if a label is not a class.
func (p *Program) checkLabels(labels []int32) error {
	for i, k := range labels {
		if k < 0 || int(k) >= p.net.Out.C {
			return fmt.Errorf("nn: label %d of image %d is outside [0,%d)", k, i, p.net.Out.C)
		}
	}
	return nil
}

// layerOperation is a Layer as an Operation: its inputs are x, then the weights and the buffers where it has them.
type layerOperation struct {
	layer           Layer
	values, buffers bool
}

func (o *layerOperation) vectors(in [][]Float) (v Vectors) {
	if o.values {
		v.Values = in[1]
	}
	if o.buffers {
		v.Buffers = in[len(in)-1]
	}
	return v
}

func (o *layerOperation) Forward(y []Float, in [][]Float) {
	o.layer.Forward(y, in[0], o.vectors(in))
}

func (o *layerOperation) Backward(d, in [][]Float, y, g []Float) {
	v := o.vectors(in)
	if o.values {
		v.Grads = d[1]
	}
	o.layer.Backward(d[0], in[0], y, g, v)
}
