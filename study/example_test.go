package study_test

import (
	"fmt"
	"strings"

	"espalier/study"
)

// A study is read from a file; its cells are ordinary runs, which Run would make.
func ExampleRead() {
	s, err := study.Read(strings.NewReader(`
name: two-methods
settings: {model: {name: resnet8}, data: {name: synthetic}, train: {epochs: 5}}
seeds: [1, 2]
baseline: magnitude
series:
  - label: magnitude
    settings: {prune: {method: magnitude}}
    rounds: [4, 7]
  - label: random
    settings: {prune: {method: random}}
    sparsity: [0.9]
`), "two-methods.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, series := range s.Series {
		for _, c := range series.Cells {
			fmt.Printf("%-9s  %s  %.1f %% removed, seed %d\n", series.Label, study.ModelOf(c), 100*study.SparsityOf(c), c.Seed)
		}
	}
	// Output:
	// magnitude  resnet8  59.0 % removed, seed 1
	// magnitude  resnet8  59.0 % removed, seed 2
	// magnitude  resnet8  79.0 % removed, seed 1
	// magnitude  resnet8  79.0 % removed, seed 2
	// random     resnet8  90.0 % removed, seed 1
	// random     resnet8  90.0 % removed, seed 2
}
