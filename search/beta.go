package search

import "slices"

// NodeRows is the places of the edges into each node, cell by cell, among the edges of all cells; nodes without edges are left
// out.
func NodeRows(s *Space) (rows []Row) {
	first := 0
	for i := range s.Cells {
		c := &s.Cells[i]
		for from := 0; from < len(c.Edges); {
			_, to := c.Incoming(c.Edges[from].To)
			rows = append(rows, Row{first + from, to - from})
			from = to
		}
		first += len(c.Edges)
	}
	return rows
}

// Scores is how good each candidate is: softmax(α) of its edge, times the edge's share where there is β, an element of softmax(β)
// over the edges into its node (Xu et al., "PC-DARTS", 2020, section 3.3).
func (a *Alpha) Scores() Scores {
	scores := a.Softmax()
	if a.Beta == nil {
		return scores
	}
	edges := slices.Concat(scores...)
	for _, r := range NodeRows(a.Space) {
		for i, share := range softmax(r.Of(a.Beta)) {
			row := edges[r.Offset+i]
			for k := range row {
				row[k] *= share
			}
		}
	}
	return scores
}
