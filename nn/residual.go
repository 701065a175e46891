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
		if !ok || c.norm == nil {
			return nil, fmt.Errorf("is made of convolutions, each with a batch norm: found %s", g.specs[0].Spec.Kind())
		}
		us = append(us, c)
	}
	return us, nil
}

// Build makes the fused block.
func (r Residual) Build(p *Plan, in Shape) Layer {
	var o Slots
	l := &residualLayer{run: p.Run}
	body, err := r.body()
	if err != nil {
		panic(err)
	}
	x := in
	for i, s := range body {
		t := newStage(p, s, x, &o)
		x = Shape{t.conv.OH(), t.conv.OW(), t.conv.OC}
		l.body = append(l.body, t)
		l.z = append(l.z, p.Keep(t.conv.YLen()))
		if i > 0 { // two buffers serve in turn for the gradients inside
			l.d[i%2] = larger(p, l.d[i%2], t.conv.XLen())
		}
	}
	project, sub, err := r.shortcut()
	switch {
	case err != nil:
		panic(err)
	case project != nil:
		t := newStage(p, *project, in, &o)
		l.project, l.s = &t, p.Keep(t.conv.YLen())
	case sub != nil:
		l.sub = &subsampler{n: p.Batch, in: in, Subsample: *sub}
		l.s = p.Temp(p.Batch * x.Len())
	}
	return l
}

func larger(p *Plan, b *Buffer, n int) *Buffer {
	if b == nil {
		return p.BackTemp(n)
	}
	b.n = max(b.n, n)
	return b
}

type residualLayer struct {
	run     *Run
	body    []stage
	z       []*Buffer   // what each stage's convolution writes, its norm's input
	d       [2]*Buffer  // gradients at the outputs of the norms inside
	project *stage      // the shortcut: a projection,
	sub     *subsampler // a subsampling, or, if both are nil, the identity
	s       *Buffer     // what the shortcut's convolution or subsampling writes
}

func (l *residualLayer) Forward(y, x []Float, v Vectors) {
	src, in := x, (*norm)(nil)
	for i := range l.body {
		t := &l.body[i]
		t.forward(l.z[i].Data, src, in, v)
		l.run.Lap(t.label, Forward)
		src, in = l.z[i].Data, t.norm
	}
	s, sn := x, (*kernels.Norm)(nil)
	switch {
	case l.project != nil:
		s, sn = l.s.Data, l.project.norm.Norm
		l.project.forward(s, x, nil, v)
		l.run.Lap(l.project.label, Forward)
	case l.sub != nil:
		s = l.s.Data
		l.sub.forward(s, x)
		l.run.Lap(l.sub.Kind(), Forward)
	}
	kernels.AddReLU(y, src, in.Norm, s, sn)
	l.run.Lap("add, ReLU", Forward)
}

func (l *residualLayer) Backward(dx, x, y, g []Float, v Vectors) {
	last := len(l.body) - 1
	var sn *kernels.Norm
	var s []Float
	if l.project != nil {
		sn, s = l.project.norm.Norm, l.s.Data
	}
	kernels.ReLUBackward(g, y, g, l.body[last].norm.Norm, l.z[last].Data, sn, s)
	l.run.Lap("add, ReLU", Backward)

	// From here on g is the gradient at the sum. The shortcut's share of dx comes first where the body's can be added to it.
	switch {
	case l.project != nil:
		l.project.backward(dx, x, l.s.Data, g, nil, false, v)
		l.run.Lap(l.project.label, Backward)
	case l.sub == nil && dx != nil && &dx[0] != &g[0]:
		copy(dx, g)
	}
	d := g
	for i := last; i > 0; i-- {
		t := &l.body[i]
		next := l.d[i%2].Data[:t.conv.XLen()]
		t.backward(next, l.z[i-1].Data, l.z[i].Data, d, l.body[i-1].norm, false, v)
		l.run.Lap(t.label, Backward)
		d = next
	}
	t := &l.body[0]
	t.backward(dx, x, l.z[0].Data, d, nil, l.sub == nil, v)
	l.run.Lap(t.label, Backward)
	if l.sub != nil && dx != nil {
		l.sub.addBackward(dx, g)
		l.run.Lap(l.sub.Kind(), Backward)
	}
}

// InPlace reports whether dx may be g: with the identity as shortcut, g is the shortcut's share of dx. (A body of one
// convolution would read g while it writes dx.)
func (l *residualLayer) InPlace() bool { return l.project == nil && l.sub == nil && len(l.body) > 1 }
