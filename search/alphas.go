package search

import (
	"slices"
	"strconv"
)

// AlphasFile is the usual name, in a run's directory, of the table that AppendCSV writes.
const AlphasFile = "alphas.csv"

// alphasHead are the columns before those of the primitives.
var alphasHead = []string{"epoch", "cell", "from", "to"}

// AlphasHeader is the first line of a table of α epoch by epoch: the columns epoch, cell (its kind, as normal), from and to
// (the edge's nodes), and one for each primitive of the space, in the order in which edges first name them.
//
//	epoch,cell,from,to,none,skip_connect,nor_conv_1x1,nor_conv_3x3,avg_pool_3x3
//	0,cell,0,1,0.0012,-0.0003,0.0007,0.0001,-0.0004
//	0,cell,0,2,…
//
// An epoch is a line for each edge, cell by cell and edge by edge as the space has them; 0 is α before the first. What stands
// in a line is α itself, before any softmax, as the shortest text that gives the same float32; of a primitive that the edge
// lacks the field is empty. Space and table thus say all that Derive needs. ReadAlphas reads it.
func AlphasHeader(s *Space) string {
	var b []byte
	for i, name := range slices.Concat(alphasHead, s.Primitives()) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, name...)
	}
	return string(append(b, '\n'))
}

// AppendCSV appends the lines of an epoch to a table whose first line is AlphasHeader.
func (a *Alpha) AppendCSV(b []byte, epoch int) []byte {
	names := a.Space.Primitives()
	for c, cell := range a.Space.Cells {
		for i, e := range cell.Edges {
			b = strconv.AppendInt(b, int64(epoch), 10)
			b = append(append(b, ','), cell.Name...)
			b = strconv.AppendInt(append(b, ','), int64(e.From), 10)
			b = strconv.AppendInt(append(b, ','), int64(e.To), 10)
			row := a.Row(c, i).Of(a.Values)
			for _, name := range names {
				b = append(b, ',')
				if k := slices.Index(e.Primitives, name); k >= 0 {
					b = strconv.AppendFloat(b, float64(row[k]), 'g', -1, 32)
				}
			}
			b = append(b, '\n')
		}
	}
	return b
}

// Primitives are the candidates of all edges, each once, in the order in which edges first name them.
func (s *Space) Primitives() (names []string) {
	for _, c := range s.Cells {
		for _, e := range c.Edges {
			for _, name := range e.Primitives {
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	return names
}
