package search

import "math"

// Entropy is the mean, over the edges of a cell, of the entropy of the edge's scores in nats: −Σ p·ln p, p being a score's
// share of its row. It falls from the logarithm of the number of candidates to 0 as a search makes up its mind.
func (s Scores) Entropy(cell int) float64 {
	total := 0.0
	for _, row := range s[cell] {
		sum := orderlessSum(row)
		for _, v := range row {
			if p := v / sum; p != 0 {
				total -= p * math.Log(p)
			}
		}
	}
	return total / float64(len(s[cell]))
}

// Count is the number of edges that carry the named operation. A search by gradients that goes on for too long tends to
// fill a cell with skip_connect.
func (w Wiring) Count(op string) (n int) {
	for _, e := range w.Edges {
		if e.Op == op {
			n++
		}
	}
	return n
}
