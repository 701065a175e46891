package experiment

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"espalier/results"
)

// Pruned is what one pruned network came to: a row of pruned.csv.
type Pruned struct {
	Sparsity float64         `json:"sparsity"`         // as asked for
	Kept     int             `json:"kept"`             // convolution and linear weights that stay
	Total    int             `json:"total"`            // of them all
	Passes   int             `json:"passes"`           // forward and backward passes of a batch: training of the mask and under it
	OneShot  results.Percent `json:"one_shot_val_acc"` // validation accuracy before fine-tuning
	ValAcc   results.Percent `json:"val_acc"`          // the same after it
	TestAcc  results.Percent `json:"test_acc"`         // after it
}

// Density is the share of the weights that stays.
func (p Pruned) Density() float64 { return float64(p.Kept) / float64(p.Total) }

var prunedColumns = []string{"sparsity", "kept", "total", "passes", "one_shot_val_acc", "val_acc", "test_acc"}

// writePruned writes the table; what was not measured is empty.
func writePruned(w io.Writer, rows []Pruned) error {
	t := results.NewTable(prunedColumns...)
	for _, r := range rows {
		t.Add(number(r.Sparsity), strconv.Itoa(r.Kept), strconv.Itoa(r.Total), strconv.Itoa(r.Passes), r.OneShot.Number(), r.ValAcc.Number(), r.TestAcc.Number())
	}
	return t.Write(w, results.CSV)
}

// readPruned reads pruned.csv. Errors name the file and the line.
func readPruned(path string) ([]Pruned, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("experiment: %w", err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("experiment: %s: %w", path, err)
	}
	if len(lines) == 0 || !slices.Equal(lines[0], prunedColumns) {
		return nil, fmt.Errorf("experiment: %s: the columns are not %v", path, prunedColumns)
	}
	var rows []Pruned
	for i, line := range lines[1:] {
		r, err := parsePruned(line)
		if err != nil {
			return nil, fmt.Errorf("experiment: %s:%d: %w", path, i+2, err)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func parsePruned(fields []string) (r Pruned, err error) {
	var errs [7]error
	r.Sparsity, errs[0] = strconv.ParseFloat(fields[0], 64)
	r.Kept, errs[1] = strconv.Atoi(fields[1])
	r.Total, errs[2] = strconv.Atoi(fields[2])
	r.Passes, errs[3] = strconv.Atoi(fields[3])
	for i, to := range []*results.Percent{&r.OneShot, &r.ValAcc, &r.TestAcc} {
		if *to = results.NotMeasured(); fields[4+i] != "" {
			var v float64
			v, errs[4+i] = strconv.ParseFloat(fields[4+i], 64)
			*to = results.Percent(v)
		}
	}
	if err := errors.Join(errs[:]...); err != nil {
		return r, err
	}
	if r.Total < 1 || r.Kept < 0 || r.Kept > r.Total {
		return r, fmt.Errorf("%d of %d weights", r.Kept, r.Total)
	}
	return r, nil
}
