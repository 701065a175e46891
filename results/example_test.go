package results_test

import (
	"fmt"
	"os"

	"espalier/results"
)

func ExampleTable() {
	t := results.NewTable("sparsity", "test accuracy (%)")
	t.Add("90 %", results.Summarize(86.9, 87.4, 87.1).Text(1))
	t.Add("98 %", results.Summarize(79.2, 80.1, 78.8, 79.5, 79.9).Text(1))
	if err := t.Write(os.Stdout, results.Markdown); err != nil {
		fmt.Println(err)
	}
	// Output:
	// | sparsity |       test accuracy (%) |
	// | -------: | ----------------------: |
	// |     90 % | 87.1 (86.9–87.4, n = 3) |
	// |     98 % |      79.5 ± 0.5 (n = 5) |
}
