package supernet

import (
	"espalier/internal/kernels"
	"espalier/nn"
)

// chained is a chain of stages, each a convolution, or a depthwise and a pointwise one, with a batch norm after it and a ReLU
// before it. What batch norms read is saved; a second stage reads the first one's as it normalises it.
type chained struct {
	place
	stages []*stage
	active bool       // there is a ReLU before the first
	gamma  []nn.Float // (C)
}

// stage is one link of a chain.
type stage struct {
	separable *kernels.Separable // one of the two is nil
	conv      *kernels.Conv
	weights   [2]span
	norm      norm // with the ReLU of the next stage
	z         *saved
	g         *nn.Buffer // the gradient at the norm's output; nil in the last stage
}

// run writes z from x, which passes in.
func (s *stage) run(z, x []nn.Float, in *kernels.Affine, gathers *kernels.Norm, v *vectors) {
	f := kernels.ConvForward{In: in, Stats: gathers}
	w := v.weight(s.weights[0])
	if s.conv != nil {
		s.conv.Forward(z, x, w, f)
	} else {
		s.separable.Forward(z, x, w, v.weight(s.weights[1]), f)
	}
}

// back writes dx, or adds to it, and the gradients at the weights, if they are wanted, from g.
func (s *stage) back(dx, x, g []nn.Float, b kernels.ConvBackward, v *vectors, wanted bool) {
	w := v.weight(s.weights[0])
	if s.conv != nil {
		s.conv.Backward(dx, v.gradient(s.weights[0]), x, g, w, b)
		return
	}
	var dwd, dwp []nn.Float
	if wanted {
		dwd, dwp = v.gradient(s.weights[0]), v.gradient(s.weights[1])
	}
	s.separable.Backward(dx, dwd, dwp, x, g, w, v.weight(s.weights[1]), b)
}

// input is what the first stage reads.
func (c *chained) input() []nn.Float {
	if c.active {
		return c.from.out.activated()
	}
	return c.from.data.Data
}

func (c *chained) forward(v *vectors, weight nn.Float) kernels.Term {
	x, in := c.input(), (*kernels.Affine)(nil)
	last := len(c.stages) - 1
	for k, s := range c.stages {
		z := s.z.fore.Data
		s.run(z, x, in, s.norm.gathers(), v)
		if k == last {
			fill(c.gamma, weight)
			s.norm.settle(v, c.gamma)
			return kernels.Term{X: z, Norm: s.norm.Norm}
		}
		s.norm.settle(v, nil)
		x, in = z, &s.norm.Affine
	}
	panic("unreachable")
}

func (c *chained) recompute(v *vectors) []nn.Float {
	x, in := c.input(), (*kernels.Affine)(nil)
	for _, s := range c.stages {
		if s.z.fore != s.z.back {
			s.run(s.z.back.Data, x, in, nil, v)
		}
		x, in = s.z.back.Data, &s.norm.Affine
	}
	return x
}

func (c *chained) backward(v *vectors, g []nn.Float) {
	source, wanted := c.from.out, c.from.out.pass.weights
	for k := len(c.stages) - 1; k >= 0; k-- {
		s := c.stages[k]
		b := kernels.ConvBackward{Out: s.norm.Norm, Z: s.z.back.Data}
		if k > 0 {
			before := c.stages[k-1]
			b.In, b.Sums = &before.norm.Affine, before.norm.Norm
			s.back(before.g.Data, before.z.back.Data, g, b, v, wanted)
			before.norm.Gradients(nil, nil, nil)
			g = before.g.Data
			continue
		}
		if !c.active {
			dx := c.from.gradient()
			b.Accumulate = true
			s.back(dx, c.from.data.Data, g, b, v, wanted)
			return
		}
		b.Accumulate = !source.fresh
		source.fresh = false
		s.back(source.active.Data, source.activated(), g, b, v, wanted)
	}
}
