package nn

import (
	"cmp"
	"fmt"
	"slices"

	"espalier/internal/kernels"
)

// dagLayer is a DAG as a layer: steps in order, each reading values and making one.
//
// Backward, the gradient at a value comes about in the reverse order of the steps that read it: the first writes it, the
// others add to it. Where one step alone reads a value, and can write the gradient at it over the one at its own output,
// or merely passes that on, both gradients are one buffer.
type dagLayer struct {
	run     *Run
	batch   int
	in, out *dagValue
	values  []*dagValue // all others
	steps   []*dagStep
	dead    []Span // weights of vertices that are not computed
}

// dagValue is an intermediate result, or the input or the output, whose memory the caller hands in.
type dagValue struct {
	shape Shape
	maker *dagStep // nil: it is the input
	uses  int      // by how many sources of steps it is read
	last  moment   // the end of the last step that reads it
	back  bool     // a step that reads it does so in its backward pass too
	data  *Buffer
	grad  *Buffer
}

// dagStep is a layer or a join.
type dagStep struct {
	name       string
	unit       *unit // of the layer, its spans within the DAG's; nil: a join
	layer      Layer
	kind       Join   // of a join
	joiner     joiner // nil: the join is a sum
	in         []*dagValue
	out        *dagValue
	begin, end moment // forward; a layer may be made of steps itself

	add  []bool  // for each source: the gradient at it has other shares already
	same int     // the source whose gradient is, in place, the one at the output; -1: none
	temp *Buffer // for the share of a layer that is added
}

// joiner is a join that is not a sum.
type joiner interface {
	// gather writes y from the sources' data.
	gather(y []Float)
	// scatter writes source k's share of the gradient g at the output to the gradient at the source, or adds it.
	scatter(k int, g []Float, add bool)
}

// Build makes the layer.
func (d DAG) Build(p *Plan, in Shape) Layer {
	shapes, err := d.shapes(in)
	if err != nil {
		panic(err)
	}
	l := &dagLayer{run: p.Run, batch: p.Batch, in: &dagValue{shape: in, data: new(Buffer), grad: new(Buffer)}}
	live := d.live()
	sources := []*dagValue{l.in}
	var sizes Slots // of the tensors so far
	for i, v := range d.Vertices {
		us, err := units(v.Layers, shapes[i].joined)
		if err != nil {
			panic(err)
		}
		base := sizes
		for k := range us {
			u := &us[k]
			u.values, u.buffers = u.values.shift(base.values), u.buffers.shift(base.buffers)
			sizes = Slots{u.values.to, u.buffers.to}
			if !live[i+1] && !u.values.empty() {
				l.dead = append(l.dead, u.values)
			}
		}
		var value *dagValue
		if live[i+1] {
			from := make([]*dagValue, len(v.From))
			for k, f := range v.From {
				from[k] = sources[f]
			}
			value = from[0]
			if output := i == len(d.Vertices)-1; len(from) > 1 || output && len(us) == 0 {
				value = l.join(p, v, i, from, shapes[i].joined)
			}
			for k := range us {
				value = l.apply(p, v, &us[k], value)
			}
		}
		sources = append(sources, value)
	}
	l.out = sources[len(sources)-1]
	l.plan(p)
	return l
}

func (l *dagLayer) join(p *Plan, v Vertex, i int, from []*dagValue, shape Shape) *dagValue {
	s := l.begin(p, &dagStep{name: v.label(i), kind: cmp.Or(v.Join, Sum), in: from})
	switch {
	case len(from) == 1:
	case v.Join == Concat:
		s.joiner = newConcat(l.batch, from, shape)
	case v.Join == Scale:
		s.joiner = newScale(l.batch, from)
	}
	return l.finish(p, s, shape)
}

func (l *dagLayer) apply(p *Plan, v Vertex, u *unit, from *dagValue) *dagValue {
	s := l.begin(p, &dagStep{name: join(v.Name, u.name), unit: u, in: []*dagValue{from}})
	s.layer = u.build.Build(p, u.in)
	return l.finish(p, s, u.out)
}

// begin gives a step its place in time.
func (l *dagLayer) begin(p *Plan, s *dagStep) *dagStep {
	if len(l.steps) > 0 {
		p.Next()
	}
	s.begin = forward(p.unit)
	l.steps = append(l.steps, s)
	return s
}

func (l *dagLayer) finish(p *Plan, s *dagStep, shape Shape) *dagValue {
	s.end = forward(p.unit)
	for _, a := range s.in {
		a.uses++
		a.last = s.end
		a.back = a.back || s.readsInput()
	}
	s.out = &dagValue{shape: shape, maker: s}
	l.values = append(l.values, s.out)
	return s.out
}

