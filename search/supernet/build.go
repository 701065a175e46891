package supernet

import (
	"fmt"

	"espalier/nn"
	"espalier/search"
)

// pass is what operations know about the running pass.
type pass struct {
	nn.Run
	weights bool // the gradient at the weights is wanted
	back    bool // it is on its way back
}

// builder makes the parts of a net, in the order in which they run.
type builder struct {
	*Net
	plan  *nn.Plan
	alpha *search.Alpha // for the places of edges
	used  span          // of the weights, by the modules of the cell under construction
	links []*link
	plain bool // build all candidates but the identity of layers

	short, later, wide              deferred // memory of the edge, the node and the cell under construction
	edgeFirst, nodeFirst, cellFirst int      // moments
}

// module is a part that the skeleton shares, or a candidate, as one layer.
type module struct {
	layer nn.Layer
	at    spans
	out   nn.Shape
}

func (m *module) forward(y, x []nn.Float, v *vectors) { m.layer.Forward(y, x, v.of(m.at)) }

func (m *module) backward(dx, x, y, g []nn.Float, v *vectors) {
	m.layer.Backward(dx, x, y, g, v.of(m.at))
}

// module builds layers, whose tensors' names begin with prefix, for input of shape in, and ends a moment.
func (b *builder) module(prefix string, layers nn.Sequential, in nn.Shape) (m module, err error) {
	if m.at, err = find(prefix, layers, in, b.Layout, b.BufferLayout); err != nil {
		return m, err
	}
	if m.out, err = layers.Out(in); err != nil {
		return m, fmt.Errorf("supernet: %s: %w", prefix, err)
	}
	m.layer = nn.DAG{Vertices: []nn.Vertex{{From: []int{0}, Layers: layers}}}.Build(b.plan, in)
	b.plan.Next()
	b.used = b.used.join(m.at.values)
	return m, nil
}

// begin begins a link of the given name.
func (b *builder) begin(name string) *link {
	return &link{name: name, first: b.plan.Moment()}
}

