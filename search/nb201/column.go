package nb201

import (
	"fmt"
	"slices"
	"strings"

	"espalier/search"
)

// Data is a data set that the cells were trained on.
type Data uint8

// The data sets, in the order of the columns.
const (
	CIFAR10 Data = iota
	CIFAR100
	ImageNet16 // ImageNet16-120: 120 classes at 16×16 pixels
)

// dataSets is their number.
const dataSets = 3

// String is the data set's usual name.
func (d Data) String() string {
	return [...]string{"CIFAR-10", "CIFAR-100", "ImageNet16-120"}[d]
}

// Column is a figure that the table has of every cell.
type Column uint8

// The columns in the order of the file, after index and arch_str.
const (
	C10Val12 Column = iota
	C10Test12
	C100Val12
	C100Test12
	In16Val12
	In16Test12
	C10Test200
	C100Test200
	In16Test200
	ParamsC10
	MACsC10
	numColumns
)

var columnNames = [numColumns]string{
	"c10_val12", "c10_test12", "c100_val12", "c100_test12", "in16_val12", "in16_test12",
	"c10_test200", "c100_test200", "in16_test200", "params_c10", "macs_c10",
}

// The columns that say which cell a row is about.
const (
	indexColumn = "index"
	archColumn  = "arch_str"
)

// Columns are all, in order.
func Columns() []Column {
	all := make([]Column, numColumns)
	for c := range all {
		all[c] = Column(c)
	}
	return all
}

// String is the column's name in the file.
func (c Column) String() string { return columnNames[c] }

// Count reports whether the column is a number of parameters or multiply-adds, of which fewer are better. The others are
// accuracies in percent.
func (c Column) Count() bool { return c >= ParamsC10 }

// Test reports whether the column was measured on test images, so that nothing may be chosen by it.
func (c Column) Test() bool { return !c.Count() && strings.Contains(c.String(), "_test") }

// val12 is the column of a data set's validation accuracies.
func (d Data) val12() Column { return [dataSets]Column{C10Val12, C100Val12, In16Val12}[d] }

// ParseColumn finds a column by its name. The error for an unknown one names the nearest and all others.
func ParseColumn(name string) (Column, error) {
	if i := slices.Index(columnNames[:], name); i >= 0 {
		return Column(i), nil
	}
	return 0, fmt.Errorf("nb201: no column %q; the nearest is %q; there are %s", name, search.Nearest(name, columnNames[:]),
		strings.Join(columnNames[:], ", "))
}
