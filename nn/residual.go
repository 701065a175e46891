package nn

import (
	"errors"
	"fmt"

	"espalier/internal/kernels"
)

// Residual is a residual block (He et al., 2015): y = ReLU(body(x) + shortcut(x)).
//
// Body is a chain of convolutions, each followed by a batch norm, and all but the last norm by a ReLU: two make the basic
// block, three the bottleneck. Shortcut is empty (the identity), a convolution and a batch norm, or a Subsample.
//
// As a layer the block is fused: no output of a batch norm within it is ever written to memory.
type Residual struct {
	Body     Sequential `json:"body"`
	Shortcut Sequential `json:"shortcut,omitempty"`
}

// Kind is "residual".
func (r Residual) Kind() string { return "residual" }

// Out is the shape of the body's output, which must be that of the shortcut's.
func (r Residual) Out(in Shape) (Shape, error) {
	if _, err := r.body(); err != nil {
		return Shape{}, err
	}
	if _, _, err := r.shortcut(); err != nil {
		return Shape{}, err
	}
	out, err := r.Body.Out(in)
	if err != nil {
		return Shape{}, err
	}
	short, err := r.Shortcut.Out(in)
	if err != nil {
		return Shape{}, err
	}
	if out != short {
		return Shape{}, fmt.Errorf("the body ends in %v, the shortcut in %v", out, short)
	}
	return out, nil
}

// body is Body as stages.
func (r Residual) body() ([]convNorm, error) {
	us, err := stages(r.Body)
	if err != nil {
		return nil, fmt.Errorf("the body of a residual block %w", err)
	}
	if len(us) == 0 {
		return nil, errors.New("the body of a residual block is empty")
	}
	for i, u := range us {
		if last := i == len(us)-1; u.relu == last {
			return nil, errors.New("the body of a residual block needs a ReLU after each batch norm but the last")
		}
	}
	return us, nil
}

// shortcut is Shortcut as a projection or a subsampling; both are nil for the identity.
func (r Residual) shortcut() (*convNorm, *Subsample, error) {
	if len(r.Shortcut) == 0 {
		return nil, nil, nil
	}
	if s, ok := r.Shortcut[0].Spec.(Subsample); ok && len(r.Shortcut) == 1 {
		return nil, &s, nil
	}
	us, err := stages(r.Shortcut)
	if err != nil {
		return nil, nil, fmt.Errorf("the shortcut of a residual block %w", err)
	}
	if len(us) != 1 || us[0].relu {
		return nil, nil, errors.New("the shortcut of a residual block is one convolution and one batch norm, or one Subsample, or nothing")
	}
	return &us[0], nil, nil
}

// stages reads s as a chain of convolutions with batch norms.
func stages(s Sequential) ([]convNorm, error) {
	var us []convNorm
	for _, g := range fuse(flatten("", s)) {
		c, ok := g.build.(convNorm)
		if !ok || c.norm == nil || c.active {
			return nil, fmt.Errorf("is made of convolutions, each with a batch norm: found %s", g.specs[0].Spec.Kind())
		}
		us = append(us, c)
	}
	return us, nil
}

// Build makes the fused block.
func (r Residual) Build(p *Plan, in Shape) Layer { return stemmed{block: r}.Build(p, in) }

// stemmed is a residual block together with the convolution, batch norm and ReLU before it, if any: both branches of the
// block read the stem's norm as they read each other's.
type stemmed struct {
	stem  *convNorm
	block Residual
}

// takesStem reports whether a stem can be fused with the block. A subsampling reads no norm.
func (r Residual) takesStem() bool {
	_, sub, err := r.shortcut()
	return sub == nil && err == nil
}

func (r stemmed) Build(p *Plan, in Shape) Layer {
	var o Slots
	l := &residualLayer{run: p.Run}
	x := in // of the block
	add := func(s convNorm, in Shape) *residualStage {
		t := &residualStage{stage: newStage(p, s, in, &o)}
		t.z = p.Keep(t.conv.YLen())
		return t
	}
	if r.stem != nil {
		l.stem = add(*r.stem, in)
		x = l.stem.out()
	}
	body, err := r.block.body()
	if err != nil {
		panic(err)
	}
	y := x
	for i, s := range body {
		t := add(s, y)
		if i > 0 {
			l.d[i%2] = larger(p, l.d[i%2], t.conv.XLen())
		}
		l.body, y = append(l.body, t), t.out()
	}
	project, sub, err := r.block.shortcut()
	switch {
	case err != nil:
		panic(err)
	case project != nil:
		l.project = add(*project, x)
	case sub != nil:
		l.sub = &subsampler{n: p.Batch, in: x, Subsample: *sub}
		l.s = p.Temp(p.Batch * y.Len())
	}
	if l.stem != nil && (l.project != nil || len(l.body) == 1) {
		l.dx = p.BackTemp(l.stem.conv.YLen())
	}
	return l
}

