package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"espalier/experiment"
	"espalier/results"
	"espalier/search/nb201"
)

const searching = `
name: nb201
settings:
  data: {name: synthetic, train: 200}
  search: {space: nas-bench-201, cells: 1, epochs: 3}
seeds: [1, 2]
series:
  - label: DARTS
    settings: {search: {method: darts}}
  - label: random
    settings: {search: {method: random-ws}}
    seeds: [1]
`

// someCells are cells of the part of the benchmark's table that is kept for tests.
func someCells(t *testing.T) (*nb201.Table, []nb201.Row) {
	t.Helper()
	files, err := filepath.Glob("../search/nb201/testdata/*.csv")
	if err != nil || len(files) != 1 {
		t.Fatalf("tables %v, %v", files, err)
	}
	table, err := nb201.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return table, table.Top(20, nb201.C10Test200)
}

// TestSearches: a study of searches has a row for each series, with the truth of what was found by the table.
func TestSearches(t *testing.T) {
	s := read(t, searching)
	if n := len(s.Cells()); n != 3 {
		t.Fatalf("%d cells, want 3", n)
	}
	if c := s.Series[0].Cells[1]; c.Seed != 2 || c.Search.Method != "darts" || c.Train != experiment.Default().Train {
		t.Errorf("the second cell is %+v", c)
	}
	table, rows := someCells(t)
	best, other := rows[0], rows[5]
	records := map[Cell]Record{}
	for i, row := range []nb201.Row{best, other} {
		c := s.Series[0].Cells[i]
		r := blank(c)
		r.ValAcc, r.Genotype = results.Percent(50+10*i), row.Cell.Genotype().String()
		r.Own = Cost{Epochs: 3, Seconds: 4}
		r.Path = []Derived{{0, other.Cell.Genotype().String()}, {2, r.Genotype}}
		records[CellOf(c)] = r
	}
	mean := results.Summarize(best.Value(nb201.C10Test200), other.Value(nb201.C10Test200)).Text(2)
	text := s.Searches(records, table).String()
	for _, want := range []string{mean, "55.00 (50.00–60.00, n = 2)", "1 to do", "nas-bench-201", "ImageNet16-120"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if text := s.Searches(records, nil).String(); strings.Contains(text, "CIFAR") || !strings.Contains(text, "55.00") {
		t.Errorf("without a table:\n%s", text)
	}
	var csv strings.Builder
	if err := s.Found(records, table).Write(&csv, results.CSV); err != nil {
		t.Fatal(err)
	}
	if strings.Count(csv.String(), "\n") != 3 || !strings.Contains(csv.String(), best.Cell.Genotype().String()) {
		t.Errorf("found\n%s", &csv)
	}
	dir := t.TempDir()
	files, err := s.Write(dir, records, table)
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(files, " "); !strings.Contains(all, "trajectories.svg") || strings.Contains(all, "table.txt") {
		t.Errorf("wrote %v", files)
	}
	if _, err := os.Stat(filepath.Join(dir, "searches.md")); err != nil {
		t.Error(err)
	}
}

// TestAfter spreads the changes of an architecture over the epochs.
func TestAfter(t *testing.T) {
	got := after([]Derived{{0, "a"}, {2, "b"}, {3, "a"}}, 4)
	if want := "a a b a a"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
	if got := after(nil, 4); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}

func TestSearchRefused(t *testing.T) {
	for want, change := range map[string][2]string{
		"models of a search": {"    seeds: [1]\n", "    models: [resnet8]\n"},
		"without a pruning":  {"    seeds: [1]\n", "    rounds: [4]\n"},
	} {
		if _, err := Read(strings.NewReader(strings.Replace(searching, change[0], change[1], 1)), "x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
