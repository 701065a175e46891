package nb201

import "espalier/search"

// Validation is what a search or a baseline may see of the table: the accuracies after a training of 12 epochs, on images
// that are neither training nor test images. It is a copy; nothing leads from it to the other columns.
type Validation struct {
	accuracies [dataSets][]float64 // percent, by data set and number of the cell; -1: the table lacks it
	cells      []search.NB201      // that there are, by index
}

// Validation copies the validation columns.
func (t *Table) Validation() *Validation {
	v := new(Validation)
	for d := range v.accuracies {
		v.accuracies[d] = make([]float64, search.NB201Cells)
		for c, i := range t.place {
			if v.accuracies[d][c] = -1; i >= 0 {
				v.accuracies[d][c] = t.rows[i].values[Data(d).val12()]
			}
		}
	}
	for _, r := range t.rows {
		v.cells = append(v.cells, r.Cell)
	}
	return v
}

// Cells are the cells of the table by the benchmark's index: all of the space, unless the table is a part.
func (v *Validation) Cells() []search.NB201 { return append([]search.NB201(nil), v.cells...) }

// Whole reports whether every cell of the space is there.
func (v *Validation) Whole() bool { return len(v.cells) == search.NB201Cells }

// Accuracy is a cell's validation accuracy in percent after 12 epochs on a data set, and false if the table lacks the cell.
func (v *Validation) Accuracy(c search.NB201, d Data) (percent float64, ok bool) {
	percent = v.accuracies[d][c]
	return percent, percent >= 0
}
