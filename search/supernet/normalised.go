package supernet

import (
	"fmt"

	"espalier/nn"
	"espalier/search"
)

// Normalised weighs the edges into a node against each other (edge normalization: Xu et al., "PC-DARTS", 2020, section 3.3): all
// that Gate gives the operations of an edge, and the bypass, is multiplied by the edge's share, its element of softmax(β) over
// the edges into its node. Its architecture parameters are those of Gate, and behind them β, an element for each edge, as
// search.Alpha.Beta has them.
type Normalised struct {
	Gate Gate

	alpha  int // architecture parameters of Gate
	edges  []normalisedEdge
	nodes  []search.Row // the edges into each, among edges
	shares []nn.Float   // of the last call of Weights
	w, dw  []nn.Float   // of Gate
}

// normalisedEdge is where an edge's weights stand.
type normalisedEdge struct{ candidates, beside, bypass search.Row }

// NewNormalised puts edge normalization over a gate, in the supernets of a space with the given edges.
func NewNormalised(g Gate, s *search.Space, e search.MixedEdge) *Normalised {
	n := &Normalised{
		Gate: g, alpha: s.Weights(), nodes: search.NodeRows(s), shares: make([]nn.Float, s.Edges()),
		w: make([]nn.Float, e.Weights(s)), dw: make([]nn.Float, e.Weights(s)),
	}
	one := func(all search.Row, i int) search.Row {
		if all.Len == 0 {
			return search.Row{}
		}
		return search.Row{Offset: all.Offset + i, Len: 1}
	}
	for i, r := range rows(s) {
		n.edges = append(n.edges, normalisedEdge{r, one(e.BesideRow(s), i), one(e.BypassRow(s), i)})
	}
	return n
}

// Weights implements Gate.
func (n *Normalised) Weights(w, alpha []nn.Float) {
	if len(alpha) != n.alpha+len(n.edges) {
		panic(fmt.Sprintf("supernet: %d architecture parameters, a gate with edge normalization has %d", len(alpha), n.alpha+len(n.edges)))
	}
	n.Gate.Weights(w, alpha[:n.alpha])
	copy(n.w, w)
	for _, r := range n.nodes {
		softmax(r.Of(n.shares), r.Of(alpha[n.alpha:]))
	}
	for i, e := range n.edges {
		e.each(func(r search.Row) {
			for k := range r.Of(w) {
				r.Of(w)[k] *= n.shares[i]
			}
		})
	}
}

// Gradient implements Gate: with dw the gradient at the weights of an edge, w those of Gate and s its share, that at w is s·dw,
// and that at β is s·(d − Σ s·d) over the edges into the node, with d = Σ w·dw.
func (n *Normalised) Gradient(da, alpha, w, dw []nn.Float) {
	copy(n.dw, dw)
	d := make([]float64, len(n.edges))
	for i, e := range n.edges {
		e.each(func(r search.Row) {
			for k, own := range r.Of(n.w) {
				d[i] += float64(own) * float64(r.Of(dw)[k])
				r.Of(n.dw)[k] *= n.shares[i]
			}
		})
	}
	n.Gate.Gradient(da[:n.alpha], alpha[:n.alpha], n.w, n.dw)
	for _, r := range n.nodes {
		mean, shares := 0.0, r.Of(n.shares)
		for k, s := range shares {
			mean += float64(s) * d[r.Offset+k]
		}
		for k, s := range shares {
			r.Of(da[n.alpha:])[k] = nn.Float(float64(s) * (d[r.Offset+k] - mean))
		}
	}
}

func (e normalisedEdge) each(f func(search.Row)) {
	for _, r := range []search.Row{e.candidates, e.beside, e.bypass} {
		f(r)
	}
}

var _ Gate = (*Normalised)(nil)
