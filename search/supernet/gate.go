package supernet

import (
	"math"

	"espalier/nn"
	"espalier/search"
)

// Gate turns architecture parameters into the weights of the sums on the edges, and back. A gate that draws takes its numbers
// from a stream of its own, once in every call of Weights.
type Gate interface {
	// Weights writes the weight of every candidate, laid out as search.Alpha.Values. A candidate of weight zero is not computed.
	// What else there is on the edges has its weights behind those, as search.MixedEdge.Weights says: they are set already, the
	// operation beside the candidates to Pass.Beside, the bypass to 1, and a gate may change them.
	Weights(w, alpha []nn.Float)
	// Gradient writes da, the gradient at alpha, from w, the weights that the last call of Weights wrote, and dw, the gradient at
	// them, which is zero for candidates that were not computed.
	Gradient(da, alpha, w, dw []nn.Float)
}

// Softmax weighs the candidates of each edge by softmax(α) (Liu et al., 2019, equation 2).
type Softmax struct{ rows []search.Row }

// NewSoftmax is the gate of a space.
func NewSoftmax(s *search.Space) *Softmax { return &Softmax{rows(s)} }

// rows are the places of all edges in α.
func rows(s *search.Space) (rs []search.Row) {
	a := search.NewAlpha(s)
	for k, c := range s.Cells {
		for e := range c.Edges {
			rs = append(rs, a.Row(k, e))
		}
	}
	return rs
}

// Weights writes the softmax of each row, computed in float64.
func (g *Softmax) Weights(w, alpha []nn.Float) {
	for _, r := range g.rows {
		softmax(r.Of(w), r.Of(alpha))
	}
}

func softmax(dst, row []nn.Float) {
	top := math.Inf(-1)
	for _, v := range row {
		top = max(top, float64(v))
	}
	sum := 0.0
	for _, v := range row {
		sum += math.Exp(float64(v) - top)
	}
	for i, v := range row {
		dst[i] = nn.Float(math.Exp(float64(v)-top) / sum)
	}
}

// Gradient writes da = w⊙(dw − Σ w·dw) for each row.
func (g *Softmax) Gradient(da, alpha, w, dw []nn.Float) {
	for _, r := range g.rows {
		mean := 0.0
		for i, v := range r.Of(w) {
			mean += float64(v) * float64(r.Of(dw)[i])
		}
		for i, v := range r.Of(w) {
			r.Of(da)[i] = nn.Float(float64(v) * (float64(r.Of(dw)[i]) - mean))
		}
	}
}

// Direct takes α as the weights themselves: for mixtures that are given as numbers, and, with ones and zeros, for a single
// architecture within the shared weights.
type Direct struct{}

// Weights copies alpha.
func (Direct) Weights(w, alpha []nn.Float) { copy(w, alpha) }

// Gradient copies dw.
func (Direct) Gradient(da, alpha, w, dw []nn.Float) { copy(da, dw) }
