package supernet

import (
	"fmt"

	"espalier/internal/kernels"
	"espalier/nn"
	"espalier/search"
)

// Partial channels (Xu et al., "PC-DARTS", 2020). Candidates read a source's first channels and add up at a node of their own,
// as narrow; the other channels bypass them and add up at the node, as wide as it is. There the channels of both are dealt out
// in turn, once for all edges: a sum of shuffles is the shuffle of the sums.

// first is the first channels of a node, as a node.
type first struct {
	node
	from               []nn.Float // of the running call: the node's data, or the gradient there
	wide               int        // channels of the node
	takeUnit, giveUnit func(worker, unit int)
}

// first is the first channels of a node of the cell under construction.
func (b *builder) first(n *node) *node {
	if n.first != nil {
		return &n.first.node
	}
	f := &first{node: node{shape: n.shape}, wide: n.shape.C}
	f.shape.C = b.options.Edge.Narrow(n.shape.C)
	f.takeUnit, f.giveUnit = f.takeImage, f.giveImage
	f.data = b.plan.KeepSince(b.batch()*f.shape.Len(), b.cellFirst)
	b.wide = append(b.wide, func(last int) {
		f.grad = b.plan.BackSpan(b.batch()*f.shape.Len(), last, b.cellFirst)
	})
	n.first = f
	return &f.node
}

// take copies the channels.
func (f *first) take(n *node) { f.each(n.data.Data, f.data, f.takeUnit) }

// give adds the gradient, which is complete, to that at n.
func (f *first) give(n *node) { f.each(n.gradient(), f.grad, f.giveUnit) }

func (f *first) each(from []nn.Float, own *nn.Buffer, unit func(worker, unit int)) {
	f.from = from
	kernels.Parallel(len(own.Data)/f.shape.Len(), unit)
	f.from = nil
}

func (f *first) takeImage(_, image int) {
	c, pixels := f.shape.C, f.shape.H*f.shape.W
	x, y := f.from[image*pixels*f.wide:][:pixels*f.wide], f.data.Data[image*pixels*c:][:pixels*c]
	for p := range pixels {
		copy(y[p*c:][:c], x[p*f.wide:])
	}
}

func (f *first) giveImage(_, image int) {
	c, pixels := f.shape.C, f.shape.H*f.shape.W
	dx, g := f.from[image*pixels*f.wide:][:pixels*f.wide], f.grad.Data[image*pixels*c:][:pixels*c]
	for p := range pixels {
		to := dx[p*f.wide:][:c]
		for k, v := range g[p*c:][:c] {
			to[k] += v
		}
	}
}

// deal makes a node's channels of what candidates give and what bypasses them.
type deal struct {
	mixed    *node // what the candidates give
	batch    int
	channels int        // of the node
	groups   int        // of channels, the candidates' being the first
	rows     []nn.Float // (N,C), scratch memory

	wide              []nn.Float // of the running call: the node's data, or the gradient there
	outUnit, backUnit func(worker, unit int)
}

// deal begins a node of the given shape whose candidates work on a part of its channels.
func (b *builder) deal(shape nn.Shape) *deal {
	narrow := shape
	narrow.C = b.options.Edge.Narrow(shape.C)
	d := &deal{
		mixed: &node{shape: narrow, sum: kernels.NewMixture(b.batch(), shape.H*shape.W, narrow.C)},
		batch: b.batch(), channels: shape.C, groups: shape.C / narrow.C, rows: make([]nn.Float, b.batch()*shape.C),
	}
	d.outUnit, d.backUnit = d.outImage, d.backImage
	return d
}

// bypasses ends the candidates of node n of a kind, and builds what bypasses them, edge by edge.
func (b *builder) bypasses(c *cell, to *node, name string, kind, n int, reduce bool) error {
	from, end := b.space.Cells[kind].Incoming(n)
	for e := from; e < end; e++ {
		of := &b.space.Cells[kind].Edges[e]
		at := place{from: c.nodes[of.From], to: to, name: fmt.Sprintf("%s.bypass.%d", name, e)}
		op, err := b.candidate(search.Primitive{Layers: past}, at, search.Place{Stride: stride(c, of, reduce)})
		if err != nil {
			return err
		}
		to.edges = append(to.edges, edge{from: len(to.slots), to: len(to.slots) + 1})
		to.slots = append(to.slots, slot{b.bypass.Offset + b.number(kind, e), op})
	}
	mixed := to.deal.mixed
	mixed.data = b.plan.ForeSpan(c.batch*mixed.shape.Len(), b.nodeFirst, b.plan.Moment())
	mixed.grad = b.plan.BackSpan(c.batch*mixed.shape.Len(), b.plan.Moment(), b.cellFirst)
	return nil
}

// past takes all channels past the candidates; deal drops those that the candidates had.
func past(p search.Place) nn.Sequential {
	if p.Stride == 1 {
		return nil
	}
	return nn.Sequential{{Spec: nn.MaxPool{Kernel: 2, Stride: 2}}}
}

// out makes the data of the node, where the sum of the bypasses is.
func (d *deal) out(n *node) { d.each(n.data.Data, d.outUnit) }

// back makes the gradient at the node into that at the sum of the bypasses, zero in the channels that are dropped, and writes
// that at what the candidates give.
func (d *deal) back(n *node) {
	d.each(n.grad.Data, d.backUnit)
	d.mixed.begun = true
}

func (d *deal) each(wide []nn.Float, unit func(worker, unit int)) {
	d.wide = wide
	kernels.Parallel(d.batch, unit)
	d.wide = nil
}

// image is image n of the node, of what the candidates give, and a row of scratch memory.
func (d *deal) image(n int, narrow *nn.Buffer) (wide, mixed, row []nn.Float) {
	pixels, c := d.mixed.shape.H*d.mixed.shape.W, d.mixed.shape.C
	return d.wide[n*pixels*d.channels:][:pixels*d.channels], narrow.Data[n*pixels*c:][:pixels*c], d.rows[n*d.channels:][:d.channels]
}

func (d *deal) outImage(_, n int) {
	c := d.mixed.shape.C
	for y, x, row := d.image(n, d.mixed.data); len(y) > 0; y, x = y[d.channels:], x[c:] {
		copy(row, x[:c])
		copy(row[c:], y[c:d.channels])
		for k := range c {
			for g := range d.groups {
				y[k*d.groups+g] = row[g*c+k]
			}
		}
	}
}

func (d *deal) backImage(_, n int) {
	c := d.mixed.shape.C
	for g, dx, row := d.image(n, d.mixed.grad); len(g) > 0; g, dx = g[d.channels:], dx[c:] {
		copy(row, g)
		for k := range c {
			dx[k] = row[k*d.groups]
			g[k] = 0
			for group := 1; group < d.groups; group++ {
				g[group*c+k] = row[k*d.groups+group]
			}
		}
	}
}
