package search

import (
	"math"

	"espalier/internal/rng"
	"espalier/nn"
)

// Alpha is the architecture parameters of a space, one flat vector with a row for each edge: cell by cell, edge by edge,
// candidate by candidate. Rows may have different lengths. There is no padding.
type Alpha struct {
	Space  *Space
	Values []nn.Float
	// Beta weighs the edges into a node against each other: an element for each edge, cell by cell (Xu et al., "PC-DARTS",
	// 2020). nil: edges are summed as they are.
	Beta []nn.Float

	rows [][]Row
}

// Row is the place of an edge's parameters in Alpha.Values.
type Row struct{ Offset, Len int }

// NewAlpha is α of zeros, which weighs all candidates alike.
func NewAlpha(s *Space) *Alpha {
	a := &Alpha{Space: s}
	n := 0
	for _, c := range s.Cells {
		rows := make([]Row, len(c.Edges))
		for i, e := range c.Edges {
			rows[i] = Row{n, len(e.Primitives)}
			n += len(e.Primitives)
		}
		a.rows = append(a.rows, rows)
	}
	a.Values = make([]nn.Float, n)
	return a
}

// Init draws every element of Values from a normal distribution of mean 0: the released code of DARTS uses the deviation 1e-3.
// Values are rounded to float32.
func (a *Alpha) Init(r *rng.Stream, deviation float64) { normal(a.Values, r, deviation) }

// InitBeta is Init for Beta.
func (a *Alpha) InitBeta(r *rng.Stream, deviation float64) { normal(a.Beta, r, deviation) }

func normal(v []nn.Float, r *rng.Stream, deviation float64) {
	for i := range v {
		v[i] = nn.Float(float32(deviation * r.NormFloat64()))
	}
}

// Row is the place of an edge's parameters.
func (a *Alpha) Row(cell, edge int) Row { return a.rows[cell][edge] }

// Of is an edge's part of v, a vector as long as Alpha.Values.
func (r Row) Of(v []nn.Float) []nn.Float { return v[r.Offset : r.Offset+r.Len : r.Offset+r.Len] }

// Softmax is softmax(α) of every edge.
func (a *Alpha) Softmax() Scores {
	s := make(Scores, len(a.rows))
	for c, rows := range a.rows {
		for _, r := range rows {
			s[c] = append(s[c], softmax(r.Of(a.Values)))
		}
	}
	return s
}

// softmax is computed in float64. Its sum does not depend on the order of the elements, so that equal rows, permuted, give
// equal results: derivation breaks ties by the place alone.
func softmax(row []nn.Float) []float64 {
	top := math.Inf(-1)
	for _, v := range row {
		top = max(top, float64(v))
	}
	out := make([]float64, len(row))
	for i, v := range row {
		out[i] = math.Exp(float64(v) - top)
	}
	sum := orderlessSum(out)
	for i := range out {
		out[i] /= sum
	}
	return out
}
