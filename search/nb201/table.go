package nb201

import (
	"cmp"
	"fmt"
	"slices"

	"espalier/search"
)

// Table is the table with all its columns, for reports. What searches and baselines are given is Table.Validation.
type Table struct {
	rows  []Row
	place []int32 // of a cell's row, by the cell's number; -1: it has none
}

// Row is what the table says about a cell.
type Row struct {
	Cell   search.NB201
	values [numColumns]float64
}

// Value is a figure of the cell: percent, or a count.
func (r *Row) Value(c Column) float64 { return r.values[c] }

// Len is the number of rows: search.NB201Cells, unless the table is a part of the benchmark's.
func (t *Table) Len() int { return len(t.rows) }

// Row is the row of a cell, and false if the table has none.
func (t *Table) Row(c search.NB201) (Row, bool) {
	i := t.place[c]
	if i < 0 {
		return Row{}, false
	}
	return t.rows[i], true
}

// Best are the rows of the cells that are best by a column, of largest accuracy or of smallest count: several if they tie.
func (t *Table) Best(by Column) (best []Row) {
	for _, r := range t.rows {
		switch {
		case len(best) == 0 || better(by, r.values[by], best[0].values[by]):
			best = append(best[:0], r)
		case r.values[by] == best[0].values[by]:
			best = append(best, r)
		}
	}
	return best
}

// Top are the rows of the n best cells by a column, best first; those that tie are in the order of their index.
func (t *Table) Top(n int, by Column) []Row {
	rows := slices.Clone(t.rows)
	slices.SortStableFunc(rows, func(a, b Row) int {
		switch {
		case better(by, a.values[by], b.values[by]):
			return -1
		case better(by, b.values[by], a.values[by]):
			return 1
		}
		return cmp.Compare(a.Cell.Index(), b.Cell.Index())
	})
	return rows[:min(n, len(rows))]
}

// better reports whether a is better than b.
func better(by Column, a, b float64) bool {
	if by.Count() {
		return a < b
	}
	return a > b
}

// Rank is where a cell stands among the cells of a table.
type Rank struct {
	Better int // cells that are better
	Ties   int // other cells with the same value
	Of     int // cells of the table
}

// Rank is where a cell stands by a column. A cell that the table has not got is an error.
func (t *Table) Rank(c search.NB201, by Column) (Rank, error) {
	own, ok := t.Row(c)
	if !ok {
		return Rank{}, fmt.Errorf("nb201: cell %d, %v, is not among the table's %d", c.Index(), c, len(t.rows))
	}
	r := Rank{Ties: -1, Of: len(t.rows)}
	for _, other := range t.rows {
		switch v := other.values[by]; {
		case better(by, v, own.values[by]):
			r.Better++
		case v == own.values[by]:
			r.Ties++
		}
	}
	return r, nil
}

// Percentile is the share in percent of the table's cells that the cell is not behind, of those that tie half: a cell in the
// middle has 50.
func (r Rank) Percentile() float64 {
	worse := r.Of - r.Better - r.Ties - 1
	return 100 * (float64(worse) + float64(r.Ties+1)/2) / float64(r.Of)
}

// String is the place in words.
func (r Rank) String() string {
	place := fmt.Sprintf("place %d", r.Better+1)
	switch r.Ties {
	case 0:
		return fmt.Sprintf("%s of %d, no ties", place, r.Of)
	case 1:
		return fmt.Sprintf("%s to %d of %d, tied with 1 other", place, r.Better+2, r.Of)
	}
	return fmt.Sprintf("%s to %d of %d, tied with %d others", place, r.Better+1+r.Ties, r.Of, r.Ties)
}
