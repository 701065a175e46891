package models

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"

	"espalier/nn"
	"espalier/search"
)

// nb201Cost counts the network of a cell as the benchmark has it.
func nb201Cost(t testing.TB, c search.NB201) nn.Cost {
	t.Helper()
	spec, err := Derived(c.Genotype(), CellOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cost, err := nn.Count(spec, nn.Shape{H: 32, W: 32, C: 3})
	if err != nil {
		t.Fatal(err)
	}
	return cost
}

// TestNB201Costs compares parameters and multiply-adds of every cell's network with the benchmark's. testdata holds 41 of
// its rows, and the hash stands for all 15,625 lines "index,arch_str,params,macs\n" in the order of search.NB201.
func TestNB201Costs(t *testing.T) {
	const want = "0c02dbb4aa73bd34802f67ded8df593e5aa4065177fda312a9df03ec22408dee"
	h := sha256.New()
	for c := range search.NB201(search.NB201Cells) {
		cost := nb201Cost(t, c)
		fmt.Fprintf(h, "%d,%v,%d,%d\n", c.Index(), c, cost.Params, cost.MACs)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("the hash of all counts is %s, of the benchmark's %s", got, want)
	}
	if n := checkNB201(t, "testdata/nasbench201.csv"); n != 41 {
		t.Errorf("%d rows", n)
	}
}

// TestNB201CostsTable compares the counts with the whole table, where there is one.
func TestNB201CostsTable(t *testing.T) {
	name := os.Getenv("ESPALIER_NB201")
	if name == "" {
		t.Skip("SKIPPED: ESPALIER_NB201 does not name a table of NAS-Bench-201 (CSV with the columns index, arch_str, params_c10, macs_c10): the counts are checked by a hash and 41 rows alone")
	}
	if n := checkNB201(t, name); n != search.NB201Cells {
		t.Errorf("%d rows", n)
	}
}

// checkNB201 compares the counts with a table's, and returns the number of its rows.
func checkNB201(t *testing.T, name string) int {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := func(row []string, name string) string { return row[slices.Index(rows[0], name)] }
	for _, row := range rows[1:] {
		c, err := search.ParseNB201(column(row, "arch_str"))
		if err != nil {
			t.Fatal(err)
		}
		cost := nb201Cost(t, c)
		if column(row, "index") != strconv.Itoa(c.Index()) || column(row, "params_c10") != strconv.Itoa(cost.Params) || column(row, "macs_c10") != strconv.Itoa(cost.MACs) {
			t.Errorf("cell %d, %v, has %d parameters and %d multiply-adds, in the table %v", c.Index(), c, cost.Params, cost.MACs, row)
		}
	}
	return len(rows) - 1
}
