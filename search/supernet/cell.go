package supernet

import (
	"fmt"
	"slices"

	"espalier/internal/kernels"
	"espalier/nn"
	"espalier/search"
)

// cell is the inside of a cell: its nodes, of which the first are the inputs.
type cell struct {
	batch  int
	pass   *pass
	kept   bool // what the forward pass computed
	inputs int
	nodes  []*node // those that do not reach the output are nil
	concat []*node
	out    nn.Shape
	gamma  []nn.Float // (C), scratch memory
	dgamma []nn.Float // (C)

	y, g            []nn.Float // of the running call
	gather, scatter func(worker, unit int)
}

// cell builds the cell named so, of the given kind, at the present place in the plan, upon its inputs. It makes a cell of a
// single output node write to out and read the gradient from dout.
func (b *builder) cell(name string, kind int, inputs []*node, reduce bool) (*cell, error) {
	spec := &b.space.Cells[kind]
	first := inputs[0].shape
	c := &cell{batch: b.batch(), pass: &b.Net.pass, kept: b.options.Memory == Keep, inputs: len(inputs), nodes: slices.Clone(inputs)}
	c.gamma, c.dgamma = make([]nn.Float, first.C), make([]nn.Float, first.C)
	c.gather, c.scatter = c.gatherImage, c.scatterImage
	shape := first
	if reduce {
		shape.H, shape.W = (shape.H+1)/2, (shape.W+1)/2
	}
	live := reaches(spec, len(inputs))
	b.cellFirst = b.plan.Moment()
	for n := len(inputs); n < len(live); n++ {
		if !live[n] {
			c.nodes = append(c.nodes, nil)
			continue
		}
		to := &node{shape: shape, sum: kernels.NewMixture(c.batch, shape.H*shape.W, shape.C)}
		if b.options.Edge.Partial() {
			to.deal = b.deal(shape)
		}
		from, end := spec.Incoming(n)
		b.nodeFirst = b.plan.Moment()
		for e := from; e < end; e++ {
			if err := b.edge(c, to, name, kind, e, reduce); err != nil {
				return nil, err
			}
		}
		if to.deal != nil {
			if err := b.bypasses(c, to, name, kind, n, reduce); err != nil {
				return nil, err
			}
		}
		to.data = b.plan.KeepSince(c.batch*shape.Len(), b.nodeFirst)
		b.later.end(b.plan)
		b.plan.Next()
		c.nodes = append(c.nodes, to)
	}
	for n := c.inputs; n < len(live); n++ {
		if live[n] {
			c.nodes[n].grad = b.plan.BackSpan(c.batch*shape.Len(), b.plan.Moment(), b.cellFirst)
		}
	}
	b.wide.end(b.plan)
	b.plan.Next()
	c.out = shape
	c.out.C = 0
	for _, n := range spec.Concat {
		c.concat = append(c.concat, c.nodes[n])
		c.out.C += shape.C
	}
	return c, nil
}

// edge builds the candidates of edge e of a kind.
func (b *builder) edge(c *cell, to *node, name string, kind, e int, reduce bool) error {
	of := &b.space.Cells[kind].Edges[e]
	from, list, beside := c.nodes[of.From], fmt.Sprintf("%s._ops.%d._ops", name, e), fmt.Sprintf("%s._ops.%d._beside", name, e)
	if b.space.Skeleton == search.Staged {
		list = fmt.Sprintf("%s.edges.%d<-%d", name, of.To, of.From)
		beside = list + ".beside"
	}
	if to.deal != nil {
		from, to = b.first(from), to.deal.mixed
	}
	where := search.Place{
		Channels: to.shape.C, Stride: stride(c, of, reduce), Plain: true, PoolNorm: b.space.Skeleton == search.Stacked,
	}
	add := func(primitive, name string, weight int) error {
		p, err := b.options.Primitives.Lookup(primitive)
		if err != nil {
			return err
		}
		op, err := b.candidate(p, place{from: from, to: to, name: name}, where)
		to.slots = append(to.slots, slot{weight, op})
		return err
	}
	row, first := b.alpha.Row(kind, e), len(to.slots)
	b.edgeFirst = b.plan.Moment()
	for k, primitive := range of.Primitives {
		if err := add(primitive, fmt.Sprintf("%s.%d", list, k), row.Offset+k); err != nil {
			return err
		}
	}
	if b.options.Edge.Beside != "" {
		if err := add(b.options.Edge.Beside, beside, b.beside.Offset+b.number(kind, e)); err != nil {
			return err
		}
	}
	to.edges = append(to.edges, edge{from: first, to: len(to.slots)})
	b.short.end(b.plan)
	b.plan.Next()
	return nil
}

// stride is 2 for what leaves the inputs of a reducing cell.
func stride(c *cell, e *search.Edge, reduce bool) int {
	if reduce && e.From < c.inputs {
		return 2
	}
	return 1
}

// number is that of an edge among those of all kinds of cells.
func (b *builder) number(kind, e int) int {
	for k := range kind {
		e += len(b.space.Cells[k].Edges)
	}
	return e
}

// reaches says for each node of a cell whether the output depends on it.
func reaches(c *search.Cell, inputs int) []bool {
	live := make([]bool, inputs+c.Nodes)
	for _, n := range c.Concat {
		live[n] = true
	}
	for _, e := range slices.Backward(c.Edges) {
		live[e.From] = live[e.From] || live[e.To]
	}
	return live
}

// forward writes y, the output, from the inputs, which have their data.
func (c *cell) forward(y []nn.Float, v *vectors, mixture []nn.Float) {
	c.pass.back = false
	for i, n := range c.nodes {
		if n == nil {
			continue
		}
		n.begin()
		if i >= c.inputs {
			n.forward(v, mixture)
		}
		if n.first != nil {
			n.first.take(n)
		}
	}
	c.y = y
	kernels.Parallel(c.batch, c.gather)
	c.y = nil
}

// backward writes the gradients at the inputs, the weights and the mixture from g, the gradient at the output.
func (c *cell) backward(g []nn.Float, v *vectors, mixture, dmixture []nn.Float) {
	c.pass.back = true
	clear(dmixture)
	for _, n := range c.nodes {
		if n != nil {
			n.again(c.kept)
		}
	}
	for _, n := range c.concat {
		n.begun = true
	}
	c.g = g
	kernels.Parallel(c.batch, c.scatter)
	c.g = nil
	for _, n := range slices.Backward(c.nodes[c.inputs:]) {
		if n != nil {
			n.backward(v, mixture, dmixture, c.dgamma, c.gamma)
		}
	}
	for _, n := range c.nodes[:c.inputs] {
		if !n.complete() {
			n.gradient()
		}
	}
}

func (c *cell) gatherImage(_, image int) {
	y := c.y[image*c.out.Len():][:c.out.Len()]
	for i, n := range c.concat {
		x := n.data.Data[image*n.shape.Len():][:n.shape.Len()]
		for p := range c.out.H * c.out.W {
			copy(y[p*c.out.C+i*n.shape.C:][:n.shape.C], x[p*n.shape.C:])
		}
	}
}

func (c *cell) scatterImage(_, image int) {
	g := c.g[image*c.out.Len():][:c.out.Len()]
	for i, n := range c.concat {
		dx := n.grad.Data[image*n.shape.Len():][:n.shape.Len()]
		for p := range c.out.H * c.out.W {
			copy(dx[p*n.shape.C:][:n.shape.C], g[p*c.out.C+i*n.shape.C:])
		}
	}
}
