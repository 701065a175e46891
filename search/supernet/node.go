package supernet

import (
	"slices"

	"espalier/internal/kernels"
	"espalier/nn"
)

// node is a node of a cell: a value with its gradient and, unless it is an input, the edges into it.
type node struct {
	shape      nn.Shape
	data, grad *nn.Buffer // (N,H,W,C); the gradient is complete once all nodes that read it are done
	begun      bool       // something has been written to the gradient in this pass
	slots      []slot     // of all edges, in order
	edges      []edge
	sum        *kernels.Mixture
	out        *source // what the edges that leave it share; nil: nothing
	first      *first  // its first channels, which candidates read; nil: none does
	deal       *deal   // of its channels among the candidates and what bypasses them; nil: candidates have them all

	terms  []kernels.Term // of the last forward pass
	active []int          // their slots
	tasks  tasks
	chains []*chained // scratch memory
}

// edge is an edge into a node: its slots and, of the last forward pass, its terms.
type edge struct {
	from, to int
	active   span
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

// forward writes the weighted sum of the candidates whose weights are not zero. What an edge's candidates give is added up
// beside the next edge's first stages: some of it is in the cache still, and they fetch the rest.
func (n *node) forward(v *vectors, mixture []nn.Float) {
	if n.deal != nil {
		n.deal.mixed.forward(v, mixture)
	}
	n.terms, n.active = n.terms[:0], n.active[:0]
	for e := range n.edges {
		for i := n.edges[e].from; i < n.edges[e].to; i++ {
			if mixture[n.slots[i].weight] != 0 && n.slots[i].candidate != nil {
				n.active = append(n.active, i)
			}
		}
		first := len(n.terms)
		n.edges[e].active = span{first, len(n.active)}
		n.run(v, n.active[first:], false)
		for _, i := range n.active[first:] {
			n.terms = append(n.terms, n.slots[i].forward(v, mixture[n.slots[i].weight]))
		}
		if terms := n.terms[first:]; len(terms) > 0 {
			n.tasks.add(n.sum.ForwardTask(n.data.Data, terms, first > 0))
		}
	}
	n.tasks.do()
	if len(n.terms) == 0 {
		clear(n.data.Data)
	}
	if n.deal != nil {
		n.deal.out(n)
	}
}

// run does all stages of chained candidates, in the forward pass or again in the backward pass, and the tasks that wait.
func (n *node) run(v *vectors, active []int, back bool) {
	for k := 0; ; k++ {
		chains := n.stage(active, k)
		for _, c := range chains {
			c.run(k, v, back, &n.tasks)
		}
		n.tasks.do()
		if len(chains) == 0 {
			return
		}
		if back {
			continue
		}
		for _, c := range chains {
			c.ran(k, v)
		}
	}
}

// stage is the chained candidates among slots that have a stage k; it is good until the next call.
func (n *node) stage(slots []int, k int) []*chained {
	n.chains = n.chains[:0]
	for _, i := range slots {
		if c, ok := n.slots[i].candidate.(*chained); ok && k < len(c.stages) {
			n.chains = append(n.chains, c)
		}
	}
	return n.chains
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
	for e := len(n.edges) - 1; e >= 0; e-- {
		if e == len(n.edges)-1 {
			n.addSums(v, e)
			n.tasks.do()
		}
		active := n.active[n.edges[e].active.from:n.edges[e].active.to]
		for k := len(active) - 1; k >= 0; k-- {
			s := &n.slots[active[k]]
			fill(gamma, mixture[s.weight])
			n.terms[n.edges[e].active.from+k].Norm.Gradients(dgamma, nil, gamma)
			sum := 0.0
			for _, d := range dgamma[:n.shape.C] {
				sum += float64(d)
			}
			dmixture[s.weight] = nn.Float(sum)
		}
		n.undo(v, active, e)
		for k := len(active) - 1; k >= 0; k-- {
			n.slots[active[k]].backward(v, n.grad.Data)
		}
	}
	if n.deal != nil {
		n.deal.mixed.backward(v, mixture, dmixture, dgamma, gamma)
	}
}

// addSums adds the task that gathers what the norms of edge e need from the gradient at the node.
func (n *node) addSums(v *vectors, e int) {
	at := n.edges[e].active
	if at.empty() {
		return
	}
	n.run(v, n.active[at.from:at.to], true)
	for k := at.from; k < at.to; k++ {
		n.terms[k].X = n.slots[n.active[k]].recompute(v)
	}
	n.tasks.add(n.sum.SumsTask(n.grad.Data, n.terms[at.from:at.to]))
}

// undo does all stages of chained candidates of edge e in the backward pass, and gathers the sums of the edge before it.
func (n *node) undo(v *vectors, active []int, e int) {
	last := 0
	for len(n.stage(active, last+1)) > 0 {
		last++
	}
	for k := last; k >= 0; k-- {
		if k == 0 && e > 0 {
			n.addSums(v, e-1) // recomputes first
		}
		chains := n.stage(active, k)
		for _, c := range slices.Backward(chains) {
			c.undo(k, v, n.grad.Data, &n.tasks)
		}
		n.tasks.do()
		for _, c := range chains {
			c.undid(k)
		}
	}
}
