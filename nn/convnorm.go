package nn

import "espalier/internal/kernels"

// convNorm is a convolution, optionally with the ReLU before it and the batch norm and the ReLU that follow it. The convolution gathers the norm's
// statistics as it writes, and its backward pass applies the norm's gradient as it reads.
type convNorm struct {
	active bool // there is a ReLU before it
	conv   Conv
	norm   *BatchNorm // nil: none, and no ReLU after it
	relu   bool
}

func (s convNorm) Build(p *Plan, in Shape) Layer {
	l := &convLayer{stage: newStage(p, s, in, new(Slots)), run: p.Run}
	if s.active {
		l.in = &kernels.Affine{ReLU: true}
	}
	if l.norm != nil && !p.infer {
		l.z = p.Keep(l.conv.YLen())
	}
	return l
}

// stage is the working part of a convNorm: the convolution, its norm, and the places of their tensors.
type stage struct {
	conv   *kernels.Conv
	weight Span
	norm   *norm // may be nil
	label  string
}

func newStage(p *Plan, s convNorm, in Shape, o *Slots) stage {
	t := stage{conv: kernels.NewConv(s.conv.shape(p.Batch, in)), label: s.conv.label()}
	t.weight = o.Value(t.conv.WLen())
	if s.norm != nil {
		t.norm = newNorm(p, *s.norm, Shape{t.conv.OH(), t.conv.OW(), t.conv.OC}, s.relu, o)
	}
	return t
}

// forward writes z, the norm's input (N,OH,OW,OC), and settles the norm. The convolution reads in(x); nil is the identity.
func (t *stage) forward(z, x []Float, in *kernels.Affine, v Vectors) {
	f := kernels.ConvForward{In: in, Stats: t.norm.gather()}
	t.conv.Forward(z, x, t.weight.Of(v.Values), f)
	t.norm.settle(v)
}

// share says how a gradient at an input comes about that two operations read.
type share uint8

const (
	wholeShare  share = iota // one operation reads the input: it writes the gradient
	firstShare               // the first of two: it writes its share
	secondShare              // the second of two: it adds its share to the first's
)

// backward writes dx (nil: not needed), or adds to it, and the gradients at weight, gamma and beta, from g, the gradient at
// the norm's output, whose sums have been gathered. dx is the gradient at in(x); if in belongs to a norm, its sums are
// gathered as dx is completed.
func (t *stage) backward(dx, x, z, g []Float, in *kernels.Affine, of *norm, s share, v Vectors) {
	t.norm.gradients(v)
	b := kernels.ConvBackward{In: in, Out: t.norm.Norm, Z: z, Accumulate: s == secondShare, Gate: in != nil && of == nil}
	if of != nil && s != firstShare {
		b.Sums = of.Norm
	}
	t.conv.Backward(dx, t.weight.Of(v.Grads), x, g, t.weight.Of(v.Values), b)
}

// convLayer is a convNorm as a layer.
type convLayer struct {
	stage
	run *Run
	in  *kernels.Affine // the ReLU before it; nil: none
	z   *Buffer         // the norm's input; nil without norm or backward pass
}

func (l *convLayer) Forward(y, x []Float, v Vectors) {
	if l.norm == nil {
		l.conv.Forward(y, x, l.weight.Of(v.Values), kernels.ConvForward{In: l.in})
		l.run.Lap(l.label, Forward)
		return
	}
	z := y
	if l.z != nil {
		z = l.z.Data
	}
	l.forward(z, x, l.in, v)
	l.run.Lap(l.label, Forward)
	l.norm.Apply(y, z)
	l.run.Lap("batch norm", Forward)
}

func (l *convLayer) Backward(dx, x, y, g []Float, v Vectors) {
	if l.norm == nil {
		l.conv.Backward(dx, l.weight.Of(v.Grads), x, g, l.weight.Of(v.Values), kernels.ConvBackward{In: l.in, Gate: l.in != nil})
	} else {
		l.norm.Sums(l.z.Data, g)
		l.run.Lap("batch norm", Backward)
		l.backward(dx, x, l.z.Data, g, l.in, nil, wholeShare, v)
	}
	l.run.Lap(l.label, Backward)
}

// Forgets says that its own output is not read: the norm finds in its input where the ReLU let through.
func (l *convLayer) Forgets() (x, y bool) { return false, true }
