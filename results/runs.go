package results

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"espalier/train"
)

// Run is a training on disk: that of a run's directory, or of a stage within one.
type Run struct {
	Path    string
	Account train.Account // status, how far it is
	Records train.Records // of its complete epochs
	Seconds float64       // spent on it, what was lost by being killed not counted; 0 if nothing was timed
}

// Open reads the training in a directory. One that has not finished an epoch has no records.
func Open(dir string) (Run, error) {
	r := Run{Path: dir}
	var err error
	if r.Account, err = train.ReadAccount(dir); err != nil {
		return r, fmt.Errorf("results: %w", err)
	}
	if r.Records, err = train.ReadRecords(filepath.Join(dir, train.MetricsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("results: %w", err)
	}
	timings, err := train.ReadTimings(filepath.Join(dir, train.TimingsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("results: %w", err)
	}
	for _, t := range timings {
		r.Seconds += t.Train + t.End
	}
	return r, nil
}

// Find reads every training below root, stages included, in the order of their paths. Those that cannot be read are left
// out, and the error names each; the others are returned with it. A root that does not exist has none.
func Find(root string) ([]Run, error) {
	var runs []Run
	var bad []error
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path == root:
			return nil
		case err != nil:
			bad = append(bad, fmt.Errorf("results: %w", err))
			return nil
		case d.IsDir() || d.Name() != train.StatusFile:
			return nil
		}
		r, err := Open(filepath.Dir(path))
		if err != nil {
			bad = append(bad, err)
			return nil
		}
		runs = append(runs, r)
		return nil
	})
	slices.SortFunc(runs, func(a, b Run) int { return strings.Compare(a.Path, b.Path) })
	return runs, errors.Join(append(bad, err)...)
}

// Last is a figure of the last complete epoch, NaN if there is none.
func (r Run) Last(figure string) float64 {
	if c := r.Records.Column(figure); len(c) > 0 {
		return c[len(c)-1]
	}
	return math.NaN()
}

// At is a figure of the epoch that counts: the best, where the run tracked one, else the last. It is NaN if there is none.
func (r Run) At(figure string) float64 {
	c := r.Records.Column(figure)
	if best := r.Account.Best.Epoch; best > 0 && best <= len(c) {
		return c[best-1]
	}
	return r.Last(figure)
}

// Overview is a table of trainings: path from root, status, epochs done and in all, and the given figures of the epoch that
// counts, with so many decimals.
func Overview(root string, runs []Run, decimals int, figures ...string) *Table {
	t := NewTable(slices.Concat([]string{"run", "status", "epochs"}, figures, []string{"seconds"})...)
	for _, r := range runs {
		path, err := filepath.Rel(root, r.Path)
		if err != nil {
			path = r.Path
		}
		row := []string{filepath.ToSlash(path), string(r.Account.Status), fmt.Sprintf("%d/%d", r.Account.Epoch, r.Account.Epochs)}
		for _, f := range figures {
			row = append(row, number(r.At(f), decimals))
		}
		t.Add(append(row, fmt.Sprintf("%.0f", r.Seconds))...)
	}
	return t
}

// number is v with so many decimals, nothing if it was not measured.
func number(v float64, decimals int) string {
	if math.IsNaN(v) {
		return ""
	}
	return fmt.Sprintf("%.*f", decimals, v)
}
