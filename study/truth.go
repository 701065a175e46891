package study

import (
	"fmt"
	"math"
	"strconv"

	"espalier/results"
	"espalier/results/plot"
	"espalier/search"
	"espalier/search/nb201"
)

// truths are the accuracies after 200 epochs that a report gives, in its order.
var truths = []struct {
	column nb201.Column
	data   nb201.Data
}{{nb201.C10Test200, nb201.CIFAR10}, {nb201.C100Test200, nb201.CIFAR100}, {nb201.In16Test200, nb201.ImageNet16}}

// cellIn finds the row of a genotype in the table of NAS-Bench-201; a genotype of another space has none.
func cellIn(table *nb201.Table, genotype string) (nb201.Row, bool) {
	if table == nil || genotype == "" {
		return nb201.Row{}, false
	}
	g, err := search.Parse(genotype)
	if err != nil {
		return nb201.Row{}, false
	}
	cell, err := search.NB201From(g)
	if err != nil {
		return nb201.Row{}, false
	}
	return table.Row(cell)
}

// truth is a figure of the architecture that a search found.
func truth(table *nb201.Table, column nb201.Column) func(Record) float64 {
	return func(r Record) float64 {
		if row, ok := cellIn(table, r.Genotype); ok {
			return row.Value(column)
		}
		return math.NaN()
	}
}

// percentile is the share of all cells that a search's is not behind, by test accuracy on CIFAR-10.
func percentile(table *nb201.Table) func(Record) float64 {
	return func(r Record) float64 {
		row, ok := cellIn(table, r.Genotype)
		if !ok {
			return math.NaN()
		}
		rank, err := table.Rank(row.Cell, nb201.C10Test200)
		if err != nil {
			return math.NaN()
		}
		return rank.Percentile()
	}
}

// Searches is what the searches of a study found: a row for each series, with what the table of NAS-Bench-201 says about the
// cells, if one is given (nil: none). Nothing was chosen by it.
func (s *Study) Searches(records map[Cell]Record, table *nb201.Table) *results.Table {
	names := []string{"series", "space", "accuracy on search.val (%)"}
	if table != nil {
		for _, t := range truths {
			names = append(names, t.data.String()+" (%)")
		}
		names = append(names, "percentile")
	}
	t := results.NewTable(append(names, "time", "state")...)
	for _, p := range s.pointsOf(records, true) {
		row := []string{p.Series, p.Model, results.Summarize(p.of(valAcc)...).Text(2)}
		if table != nil {
			for _, t := range truths {
				row = append(row, results.Summarize(p.of(truth(table, t.column))...).Text(2))
			}
			row = append(row, results.Summarize(p.of(percentile(table))...).Text(1))
		}
		seconds := ""
		if len(p.Records) > 0 {
			seconds = results.Duration(results.Summarize(p.of(allSeconds)...).Mean)
		}
		t.Add(append(row, seconds, p.state())...)
	}
	return t
}

// Found is the searches in numbers, for programs: a row for each, with the architecture. Accuracies are in percent; index and
// what follows it are of cells of NAS-Bench-201 and empty without a table.
func (s *Study) Found(records map[Cell]Record, table *nb201.Table) *results.Table {
	t := results.NewTable("series", "space", "seed", "val_acc", "seconds", "genotype",
		"index", "c10_test200", "c100_test200", "in16_test200", "c10_percentile", "hash")
	number := func(v float64) string {
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'f', 4, 64)
	}
	for _, p := range s.pointsOf(records, true) {
		for _, r := range p.Records {
			row := []string{p.Series, p.Model, strconv.FormatUint(r.Seed, 10), r.ValAcc.Number(), fmt.Sprintf("%.1f", r.Own.Seconds), r.Genotype, ""}
			if cell, ok := cellIn(table, r.Genotype); ok {
				row[6] = strconv.Itoa(cell.Cell.Index())
			}
			for _, c := range truths {
				row = append(row, number(truth(table, c.column)(r)))
			}
			t.Add(append(row, number(percentile(table)(r)), r.Hash)...)
		}
	}
	return t
}

// Trajectories draws the true accuracy on CIFAR-10 of the architecture that α means after each epoch, a curve for each series
// of searches; it is nil if nothing is known.
func (s *Study) Trajectories(records map[Cell]Record, table *nb201.Table) (*plot.Figure, error) {
	var courses []plot.Course
	for _, p := range s.pointsOf(records, true) {
		c := plot.Course{Name: p.Series}
		for _, r := range p.Records {
			var values []float64
			for _, g := range after(r.Path, r.Own.Epochs) {
				if row, ok := cellIn(table, g); ok {
					values = append(values, row.Value(nb201.C10Test200))
				}
			}
			if len(values) == r.Own.Epochs+1 && (len(c.Runs) == 0 || len(values) == len(c.Runs[0])) {
				c.Runs = append(c.Runs, values)
			}
		}
		if len(c.Runs) > 0 {
			courses = append(courses, c)
		}
	}
	if len(courses) == 0 || len(courses) > plot.Curves {
		return nil, nil
	}
	return plot.NewCourses(s.Name+": the derived cell", "true accuracy on CIFAR-10 (%)", 0, courses...)
}