// larger makes sure that b, or a new buffer for a backward pass, holds n elements.
func larger(p *Plan, b *Buffer, n int) *Buffer {
	if b == nil {
		return p.BackTemp(n)
	}
	b.n = max(b.n, n)
	return b
}

// residualStage is a stage that keeps its norm's input.
type residualStage struct {
	stage
	z *Buffer
}

func (t *residualStage) out() Shape { return Shape{t.conv.OH(), t.conv.OW(), t.conv.OC} }

// residualLayer is a residual block as a layer.
type residualLayer struct {
	run     *Run
	stem    *residualStage // before the block; may be nil
	body    []*residualStage
	project *residualStage // the shortcut: a projection,
	sub     *subsampler    // a subsampling, or, if both are nil, the identity
	s       *Buffer        // what the subsampling writes
	d       [2]*Buffer     // gradients at the outputs of the norms in the body, in turn
	dx      *Buffer        // the gradient between stem and block; nil: it takes the place of that at the sum
}

// input is what the block reads: x, or with a stem the input of its norm.
func (l *residualLayer) input(x []Float) ([]Float, *norm) {
	if l.stem == nil {
		return x, nil
	}
	return l.stem.z.Data, l.stem.norm
}

func (l *residualLayer) Forward(y, x []Float, v Vectors) {
	if l.stem != nil {
		l.forward(l.stem, x, nil, v)
	}
	x, in := l.input(x)
	a, an := x, in
	for _, t := range l.body {
		l.forward(t, a, an, v)
		a, an = t.z.Data, t.norm
	}
	b, bn := x, (*kernels.Norm)(nil)
	switch {
	case l.project != nil:
		l.forward(l.project, x, in, v)
		b, bn = l.project.z.Data, l.project.norm.Norm
	case l.sub != nil:
		b = l.s.Data
		l.sub.forward(b, x)
		l.run.Lap(l.sub.Kind(), Forward)
	case in != nil:
		bn = in.Norm
	}
	kernels.AddReLU(y, a, an.Norm, b, bn)
	l.run.Lap("add, ReLU", Forward)
}

func (l *residualLayer) forward(t *residualStage, x []Float, in *norm, v Vectors) {
	t.stage.forward(t.z.Data, x, in.affine(), v)
	l.run.Lap(t.label, Forward)
}

func (l *residualLayer) Backward(dx, x, y, g []Float, v Vectors) {
	last := l.body[len(l.body)-1]
	var s []Float
	var sn *kernels.Norm
	if l.project != nil {
		s, sn = l.project.z.Data, l.project.norm.Norm
	}
	kernels.ReLUBackward(g, y, g, last.norm.Norm, last.z.Data, sn, s) // from here on g is the gradient at the sum
	l.run.Lap("add, ReLU", Backward)
	if l.stem == nil {
		l.block(dx, x, g, v)
		return
	}
	d := g
	if l.dx != nil {
		d = l.dx.Data
	}
	l.block(d, x, g, v)
	l.backward(l.stem, dx, x, d, nil, wholeShare, v)
}

// block writes dx, the gradient at the block's input, from that at the sum.
func (l *residualLayer) block(dx, x, g []Float, v Vectors) {
	x, in := l.input(x)
	sum, body := g, secondShare
	switch {
	case l.project != nil:
		l.backward(l.project, dx, x, g, in, firstShare, v)
	case l.sub != nil:
		body = wholeShare
	case dx != nil && &dx[0] != &g[0]:
		copy(dx, g)
	}
	for i := len(l.body) - 1; i > 0; i-- {
		t, before := l.body[i], l.body[i-1]
		d := l.d[i%2].Data[:t.conv.XLen()]
		l.backward(t, d, before.z.Data, g, before.norm, wholeShare, v)
		g = d
	}
	l.backward(l.body[0], dx, x, g, in, body, v)
	if l.sub != nil && dx != nil {
		l.sub.addBackward(dx, sum)
		l.run.Lap(l.sub.Kind(), Backward)
	}
}

func (l *residualLayer) backward(t *residualStage, dx, x, g []Float, in *norm, s share, v Vectors) {
	t.stage.backward(dx, x, t.z.Data, g, in.affine(), in, s, v)
	l.run.Lap(t.label, Backward)
}

// InPlace reports whether dx may be g: with the identity as shortcut, the gradient at the sum is the shortcut's share of dx.
// (A body of one convolution would read g while it writes dx.)
func (l *residualLayer) InPlace() bool {
	return l.stem == nil && l.project == nil && l.sub == nil && len(l.body) > 1
}