// plan asks for the memory of values and gradients.
func (l *dagLayer) plan(p *Plan) {
	for _, v := range l.values {
		switch end := v.maker.end; {
		case v == l.out:
			v.data, v.grad = new(Buffer), new(Buffer)
		case p.infer:
			v.data = p.add(l.batch*v.shape.Len(), end, v.last)
		case v.kept():
			v.data = p.add(l.batch*v.shape.Len(), end, end.back())
		default:
			v.data = p.add(l.batch*v.shape.Len(), end, v.last)
		}
	}
	if p.infer {
		return
	}
	written := make(map[*dagValue]bool)
	for _, s := range slices.Backward(l.steps) {
		s.add, s.same = make([]bool, len(s.in)), -1
		for k, a := range s.in {
			switch {
			case written[a]:
				s.add[k] = true
			case a == l.in:
			case s.same < 0 && a.uses == 1 && s.inPlace():
				s.same, a.grad = k, s.out.grad
				a.grad.to = a.maker.begin.back()
			default:
				a.grad = p.add(l.batch*a.shape.Len(), s.end.back(), a.maker.begin.back())
			}
			written[a] = true
		}
		if s.layer != nil && s.add[0] {
			s.temp = p.add(l.batch*s.unit.in.Len(), s.end.back(), s.begin.back())
		}
	}
}

// readsInput reports whether the backward pass needs what the step read.
func (s *dagStep) readsInput() bool {
	if s.layer == nil {
		return s.kind == Scale
	}
	x, _ := forgets(s.layer)
	return !x
}

// kept reports whether a value is needed in the backward pass.
func (v *dagValue) kept() bool {
	if v.back || v.maker.layer == nil {
		return v.back
	}
	_, y := forgets(v.maker.layer)
	return !y
}

// forgets is l.Forgets, or that it needs both.
func forgets(l Layer) (x, y bool) {
	if f, ok := l.(Forgetful); ok {
		return f.Forgets()
	}
	return false, false
}

// inPlace reports whether the gradient at a source may take the place of the one at the output.
func (s *dagStep) inPlace() bool {
	if s.layer == nil {
		return s.joiner == nil
	}
	l, ok := s.layer.(InPlace)
	return ok && l.InPlace() && s.unit.in == s.unit.out
}

func (l *dagLayer) Forward(y, x []Float, v Vectors) {
	l.in.data.Data, l.out.data.Data = x, y
	for _, s := range l.steps {
		s.forward(v)
		l.lap(s, Forward)
	}
	l.in.data.Data, l.out.data.Data = nil, nil
}

// lap counts the time of a join; layers do so themselves.
func (l *dagLayer) lap(s *dagStep, d Direction) {
	if s.layer == nil {
		l.run.Lap(string(s.kind), d)
	}
}

func (s *dagStep) forward(v Vectors) {
	defer s.explain()
	y := s.out.data.Data
	switch {
	case s.layer != nil:
		s.layer.Forward(y, s.in[0].data.Data, s.unit.within(v))
	case s.joiner != nil:
		s.joiner.gather(y)
	case len(s.in) == 1:
		copy(y, s.in[0].data.Data)
	default:
		kernels.Add(y, s.in[0].data.Data, s.in[1].data.Data)
		for _, a := range s.in[2:] {
			kernels.Add(y, y, a.data.Data)
		}
	}
}

func (l *dagLayer) Backward(dx, x, y, g []Float, v Vectors) {
	l.in.data.Data, l.out.data.Data = x, y
	l.in.grad.Data, l.out.grad.Data = dx, g
	for _, s := range slices.Backward(l.steps) {
		s.backward(v)
		l.lap(s, Backward)
	}
	for _, p := range l.dead {
		clear(p.Of(v.Grads))
	}
	l.in.data.Data, l.out.data.Data = nil, nil
	l.in.grad.Data, l.out.grad.Data = nil, nil
}

func (s *dagStep) backward(v Vectors) {
	defer s.explain()
	g := s.out.grad.Data
	if s.layer != nil {
		x, dx := s.in[0].data.Data, s.in[0].grad.Data
		if dx == nil || !s.add[0] {
			s.layer.Backward(dx, x, s.out.data.Data, g, s.unit.within(v))
			return
		}
		s.layer.Backward(s.temp.Data, x, s.out.data.Data, g, s.unit.within(v))
		kernels.Add(dx, dx, s.temp.Data)
		return
	}
	for k, a := range s.in {
		switch dx := a.grad.Data; {
		case dx == nil || k == s.same:
		case s.joiner != nil:
			s.joiner.scatter(k, g, s.add[k])
		case s.add[k]:
			kernels.Add(dx, dx, g)
		default:
			copy(dx, g)
		}
	}
}

// explain adds the step's name to a panic.
func (s *dagStep) explain() {
	switch r := recover().(type) {
	case nil:
	case error:
		panic(fmt.Errorf("%s: %w", s.name, r))
	default:
		panic(fmt.Sprintf("%s: %v", s.name, r))
	}
}

// within is the unit's part of v, the vectors of what it stands in; v lacks gradients in a forward pass.
func (u *unit) within(v Vectors) Vectors {
	w := Vectors{Values: u.values.Of(v.Values), Buffers: u.buffers.Of(v.Buffers)}
	if v.Grads != nil {
		w.Grads = u.values.Of(v.Grads)
	}
	return w
}