// end ends a link whose state has the given shape, and asks for the memory of the gradient at the state before it.
func (b *builder) end(l *link, shape ...int) {
	l.shape = shape
	l.last = b.plan.Moment() - 1
	if n := len(b.links); n > 0 {
		before := b.links[n-1]
		l.din = b.plan.BackSpan(size(before.shape), l.last, before.first)
	}
	b.links = append(b.links, l)
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// uses adds the weights of modules to those that the link reads.
func (l *link) uses(values ...span) {
	for _, s := range values {
		if !s.empty() {
			l.parts = append(l.parts, s)
		}
	}
}

// build makes all links for the network that spec describes.
func (b *builder) build(spec nn.Sequential) error {
	n := b.batch()
	layers := func(s nn.Spec) nn.Sequential {
		if s, ok := s.(nn.Sequential); ok {
			return s
		}
		return nn.Sequential{{Spec: s}}
	}
	l := b.begin(spec[0].Name)
	st := &stem{}
	l.body = st
	shape, err := spec[0].Spec.Out(b.In)
	if err != nil {
		return err
	}
	var rest nn.Sequential
	if b.space.Skeleton == search.Staged {
		l.out = b.plan.Keep(n * shape.Len())
		if st.module, err = b.module(spec[0].Name, layers(spec[0].Spec), b.In); err != nil {
			return err
		}
		st.size = n * shape.Len()
		l.uses(st.at.values)
		b.end(l, n, shape.H, shape.W, shape.C)
		if shape, err = b.staged(spec[1].Name, spec[1].Spec.(nn.Sequential), shape); err != nil {
			return err
		}
		rest = spec[2:]
	} else {
		if shape, err = b.stacked(l, st, layers(spec[0].Spec), shape); err != nil {
			return err
		}
		rest = spec[2:]
	}
	l = b.begin("classifier")
	head := &chain{}
	l.body = head
	l.out = b.plan.Keep(n * b.Classes())
	if head.module, err = b.module("", rest, shape); err != nil {
		return err
	}
	l.uses(head.at.values)
	b.end(l, n, head.out.H, head.out.W, head.out.C)
	return nil
}

// staged builds the cells and residual blocks of search.Staged.
func (b *builder) staged(name string, parts nn.Sequential, shape nn.Shape) (nn.Shape, error) {
	n := b.batch()
	for i, part := range parts {
		prefix := fmt.Sprintf("%s.%s", name, part.Name)
		l := b.begin(prefix)
		out, err := part.Spec.Out(shape)
		if err != nil {
			return shape, err
		}
		l.out = b.plan.Keep(n * out.Len())
		if (i+1)%(b.options.Cells+1) == 0 {
			block := &chain{}
			l.body = block
			if block.module, err = b.module(prefix, nn.Sequential{{Spec: part.Spec}}, shape); err != nil {
				return shape, err
			}
			l.uses(block.at.values)
		} else {
			at, err := find(prefix, part.Spec, shape, b.Layout, b.BufferLayout)
			if err != nil {
				return shape, err
			}
			input := &node{shape: shape, data: new(nn.Buffer), grad: new(nn.Buffer)}
			inner, err := b.cell(prefix, 0, []*node{input}, false)
			if err != nil {
				return shape, err
			}
			l.body = &cellLink{cell: inner, size: n * shape.Len(), ownLen: n * out.Len()}
			l.uses(at.values)
			l.mixed = true
		}
		b.end(l, n, out.H, out.W, out.C)
		shape = out
	}
	return shape, nil
}

// stacked builds the stem and the cells of search.Stacked.
func (b *builder) stacked(l *link, st *stem, layers nn.Sequential, shape nn.Shape) (nn.Shape, error) {
	n, count := b.batch(), b.options.Cells
	reduces := func(k int) bool { return k == count/3 || k == 2*count/3 }
	channels := func(k int) int {
		c := b.options.Channels
		for i := range k + 1 {
			if reduces(i) {
				c *= 2
			}
		}
		return c
	}
	// ahead is the first input of cell k, made of shape s; before is its second.
	ahead := func(k int) nn.Sequential {
		if k > 0 && reduces(k-1) {
			return search.FactorizedReduce(channels(k), true)
		}
		return search.ReLUConvNorm(channels(k), 1, 1, true)
	}
	pre := func(k, which int) string { return fmt.Sprintf("cells.%d.preprocess%d", k, which) }

	first, err := ahead(0).Out(shape)
	if err != nil {
		return shape, err
	}
	l.out = b.plan.Keep(n * (shape.Len() + first.Len()))
	if st.module, err = b.module(l.name, layers, b.In); err != nil {
		return shape, err
	}
	begin := b.plan.Moment()
	next, err := b.module(pre(0, 0), ahead(0), shape)
	if err != nil {
		return shape, err
	}
	st.ahead, st.size = &next, n*shape.Len()
	st.dx = b.plan.BackSpan(n*shape.Len(), b.plan.Moment()-1, begin)
	l.uses(st.at.values, next.at.values)
	b.end(l, n*(shape.Len()+first.Len()))

	for k := range count {
		kind := 0
		if reduces(k) {
			kind = 1
		}
		name := fmt.Sprintf("cells.%d", k)
		l := b.begin(name)
		c := &cellLink{size: n * shape.Len()}
		l.body = c
		out := nn.Shape{H: first.H, W: first.W, C: channels(k) * len(b.space.Cells[kind].Concat)}
		if reduces(k) {
			out.H, out.W = (out.H+1)/2, (out.W+1)/2
		}
		var following nn.Shape
		if k+1 < count {
			if following, err = ahead(k + 1).Out(shape); err != nil {
				return shape, err
			}
		}
		l.out = b.plan.Keep(n * (out.Len() + following.Len()))
		if k+1 < count {
			m, err := b.module(pre(k+1, 0), ahead(k+1), shape)
			if err != nil {
				return shape, err
			}
			c.ahead = &m
			c.dx = b.plan.BackSpan(n*shape.Len(), b.plan.Moment()-1, l.first)
		}
		from := b.plan.Moment()
		b.used = span{}
		inputs := []*node{{shape: first, data: new(nn.Buffer), grad: new(nn.Buffer)}, {shape: first}}
		inputs[1].data = b.plan.Keep(n * first.Len())
		before, err := b.module(pre(k, 1), search.ReLUConvNorm(channels(k), 1, 1, true), shape)
		if err != nil {
			return shape, err
		}
		if before.out != first {
			return shape, fmt.Errorf("supernet: the inputs of %s are %v and %v", name, first, before.out)
		}
		c.before = &before
		if c.cell, err = b.cell(name, kind, inputs, reduces(k)); err != nil {
			return shape, err
		}
		inputs[1].grad = b.plan.BackSpan(n*first.Len(), b.plan.Moment()-1, from)
		c.ownLen = n * out.Len()
		l.uses(b.used)
		if c.ahead != nil {
			l.uses(c.ahead.at.values)
		}
		l.mixed = true
		if following == (nn.Shape{}) {
			b.end(l, n, out.H, out.W, out.C)
		} else {
			b.end(l, n*(out.Len()+following.Len()))
		}
		shape, first = out, following
	}
	return shape, nil
}
