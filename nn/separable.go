package nn

import "espalier/internal/kernels"

// separable is a chain of stages, each a depthwise convolution, a 1×1 convolution and a batch norm, with a ReLU between two
// stages, and optionally one before the first and one after the last: the separable and the dilated convolutions of search
// spaces. What stands between the convolutions of a stage, and what the norms but the last put out, is never in memory.
type separable struct {
	active bool // there is a ReLU before it
	stages []separableSpec
	relu   bool // there is a ReLU after it
}

type separableSpec struct {
	depth Depthwise
	point Conv
	norm  BatchNorm
}

// fuseSeparable is the chain that begins at s[i], and of how many specs it is made; nil if there is none.
func fuseSeparable(s Sequential, i int) (c *separable, n int) {
	c = new(separable)
	for more := true; more; more = c.relu {
		depth, isDepth := specAt[Depthwise](s, i+n)
		point, isPoint := specAt[Conv](s, i+n+1)
		norm, isNorm := specAt[BatchNorm](s, i+n+2)
		if !isDepth || !isPoint || !isNorm || point.Kernel != 1 || orOne(point.Stride) != 1 || point.Pad != 0 {
			break
		}
		c.stages, n = append(c.stages, separableSpec{depth, point, norm}), n+3
		if _, c.relu = specAt[ReLU](s, i+n); c.relu {
			n++
		}
	}
	if n == 0 {
		return nil, 0
	}
	return c, n
}

func (s *separable) Build(p *Plan, in Shape) Layer {
	var o Slots
	l := &separableLayer{run: p.Run}
	if s.active {
		l.in = &kernels.Affine{ReLU: true}
	}
	for i, spec := range s.stages {
		shape := spec.depth.shape(p.Batch, in)
		out := Shape{shape.OH(), shape.OW(), spec.point.Channels}
		t := &separableStage{conv: kernels.NewSeparable(shape, spec.point.Channels)}
		t.label = convLabel("separable", spec.depth.Kernel, spec.depth.Stride, spec.depth.Dilation)
		t.depth, t.point = o.Value(shape.KH*shape.KW*in.C), o.Value(in.C*spec.point.Channels)
		last := i == len(s.stages)-1
		t.norm = newNorm(p, spec.norm, out, !last || s.relu, &o)
		if !last || !p.infer {
			t.z = p.Keep(t.conv.ZLen())
		}
		if i > 0 {
			t.d = p.BackTemp(shape.XLen())
		}
		l.stages, in = append(l.stages, t), out
	}
	return l
}

// separableStage is a stage with the places of its tensors.
type separableStage struct {
	conv         *kernels.Separable
	depth, point Span // weights
	norm         *norm
	label        string
	z            *Buffer // the norm's input; nil: the layer's output, of a program without backward pass
	d            *Buffer // the gradient at the stage's input; nil: that at the layer's
}

// separableLayer is the chain as a layer.
type separableLayer struct {
	run    *Run
	in     *kernels.Affine // the ReLU before it; nil: none
	stages []*separableStage
}

// input is what a stage reads, x being the layer's input, and the norm whose output that is.
func (l *separableLayer) input(i int, x []Float) ([]Float, *kernels.Affine, *norm) {
	if i == 0 {
		return x, l.in, nil
	}
	before := l.stages[i-1]
	return before.z.Data, before.norm.affine(), before.norm
}

func (l *separableLayer) Forward(y, x []Float, v Vectors) {
	var z []Float
	for i, t := range l.stages {
		from, in, _ := l.input(i, x)
		if z = y; t.z != nil {
			z = t.z.Data
		}
		t.conv.Forward(z, from, t.depth.Of(v.Values), t.point.Of(v.Values), kernels.ConvForward{In: in, Stats: t.norm.gather()})
		t.norm.settle(v)
		l.run.Lap(t.label, Forward)
	}
	l.stages[len(l.stages)-1].norm.Apply(y, z)
	l.run.Lap("batch norm", Forward)
}

func (l *separableLayer) Backward(dx, x, y, g []Float, v Vectors) {
	last := l.stages[len(l.stages)-1]
	last.norm.Sums(last.z.Data, g)
	l.run.Lap("batch norm", Backward)
	for i := len(l.stages) - 1; i >= 0; i-- {
		t := l.stages[i]
		from, in, of := l.input(i, x)
		t.norm.gradients(v)
		b := kernels.ConvBackward{In: in, Out: t.norm.Norm, Z: t.z.Data, Gate: in != nil && of == nil}
		d := dx
		if of != nil {
			d, b.Sums = t.d.Data, of.Norm
		}
		t.conv.Backward(d, t.depth.Of(v.Grads), t.point.Of(v.Grads), from, g, t.depth.Of(v.Values), t.point.Of(v.Values), b)
		g = d
		l.run.Lap(t.label, Backward)
	}
}

// Forgets says that its own output is not read.
func (l *separableLayer) Forgets() (x, y bool) { return false, true }
