package nb201_test

import (
	"fmt"
	"log"

	"espalier/search"
	"espalier/search/nb201"
)

// A search chooses by validation accuracies; the report then says how good the choice is in truth.
func Example() {
	table, err := nb201.Open("testdata/rows.csv") // 20 of the 15,625 rows
	if err != nil {
		log.Fatal(err)
	}
	chosen, most := search.NB201(0), 0.0
	v := table.Validation()
	for _, c := range v.Cells() {
		if accuracy, ok := v.Accuracy(c, nb201.CIFAR10); ok && accuracy > most {
			chosen, most = c, accuracy
		}
	}
	row, _ := table.Row(chosen)
	rank, err := table.Rank(chosen, nb201.C10Test200)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("cell %d: %.2f %% validation, %.2f %% test: %v\n", chosen.Index(), most, row.Value(nb201.C10Test200), rank)
	// Output:
	// cell 13714: 84.89 % validation, 94.37 % test: place 1 to 2 of 20, tied with 1 other
}
