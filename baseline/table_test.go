package baseline

import (
	"math"
	"os"
	"testing"

	"espalier/search"
	"espalier/search/nb201"
)

// TestTable repeats the known figures of both searches on the whole table: mean and deviation, over 500 seeds, of the test
// accuracy after 200 epochs of the cell of best validation accuracy after 12.
func TestTable(t *testing.T) {
	path := os.Getenv("ESPALIER_NB201")
	if path == "" {
		t.Skip("SKIPPED: ESPALIER_NB201 does not name a table of NAS-Bench-201: searches are tried on 20 cells alone")
	}
	b := open(t, path)
	if !b.Validation().Whole() {
		t.Fatalf("the table has %d cells, want %d", b.Len(), search.NB201Cells)
	}
	judge := oracle(b.Validation())
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
			all, err := Run(t.Context(), methods(search.NASBench201(), seed)[c.name], c.evaluations, judge, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			cell, err := search.NB201From(Best(all).Genotype)
			if err != nil {
				t.Fatal(err)
			}
			row, _ := b.Row(cell)
			test := row.Value(nb201.C10Test200)
			sum += test
			squares += test * test
		}
		mean := sum / seeds
		deviation := math.Sqrt(squares/seeds - mean*mean)
		// The standard error of a mean of 500 is below 0.02, and both it and the known figure have one.
		if t.Logf("%s, %d evaluations: %.3f ± %.3f", c.name, c.evaluations, mean, deviation); !(math.Abs(mean-c.mean) <= 0.06 && math.Abs(deviation-c.deviation) <= 0.06) {
			t.Errorf("%s, %d evaluations: %.3f ± %.3f, want %v ± %v", c.name, c.evaluations, mean, deviation, c.mean, c.deviation)
		}
	}
}
