package study

import (
	"strings"
	"testing"

	"espalier/results"
)

func TestTable(t *testing.T) {
	s := read(t, small)
	var l lab
	records, err := s.Run(t.Context(), Options{Records: t.TempDir(), Execute: l.execute})
	if err != nil {
		t.Fatal(err)
	}
	failed, missing := s.Series[1].Cells[0], s.Series[1].Cells[2]
	records[CellOf(failed)] = Record{Seed: 1, Error: "no"}
	delete(records, CellOf(missing))
	text := s.Table(records).String()
	squeezed := strings.Join(strings.Fields(text), " ")
	for _, want := range []string{
		"dense resnet8 0.00 % 91.00 (91.00–91.00, n = 2)",
		"magnitude resnet8 59.04 % 20 82.00 (n = 1) 0 0s 1 failed",
		"magnitude resnet8 79.03 % 20 82.00 (n = 1) 0 0s 1 to do",
		"magnitude resnet20 79.03 % 20 81.50 (81.00–82.00, n = 2)",
	} {
		if !strings.Contains(squeezed, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	var csv strings.Builder
	if err := s.Rows(records).Write(&csv, results.CSV); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(csv.String(), "\n"); lines != 1+11 {
		t.Errorf("%d lines of\n%s", lines, &csv)
	}
	c := s.Series[1].Cells[3]
	if want := "magnitude,resnet8,2,0.7902848,20,100,50.00,80.00,82.00,0,0,0.0,0,0,0.0," + c.Hash() + "\n"; !strings.Contains(csv.String(), want) {
		t.Errorf("no %q in\n%s", want, &csv)
	}
}

// TestCompare: accuracies are paired by seed, whatever their order, and seeds that one side lacks are left out.
func TestCompare(t *testing.T) {
	point := func(acc map[uint64]float64) (p Point) {
		for seed, a := range acc {
			p.Records = append(p.Records, Record{Seed: seed, TestAcc: results.Percent(a)})
		}
		return p
	}
	a := point(map[uint64]float64{1: 90, 2: 91, 3: 92, 7: 10})
	b := point(map[uint64]float64{3: 91, 1: 89, 2: 90, 9: 99})
	if got := compare(a, b); got.N != 3 || got.Mean != 1 {
		t.Errorf("%+v", got)
	}
}
