package supernet

import (
	"espalier/internal/kernels"
	"espalier/nn"
)

// chained is a chain of stages, each a convolution, or a depthwise and a pointwise one, with a batch norm after it and a ReLU
// before it. What batch norms read is saved; a second stage reads the first one's as it normalises it. The chains of an edge
// run side by side, stage by stage.
type chained struct {
	place
	pass   *pass
	stages []*stage
	active bool       // there is a ReLU before the first
	gamma  []nn.Float // (C)
}

// stage is one link of a chain.
type stage struct {
	separable *kernels.Separable // one of the three; the others are nil
	conv      *kernels.Conv
	reducing  *reducing
	weights   [2]span
	norm      norm // with the ReLU of the next stage
	z         *saved
	g         *nn.Buffer // the gradient at the norm's output; nil in the last stage
}

// input is what the first stage reads.
func (c *chained) input() []nn.Float {
	if c.active {
		return c.from.out.activated()
	}
	return c.from.data.Data
}

// run does stage k, in the forward pass or, if it was not kept, again in the backward pass.
func (c *chained) run(k int, v *vectors, back bool, together *tasks) {
	s := c.stages[k]
	z, f := s.z.fore, kernels.ConvForward{Stats: s.norm.gathers()}
	if back {
		if z = s.z.back; z == s.z.fore {
			return
		}
		f.Stats = nil
	}
	var x []nn.Float
	if k == 0 {
		x = c.input()
	} else {
		before := c.stages[k-1]
		x, f.In = before.z.fore.Data, &before.norm.Affine
		if back {
			x = before.z.back.Data
		}
	}
	w, w2 := v.weight(s.weights[0]), v.weight(s.weights[1])
	switch {
	case s.reducing != nil:
		s.reducing.conv.Forward(z.Data, x, s.reducing.weights(w, w2), f)
	case s.conv != nil:
		s.conv.Forward(z.Data, x, w, f)
	default:
		together.add(s.separable.ForwardTask(z.Data, x, w, w2, f))
	}
}

// ran ends stage k of the forward pass.
func (c *chained) ran(k int, v *vectors) {
	if k+1 < len(c.stages) {
		c.stages[k].norm.settle(v, nil)
	}
}

func (c *chained) forward(v *vectors, weight nn.Float) kernels.Term {
	s := c.stages[len(c.stages)-1]
	fill(c.gamma, weight)
	s.norm.settle(v, c.gamma)
	return kernels.Term{X: s.z.fore.Data, Norm: s.norm.Norm}
}

func (c *chained) recompute(*vectors) []nn.Float { return c.stages[len(c.stages)-1].z.back.Data }

// undo does stage k of the backward pass, from g, the gradient at the node.
func (c *chained) undo(k int, v *vectors, g []nn.Float, together *tasks) {
	s := c.stages[k]
	if k+1 < len(c.stages) {
		g = s.g.Data
	}
	b := kernels.ConvBackward{Out: s.norm.Norm, Z: s.z.back.Data}
	var x, dx []nn.Float
	switch {
	case k > 0:
		before := c.stages[k-1]
		b.In, b.Sums = &before.norm.Affine, before.norm.Norm
		x, dx = before.z.back.Data, before.g.Data
	case c.active:
		source := c.from.out
		b.Accumulate = !source.fresh
		source.fresh = false
		x, dx = source.activated(), source.active.Data
	default:
		b.Accumulate = true
		x, dx = c.from.data.Data, c.from.gradient()
	}
	w, w2 := v.weight(s.weights[0]), v.weight(s.weights[1])
	dw, dw2 := v.gradient(s.weights[0]), v.gradient(s.weights[1])
	if !c.pass.weights {
		dw, dw2 = nil, nil
	}
	if s.separable == nil {
		together.do() // they may add to the same gradient
	}
	switch {
	case s.reducing != nil:
		s.reducing.backward(dx, dw, dw2, x, g, w, w2, b)
	case s.conv != nil:
		s.conv.Backward(dx, dw, x, g, w, b)
	default:
		together.add(s.separable.BackwardTask(dx, dw, dw2, x, g, w, w2, b))
	}
}

// undid ends stage k of the backward pass.
func (c *chained) undid(k int) {
	if k > 0 {
		c.stages[k-1].norm.Gradients(nil, nil, nil)
	}
}

func (c *chained) backward(*vectors, []nn.Float) {}

// tasks wait to be done together.
type tasks []kernels.Task

func (t *tasks) add(task kernels.Task) { *t = append(*t, task) }

func (t *tasks) do() {
	kernels.Together(*t...)
	clear(*t)
	*t = (*t)[:0]
}
