package supernet

import (
	"fmt"

	"espalier/internal/kernels"
	"espalier/nn"
	"espalier/search"
)

// candidate is an operation on an edge. Backward passes visit candidates in the reverse order of forward passes.
type candidate interface {
	// forward computes the candidate, unless it is chained, and returns its share in the sum at the node, whose norm has the
	// weight as its scale.
	forward(v *vectors, weight nn.Float) kernels.Term
	// recompute returns the term's tensor in the backward pass, computed again if it was not kept.
	recompute(v *vectors) []nn.Float
	// backward adds to the gradient at the source and writes those at the candidate's weights, from g, the gradient at the node,
	// of which the term's norm has got the sums and the gradients; one that is chained has done so. g stays as it is until the
	// sources' gradients are complete.
	backward(v *vectors, g []nn.Float)
}

// place is where a candidate stands.
type place struct {
	from, to *node
	name     string // of its tensors
}

// candidate builds an operation; none is nil.
func (b *builder) candidate(p search.Primitive, at place, where search.Place) (candidate, error) {
	if p.None {
		return nil, nil
	}
	layers := p.Layers(where)
	if len(layers) == 0 {
		b.source(at.from)
		return &identity{weighed: newWeighed(b.batch(), at.to.shape), place: at}, nil
	}
	if !b.plain {
		if c, err := b.compile(layers, at); c != nil || err != nil {
			return c, err
		}
	}
	first := b.plan.Moment()
	y := b.plan.Keep(b.batch() * at.to.shape.Len())
	m, err := b.module(at.name, layers, at.from.shape)
	if err != nil {
		return nil, err
	}
	if m.out != at.to.shape {
		return nil, fmt.Errorf("supernet: %s (%s) gives %v, its node is %v", at.name, p.Name, m.out, at.to.shape)
	}
	last := b.plan.Moment() - 1
	return &layered{
		weighed: newWeighed(b.batch(), at.to.shape), place: at, module: m, y: y,
		g:  b.plan.BackSpan(b.batch()*at.to.shape.Len(), last, first),
		dx: b.plan.BackSpan(b.batch()*at.from.shape.Len(), last, first),
	}, nil
}

// weighed is a norm that only multiplies by a weight.
type weighed struct {
	norm               *kernels.Norm
	gamma, zeros, ones []nn.Float // (C)
}

func newWeighed(batch int, s nn.Shape) weighed {
	w := weighed{
		norm:  kernels.NewNorm(batch, s.H*s.W, s.C, false),
		gamma: make([]nn.Float, s.C), zeros: make([]nn.Float, s.C), ones: make([]nn.Float, s.C),
	}
	fill(w.ones, 1)
	return w
}

// term is weight·x.
func (w *weighed) term(x []nn.Float, weight nn.Float) kernels.Term {
	fill(w.gamma, weight)
	w.norm.Fold(w.gamma, nil, w.zeros, w.ones, 0)
	return kernels.Term{X: x, Norm: w.norm}
}

func fill(v []nn.Float, x nn.Float) {
	for i := range v {
		v[i] = x
	}
}

// identity passes its source on.
type identity struct {
	weighed
	place
}

func (c *identity) forward(_ *vectors, weight nn.Float) kernels.Term {
	return c.term(c.from.data.Data, weight)
}

func (c *identity) recompute(*vectors) []nn.Float { return c.from.data.Data }

func (c *identity) backward(_ *vectors, g []nn.Float) {
	s := c.from.out
	s.direct = append(s.direct, kernels.Scaled{G: g, Weight: c.gamma[0]})
}

// layered is any operation, as a layer that keeps what it wants.
type layered struct {
	weighed
	place
	module
	y, g, dx *nn.Buffer // its output, the gradient at that, its share in the gradient at the source
}

func (c *layered) forward(v *vectors, weight nn.Float) kernels.Term {
	c.module.forward(c.y.Data, c.from.data.Data, v)
	return c.term(c.y.Data, weight)
}

func (c *layered) recompute(*vectors) []nn.Float { return c.y.Data }

func (c *layered) backward(v *vectors, g []nn.Float) {
	c.norm.Backward(c.g.Data, c.y.Data, g)
	c.module.backward(c.dx.Data, c.from.data.Data, c.y.Data, c.g.Data, v)
	dx := c.from.gradient()
	kernels.Add(dx, dx, c.dx.Data)
}
