package supernet

import (
	"espalier/internal/kernels"
	"espalier/nn"
)

// node is a node of a cell: a value with its gradient and, unless it is an input, the edges into it.
type node struct {
	shape      nn.Shape
	data, grad *nn.Buffer // (N,H,W,C); the gradient is complete once all nodes that read it are done
	begun      bool       // something has been written to the gradient in this pass
	slots      []slot     // of all edges, in order
	sum        *kernels.Mixture
	out        *source // what the edges that leave it share; nil: nothing
	first      *first  // its first channels, which candidates read; nil: none does
	deal       *deal   // of its channels among the candidates and what bypasses them; nil: candidates have them all

	terms  []kernels.Term // of the last forward pass
	active []int          // their slots
}

// slot is one candidate of an edge with the place of its weight.
type slot struct {
	weight int // in the mixture
	candidate
}

// begin begins a pass.
func (n *node) begin() {
	if n.out != nil {
		n.out.begin()
	}
	if n.first != nil {
		n.first.begin()
	}
}

// again begins a backward pass; kept says that it has all that the forward pass computed.
func (n *node) again(kept bool) {
	n.begun = false
	if n.out != nil {
		n.out.again(kept)
	}
	if n.first != nil {
		n.first.again(kept)
	}
}

// gradient is the gradient at the node, for adding to.
func (n *node) gradient() []nn.Float {
	if !n.begun {
		clear(n.grad.Data)
		n.begun = true
	}
	return n.grad.Data
}

// complete makes the gradient at the node complete, once all edges that leave it are done. It is false if it is zero.
func (n *node) complete() bool {
	if n.first != nil && n.first.complete() {
		n.first.give(n)
	}
	if n.out != nil && n.out.flows() {
		n.out.complete()
	}
	return n.begun
}

// forward writes the weighted sum of the candidates whose weights are not zero.
func (n *node) forward(v *vectors, mixture []nn.Float) {
	if n.deal != nil {
		n.deal.mixed.forward(v, mixture)
	}
	n.terms, n.active = n.terms[:0], n.active[:0]
	for i, s := range n.slots {
		if w := mixture[s.weight]; w != 0 && s.candidate != nil {
			n.terms = append(n.terms, s.forward(v, w))
			n.active = append(n.active, i)
		}
	}
	n.sum.Forward(n.data.Data, n.terms)
	if n.deal != nil {
		n.deal.out(n)
	}
}

// backward adds to the gradients at the sources and writes those at the weights; dmixture is the gradient at the mixture.
func (n *node) backward(v *vectors, mixture, dmixture []nn.Float, dgamma, gamma []nn.Float) {
	for _, s := range n.slots {
		dmixture[s.weight] = 0
	}
	if !n.complete() {
		return
	}
	if n.deal != nil {
		n.deal.back(n)
	}
	for k, i := range n.active {
		n.terms[k].X = n.slots[i].recompute(v)
	}
	g := n.grad.Data
	n.sum.Sums(g, n.terms)
	for k := len(n.active) - 1; k >= 0; k-- {
		s := &n.slots[n.active[k]]
		fill(gamma, mixture[s.weight])
		n.terms[k].Norm.Gradients(dgamma, nil, gamma)
		sum := 0.0
		for _, d := range dgamma[:n.shape.C] {
			sum += float64(d)
		}
		dmixture[s.weight] = nn.Float(sum)
		s.backward(v, g)
	}
	if n.deal != nil {
		n.deal.mixed.backward(v, mixture, dmixture, dgamma, gamma)
	}
}
