package study

import (
	"os"
	"path/filepath"
	"slices"
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
		"dense resnet8 0.00 % – 90.00 (90.00–90.00, n = 2) 91.00 (91.00–91.00, n = 2)",
		"magnitude resnet8 59.04 % 20 50.00 (n = 1) 80.00 (n = 1) 82.00 (n = 1) 0 0s 1 failed",
		"magnitude resnet8 79.03 % 20 50.00 (n = 1) 80.00 (n = 1) 82.00 (n = 1) 0 0s 1 to do",
		"magnitude resnet20 79.03 % 20 50.00 (50.00–50.00, n = 2) 80.00 (80.00–80.00, n = 2) 81.50 (81.00–82.00, n = 2)",
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
	if want := "magnitude,resnet8,2,0.7902848,20,100,50.00,80.00,82.00,0,0,0.0,,0,0,0.0,," + c.Hash() + ",,,,\n"; !strings.Contains(csv.String(), want) {
		t.Errorf("no %q in\n%s", want, &csv)
	}
}

// TestValidationOnly: without test accuracies, cells are judged by validation, in the table and in the figure.
func TestValidationOnly(t *testing.T) {
	s := read(t, small)
	records := map[Cell]Record{}
	for i, c := range s.Series[1].Cells {
		records[CellOf(c)] = Record{Seed: c.Seed, Kept: 100 - int(100*c.Prune.Sparsity[0]), Total: 100, OneShot: results.NotMeasured(), ValAcc: results.Percent(80 + i), TestAcc: results.NotMeasured()}
	}
	text := s.Table(records).String()
	if strings.Contains(text, "test") || !strings.Contains(text, "validation accuracy") || strings.Contains(text, "NaN") {
		t.Errorf("the table is\n%s", text)
	}
	if _, label := judged(s.Points(records)); label != "validation accuracy (%)" {
		t.Errorf("judged by %s", label)
	}
	if _, err := s.Write(t.TempDir(), records, nil); err != nil {
		t.Error(err)
	}
}

// TestMachines: times of cells that ran on two machines, or at once, stand beside what these were, and no figure compares them;
// the figure of seconds says so if some cells stood still for a while.
func TestMachines(t *testing.T) {
	s := read(t, small)
	var l lab
	records, err := s.Run(t.Context(), Options{Records: t.TempDir(), Execute: l.execute, Machine: "one, 2 cores"})
	if err != nil {
		t.Fatal(err)
	}
	paused := false // whether a figure said so at the last call of figures
	figures := func() (all []string) {
		paused = false
		files, err := s.Write(t.TempDir(), records, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, ".svg") && strings.Contains(f, "resnet8-") {
				all = append(all, strings.TrimSuffix(filepath.Base(f), ".svg"))
				drawn, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				paused = paused || strings.Contains(string(drawn), "pauses of some runs")
			}
		}
		return all
	}
	if got := figures(); !slices.Contains(got, "resnet8-seconds") || strings.Contains(s.Table(records).String(), "measured on") {
		t.Errorf("of one machine: %v\n%s", got, s.Table(records))
	}
	cell := CellOf(s.Series[1].Cells[0])
	for c, r := range records {
		r.Own.Seconds, r.Own.Processor = 10, 19
		records[c] = r
	}
	if got := figures(); !slices.Contains(got, "resnet8-seconds") || !slices.Contains(got, "resnet8-processor") || paused {
		t.Errorf("of cells that were equally busy: %v, paused: %v", got, paused)
	}
	held := records[cell]
	held.Own.Seconds = 16
	records[cell] = held
	if got := figures(); !slices.Contains(got, "resnet8-seconds") || !paused {
		t.Errorf("of a cell that stood still for 6 of 16 seconds: %v, paused: %v", got, paused)
	}
	moved := records[cell]
	moved.Machine = "one, 2 cores, 2 runs at once"
	records[cell] = moved
	if got := figures(); slices.Contains(got, "resnet8-seconds") || !slices.Contains(got, "resnet8-passes") {
		t.Errorf("of cells that ran at once: %v", got)
	}
	if text := s.Table(records).String(); !strings.Contains(text, "measured on") || !strings.HasSuffix(text, "A: one, 2 cores\nB: one, 2 cores, 2 runs at once\n") {
		t.Errorf("the table is\n%s", text)
	}
}

// TestMoved: series whose masks moved alike are drawn once, others each; other sparsities are left out.
func TestMoved(t *testing.T) {
	point := func(series string, sparsity, changed float64) Point {
		return Point{Series: series, Sparsity: sparsity, Records: []Record{{Trace: []Trace{{changed, changed / 2}, {0, 0}}}, {Trace: []Trace{{.5, .25}, {0, 0}}}}}
	}
	got := moved([]Point{point("a", .5, .1), point("a, not tuned", .5, .1), point("b", .5, .2), point("c", .9, .3), {Series: "d", Sparsity: .5, Records: []Record{{}}}}, .5)
	if len(got) != 2 || got[0].Name != "a" || got[1].Name != "b" || got[1].Regrown[0][0] != .1 || len(got[1].Changed) != 2 {
		t.Errorf("%+v", got)
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
	if got := compare(a, b, testAcc); got.N != 3 || got.Mean != 1 {
		t.Errorf("%+v", got)
	}
}
