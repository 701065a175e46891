package supernet

import (
	"math"

	"espalier/internal/kernels"
	"espalier/internal/rng"
	"espalier/nn"
	"espalier/search"
)

// Gumbel is the gate of GDAS (Dong and Yang, "Searching for a Robust Neural Architecture in Four GPU Hours", 2019). On each
// edge it executes one candidate alone, with weight 1: the largest of s = softmax((log softmax(α) + G)/τ), G being Gumbel
// noise, so that candidates come with the probabilities softmax(α). The gradient at α is that of s (straight-through): the
// gradient at the weight of the executed candidate counts, and is zero at the others'.
//
// Draws are numbered: a draw depends on the stream's identity and on its number alone, never on those before it. All cells
// of a kind share a draw.
type Gumbel struct {
	rows   []search.Row
	stream *rng.Stream
	draw   uint64
	tau    float64
	soft   []float64 // s of the last draw
}

// NewGumbel is the gate of a space, at draw 0 and temperature 10.
func NewGumbel(s *search.Space, stream *rng.Stream) *Gumbel {
	return &Gumbel{rows: rows(s), stream: stream, tau: 10, soft: make([]float64, s.Weights())}
}

// Seek makes the next draw that of a number, at temperature tau, which must be above 0; the draws after it follow.
func (g *Gumbel) Seek(draw uint64, tau float64) { g.draw, g.tau = draw, tau }

// Weights draws.
func (g *Gumbel) Weights(w, alpha []nn.Float) {
	random := g.stream.At(g.draw)
	g.draw++
	for _, r := range g.rows {
		for !gumbelRow(r.Of(w), g.soft[r.Offset:r.Offset+r.Len], r.Of(alpha), g.tau, random) {
			if kernels.FirstNotFinite(r.Of(alpha)) >= 0 { // no noise helps: what was written says so
				break
			}
		}
	}
}

// gumbelRow draws for one edge, and is false if rounding left no usable probabilities.
func gumbelRow(w []nn.Float, soft []float64, alpha []nn.Float, tau float64, random *rng.Stream) bool {
	softmax(w, alpha)
	for i, p := range w {
		noise := -math.Log(-math.Log(random.Float64()))
		soft[i] = (math.Log(float64(p)) + noise) / tau
	}
	top := math.Inf(-1)
	best := 0
	for i, v := range soft {
		if v > top {
			top, best = v, i
		}
	}
	sum := 0.0
	for i, v := range soft {
		soft[i] = math.Exp(v - top)
		sum += soft[i]
	}
	for i := range soft {
		soft[i] /= sum
		w[i] = 0
	}
	w[best] = 1
	if ok := sum >= 1 && !math.IsInf(sum, 0) && !math.IsInf(top, 0); !ok {
		w[best] = nn.Float(math.NaN())
		return false
	}
	return true
}

// Gradient writes da = s⊙(dw − Σ s·dw)/τ for each row, s being that of the last draw; softmax within the logarithm changes
// nothing, since the elements of the softmax around it have a gradient that sums to zero.
func (g *Gumbel) Gradient(da, _, _, dw []nn.Float) {
	for _, r := range g.rows {
		s := g.soft[r.Offset : r.Offset+r.Len]
		mean := 0.0
		for i, v := range r.Of(dw) {
			mean += s[i] * float64(v)
		}
		for i, v := range r.Of(dw) {
			r.Of(da)[i] = nn.Float(s[i] * (float64(v) - mean) / g.tau)
		}
	}
}

var _ Gate = (*Gumbel)(nil)
