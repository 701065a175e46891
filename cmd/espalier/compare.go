package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"espalier/experiment"
	"espalier/study"
)

func newCompare(a *app) *cobra.Command {
	var baseline, out string
	c := &cobra.Command{
		Use:   "compare RUN...",
		Short: "Put runs that you pick side by side, tested against a baseline",
		Long: `Gathers the runs in the given directories, or below them, and prints one table as a study does: a row for each way of
pruning, model and sparsity, over all seeds. Rows are labelled by the method and by those settings in which they differ.

With --baseline, every row is compared with the baseline's of the same model and sparsity, seed by seed: the mean
difference, and from five pairs on the p-value of Student's paired t-test; with fewer it says so. The baseline is a label
of the table, or one of the runs' directories.

Passes and time count the stages that a network needed, the dense network apart. Accuracies are in percent. With --out,
the tables (text, Markdown, CSV) and the figures are written into a directory.`,
		Example: `  espalier compare runs/quickstart --baseline random
  espalier compare runs/small/0a1b2c3d4e5f runs/small/5f4e3d2c1b0a --out comparison`,
		GroupID: "look",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("want directories of runs; 'espalier ls' lists them")}
			}
			var runs []experiment.Run
			for _, dir := range args {
				found, err := experiment.Find(dir)
				if err != nil {
					return err
				}
				if len(found) == 0 {
					return fmt.Errorf("no runs below %s", dir)
				}
				runs = append(runs, found...)
			}
			g, err := study.Gather("comparison", runs)
			if err != nil {
				return err
			}
			if err := setBaseline(g, runs, baseline); err != nil {
				return usageError{err}
			}
			if err := a.printStudyResult(g.Study, g.Records, nil); err != nil {
				return err
			}
			for _, path := range g.Apart {
				a.say("%s started from runs that do not lie beside it: what they took is not counted", path)
			}
			if out == "" {
				return nil
			}
			files, err := g.Write(out, g.Records, nil)
			if err != nil {
				return err
			}
			return a.printFiles(files)
		},
	}
	c.Flags().StringVarP(&baseline, "baseline", "b", "", "label of a row, or directory of a run, that the others are compared with")
	c.Flags().StringVarP(&out, "out", "o", "", "directory for tables and figures (default: none are written)")
	return c
}

// setBaseline finds the series that is meant.
func setBaseline(g *study.Gathered, runs []experiment.Run, baseline string) error {
	if baseline == "" {
		return nil
	}
	var labels []string
	for _, s := range g.Series {
		if s.Label == baseline {
			g.Baseline = baseline
			return nil
		}
		labels = append(labels, s.Label)
	}
	if _, err := os.Stat(baseline); err == nil {
		i := slices.IndexFunc(runs, func(r experiment.Run) bool { return filepath.Clean(r.Path) == filepath.Clean(baseline) })
		if i >= 0 {
			if label, ok := g.Of(runs[i]); ok {
				g.Baseline = label
				return nil
			}
		}
	}
	return fmt.Errorf("--baseline %q is neither the directory of one of the runs nor one of their labels: %s", baseline, strings.Join(labels, "; "))
}
