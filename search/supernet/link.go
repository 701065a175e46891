package supernet

import (
	"espalier/internal/kernels"
	"espalier/nn"
)

// link is a part of the network that is one node of the graph. Its value is a state: what the next link reads. It implements
// nn.Operation; its inputs are the state before it, the parts of the weights that it uses, the mixture, if it is a cell, and
// the running statistics.
type link struct {
	name  string
	body  body
	parts []span
	mixed bool  // it has candidates
	shape []int // of the state

	first, last int        // moments
	out         *nn.Buffer // the state
	din         *nn.Buffer // the gradient at the state before; nil: there is none
	v           vectors    // of the running call
}

// body is what a link does.
type body interface {
	forward(y, x []nn.Float, v *vectors, mixture []nn.Float)
	// backward writes dx, unless it is nil, the gradients at the weights, and dmixture. It may overwrite g.
	backward(dx, x, y, g []nn.Float, v *vectors, mixture, dmixture []nn.Float)
}

// load takes the inputs of a call apart. d is nil in a forward pass.
func (l *link) load(in, d [][]nn.Float) (mixture, dmixture []nn.Float) {
	n := len(l.parts)
	l.v = vectors{parts: l.parts, values: in[1 : 1+n], buffers: in[len(in)-1]}
	if d != nil {
		l.v.grads = d[1 : 1+n]
	}
	if l.mixed {
		mixture = in[1+n]
		if d != nil {
			dmixture = d[1+n]
		}
	}
	return mixture, dmixture
}

// Forward implements nn.Operation.
func (l *link) Forward(y []nn.Float, in [][]nn.Float) {
	mixture, _ := l.load(in, nil)
	l.body.forward(y, in[0], &l.v, mixture)
}

// Backward implements nn.Operation.
func (l *link) Backward(d, in [][]nn.Float, y, g []nn.Float) {
	mixture, dmixture := l.load(in, d)
	l.body.backward(d[0], in[0], y, g, &l.v, mixture, dmixture)
}

// chain is the body of a link without candidates.
type chain struct{ module }

func (c *chain) forward(y, x []nn.Float, v *vectors, _ []nn.Float) { c.module.forward(y, x, v) }

func (c *chain) backward(dx, x, y, g []nn.Float, v *vectors, _, _ []nn.Float) {
	c.module.backward(dx, x, y, g, v)
}

// stem is the first link: it makes the first state, a value and, if a cell reads two, the first cell's first input.
type stem struct {
	module
	ahead *module // makes the first cell's first input; nil: there is none
	size  int     // of the value, in elements
	dx    *nn.Buffer
}

func (s *stem) forward(y, x []nn.Float, v *vectors, _ []nn.Float) {
	s.module.forward(y[:s.size], x, v)
	if s.ahead != nil {
		s.ahead.forward(y[s.size:], y[:s.size], v)
	}
}

func (s *stem) backward(_, x, y, g []nn.Float, v *vectors, _, _ []nn.Float) {
	if s.ahead != nil {
		s.ahead.backward(s.dx.Data, y[:s.size], y[s.size:], g[s.size:], v)
		kernels.Add(g[:s.size], g[:s.size], s.dx.Data)
	}
	s.module.backward(nil, x, y[:s.size], g[:s.size], v)
}

// cellLink is a cell. It reads a state of one or two parts: the output of the link before and, if cells have two inputs, the
// preprocessed output of the one before that. Of such it makes the same: its own output, and, unless it is the last cell, the
// preprocessed output of the link before, for the next cell. So every value has one reader.
type cellLink struct {
	*cell
	before *module // makes the cell's last input of the state's first part; nil: that is the input
	ahead  *module // makes the state's second part; nil: there is none
	size   int     // of the first part of the state before
	ownLen int     // of the first part of the state
	dx     *nn.Buffer
}

func (c *cellLink) forward(y, x []nn.Float, v *vectors, mixture []nn.Float) {
	s := x[:c.size]
	if c.ahead != nil {
		c.ahead.forward(y[c.ownLen:], s, v)
	}
	if c.before == nil {
		c.nodes[0].data.Data = s
	} else {
		c.nodes[0].data.Data = x[c.size:]
		c.before.forward(c.nodes[1].data.Data, s, v)
	}
	c.cell.forward(y[:c.ownLen], v, mixture)
}

func (c *cellLink) backward(dx, x, y, g []nn.Float, v *vectors, mixture, dmixture []nn.Float) {
	s, ds := x[:c.size], dx[:c.size]
	if c.before == nil {
		c.nodes[0].grad.Data = ds
		c.cell.backward(g, v, mixture, dmixture)
		return
	}
	c.nodes[0].grad.Data = dx[c.size:]
	c.cell.backward(g[:c.ownLen], v, mixture, dmixture)
	n := c.nodes[1]
	c.before.backward(ds, s, n.data.Data, n.grad.Data, v)
	if c.ahead != nil {
		c.ahead.backward(c.dx.Data, s, y[c.ownLen:], g[c.ownLen:], v)
		kernels.Add(ds, ds, c.dx.Data)
	}
}
