package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"espalier/experiment"
	"espalier/internal/atomicfile"
)

// writeReport writes what belongs beside a published number: the settings, a row for each run, and the training curves.
func writeReport(runs []experiment.Run, dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	var b strings.Builder
	b.WriteString("seed,epochs,val_acc,test_acc,seconds\n")
	for _, r := range runs {
		val := ""
		if r.Outcome.ValAcc != nil {
			val = fmt.Sprintf("%.2f", *r.Outcome.ValAcc)
		}
		fmt.Fprintf(&b, "%d,%d,%s,%.2f,%.0f\n", r.Outcome.Seed, r.Outcome.Epochs, val, r.Outcome.TestAcc, r.Outcome.Seconds)
	}
	config := runs[0].Config
	config.Seed = experiment.Default().Seed
	files := []string{filepath.Join(dir, experiment.ConfigFile), filepath.Join(dir, "summary.csv")}
	if err := atomicfile.WriteBytes(files[0], config.YAML()); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if err := atomicfile.WriteBytes(files[1], []byte(b.String())); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	figures, err := drawRuns(runs, dir, "")
	return append(files, figures...), err
}
