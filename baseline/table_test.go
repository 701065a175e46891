package baseline

import (
	"math"
	"os"
	"testing"

	"espalier/search"
)

// tableEnv names the file of the whole of NAS-Bench-201.
const tableEnv = "ESPALIER_NASBENCH201"

// TestTable repeats the known figures of both searches on the whole table: mean and deviation, over 500 seeds, of the test
// accuracy after 200 epochs of the cell of best validation accuracy after 12.
func TestTable(t *testing.T) {
	path := os.Getenv(tableEnv)
	if path == "" {
		t.Skipf("set %s to nasbench201.csv, the table with the columns of testdata/nasbench201-20.csv and 15,625 rows, to run this", tableEnv)
	}
	b := readTable(t, path)
	if len(b.val) != search.NB201Cells {
		t.Fatalf("the table has %d cells, want %d", len(b.val), search.NB201Cells)
	}
	const seeds = 500
	for _, c := range []struct {
		name            string
		evaluations     int
		mean, deviation float64
	}{
		{"random", 100, 93.76, 0.34}, {"random", 200, 93.90, 0.24},
		{"evolution", 100, 93.91, 0.40}, {"evolution", 200, 94.11, 0.30},
	} {
		sum, squares := 0.0, 0.0
		for seed := range uint64(seeds) {
			all, err := Run(t.Context(), methods(search.NASBench201(), seed)[c.name], c.evaluations, b.oracle, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			cell, err := search.NB201From(Best(all).Genotype)
			if err != nil {
				t.Fatal(err)
			}
			sum += b.test[cell]
			squares += b.test[cell] * b.test[cell]
		}
		mean := sum / seeds
		deviation := math.Sqrt(squares/seeds - mean*mean)
		// The standard error of a mean of 500 is below 0.02, and both it and the known figure have one.
		if t.Logf("%s, %d evaluations: %.3f ± %.3f", c.name, c.evaluations, mean, deviation); !(math.Abs(mean-c.mean) <= 0.06 && math.Abs(deviation-c.deviation) <= 0.06) {
			t.Errorf("%s, %d evaluations: %.3f ± %.3f, want %v ± %v", c.name, c.evaluations, mean, deviation, c.mean, c.deviation)
		}
	}
}
